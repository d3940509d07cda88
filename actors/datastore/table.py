"""Table: the rows of one table in one actor, written through a transaction.

Writes go to the rows at once, so that a transaction reads what it wrote; the first write of each
key notes what was there before. Committing walks the notes, rolling back restores them.
Iteration is by ascending key always: no rule may depend on the order in which rows came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from actors.datastore.index import Index, ascending
from actors.datastore.layout import TableLayout
from actors.errors import ConstraintError
from actors.limits import ROW_BYTES, ROW_EXPANSION, TABLE_BYTES
from persistence.record import RowChange

if TYPE_CHECKING:
    from actors.datastore.database import Database

__all__ = ["EncodedRow", "Table", "TableDelta", "TableReader"]

Row = TypeVar("Row")


class EncodedRow:
    """A row and its BSATN."""

    __slots__ = ("data", "row")

    def __init__(self, row: tuple[object, ...], data: bytes) -> None:
        self.row = row
        self.data = data


class TableDelta:
    """What a transaction did to one table, net: an update is a delete and an insert."""

    __slots__ = ("deletes", "inserts", "layout")

    def __init__(
        self, layout: TableLayout, inserts: list[EncodedRow], deletes: list[EncodedRow]
    ) -> None:
        self.layout = layout
        self.inserts = inserts
        self.deletes = deletes


class TableReader(Protocol[Row]):
    """The reading half of a table: what views and queries see."""

    def find(self, key: object) -> Row | None:
        """The row with this primary key, or None."""

    def get(self, key: object) -> Row:
        """The row with this primary key; raises ConstraintError when there is none."""

    def filter(self, **equals: object) -> list[Row]:
        """The rows whose columns equal these values, by ascending key."""

    def first(self, **equals: object) -> Row | None:
        """The row with the lowest key among those that ``filter`` would give, or None."""

    def range(
        self, column: str, low: object | None = None, high: object | None = None
    ) -> Iterator[Row]:
        """Rows by ascending value of an indexed column, ends included, None leaves one open."""

    def falling(self, *columns: str, high: object | None = None) -> Iterator[Row]:
        """Rows by descending value of an index, then ascending key, from a value on downwards.

        The value of an index over several columns is the tuple of them. Rows come one after the
        other, and nothing may be written to the table meanwhile.
        """

    def __iter__(self) -> Iterator[Row]:
        """All rows, by ascending key."""

    def __len__(self) -> int:
        """How many rows there are."""


class Table(Generic[Row]):
    """One actor's rows of one table. Touched only inside that actor's turns.

    The key of a row is its primary key's value; a table without one is a set of rows and the key
    is the row's BSATN.
    """

    __slots__ = (
        "_database",
        "_encoded",
        "_events",
        "_indexes",
        "_rows",
        "_sequence",
        "_staged",
        "_touched",
        "_unsaved",
        "layout",
    )

    def __init__(self, layout: TableLayout, database: Database) -> None:
        self.layout = layout
        self._database = database
        self._rows: dict[object, Row] = {}
        self._encoded: dict[object, bytes] = {}
        self._touched: dict[object, Row | None] = {}
        self._staged: list[tuple[object, bytes | None]] = []
        self._unsaved: dict[object, None] = {}  # keys whose rows no checkpoint has yet
        self._events: list[Row] = []
        self._sequence = 0
        columns = (*((column,) for column in layout.unique), *layout.indexes)
        self._indexes = tuple(Index(entry) for entry in columns)

    # Reading

    def find(self, key: object) -> Row | None:
        """The row with this primary key, or None."""
        return self._rows.get(key)

    def get(self, key: object) -> Row:
        """The row with this primary key; raises ConstraintError when there is none."""
        row = self._rows.get(key)
        if row is None:
            raise ConstraintError(f"{self.layout.name}.not_found", f"no row {key!r}")
        return row

    def filter(self, **equals: object) -> list[Row]:
        """The rows whose columns equal these values, by ascending key.

        An index over some of the columns narrows the search; without one all rows are looked at.
        """
        return [self._rows[key] for key in self._keys(equals)]

    def first(self, **equals: object) -> Row | None:
        """The row with the lowest key among those that ``filter`` would give, or None."""
        found = self.filter(**equals)
        return found[0] if found else None

    def range(
        self, column: str, low: object | None = None, high: object | None = None
    ) -> Iterator[Row]:
        """Rows by ascending value of an indexed column, ends included, None leaves one open."""
        return iter([self._rows[key] for key in self._index(column).between(low, high)])

    def falling(self, *columns: str, high: object | None = None) -> Iterator[Row]:
        """Rows by descending value of an index, then ascending key, from a value on downwards.

        The value of an index over several columns is the tuple of them. Rows come one after the
        other, and nothing may be written to the table meanwhile.
        """
        rows = self._rows
        return (rows[key] for key in self._index(*columns).falling(high))

    def lowest(self, column: str) -> Row | None:
        """The row with the lowest value of an indexed column, and the lowest key among several."""
        key = self._index(column).lowest()
        return None if key is None else self._rows[key]

    def __iter__(self) -> Iterator[Row]:
        rows = self._rows
        return iter([rows[key] for key in ascending(rows)])

    def __len__(self) -> int:
        return len(self._rows)

    def some(self, limit: int) -> list[Row]:
        """Up to so many rows: all by ascending key, or of more those that came first."""
        return list(self) if len(self) <= limit else list(islice(self._rows.values(), limit))

    # Writing

    def insert(self, row: Row) -> Row:
        """Add a row; the answer holds the number that an auto-increment column got.

        Inserting a row that is there already changes nothing in a table without a primary key.

        Raises:
            ConstraintError: the primary key, or a unique column's value, is taken.
        """
        layout = self.layout
        if layout.auto_increment is not None:
            row = self._numbered(row, layout.auto_increment)
        if layout.is_event:
            self._note_table()
            self._events.append(row)
            return row
        if layout.primary_key is None:
            key: object = layout.encode(row)
            if key in self._rows:
                return row
        else:
            key = row[layout.primary_key]  # type: ignore[index]
            if key in self._rows:
                raise ConstraintError(f"{layout.name}.already_exists", f"key {key!r} is taken")
        self._write(key, None, row)
        return row

    def update(self, row: Row) -> Row:
        """Replace the row with the same primary key.

        Raises:
            ConstraintError: there is no such row, or a unique column's value is taken.
        """
        key = row[self.layout.primary_key]  # type: ignore[index]
        old = self._rows.get(key)
        if old is None:
            raise ConstraintError(f"{self.layout.name}.not_found", f"no row {key!r}")
        self._write(key, old, row)
        return row

    def upsert(self, row: Row) -> Row:
        """Replace the row with the same primary key, or add it."""
        key = row[self.layout.primary_key]  # type: ignore[index]
        old = self._rows.get(key)
        if old is None:
            return self.insert(row)
        self._write(key, old, row)
        return row

    def delete(self, key: object) -> bool:
        """Remove the row with this primary key; False when there is none."""
        old = self._rows.get(key)
        if old is None:
            return False
        self._write(key, old, None)
        return True

    def delete_row(self, row: Row) -> bool:
        """Remove this very row from a table without a primary key; False when it is not there."""
        return self.delete(self.layout.encode(row))

    # What the database does with a table

    def load(self, data: bytes) -> None:
        """Put a stored row in, given its BSATN; outside transactions, in the stored order."""
        layout = self.layout
        row = cast("tuple[object, ...]", layout.decode(data, 0)[0])
        key = data if layout.primary_key is None else row[layout.primary_key]
        if self._indexes:
            # Unchecked: within one record two rows may trade a unique value.
            self._reindex(key, self._rows.get(key), cast("Row", row))
        self._rows[key] = cast("Row", row)
        self._encoded[key] = data

    def unload(self, stored: bytes) -> None:
        """Take a stored row out, given its stored key; outside transactions."""
        decode_key = self.layout.decode_key
        key: object = stored if decode_key is None else decode_key(stored, 0)[0]
        old = self._rows.pop(key, None)
        if old is not None:
            self._encoded.pop(key)
            if self._indexes:
                self._reindex(key, old, None)

    def touched(self) -> list[tuple[object, Row | None, Row | None]]:
        """What the transaction wrote so far: key, the row before it and the row now."""
        rows = self._rows
        return [(key, old, rows.get(key)) for key, old in self._touched.items()]

    def size_bytes(self) -> int:
        """What the table takes in memory, by estimate; looks at each committed row."""
        data_bytes = sum(map(len, self._encoded.values()))
        return TABLE_BYTES + ROW_BYTES * len(self._encoded) + ROW_EXPANSION * data_bytes

    def encoded_rows(self) -> list[EncodedRow]:
        """All committed rows with their bytes, by ascending key; between transactions only."""
        rows, encoded = cast("dict[object, tuple[object, ...]]", self._rows), self._encoded
        return [EncodedRow(rows[key], encoded[key]) for key in ascending(rows)]

    def encoded_filter(self, **equals: object) -> list[EncodedRow]:
        """As ``filter``, committed rows with their bytes; between transactions only."""
        rows, encoded = cast("dict[object, tuple[object, ...]]", self._rows), self._encoded
        return [EncodedRow(rows[key], encoded[key]) for key in self._keys(equals)]

    def encoded_row(self, key: object) -> EncodedRow | None:
        """The committed row with this primary key and its bytes; between transactions only."""
        row = self._rows.get(key)
        if row is None:
            return None
        return EncodedRow(cast("tuple[object, ...]", row), self._encoded[key])

    def take_unsaved(self) -> list[RowChange]:
        """The last word on every row that was settled since this was asked before."""
        unsaved, self._unsaved = self._unsaved, {}
        number, encode_key, encoded = self.layout.id, self.layout.encode_key, self._encoded
        return [
            RowChange(
                number,
                cast("bytes", key) if encode_key is None else encode_key(key),
                encoded.get(key),
            )
            for key in unsaved
        ]

    def stage(
        self, changes: list[tuple[int, bytes, bytes | None]], *, is_watched: bool = True
    ) -> TableDelta | None:
        """Encode what the transaction changed, add it to ``changes``, answer the delta.

        The changes are plain tuples of a RowChange's shape. The delta of an actor that nobody
        watches is not made: only events are in it. None when there is nothing in it.

        Raises:
            EncodeError: a value does not fit its column; nothing has changed then.
        """
        layout, rows, before = self.layout, self._rows, self._encoded
        encode = layout.encode
        inserts: list[EncodedRow] = []
        deletes: list[EncodedRow] = []
        staged = self._staged = []
        for key, old in self._touched.items():
            new = rows.get(key)
            if new is old:
                continue
            data = None
            if new is not None:
                data = encode(new)
                if old is not None and data == before[key]:
                    continue
                if is_watched:
                    inserts.append(EncodedRow(cast("tuple[object, ...]", new), data))
            if old is not None and is_watched:
                deletes.append(EncodedRow(cast("tuple[object, ...]", old), before[key]))
            stored = layout.key_of(key, before[key] if data is None else data)
            changes.append((layout.id, stored, data))
            staged.append((key, data))
        if self._events:
            inserts += [
                EncodedRow(cast("tuple[object, ...]", event), encode(event))
                for event in self._events
            ]
        return TableDelta(layout, inserts, deletes) if inserts or deletes else None

    def settle(self) -> None:
        """Keep what was staged; the transaction is over."""
        encoded, unsaved = self._encoded, self._unsaved
        for key, data in self._staged:
            unsaved[key] = None
            if data is None:
                del encoded[key]
            else:
                encoded[key] = data
        self._touched.clear()
        if self._events:
            self._events.clear()

    def undo(self) -> None:
        """Restore every row that the transaction touched."""
        rows = self._rows
        if self._indexes:
            # All new values leave before the old ones return: two rows may have traded a value.
            for key in self._touched:
                new = rows.get(key)
                if new is not None:
                    self._reindex(key, new, None)
        for key, old in self._touched.items():
            if old is None:
                rows.pop(key, None)
                continue
            rows[key] = old
            if self._indexes:
                self._reindex(key, None, old)
        self._touched.clear()
        self._events.clear()

    # Inside

    def _write(self, key: object, old: Row | None, new: Row | None) -> None:
        if self._indexes:
            if self.layout.unique and new is not None:
                self._check_unique(key, new)
            self._reindex(key, old, new)
        touched = self._touched
        if key not in touched:
            if not touched:
                self._note_table()
            touched[key] = old
        if new is None:
            del self._rows[key]
        else:
            self._rows[key] = new

    def _check_unique(self, key: object, new: Row) -> None:
        for index in self._indexes[: len(self.layout.unique)]:
            value = index.value_of(cast("tuple[object, ...]", new))
            if index.keys(value) - {key}:
                column = self.layout.columns[index.columns[0]]
                raise ConstraintError(
                    f"{self.layout.name}.already_exists", f"{column} {value!r} is taken"
                )

    def _reindex(self, key: object, old: Row | None, new: Row | None) -> None:
        before = cast("tuple[object, ...] | None", old)
        after = cast("tuple[object, ...] | None", new)
        for index in self._indexes:
            if before and after and index.value_of(before) == index.value_of(after):
                continue
            if before is not None:
                index.remove(before, key)
            if after is not None:
                index.add(after, key)

    def _note_table(self) -> None:
        if not self._touched and not self._events:
            self._database.touch(self)

    def _index(self, *columns: str) -> Index:
        positions = tuple(self.layout.columns.index(column) for column in columns)
        index = next((entry for entry in self._indexes if entry.columns == positions), None)
        if index is None:
            raise ValueError(f"table {self.layout.name} has no index on {', '.join(columns)}")
        return index

    def _keys(self, equals: dict[str, object]) -> list[object]:
        columns = self.layout.columns
        wanted = {columns.index(name): value for name, value in equals.items()}
        rows = cast("dict[object, tuple[object, ...]]", self._rows)
        keys, known = self._candidates(wanted)
        # What an index has answered for need not be compared with every row again.
        for column, value in wanted.items():
            if column not in known:
                keys = [key for key in keys if rows[key][column] == value]
        return ascending(keys)

    def _candidates(self, wanted: dict[int, object]) -> tuple[Iterable[object], tuple[int, ...]]:
        """Keys of the fewest rows that an index finds, and the columns that it has looked at."""
        primary = self.layout.primary_key
        if primary is not None and primary in wanted:
            return {wanted[primary]} & self._rows.keys(), (primary,)
        best: set[object] | None = None
        columns: tuple[int, ...] = ()
        for index in self._indexes:
            if all(column in wanted for column in index.columns):
                values = tuple(wanted[column] for column in index.columns)
                keys = index.keys(values[0] if len(values) == 1 else values)
                if best is None or len(keys) < len(best):
                    best, columns = keys, index.columns
        return self._rows if best is None else best, columns

    def _numbered(self, row: Row, column: int) -> Row:
        values = cast("tuple[object, ...]", row)
        if values[column] != 0:
            return row
        self._sequence = self._database.next_number(self.layout, self._sequence)
        make = cast("type[Row]", self.layout.row)._make  # type: ignore[attr-defined]
        numbered = (*values[:column], self._sequence, *values[column + 1 :])
        return cast("Row", make(numbered))
