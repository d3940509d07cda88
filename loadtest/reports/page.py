"""Page: a report as one HTML page that needs nothing else: no server, no network, no fonts.

Drawings are SVG inside the page; a small script shows the values under the pointer. The page's
own policy forbids it to load anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources

from loadtest.reports.charts import generator_charts, latency_chart, load_charts, server_charts
from loadtest.reports.comparison import ALL_CALLS, Change, Comparison, Judgement
from loadtest.reports.document import Calls, Report
from loadtest.reports.histogram_chart import histogram_chart
from loadtest.reports.quantities import amount, duration, share, size, times

__all__ = ["render_page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_COLORS = {
    Judgement.WORSE: "bad",
    Judgement.BETTER: "good",
    Judgement.UNSURE: "doubt",
    Judgement.SHOWN: "soft",
    Judgement.SAME: "",
}


def render_page(
    report: Report, earlier: Report | None = None, comparison: Comparison | None = None
) -> str:
    """The page of a load, beside an earlier one when both are given."""
    sections = [
        _head(report, earlier),
        _notice("Broken rules", "bad", report.broken),
        _notice("The load generator itself was the limit", "doubt", report.saturated),
        _tiles(report),
        _verdicts(report),
        _compared(comparison),
        _section("Calls", [_calls_table(report)]),
        _over_time(report, earlier),
        _histograms(report, earlier),
        _charts("Server", server_charts(report, earlier), "small"),
        _charts("Load generator", generator_charts(report)),
        _background(report),
    ]
    style, script = (_part(name) for name in ("page.css", "page.js"))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.scenario)}: load test</title><style>{style}</style></head>"
        f"<body>{''.join(sections)}<script>{script}</script></body></html>\n"
    )


def _part(name: str) -> str:
    return resources.files("loadtest.reports").joinpath(name).read_text("utf-8")


def _head(report: Report, earlier: Report | None) -> str:
    if report.broken:
        badge, color = "rules were broken", "bad"
    elif not all(verdict.kept for verdict in report.verdicts):
        badge, color = "bounds were not kept", "bad"
    else:
        badge, color = "passed", "good"
    began = f"{report.began:%Y-%m-%d %H:%M:%S %Z}, {report.seconds:g} s measured"
    if earlier is not None:
        began += f"; beside it the load of {earlier.began:%Y-%m-%d %H:%M:%S %Z}"
    return (
        f"<header><h1>{escape(report.scenario)}</h1>"
        f'<span class="badge {color}">{badge}</span><p>{escape(began)}</p>'
        f"<p>{escape(report.server)}</p></header>"
    )


def _notice(title: str, color: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<div class="notice {color}"><b>{escape(title)}</b><ul>{items}</ul></div>'


def _tiles(report: Report) -> str:
    total = report.total
    tiles = [
        ("answered", f"{amount(report.rate)}/s"),
        ("p50", duration(total.p50)),
        ("p99", duration(total.p99)),
        ("p99.9", duration(total.p99_9)),
        ("slowest", duration(total.max)),
        ("errors", share(report.error_share)),
    ]
    if report.arrivals:
        tiles.insert(0, ("due", f"{amount(report.arrivals / report.seconds)}/s"))
    if report.deliveries:
        tiles.append(("delivered", f"{amount(report.deliveries / report.seconds)}/s"))
    if report.delivery is not None:
        tiles.append(("delivery p99", duration(report.delivery.p99)))
    if report.server_micros is not None:
        tiles.append(("server CPU of a call", duration(report.server_micros)))
    drawn = (f'<div class="tile"><span>{name}</span><b>{text}</b></div>' for name, text in tiles)
    return f'<div class="tiles">{"".join(drawn)}</div>'


def _section(title: str, parts: Iterable[str]) -> str:
    body = "".join(parts)
    return f"<section><h2>{escape(title)}</h2>{body}</section>" if body else ""


def _charts(title: str, charts: Sequence[str], style: str = "") -> str:
    return _section(title, [f'<div class="charts {style}">{"".join(charts)}</div>'] * bool(charts))


def _table(names: Sequence[str], rows: Iterable[Sequence[str]], style: str = "") -> str:
    """A table; cells are HTML already."""
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    head_row = f"<thead><tr>{head}</tr></thead>" if names else ""
    return f'<div class="table {style}"><table>{head_row}<tbody>{body}</tbody></table></div>'


def _verdicts(report: Report) -> str:
    if not report.verdicts:
        return ""
    rows = [
        [
            f"<code>{escape(verdict.slo)}</code>",
            escape(verdict.measured),
            '<span class="good">kept</span>' if verdict.kept else '<b class="bad">not kept</b>',
        ]
        for verdict in report.verdicts
    ]
    return _section("Bounds", [_table(("bound", "measured", ""), rows)])


def _compared(comparison: Comparison | None) -> str:
    if comparison is None:
        return ""
    whole = [change for change in comparison.changes if change.kind == ALL_CALLS]
    kinds = [change for change in comparison.changes if change.kind != ALL_CALLS]
    worse = sum(change.judgement is Judgement.WORSE for change in kinds)
    names = ("calls", "figure", "earlier", "now", "ratio", "by chance alone", "")
    reading = (
        f"<p>{comparison.summary}. A ratio beyond {comparison.threshold:g} is judged unless chance"
        " may have made it:"
        " the bounds are what the scatter within both loads leaves open, at 99%.</p>"
    )
    parts = [_table(names, map(_change_row, whole), "changes"), reading]
    if kinds:
        table = _table(names, map(_change_row, kinds), "changes")
        told = f"by kind of call <small>{worse} worse</small>"
        parts.append(f"<details><summary>{told}</summary>{table}</details>")
    parts.append(_notice("Not the same", "doubt", comparison.differences))
    return _section("Beside the earlier load", parts)


def _change_row(change: Change) -> list[str]:
    color = _COLORS[change.judgement]
    bounds = "" if change.bounds is None else " to ".join(times(each) for each in change.bounds)
    return [
        escape(change.kind),
        escape(change.figure),
        escape(change.before),
        escape(change.after),
        f'<span class="{color}">{times(change.ratio)}</span>',
        f'<span class="soft">{bounds}</span>',
        f'<span class="{color}">{change.judgement.value}</span>',
    ]


def _calls_table(report: Report) -> str:
    kinds: list[tuple[str, Calls]] = sorted(report.calls.items(), key=lambda item: -item[1].count)
    shown = [*kinds, (ALL_CALLS, report.total)] if len(kinds) != 1 else kinds
    if report.delivery is not None:
        shown.append(("deliveries", report.delivery))
    rows = [
        [
            escape(kind),
            f"{calls.count:,}",
            *map(duration, (calls.p50, calls.p90, calls.p99, calls.p99_9, calls.max)),
        ]
        for kind, calls in shown
    ]
    table = _table(("call", "count", "p50", "p90", "p99", "p99.9", "slowest"), rows)
    if not report.errors:
        return table
    errors = [[escape(code), f"{count:,}"] for code, count in report.errors.items()]
    return f"{table}<h3>Errors</h3>{_table(('code', 'count'), errors)}"


def _over_time(report: Report, earlier: Report | None) -> str:
    total = latency_chart("Latency of all calls", report, earlier, lambda point: point.total)
    charts = [total.replace("<figure>", '<figure class="wide">', 1), *load_charts(report, earlier)]
    return _charts("Over time", charts)


def _histograms(report: Report, earlier: Report | None) -> str:
    before = {} if earlier is None else earlier.calls
    kinds = sorted(report.calls, key=lambda kind: -report.calls[kind].count)
    charts = [
        histogram_chart(kind, report.calls[kind], before.get(kind))
        for kind in kinds
        if report.calls[kind].count
    ]
    if report.delivery is not None and report.delivery.count:
        was = None if earlier is None else earlier.delivery
        charts.append(histogram_chart("deliveries", report.delivery, was))
    parts = [f'<div class="charts">{"".join(charts)}</div>'] * bool(charts)
    parts += [_kind_over_time(kind, report, earlier) for kind in kinds] * (len(kinds) > 1)
    return _section("How latencies are spread", parts)


def _kind_over_time(kind: str, report: Report, earlier: Report | None) -> str:
    title = f"Latency of {kind}"
    chart = latency_chart(title, report, earlier, lambda point: point.calls.get(kind))
    return f"<details><summary>{escape(kind)} <small>over time</small></summary>{chart}</details>"


def _background(report: Report) -> str:
    machine = report.machine
    facts = {
        name: amount(value) if isinstance(value, float | int) else value
        for name, value in report.facts.items()
    }
    about = {
        "load generator": f"version {report.version}, {machine.python}",
        "processor": f"{machine.processor}, {machine.cores} cores",
        "memory": size(machine.memory_bytes),
        "system": machine.system,
        "load average": ", ".join(f"{each:.2f}" for each in machine.load_average),
        "server": report.server,
    }
    options = {name: "" if value is None else str(value) for name, value in report.options.items()}
    return "".join(
        _section(title, [_table((), rows, "words")] * bool(rows))
        for title, rows in (
            ("What the scenario says", _pairs(facts)),
            ("Options", _pairs(options)),
            ("Machine and versions", _pairs(about)),
        )
    )


def _pairs(values: dict[str, str]) -> list[list[str]]:
    return [[escape(name), escape(text)] for name, text in values.items()]
