"""Top rows: the first rows of an order, kept through changes.

With L the limit, the first rows of the order are kept, L and a reserve of them, sorted. A row that
comes or goes is found by bisection and moves what is behind it in a list of bounded length. What
is beyond the reserve is not kept: when deletions have used the reserve up, all matching rows are
looked at once more. That takes as many deletions as the reserve has rows, so with N matching rows
a deletion costs N / reserve looks on average; with no more rows than are kept it costs none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest
from typing import Any, TypeAlias

from actors.datastore import EncodedRow
from actors.limits import WINDOW_RESERVE_ROWS

__all__ = ["TopRows"]

_Entry: TypeAlias = tuple[tuple[Any, ...], bytes]


class TopRows:
    """The first rows of all that match a query, as a bag of row bytes.

    Args:
        limit: how many.
        key: what rows sort by; no two different rows have the same.
        matching: all rows that match now.
    """

    __slots__ = ("_entries", "_is_whole", "_key", "_limit", "_matching")

    def __init__(
        self,
        limit: int,
        key: Callable[[EncodedRow], tuple[Any, ...]],
        matching: Callable[[], Iterable[EncodedRow]],
    ) -> None:
        self._limit = limit
        self._key = key
        self._matching = matching
        self._fill()

    def rows(self) -> list[bytes]:
        """The first rows, in order."""
        return [data for _, data in self._entries[: self._limit]]

    def change(
        self, inserts: Sequence[EncodedRow], deletes: Sequence[EncodedRow]
    ) -> tuple[list[bytes], list[bytes]]:
        """Take changes of the matching rows; answers what came to the first rows and what went."""
        weights: dict[bytes, int] = {}
        if not self._is_whole and len(self._entries) - len(deletes) <= self._limit:
            self._weigh(self.rows(), -1, weights)
            self._fill()
            self._weigh(self.rows(), 1, weights)
        else:
            for row in deletes:
                self._delete((self._key(row), row.data), weights)
            for row in inserts:
                self._insert((self._key(row), row.data), weights)
        came = [data for data, weight in weights.items() for _ in range(weight)]
        went = [data for data, weight in weights.items() for _ in range(-weight)]
        return came, went

    def _fill(self) -> None:
        kept = self._limit + WINDOW_RESERVE_ROWS
        entries = ((self._key(row), row.data) for row in self._matching())
        self._entries: list[_Entry] = nsmallest(kept + 1, entries)
        self._is_whole = len(self._entries) <= kept
        del self._entries[kept:]

    def _insert(self, entry: _Entry, weights: dict[bytes, int]) -> None:
        entries, limit = self._entries, self._limit
        if not self._is_whole and entry > entries[-1]:
            return  # beyond what is kept there may be others before it
        position = bisect_left(entries, entry)
        entries.insert(position, entry)
        if position < limit:
            self._weigh([entry[1]], 1, weights)
            if len(entries) > limit:
                self._weigh([entries[limit][1]], -1, weights)
        if len(entries) > limit + WINDOW_RESERVE_ROWS:
            entries.pop()
            self._is_whole = False

    def _delete(self, entry: _Entry, weights: dict[bytes, int]) -> None:
        entries, limit = self._entries, self._limit
        if not self._is_whole and entry > entries[-1]:
            return
        position = bisect_left(entries, entry)
        assert entries[position] == entry
        del entries[position]
        if position < limit:
            self._weigh([entry[1]], -1, weights)
            if len(entries) >= limit:
                self._weigh([entries[limit - 1][1]], 1, weights)

    def _weigh(self, rows: Iterable[bytes], weight: int, weights: dict[bytes, int]) -> None:
        for data in rows:
            weights[data] = weights.get(data, 0) + weight
