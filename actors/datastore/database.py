"""Database: all tables of one actor, and the transaction over them.

A transaction begins with the first write and ends with ``commit`` (``stage`` and ``settle``) or
``rollback``. There is one at a time: a turn. Committing encodes each changed row once; journal,
checkpoint and every subscriber share those bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from actors.datastore.layout import TableLayout
from actors.datastore.table import Table, TableDelta

__all__ = ["Commit", "Database", "Reserve"]

Row = TypeVar("Row")


class Commit(NamedTuple):
    """A transaction's net effect; ``changes`` for the journal, ``deltas`` for subscribers.

    A change is a plain tuple of a RowChange's shape.
    """

    changes: list[tuple[int, bytes, bytes | None]]
    deltas: list[TableDelta]


class Database:
    """The tables of one actor; tables come into being when they are first named.

    Args:
        layouts: every table that this kind of actor owns, by row class.
        reserve: notes durably, in the running transaction, that auto-increment numbers are taken.
    """

    __slots__ = ("_dirty", "_layouts", "_reserve", "_reserved", "_tables")

    def __init__(self, layouts: Mapping[type, TableLayout], reserve: Reserve) -> None:
        self._layouts = layouts
        self._reserve = reserve
        self._reserved: dict[int, int] = {}
        self._tables: dict[type, Table[Any]] = {}
        self._dirty: list[Table[Any]] = []

    def __getitem__(self, row: type[Row]) -> Table[Row]:
        table = self._tables.get(row)
        if table is None:
            table = self._tables[row] = Table(self._layouts[row], self)
        return table

    def rows(self, row: type[Row]) -> list[Row]:
        """All rows of a table, by ascending key, without bringing an empty table into being."""
        table = self._tables.get(row)
        return [] if table is None else list(table)

    def lowest(self, row: type[Row], column: str) -> Row | None:
        """The row with the lowest value of an indexed column; as ``rows``."""
        table = self._tables.get(row)
        return None if table is None else table.lowest(column)

    def touched(self, row: type[Row]) -> list[tuple[object, Row | None, Row | None]]:
        """What the running transaction wrote to a table; as ``rows``."""
        table = self._tables.get(row)
        return [] if table is None else table.touched()

    def tables(self) -> Iterator[Table[Any]]:
        """The tables that were named so far."""
        return iter(self._tables.values())

    def size_bytes(self) -> int:
        """What all tables take in memory, by estimate; looks at each committed row."""
        return sum([table.size_bytes() for table in self._tables.values()])

    def close(self) -> None:
        """Let go of the tables, each of which knows this database."""
        self._tables.clear()

    @property
    def is_dirty(self) -> bool:
        """Whether the running transaction has written anything."""
        return bool(self._dirty)

    def is_touched(self, table_name: str) -> bool:
        """Whether the running transaction has written to a table of that name."""
        return any(table.layout.name == table_name for table in self._dirty)

    def touch(self, table: Table[Any]) -> None:
        """Note the first write to a table in this transaction."""
        self._dirty.append(table)

    def next_number(self, layout: TableLayout, last: int) -> int:
        """The auto-increment value after ``last``, which is 0 when none was given since loading."""
        number = last + 1
        if not last or number > self._reserved.get(layout.id, 0):
            number, self._reserved[layout.id] = self._reserve(self, layout.name, last)
        return number

    def stage(
        self, *, is_watched: bool = True
    ) -> tuple[list[tuple[int, bytes, bytes | None]], list[TableDelta]]:
        """Encode what the transaction did, as a Commit has it; empty lists when that is nothing.

        Without ``is_watched`` no deltas are made but those of events, only changes.

        The transaction stays open: ``settle`` or ``rollback`` must end it.

        Raises:
            EncodeError: a row holds a value that its column's type cannot.
        """
        changes: list[tuple[int, bytes, bytes | None]] = []
        deltas: list[TableDelta] = []
        for table in self._dirty:
            delta = table.stage(changes, is_watched=is_watched)
            if delta is not None:
                deltas.append(delta)
        return changes, deltas

    def settle(self) -> None:
        """End the staged transaction: it has happened."""
        for table in self._dirty:
            table.settle()
        self._dirty.clear()

    def commit(self) -> Commit:
        """End the transaction and answer its net effect.

        Raises:
            EncodeError: as ``stage``; the transaction is still open then.
        """
        commit = Commit(*self.stage())
        self.settle()
        return commit

    def rollback(self) -> None:
        """End the transaction as if it had never begun. Numbers it took are not given again."""
        for table in self._dirty:
            table.undo()
        self._dirty.clear()
        self._reserved.clear()


Reserve = Callable[[Database, str, int], tuple[int, int]]
"""``reserve(database, table name, last number given or 0)``: the next number to give and the last
one that is reserved by now."""
