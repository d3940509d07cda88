"""Server cost: processor time of a call, from the server's own metrics and the calls answered."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from loadtest.histogram import Histogram
from loadtest.interval import Interval

__all__ = ["micros_a_call"]

_CPU = "process_cpu_seconds_total"


def micros_a_call(part: Sequence[Interval], kind: str | None = None) -> float:
    """Processor time of the server in a stretch of time, by the calls answered in it.

    Args:
        part: seconds, one after the other; the first only says where the counting begins.
        kind: of the calls that are counted; all of them when None.
    """
    calls = sum(
        len(Histogram.decode(text))
        for interval in part[1:]
        for name, text in interval.calls.items()
        if kind in (None, name)
    )
    seconds = sum(
        after.server_metrics.get(_CPU, 0.0) - before.server_metrics.get(_CPU, 0.0)
        for before, after in pairwise(part)
    )
    return seconds * 1e6 / max(1, calls)
