"""A client's rows: one reference count per row over all query sets, as the official SDK counts.

The key of a row is its primary key where the schema knows one, else its bytes. Inserts and deletes
have to balance exactly over subscribe, updates and unsubscribe; whatever does not is kept as a
fault, and the cache then goes wrong in the same way as the SDK's. Source: wire spec 9, 12.3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import cast

from protocol.bsatn import Codec, compile_codec
from protocol.messages.answers import TableRows, TransactionUpdate
from protocol.schema import ModuleSchema
from protocol.types import ProductType

__all__ = ["ClientCache", "TableCache"]

RowKey = Callable[[bytes], Hashable]


def _no_key(row: bytes) -> Hashable:
    return row


def _column_key(codec: Codec, position: int) -> RowKey:
    def key(row: bytes) -> Hashable:
        columns = cast("tuple[Hashable, ...]", codec.decode_all(row))
        return columns[position]

    return key


class TableCache:
    """Rows of one table.

    Attributes:
        name: wire name.
        faults: what did not balance, in order; empty when the server kept its promises.
        events: event rows received, in order; they are never part of the rows.
    """

    __slots__ = ("_codec", "_key", "_rows", "events", "faults", "name")

    def __init__(
        self, name: str, row_type: ProductType | None = None, primary_key: int | None = None
    ) -> None:
        self.name = name
        self.faults: list[str] = []
        self.events: list[bytes] = []
        self._codec = None if row_type is None else compile_codec(row_type)
        self._key: RowKey = _no_key
        if self._codec is not None and primary_key is not None:
            self._key = _column_key(self._codec, primary_key)
        self._rows: dict[Hashable, tuple[bytes, int]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> list[bytes]:
        """Return every row once, as BSATN."""
        return [row for row, _ in self._rows.values()]

    def counts(self) -> Counter[bytes]:
        """Return the reference count of every row."""
        return Counter(dict(self._rows.values()))

    def values(self) -> list[object]:
        """Return every row once, decoded by the schema.

        Raises:
            ValueError: the cache was made without a schema, or it does not know the table.
        """
        if self._codec is None:
            raise ValueError(f"no row type is known for table {self.name}")
        return [self._codec.decode_all(row) for row in self.rows()]

    def apply(self, inserts: Iterable[bytes], deletes: Iterable[bytes]) -> None:
        """Apply one message's changes of this table, all query sets together."""
        added = self._by_key(inserts)
        removed = self._by_key(deletes)
        for key, (row, count) in added.items():
            _, gone = removed.pop(key, (b"", 0))
            known, before = self._rows.get(key, (row, 0))
            if gone and not before:
                self._fault("an update of a row that is not there", row)
                continue
            if not gone and before and known != row:
                self._fault("a second row of one key without a delete of the first", row)
            if before + count - gone <= 0:
                self._fault(f"{gone} deletes of a row held {before} times", row)
                continue
            self._rows[key] = (row, before + count - gone)
        for key, (row, gone) in removed.items():
            known, before = self._rows.get(key, (row, 0))
            if gone > before or known != row:
                self._fault(f"{gone} deletes of a row held {before} times", row)
            if gone >= before:
                self._rows.pop(key, None)
            else:
                self._rows[key] = (row, before - gone)

    def _by_key(self, rows: Iterable[bytes]) -> dict[Hashable, tuple[bytes, int]]:
        counted: dict[Hashable, tuple[bytes, int]] = {}
        for row in rows:
            key = self._key(row)
            counted[key] = (row, counted.get(key, (row, 0))[1] + 1)
        return counted

    def _fault(self, what: str, row: bytes) -> None:
        self.faults.append(f"table {self.name}: {what}: {row.hex()}")


class ClientCache:
    """All rows that one client holds, by table."""

    __slots__ = ("_tables", "_types")

    def __init__(self, schema: ModuleSchema | None = None) -> None:
        self._tables: dict[str, TableCache] = {}
        self._types: dict[str, tuple[ProductType, int | None]] = {}
        if schema is not None:
            for table in schema.tables:
                self._types[table.name] = (table.row_type, table.primary_key)
            for view in schema.views:
                names = [field.name for field in view.row_type.elements]
                key = None if view.primary_key is None else names.index(view.primary_key)
                self._types[view.name] = (view.row_type, key)

    def table(self, name: str) -> TableCache:
        """Return the cache of a table, empty when nothing of it was ever received."""
        cache = self._tables.get(name)
        if cache is None:
            row_type, primary_key = self._types.get(name, (None, None))
            cache = self._tables[name] = TableCache(name, row_type, primary_key)
        return cache

    def tables(self) -> dict[str, TableCache]:
        """Return the caches of all tables that were ever named, by name."""
        return dict(self._tables)

    def faults(self) -> list[str]:
        """Return everything that did not balance so far, table by table."""
        return [fault for table in self._tables.values() for fault in table.faults]

    def add(self, tables: Sequence[TableRows]) -> None:
        """Apply the rows of a SubscribeApplied."""
        for name, rows in _merged(tables).items():
            self.table(name).apply(rows, ())

    def drop(self, tables: Sequence[TableRows]) -> None:
        """Apply the dropped rows of an UnsubscribeApplied."""
        for name, rows in _merged(tables).items():
            self.table(name).apply((), rows)

    def update(self, transaction: TransactionUpdate) -> None:
        """Apply one commit: all query sets of the message are merged by table first."""
        merged: dict[str, tuple[list[bytes], list[bytes]]] = {}
        for query_set in transaction.query_sets:
            for update in query_set.tables:
                inserts, deletes = merged.setdefault(update.table, ([], []))
                for rows in update.rows:
                    if rows.is_event:
                        self.table(update.table).events.extend(rows.inserts)
                    else:
                        inserts.extend(rows.inserts)
                        deletes.extend(rows.deletes)
        for name, (inserts, deletes) in merged.items():
            self.table(name).apply(inserts, deletes)


def _merged(tables: Sequence[TableRows]) -> dict[str, list[bytes]]:
    merged: dict[str, list[bytes]] = {}
    for table in tables:
        merged.setdefault(table.table, []).extend(table.rows)
    return merged
