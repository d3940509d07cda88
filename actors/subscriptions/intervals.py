"""Intervals: from a value to whoever asks for values between two ends that hold it.

Intervals stand in trees that do not change: sorted by their low ends, under the highest high end of
each part. A search goes down only where an interval can hold the value. Who comes waits in a short
list; a full one becomes a tree, together with the trees that are not much larger, so that there are
few of them and each interval is sorted again O(log n) times. A search costs O(log n) in each tree
and what is found.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable
from math import inf
from typing import Any, Generic, TypeVar

__all__ = ["Intervals"]

Item = TypeVar("Item", bound=Hashable)

_End = tuple[Any, ...]
_BELOW_ALL: _End = (0,)
_ABOVE_ALL: _End = (2,)

_WAITING_MAX = 8
_GROWTH = 4


class _Interval(Generic[Item]):
    __slots__ = ("high", "is_live", "item", "low")

    def __init__(self, item: Item, low: Any, high: Any) -> None:
        self.item = item
        self.low: _End = _BELOW_ALL if low is None else (1, low)
        self.high: _End = _ABOVE_ALL if high is None else (1, high)
        self.is_live = True


class _Tree(Generic[Item]):
    """Intervals by their low ends; node n of the peaks stands over the nodes 2n and 2n + 1."""

    __slots__ = ("_lows", "_peaks", "_width", "intervals")

    def __init__(self, intervals: list[_Interval[Item]]) -> None:
        self.intervals = sorted(intervals, key=lambda entry: entry.low)
        self._lows = [entry.low for entry in self.intervals]
        self._width = width = 1 << (len(intervals) - 1).bit_length()
        peaks = [_BELOW_ALL] * (2 * width)
        peaks[width : width + len(intervals)] = [entry.high for entry in self.intervals]
        for node in range(width - 1, 0, -1):
            peaks[node] = max(peaks[2 * node], peaks[2 * node + 1])
        self._peaks = peaks

    def find(self, at: _End, found: list[Item]) -> None:
        """Add the items whose interval holds a value."""
        peaks = self._peaks
        if peaks[1] < at or at < self._lows[0]:
            return
        end = bisect_right(self._lows, at)
        ahead = [(1, 0, self._width)]
        while ahead:
            node, first, width = ahead.pop()
            if first >= end or peaks[node] < at:
                continue
            if width > 1:
                half = width // 2
                ahead.append((2 * node + 1, first + half, half))
                ahead.append((2 * node, first, half))
            elif self.intervals[first].is_live:
                found.append(self.intervals[first].item)


class Intervals(Generic[Item]):
    """Closed intervals of the values of one column, each with an item; no item comes twice."""

    __slots__ = ("_gone", "_intervals", "_trees", "_waiting")

    def __init__(self) -> None:
        self._intervals: dict[Item, _Interval[Item]] = {}
        self._waiting: list[_Interval[Item]] = []
        self._trees: list[_Tree[Item]] = []
        self._gone = 0

    def __bool__(self) -> bool:
        return bool(self._intervals)

    def add(self, item: Item, low: Any, high: Any) -> None:
        """Enter an interval; None leaves an end open."""
        entry = self._intervals[item] = _Interval(item, low, high)
        self._waiting.append(entry)
        if len(self._waiting) > _WAITING_MAX:
            joined, self._waiting = self._waiting, []
            while self._trees and len(self._trees[-1].intervals) < _GROWTH * len(joined):
                joined += self._trees.pop().intervals
            self._trees.append(_Tree(joined))

    def remove(self, item: Item) -> None:
        """Take an interval out; when as many have gone as are left, they are forgotten."""
        self._intervals.pop(item).is_live = False
        self._gone += 1
        if self._gone > _WAITING_MAX + len(self._intervals):
            left = list(self._intervals.values())
            self._trees = [_Tree(left)] if left else []
            self._waiting = []
            self._gone = 0

    def holding(self, value: Any) -> list[Item]:
        """The items whose interval holds a value; NaN is where infinity is."""
        at = (1, inf if value != value else value)  # noqa: PLR0124 - only NaN differs
        waiting = self._waiting
        found = [e.item for e in waiting if e.is_live and e.low <= at <= e.high]
        for tree in self._trees:
            tree.find(at, found)
        return found
