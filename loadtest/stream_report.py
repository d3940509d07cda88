"""Stream report: what a load of streamed answers did, as a table for people."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from loadtest.latency import Latencies
from loadtest.streams import StreamOptions, StreamOutcome

__all__ = ["streams_table"]

_SHOWN_MAX = 20


def streams_table(options: StreamOptions, outcome: StreamOutcome) -> Table:
    """What was offered, what arrived, how late, and what it took."""
    seconds = max(outcome.seconds, 0.001)
    calls = Latencies()
    for latencies in outcome.tally.latencies.values():
        calls.add(latencies)
    table = Table(title="Streams; latency in ms", show_header=False)
    table.add_column("what", no_wrap=True)
    table.add_column("figure")
    offered = options.authors * options.per_second
    table.add_row(
        "pieces offered", f"{options.authors:,} x {options.per_second:g}/s = {offered:,.0f}/s"
    )
    table.add_row("pieces arrived", f"{outcome.pieces / seconds:,.0f}/s")
    table.add_row("chunks that held them", f"{outcome.chunks / seconds:,.0f}/s")
    table.add_row("whole replies", f"{outcome.replies:,}, nothing missing in any of them")
    table.add_row("from the model to the author", _latency(outcome.latencies))
    table.add_row("players' calls", f"{outcome.tally.calls / seconds:,.0f}/s")
    table.add_row("their answers", _latency(calls))
    megabytes = outcome.resident_bytes / 2**20
    table.add_row("server", f"{outcome.server_share:.0%} of a core, {megabytes:,.0f} MiB")
    table.add_row("authors and players", f"{outcome.client_share:.0%} of a core")
    failed = [f"{count} x {reason}" for reason, count in outcome.failures.most_common(_SHOWN_MAX)]
    for title, lines in (
        ("failed", failed),
        ("broken rules", outcome.tally.violations[:_SHOWN_MAX]),
        ("logged", outcome.errors[:_SHOWN_MAX]),
    ):
        if lines:
            table.add_row(f"[red]{title}[/red]", escape("\n".join(lines)))
    return table


def _latency(latencies: Latencies) -> str:
    millis = (f"{micros / 1_000:,.0f}" for micros in latencies.summary())
    return "p50 {}, p99 {}, most {}".format(*millis)
