"""Operands: the tables and views that a join reads, both as rows that are found by a value."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol

from actors.datastore import Database, EncodedRow, Table
from actors.module.tables import TableDeclaration
from actors.subscriptions.views import ViewFeed

__all__ = ["Operand", "TableOperand", "ViewOperand", "chosen"]


class Operand(Protocol):
    """One side of a join."""

    @property
    def source(self) -> Hashable:
        """What changes are found by: the table's row class, or the view's feed."""

    def rows(self) -> list[EncodedRow]:
        """All rows now, as a bag."""

    def meeting(self, column: int, value: object) -> list[EncodedRow]:
        """The rows that have this value now, as a bag."""

    def meeting_rows(self, column: int, value: object) -> list[tuple[object, ...]]:
        """As ``meeting``, without their bytes."""

    def finds(self, column: int) -> bool:
        """Whether ``meeting`` finds rows by this column without looking at all of them."""


class TableOperand:
    """A table of one actor."""

    __slots__ = ("_columns", "_found_by", "_row", "_table")

    def __init__(self, table: TableDeclaration, database: Database) -> None:
        self._row = table.row
        self._table: Table[tuple[object, ...]] = database[table.row]
        self._columns = table.columns
        single = [columns[0] for columns in table.indexes if len(columns) == 1]
        self._found_by = frozenset((table.primary_key, *table.unique, *single))

    @property
    def source(self) -> Hashable:
        """The row class."""
        return self._row

    def rows(self) -> list[EncodedRow]:
        """All committed rows."""
        return self._table.encoded_rows()

    def meeting(self, column: int, value: object) -> list[EncodedRow]:
        """The committed rows that have this value."""
        return self._table.encoded_filter(**{self._columns[column]: value})

    def meeting_rows(self, column: int, value: object) -> list[tuple[object, ...]]:
        """As ``meeting``, without their bytes."""
        return self._table.filter(**{self._columns[column]: value})

    def finds(self, column: int) -> bool:
        """Whether the column has an index of its own."""
        return self._columns[column] in self._found_by


class ViewOperand:
    """A view of one actor, for one caller; its rows are found by any column."""

    __slots__ = ("_feed",)

    def __init__(self, feed: ViewFeed) -> None:
        self._feed = feed

    @property
    def source(self) -> Hashable:
        """The feed."""
        return self._feed

    def rows(self) -> list[EncodedRow]:
        """The rows as they were computed last."""
        return self._feed.rows()

    def meeting(self, column: int, value: object) -> list[EncodedRow]:
        """Those of them that have this value."""
        return self._feed.meeting(column, value)

    def meeting_rows(self, column: int, value: object) -> list[tuple[object, ...]]:
        """As ``meeting``, without their bytes."""
        return [row.row for row in self._feed.meeting(column, value)]

    def finds(self, column: int) -> bool:  # noqa: ARG002 - as tables are asked
        """Always: a view's rows are put in order when they are first looked up."""
        return True


def chosen(operand: Operand, column: int, values: Iterable[object]) -> list[EncodedRow] | None:
    """The rows that have one of these values; None when all would have to be looked at."""
    if not operand.finds(column):
        return None
    return [row for value in values for row in operand.meeting(column, value)]
