"""Latencies: recorded cheaply while load runs, read from a histogram afterwards."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from loadtest.histogram import Histogram

__all__ = ["Latencies", "LatencySummary"]


class LatencySummary(NamedTuple):
    """Latencies of one run, in microseconds, three significant digits."""

    p50: int
    p99: int
    max: int


class Latencies:
    """Latencies of one run. Recording is two appends: the histogram is filled when it is read."""

    __slots__ = ("_counts", "_nanos")

    def __init__(self) -> None:
        self._nanos = array("q")
        self._counts = array("q")

    def __len__(self) -> int:
        return sum(self._counts)

    def record(self, nanos: int, count: int = 1) -> None:
        """Note that ``count`` requests took ``nanos`` nanoseconds each."""
        self._nanos.append(nanos)
        self._counts.append(count)

    def record_each(self, nanos: Sequence[int], counts: Sequence[int]) -> None:
        """Note several times, each of as many requests as stands at its place."""
        self._nanos.extend(nanos)
        self._counts.extend(counts)

    def add(self, other: Latencies) -> None:
        """Take over what somebody else has recorded."""
        self._nanos.extend(other._nanos)
        self._counts.extend(other._counts)

    def clear(self) -> None:
        """Forget everything: what came before was warm-up."""
        del self._nanos[:]
        del self._counts[:]

    def histogram(self) -> Histogram:
        """Everything that was recorded, in microseconds."""
        by_micros: Counter[int] = Counter()
        for nanos, count in zip(self._nanos, self._counts, strict=True):
            by_micros[nanos // 1_000] += count
        return Histogram.of(by_micros)

    def summary(self) -> LatencySummary:
        """Read the histogram; zeros when nothing was recorded."""
        found = self.histogram().quantiles()
        return LatencySummary(found.p50, found.p99, found.max)
