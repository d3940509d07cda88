"""Matcher: from a row to those who may ask for it.

The cost follows what a row meets, not how many ask: who demands one of some values of a column is
found by hash, who demands a range of one by order, and only the rest is asked each time
(architecture 4).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from actors.datastore import EncodedRow
from actors.subscriptions.intervals import Intervals
from protocol.sql import Demand, OneOf
from protocol.values import Identity

__all__ = ["Matcher"]

Item = TypeVar("Item", bound=Hashable)


class Matcher(Generic[Item]):
    """Items by what they demand of a row; each is found once, or not at all."""

    __slots__ = ("_by_range", "_by_value", "_others")

    def __init__(self) -> None:
        self._by_value: dict[int, dict[object, dict[Item, None]]] = {}
        self._by_range: dict[int, Intervals[Item]] = {}
        self._others: dict[Item, None] = {}

    def __bool__(self) -> bool:
        return bool(self._by_value or self._by_range or self._others)

    def add(self, item: Item, demand: Demand | None, caller: Identity) -> None:
        """Let rows that meet the caller's demand find the item; without one all rows do."""
        if demand is None:
            self._others[item] = None
        elif isinstance(demand, OneOf):
            values = self._by_value.setdefault(demand.column.position, {})
            for value in demand.wanted(caller):
                values.setdefault(value, {})[item] = None
        else:
            column = demand.column.position
            if column not in self._by_range:
                self._by_range[column] = Intervals()
            self._by_range[column].add(item, demand.low, demand.high)

    def remove(self, item: Item, demand: Demand | None, caller: Identity) -> None:
        """Undo ``add``."""
        if demand is None:
            del self._others[item]
        elif isinstance(demand, OneOf):
            values = self._by_value[demand.column.position]
            for value in demand.wanted(caller):
                del values[value][item]
                if not values[value]:
                    del values[value]
            if not values:
                del self._by_value[demand.column.position]
        else:
            intervals = self._by_range[demand.column.position]
            intervals.remove(item)
            if not intervals:
                del self._by_range[demand.column.position]

    def among(self, changes: Sequence[EncodedRow]) -> list[tuple[Item, EncodedRow]]:
        """As ``of`` for many rows: each item with the rows that it may concern, in their order."""
        found: list[tuple[Item, EncodedRow]] = []
        for column, values in self._by_value.items():
            for change in changes:
                items = values.get(change.row[column])
                if items:
                    found += [(item, change) for item in items]
        if self._by_range:
            for column, intervals in self._by_range.items():
                for change in changes:
                    found += [(item, change) for item in intervals.holding(change.row[column])]
        if self._others:
            found += [(item, change) for change in changes for item in self._others]
        return found

    def of(self, row: Sequence[object]) -> list[Item]:
        """Everything that this row may concern; its predicate has the last word."""
        found = [*self._others] if self._others else []
        for column, values in self._by_value.items():
            items = values.get(row[column])
            if items:
                found += items
        for column, intervals in self._by_range.items():
            found += intervals.holding(row[column])
        return found
