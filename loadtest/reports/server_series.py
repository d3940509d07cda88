"""Server series: figures of the server over time, made of two readings of its metrics.

Readings are as ``Interval.server_metrics`` has them: samples added up by name. A figure whose
metrics are missing, or that went backwards because the server was started again, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

__all__ = ["SERIES", "Series", "Unit", "server_figures"]


class Unit(Enum):
    """What a figure is measured in."""

    CORES = "cores"
    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes/s"
    MICROS = "us"
    COUNT = ""
    PER_SECOND = "/s"


class _Way(Enum):
    LEVEL = "as it is"
    RATE = "growth per second"
    MEAN = "growth of the sum by growth of the count, seconds to microseconds"


@dataclass(frozen=True, slots=True)
class Series:
    """One figure.

    Attributes:
        name: in reports.
        title: for people.
        unit: of its values.
        metric: of the server; of a mean without ``_sum`` and ``_count``.
        way: how a value is made of the metric.
    """

    name: str
    title: str
    unit: Unit
    metric: str
    way: _Way


SERIES: tuple[Series, ...] = (
    Series("cpu", "Processor time", Unit.CORES, "process_cpu_seconds_total", _Way.RATE),
    Series("memory", "Resident memory", Unit.BYTES, "process_resident_memory_bytes", _Way.LEVEL),
    Series("turns", "Turns", Unit.PER_SECOND, "genarrative_turns_total", _Way.RATE),
    Series("turn", "A turn, mean", Unit.MICROS, "genarrative_turn_seconds", _Way.MEAN),
    Series("commit", "A commit, mean", Unit.MICROS, "genarrative_commit_seconds", _Way.MEAN),
    Series("loop_lag", "Loop lag, mean", Unit.MICROS, "genarrative_loop_lag_seconds", _Way.MEAN),
    Series("mailboxes", "Waiting messages", Unit.COUNT, "genarrative_mailbox_messages", _Way.LEVEL),
    Series("rounds", "Rounds waiting", Unit.COUNT, "genarrative_rounds_waiting", _Way.LEVEL),
    Series("actors", "Actors in memory", Unit.COUNT, "genarrative_actors", _Way.LEVEL),
    Series("subscriptions", "Subscriptions", Unit.COUNT, "genarrative_subscriptions", _Way.LEVEL),
    Series("sent", "Sent", Unit.BYTES_PER_SECOND, "genarrative_sent_bytes_total", _Way.RATE),
    Series("collections", "Collections", Unit.PER_SECOND, "python_gc_collections_total", _Way.RATE),
)


def server_figures(
    before: Mapping[str, float], after: Mapping[str, float], seconds: float
) -> dict[str, float]:
    """What two readings say of the time between them, by the names of ``SERIES``.

    Args:
        before: the earlier reading; empty when there was none.
        after: the later one.
        seconds: between them.
    """
    figures = {}
    for series in SERIES:
        value = _value(series, before, after, seconds)
        if value is not None:
            figures[series.name] = round(value, 4)
    return figures


def _value(
    series: Series, before: Mapping[str, float], after: Mapping[str, float], seconds: float
) -> float | None:
    if series.way is _Way.LEVEL:
        return after.get(series.metric)
    if series.way is _Way.RATE:
        grown = _growth(series.metric, before, after)
        return None if grown is None else grown / seconds
    total = _growth(f"{series.metric}_sum", before, after)
    count = _growth(f"{series.metric}_count", before, after)
    return total / count * 1e6 if total is not None and count else None


def _growth(metric: str, before: Mapping[str, float], after: Mapping[str, float]) -> float | None:
    if metric not in before or metric not in after or after[metric] < before[metric]:
        return None
    return after[metric] - before[metric]
