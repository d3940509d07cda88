"""Order: rows by the columns of ORDER BY, as a key that sorts them.

The order is total: among rows that are equal in these columns a tie-breaker decides that no two
rows share. Floats are ordered as in predicates: NaN after all numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import total_ordering
from typing import Any, TypeAlias

from protocol.sql.predicate import Column
from protocol.types import BYTES, F32, F64, STRING, UUID

__all__ = ["OrderColumn", "SortKey", "Window", "compile_joined_order", "compile_order"]

SortKey: TypeAlias = Callable[[Sequence[Any]], tuple[Any, ...]]
"""Takes a row; rows sort by what it answers, ascending."""


@dataclass(frozen=True, slots=True)
class OrderColumn:
    """A column to sort by, upwards or downwards."""

    column: Column
    is_falling: bool


@dataclass(frozen=True, slots=True)
class Window:
    """The first ``limit`` rows of an order; all of them when the limit is None."""

    order: tuple[OrderColumn, ...]
    limit: int | None


@total_ordering
class _Falling:
    """A value that sorts the other way round, for those that have no negative."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Falling) and self._value == other._value

    def __lt__(self, other: _Falling) -> bool:
        return bool(other._value < self._value)

    __hash__ = None  # type: ignore[assignment]


def _rising_float(value: float) -> tuple[bool, float]:
    return (True, 0.0) if value != value else (False, value)  # noqa: PLR0124 - only NaN differs


def _falling_float(value: float) -> tuple[bool, float]:
    return (False, 0.0) if value != value else (True, -value)  # noqa: PLR0124


def _key(term: OrderColumn) -> Callable[[Any], Any] | None:
    """How a column's values become sortable; None when they are already."""
    type_ = term.column.type
    if type_ in (F32, F64):
        return _falling_float if term.is_falling else _rising_float
    if not term.is_falling:
        return None
    return _Falling if type_ in (STRING, BYTES, UUID) else lambda value: -value


def compile_order(order: Sequence[OrderColumn]) -> SortKey:
    """Compile an order over one table to a function of its row."""
    terms = [(term.column.position, _key(term)) for term in order]
    return lambda row: tuple([row[at] if key is None else key(row[at]) for at, key in terms])


def compile_joined_order(order: Sequence[OrderColumn]) -> SortKey:
    """Compile an order over joined tables to a function of their rows; a column's side is which."""
    terms = [(term.column.side, term.column.position, _key(term)) for term in order]
    return lambda rows: tuple(
        [rows[of][at] if key is None else key(rows[of][at]) for of, at, key in terms]
    )
