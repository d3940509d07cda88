"""Demand: what a predicate asks of one column, so that changed rows can find it.

A demand is necessary, not sufficient: every row that passes the predicate meets it, and of those
that meet it the predicate is asked. Plans are found by hash where a column must have one of some
values, and by order where it must lie between two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from protocol.sql.predicate import (
    Column,
    Comparison,
    Conjunction,
    Disjunction,
    Predicate,
    SenderValue,
    Value,
)
from protocol.types import BYTES
from protocol.values import Identity

__all__ = ["Demand", "OneOf", "Range", "demand_of"]


@dataclass(frozen=True, slots=True)
class OneOf:
    """The column has one of these values, none of which comes twice."""

    column: Column
    values: tuple[object, ...]

    def wanted(self, caller: Identity) -> tuple[object, ...]:
        """The values, with the caller's in the place of ``:sender``."""
        mine = caller.to_bytes(32, "little") if self.column.type == BYTES else caller
        found = [mine if isinstance(value, SenderValue) else value for value in self.values]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Range:
    """The column is not below ``low`` and not above ``high``; None leaves an end open."""

    column: Column
    low: Any
    high: Any


Demand: TypeAlias = OneOf | Range


def demand_of(predicate: Predicate) -> Demand | None:
    """The narrowest demand that is seen at once; None when there is none.

    One of few values is narrower than one of many, values are narrower than a range, and a range
    with two ends is narrower than one that is open.

    Args:
        predicate: in normal form, over a single table.
    """
    if isinstance(predicate, Comparison):
        return _of_comparison(predicate)
    if isinstance(predicate, Disjunction):
        return _of_alternatives(predicate)
    if isinstance(predicate, Conjunction):
        return _narrowest([demand_of(operand) for operand in predicate.operands])
    return None


def _of_comparison(node: Comparison) -> Demand | None:
    column, right = node.left, node.right
    if isinstance(right, Column) or node.operator == "<>":
        return None
    if node.operator == "=":
        return OneOf(column, (right.value if isinstance(right, Value) else right,))
    if isinstance(right, SenderValue):
        return None
    is_low = node.operator in (">", ">=")
    return Range(column, right.value, None) if is_low else Range(column, None, right.value)


def _of_alternatives(node: Disjunction) -> Demand | None:
    """Alternatives that all ask for values of one column ask for one of all these values."""
    values: dict[object, None] = {}
    column = None
    for operand in node.operands:
        demand = demand_of(operand)
        if not isinstance(demand, OneOf) or column not in (None, demand.column):
            return None
        column = demand.column
        values.update(dict.fromkeys(demand.values))
    return None if column is None else OneOf(column, tuple(values))


def _narrowest(demands: list[Demand | None]) -> Demand | None:
    values = [demand for demand in demands if isinstance(demand, OneOf)]
    if values:
        return min(values, key=lambda demand: len(demand.values))
    ranges: dict[Column, Range] = {}
    for demand in demands:
        if isinstance(demand, Range):
            known = ranges.get(demand.column)
            ranges[demand.column] = demand if known is None else _overlap(known, demand)
    return min(ranges.values(), key=_open_ends, default=None)


def _overlap(one: Range, other: Range) -> Range:
    lows = [low for low in (one.low, other.low) if low is not None]
    highs = [high for high in (one.high, other.high) if high is not None]
    return Range(one.column, max(lows, default=None), min(highs, default=None))


def _open_ends(demand: Range) -> int:
    return (demand.low is None) + (demand.high is None)
