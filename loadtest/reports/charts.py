"""Charts: which lines of a report are drawn, over time and of the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from loadtest.reports.chart import Frame, Line, line_chart
from loadtest.reports.document import Figures, Point, Report
from loadtest.reports.quantities import amount, duration, share, size
from loadtest.reports.server_series import SERIES, Series, Unit

__all__ = ["generator_charts", "latency_chart", "load_charts", "server_charts"]

_PERCENTILES = (("p50", "q1"), ("p90", "q2"), ("p99", "q3"), ("p99_9", "q4"), ("max", "q5"))
_STYLES = ("c1", "c2", "c3", "c4", "c5", "c6")

_Figure = Callable[[Point], float | None]


def latency_chart(
    title: str, report: Report, earlier: Report | None, calls: Callable[[Point], Figures | None]
) -> str:
    """Percentiles over time, on a logarithmic axis; the earlier load's p99 behind them.

    Args:
        title: of the chart.
        report: the load.
        earlier: the one that is compared with.
        calls: of a point that are meant; None where there were none.
    """

    def figure(name: str) -> _Figure:
        def micros(point: Point) -> float | None:
            found = calls(point)
            return getattr(found, name) if found is not None and found.count else None

        return micros

    lines = [
        _line(name.replace("_", "."), style, report, figure(name))
        for name, style in reversed(_PERCENTILES)
    ]
    lines += _earlier("p99 earlier", "outline", earlier, figure("p99"))
    return _drawn(title, report, lines, Frame(1160, 300, duration), is_log=True)


def load_charts(report: Report, earlier: Report | None) -> list[str]:
    """Throughput, deliveries, errors and connections over time."""
    charts = []
    kinds = sorted(report.calls, key=lambda kind: -report.calls[kind].count)[: len(_STYLES) - 1]
    lines = [_line("all calls", "c1", report, _rate(lambda point: point.total.count))]
    if len(report.calls) > 1:
        lines += [
            _line(kind, style, report, _rate(_counted(kind)))
            for kind, style in zip(kinds, _STYLES[1:], strict=False)
        ]
    if report.arrivals:
        lines.append(_line("due", "q1", report, _rate(lambda point: point.arrivals)))
    lines += _earlier("earlier", "outline", earlier, _rate(lambda point: point.total.count))
    charts.append(_chart("Answered calls per second", report, lines, amount))
    codes = list(report.errors)[: len(_STYLES)]
    lines = [
        _line(code, style, report, _rate(_failed(code)))
        for code, style in zip(codes, _STYLES, strict=False)
    ]
    if lines:
        title = f"Errors per second: {codes[0]}" if len(codes) == 1 else "Errors per second"
        charts.append(_chart(title, report, lines, amount))
    if any(point.deliveries for point in report.points):
        lines = [_line("deliveries", "c3", report, _rate(lambda point: point.deliveries))]
        lines += _earlier("earlier", "outline", earlier, _rate(lambda point: point.deliveries))
        charts.append(_chart("Updates delivered per second", report, lines, amount))
    lines = [_line("connections", "c4", report, lambda point: point.connections)]
    charts.append(_chart("Open connections", report, lines, amount))
    return charts


def generator_charts(report: Report) -> list[str]:
    """How busy the load generator itself was."""
    cpu = [_line("cpu", "c5", report, lambda point: point.generator_cpu)]
    lag = [_line("lag", "c6", report, lambda point: point.generator_lag_ms * 1_000)]
    return [
        _chart("Load generator: busiest process, part of a core", report, cpu, share),
        _chart("Load generator: worst lag of its loop", report, lag, duration),
    ]


def server_charts(report: Report, earlier: Report | None) -> list[str]:
    """The server's own figures, each in a small chart; those that are known."""
    charts = []
    for series in SERIES:
        figure = _reading(series)
        if any(figure(point) is not None for point in report.points):
            lines = [_line("now", "c1", report, figure)]
            lines += _earlier("earlier", "outline", earlier, figure)
            is_binary = series.unit in {Unit.BYTES, Unit.BYTES_PER_SECOND}
            frame = Frame(380, 170, partial(_text, series.unit), is_binary)
            charts.append(_drawn(series.title, report, lines, frame))
    return charts


def _chart(title: str, report: Report, lines: Sequence[Line], text: Callable[[float], str]) -> str:
    return _drawn(title, report, lines, Frame(560, 200, text))


def _drawn(
    title: str, report: Report, lines: Sequence[Line], frame: Frame, *, is_log: bool = False
) -> str:
    times = [point.second + point.seconds / 2 for point in report.points]
    return line_chart(title, times, lines, frame, is_log=is_log, measured=report.seconds)


def _line(title: str, style: str, report: Report, figure: _Figure) -> Line:
    return Line(title, style, [figure(point) for point in report.points])


def _earlier(title: str, style: str, report: Report | None, figure: _Figure) -> list[Line]:
    if report is None:
        return []
    values = [figure(point) for point in report.measured_points]
    times = [point.second + point.seconds / 2 for point in report.measured_points]
    return [Line(title, style, values, is_earlier=True, times=times)]


def _rate(count: Callable[[Point], int]) -> _Figure:
    return lambda point: count(point) / point.seconds


def _counted(kind: str) -> Callable[[Point], int]:
    return lambda point: point.calls[kind].count if kind in point.calls else 0


def _failed(code: str) -> Callable[[Point], int]:
    return lambda point: point.errors.get(code, 0)


def _reading(series: Series) -> _Figure:
    return lambda point: point.server.get(series.name)


def _text(unit: Unit, value: float) -> str:
    match unit:
        case Unit.CORES:
            return share(value)
        case Unit.BYTES:
            return size(value)
        case Unit.BYTES_PER_SECOND:
            return f"{size(value)}/s"
        case Unit.MICROS:
            return duration(value)
        case Unit.PER_SECOND:
            return f"{amount(value)}/s"
        case Unit.COUNT:
            return amount(value)
