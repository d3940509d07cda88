"""Summary: the seconds of a load as a report, and what they say of the bounds asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast

from pydantic import JsonValue

from loadtest.histogram import Histogram
from loadtest.interval import Interval
from loadtest.outcome import Outcome
from loadtest.reports.document import Calls, Figures, Machine, Point, Report
from loadtest.reports.limits import BATCHES_MAX, BATCHES_MIN, POINTS_MAX
from loadtest.reports.machine import generator_version
from loadtest.reports.server_series import server_figures
from loadtest.reports.slo import Slo
from loadtest.reports.verdicts import judge

__all__ = ["figures_of", "summarize"]

_Texts = Callable[[Interval], Iterable[str]]
"""Which histograms of a second are meant."""


def summarize(outcome: Outcome, slos: Sequence[Slo], began: datetime, machine: Machine) -> Report:
    """Make the report of a load that has ended.

    Args:
        outcome: the load.
        slos: bounds to judge.
        began: when it did.
        machine: where.
    """
    measured = outcome.measured
    seconds = float(outcome.duration or len(measured) or 1)
    on_time = [each for each in measured if each.second < seconds]
    count = min(BATCHES_MAX, len(on_time) // 2)
    size = len(on_time) // count if count >= BATCHES_MIN else 0
    parts = [on_time[at * size : (at + 1) * size] for at in range(count)] if size else []
    kinds = sorted({kind for each in measured for kind in each.calls})
    is_delivery_timed = any(each.delivery_latency for each in measured)
    report = Report(
        scenario=outcome.scenario,
        began=began,
        options=cast("dict[str, JsonValue]", dict(outcome.options)),
        machine=machine,
        server=outcome.server,
        version=generator_version(),
        seconds=seconds,
        part_seconds=size,
        total=_calls(_all_calls, measured, parts),
        calls={kind: _calls(_calls_of(kind), measured, parts) for kind in kinds},
        delivery=_calls(_deliveries, measured, parts) if is_delivery_timed else None,
        deliveries=sum(each.deliveries for each in on_time),
        arrivals=sum(each.arrivals for each in on_time),
        errors=_added(each.errors for each in measured),
        facts=dict(outcome.facts),
        broken=list(outcome.broken),
        saturated=list(outcome.saturated),
        verdicts=[],
        points=_points(outcome.intervals),
    )
    return report.model_copy(update={"verdicts": [judge(slo, report) for slo in slos]})


def figures_of(histogram: Histogram) -> Figures:
    """A histogram in a few figures."""
    recorded, p50, p90, p99, p99_9, longest = histogram.quantiles()
    return Figures(count=recorded, p50=p50, p90=p90, p99=p99, p99_9=p99_9, max=longest)


def _all_calls(interval: Interval) -> Iterable[str]:
    return interval.calls.values()


def _calls_of(kind: str) -> _Texts:
    return lambda interval: [interval.calls.get(kind, "")]


def _deliveries(interval: Interval) -> Iterable[str]:
    return [interval.delivery_latency]


def _merged(texts: _Texts, intervals: Iterable[Interval]) -> Histogram:
    return Histogram.decode(*(text for each in intervals for text in texts(each)))


def _calls(
    texts: _Texts, measured: Sequence[Interval], parts: Sequence[Sequence[Interval]]
) -> Calls:
    histogram = _merged(texts, measured)
    return Calls(
        **figures_of(histogram).model_dump(),
        histogram=histogram.encode(),
        parts=[figures_of(_merged(texts, part)) for part in parts],
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total = Counter[str]()
    for each in counts:
        total.update(each)
    return dict(total.most_common())


def _points(intervals: Sequence[Interval]) -> list[Point]:
    """The load over time: some seconds to a point, warm-up never in one with what counts."""
    size = -(-len(intervals) // POINTS_MAX) if intervals else 1
    points, previous = [], None
    warm_up = [each for each in intervals if each.second < 0]
    measured = [each for each in intervals if each.second >= 0]
    for stretch in (warm_up, measured):
        for at in range(0, len(stretch), size):
            seconds = stretch[at : at + size]
            points.append(_point(seconds, previous))
            previous = seconds[-1]
    return points


def _point(seconds: Sequence[Interval], previous: Interval | None) -> Point:
    last = seconds[-1]
    kinds = sorted({kind for each in seconds for kind in each.calls})
    figures = {kind: figures_of(_merged(_calls_of(kind), seconds)) for kind in kinds}
    reading = previous.server_metrics if previous else {}
    elapsed = last.second - previous.second if previous else len(seconds)
    return Point(
        second=seconds[0].second,
        seconds=len(seconds),
        total=figures_of(_merged(_all_calls, seconds)),
        calls=figures,
        arrivals=sum(each.arrivals for each in seconds),
        errors=_added(each.errors for each in seconds),
        deliveries=sum(each.deliveries for each in seconds),
        connections=last.connections,
        generator_cpu=max(each.generator_cpu for each in seconds),
        generator_lag_ms=max(each.generator_lag_ms for each in seconds),
        server=server_figures(reading, last.server_metrics, elapsed),
    )
