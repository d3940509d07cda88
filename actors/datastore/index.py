"""Index: keys of rows by the values of some columns, in one actor's table.

Equality is a dictionary lookup. Order is a sorted list of the distinct values that is made when a
range is first asked for and kept up to date from then on: a value that appears or vanishes moves
what is behind it, which is a copy of memory. Tables that are never asked for a range pay nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["Index", "ascending"]


class Index:
    """Values of one or several columns, each with the keys of the rows that hold it.

    Args:
        columns: positions of the columns; the value of a single one stands for itself, of several
            for the tuple of them.
    """

    __slots__ = ("_keys", "_single", "_values", "columns")

    def __init__(self, columns: tuple[int, ...]) -> None:
        self.columns = columns
        self._single = columns[0] if len(columns) == 1 else None
        self._keys: dict[object, set[object]] = {}
        self._values: list[Any] | None = None

    def value_of(self, row: tuple[object, ...]) -> object:
        """The indexed value of a row."""
        if self._single is not None:
            return row[self._single]
        return tuple(row[column] for column in self.columns)

    def add(self, row: tuple[object, ...], key: object) -> None:
        """Enter a row."""
        value = self.value_of(row)
        keys = self._keys.get(value)
        if keys is None:
            self._keys[value] = {key}
            if self._values is not None and value is not None:
                insort(self._values, value)
        else:
            keys.add(key)

    def remove(self, row: tuple[object, ...], key: object) -> None:
        """Take a row out that was entered before."""
        value = self.value_of(row)
        keys = self._keys[value]
        keys.discard(key)
        if not keys:
            del self._keys[value]
            if self._values is not None and value is not None:
                position = bisect_left(self._values, value)
                assert self._values[position] == value
                del self._values[position]

    def keys(self, value: object) -> set[object]:
        """The keys of the rows with this value; not to be changed by the caller."""
        return self._keys.get(value, _NONE)

    def lowest(self) -> object | None:
        """The lowest key of the lowest value; None when no row has a value."""
        values = self._ordered()
        return ascending(self._keys[values[0]])[0] if values else None

    def between(self, low: object | None, high: object | None) -> Iterator[object]:
        """Keys by ascending value, then key; None leaves an end open, both ends are included.

        Rows without a value (an optional column) come first, and only when both ends are open.
        """
        values = self._ordered()
        start = 0 if low is None else bisect_left(values, low)
        end = len(values) if high is None else bisect_right(values, high)
        if low is None and high is None:
            yield from ascending(self.keys(None))
        for value in values[start:end]:
            yield from ascending(self._keys[value])

    def falling(self, high: object | None) -> Iterator[object]:
        """Keys by descending value, then ascending key, from the value ``high`` on downwards.

        One after the other: who takes a few does not pay for the rest. Rows without a value are
        left out. Nothing may be entered or taken out meanwhile.
        """
        values = self._ordered()
        end = len(values) if high is None else bisect_right(values, high)
        for position in range(end - 1, -1, -1):
            yield from ascending(self._keys[values[position]])

    def _ordered(self) -> list[Any]:
        if self._values is None:
            self._values = ascending(value for value in self._keys if value is not None)
        return self._values


def ascending(keys: Iterable[Any]) -> list[Any]:
    """Keys in their own order. Values of one column are of one type and always compare."""
    return sorted(keys)


_NONE: set[object] = set()
