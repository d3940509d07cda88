"""Histogram: latencies in microseconds, three significant digits, as a text that can be added up.

The text is HdrHistogram's own encoding (version 2, compressed, base64), which other tools read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import compress
from typing import NamedTuple

from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]

from loadtest.limits import LATENCY_MICROS_MAX

__all__ = ["Histogram", "Quantiles"]

_DIGITS = 3
_PERCENTILES = (50.0, 90.0, 99.0, 99.9)


class Quantiles(NamedTuple):
    """What a histogram says in the end, in microseconds; all zeros when nothing is in it."""

    recorded: int
    p50: int
    p90: int
    p99: int
    p999: int
    max: int


class Histogram:
    """Latencies of any number of calls. Longer ones than can be told apart count as the longest."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts = HdrHistogram(1, LATENCY_MICROS_MAX, _DIGITS)

    @classmethod
    def of(cls, counts: Mapping[int, int]) -> Histogram:
        """From the number of times that each latency, in microseconds, was seen."""
        histogram = cls()
        for micros, count in counts.items():
            histogram.record(micros, count)
        return histogram

    @classmethod
    def decode(cls, *texts: str) -> Histogram:
        """The sum of encoded ones; an empty text is an empty histogram."""
        histogram = cls()
        for text in texts:
            if text:
                histogram._counts.decode_and_add(text.encode())
        return histogram

    def __len__(self) -> int:
        return int(self._counts.get_total_count())

    def record(self, micros: int, count: int = 1) -> None:
        """Note that ``count`` calls took so long each."""
        self._counts.record_value(min(max(micros, 1), LATENCY_MICROS_MAX), count)

    def encode(self) -> str:
        """As a text; empty for an empty one."""
        return self._counts.encode().decode() if len(self) else ""

    def quantiles(self) -> Quantiles:
        """Percentiles, each the highest value that its bucket stands for."""
        if not len(self):
            return Quantiles(0, 0, 0, 0, 0, 0)
        ranks = [max(1, int(percent * len(self) / 100 + 0.5)) for percent in _PERCENTILES]
        values, seen = list[int](), 0
        for micros, count in self.buckets():
            seen += count
            values += [micros for rank in ranks[len(values) :] if rank <= seen]
        p50, p90, p99, p999 = values
        return Quantiles(len(self), p50, p90, p99, p999, self._counts.get_max_value())

    def percentile(self, percent: float) -> int:
        """One percentile; 100 is the longest."""
        return int(self._counts.get_value_at_percentile(percent)) if len(self) else 0

    def buckets(self) -> Iterable[tuple[int, int]]:
        """What was recorded, by latency: the highest one of each bucket, and how often."""
        if not len(self):
            return
        # The library's own iterators look at each of 17,000 counts in Python.
        last = self._counts.get_counts_array_index(self._counts.get_max_value())
        counts = memoryview(self._counts.counts).cast("B").cast("Q")
        for index in compress(range(last + 1), counts):
            micros = self._counts.get_value_from_index(index)
            yield int(self._counts.get_highest_equivalent_value(micros)), counts[index]
