"""Histogram: how often values fell between fixed bounds; noting one costs a search and two sums."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

__all__ = ["BATCH_BOUNDS", "SECONDS_BOUNDS", "TURN_BOUNDS", "Histogram"]

TURN_BOUNDS: Final[tuple[float, ...]] = (
    25e-6,
    50e-6,
    100e-6,
    250e-6,
    1e-3,
    5e-3,
    25e-3,
    50e-3,
    0.25,
    1.0,
)
"""Seconds of a turn, from what most take to what stops everybody. Those in the first place are not
looked up but counted together."""

SECONDS_BOUNDS = (0.5e-3, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds that somebody waits: from a commit on a fast disk to a request that is given up."""

BATCH_BOUNDS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500)
"""How many were taken together."""


class Histogram:
    """Counts of values, each in the first place whose bound is not below it.

    Attributes:
        bounds: ascending; values above the last have a place of their own.
        counts: per place, one more than there are bounds.
        total: the sum of all values. Who knows the sum of many notes it once, and counts alone.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    @property
    def count(self) -> int:
        """How many values were noted."""
        return sum(self.counts)

    def note(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
