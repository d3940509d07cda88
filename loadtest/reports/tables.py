"""Tables: a report and a comparison, for people who look at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from loadtest.reports.comparison import ALL_CALLS, Comparison, Judgement
from loadtest.reports.document import Report
from loadtest.reports.limits import LINES_SHOWN_MAX
from loadtest.reports.quantities import amount, duration, share, times

__all__ = ["comparison_table", "latency_table", "outcome_table"]

_COLORS = {
    Judgement.WORSE: "bold red",
    Judgement.BETTER: "green",
    Judgement.UNSURE: "yellow",
    Judgement.SHOWN: "dim",
    Judgement.SAME: "none",
}


def latency_table(report: Report) -> Table:
    """Latencies of the measured time by kind of call, the most frequent first."""
    table = Table("call", title=f"{escape(report.scenario)}: {report.seconds:g} s measured")
    for name in ("count", "p50", "p90", "p99", "p99.9", "max"):
        table.add_column(name, justify="right")
    shown = sorted(report.calls.items(), key=lambda item: (-item[1].count, item[0]))
    if len(shown) != 1:
        shown.append((ALL_CALLS, report.total))
    if report.delivery is not None:
        shown.append(("deliveries", report.delivery))
    for kind, calls in shown:
        latencies = (calls.p50, calls.p90, calls.p99, calls.p99_9, calls.max)
        table.add_row(escape(kind), f"{calls.count:,}", *map(duration, latencies))
    return table


def outcome_table(report: Report) -> Table:
    """How it went: throughput, errors, what broke, whether bounds were kept."""
    table = Table(show_header=False)
    table.add_column("what", no_wrap=True)
    table.add_column("how", overflow="fold")
    due = f" of {amount(report.arrivals / report.seconds)}/s due" if report.arrivals else ""
    table.add_row("answered", f"{amount(report.rate)}/s{due}")
    if report.deliveries:
        table.add_row("delivered", f"{amount(report.deliveries / report.seconds)}/s")
    if report.server_micros is not None:
        table.add_row("server CPU of a call", duration(report.server_micros))
    table.add_row("errors", f"{report.error_count:,}, {share(report.error_share)}")
    for code, count in list(report.errors.items())[:LINES_SHOWN_MAX]:
        table.add_row("", f"{count:,} x {escape(code)}")
    for name, value in report.facts.items():
        text = value if isinstance(value, str) else amount(value)
        table.add_row(escape(name), escape(text))
    for verdict in report.verdicts:
        color, words = ("green", "kept") if verdict.kept else ("bold red", "not kept")
        text = f"{escape(verdict.measured)}, [{color}]{words}[/{color}]"
        table.add_row(escape(verdict.slo), text)
    _add_lines(table, "broken rules", report.broken, "bold red")
    _add_lines(table, "generator saturated", report.saturated, "yellow")
    return table


def comparison_table(comparison: Comparison) -> Table:
    """What changed, and what else was not the same."""
    caption = escape("\n".join([comparison.summary, *comparison.differences]))
    table = Table(title="Beside the earlier load", caption=caption, caption_justify="left")
    for name in ("calls", "figure"):
        table.add_column(name, no_wrap=True)
    for name in ("earlier", "now", "ratio", "by chance alone", ""):
        table.add_column(name, justify="right")
    for change in comparison.changes:
        color = _COLORS[change.judgement]
        low_high = "" if change.bounds is None else " to ".join(map(times, change.bounds))
        table.add_row(
            escape(change.kind),
            change.figure,
            change.before,
            change.after,
            f"[{color}]{times(change.ratio)}[/{color}]",
            low_high,
            f"[{color}]{change.judgement.value}[/{color}]",
        )
    return table


def _add_lines(table: Table, title: str, lines: Sequence[str], color: str) -> None:
    for at, line in enumerate(lines[:LINES_SHOWN_MAX]):
        table.add_row(title if at == 0 else "", f"[{color}]{escape(line)}[/{color}]")
    if len(lines) > LINES_SHOWN_MAX:
        table.add_row("", f"and {len(lines) - LINES_SHOWN_MAX} more, which the report has")
