"""Semijoin: rows of one table, each as often as it joins with rows of another, kept up to date.

With R the returned table, S the other one, and D what a transaction did (inserts count +1,
deletes -1), the change of the result is, as a bag,

    D(R join S) = DR join S_new  +  R_old join DS

The datastore holds the new rows, so R_old is R_new less what DR inserted plus what it deleted.

A caller's result joins the rows that the caller sees. So a pair of rows has a reader as well: the
one of either row, everybody when both are everybody's, and nobody when each is another user's. The
change is computed once for all who ask the same, and its pairs find their readers' plans by hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from actors.datastore import Database, EncodedRow, Table, TableDelta
from actors.subscriptions.plan import Hit, Plan
from actors.subscriptions.query import CompiledQuery
from protocol.values import Identity

__all__ = ["JoinFeed"]

_Row = tuple[object, ...]

_NO_USER = ""
"""The reader of a pair that nobody sees; no user has this id."""


class JoinFeed:
    """A semijoin that somebody asks for, and its plans by reader.

    Args:
        query: the join.
        caller: for whom it is computed, where its predicates depend on who asks.
        database: the actor's rows.
    """

    __slots__ = ("_caller", "_database", "_join", "_query", "plans")

    def __init__(self, query: CompiledQuery, caller: Identity, database: Database) -> None:
        assert query.join is not None
        self._query = query
        self._join = query.join
        self._caller = caller
        self._database = database
        self.plans: dict[str | None, Plan] = {}

    def rows(self, reader: str | None) -> list[bytes]:
        """The result's rows of one reader now, a bag of row bytes."""
        table: Table[_Row] = self._database[self._query.source.row]
        return [
            data
            for row, data in table.encoded_rows()
            if self._passes(row)
            for other in self._partners(row)
            if self._reader(row, other) == reader
        ]

    def collect(self, deltas: dict[type, TableDelta], hits: list[Hit]) -> None:
        """Add a hit for each plan whose result a transaction altered: what came and went, net."""
        own = deltas.get(self._query.source.row)
        other = deltas.get(self._join.other.row)
        if own is None and other is None:
            return
        weights: dict[str | None, dict[bytes, int]] = {}
        for sign, reader, data in self._pair_changes(own, other):
            if reader in self.plans:
                bag = weights.setdefault(reader, {})
                bag[data] = bag.get(data, 0) + sign
        for reader, bag in weights.items():
            inserts = [data for data, weight in bag.items() for _ in range(weight)]
            deletes = [data for data, weight in bag.items() for _ in range(-weight)]
            if inserts or deletes:
                hits.append(Hit(self.plans[reader], inserts, deletes))

    def _pair_changes(
        self, own: TableDelta | None, other: TableDelta | None
    ) -> Iterator[tuple[int, str | None, bytes]]:
        """Pairs that came (+1) and went (-1): their reader and the returned row's bytes."""
        for sign, (row, data) in _signed(own):
            if self._passes(row):
                for partner in self._partners(row):
                    yield sign, self._reader(row, partner), data
        for sign, (other_row, _) in _signed(other):
            for row, data in self._old_rows(other_row, own):
                if self._passes(row) and self._pairs(row, other_row):
                    yield sign, self._reader(row, other_row), data

    def _passes(self, row: _Row) -> bool:
        test = self._query.test
        return test is None or test(row, self._caller)

    def _pairs(self, row: _Row, other: _Row) -> bool:
        join = self._join
        if join.other_test is not None and not join.other_test(other, self._caller):
            return False
        return join.pair_test is None or join.pair_test(row, other, self._caller)

    def _partners(self, row: _Row) -> list[_Row]:
        """Rows of the other table, as they are, that meet this row of the returned one."""
        join = self._join
        column = join.other.columns[join.other_column]
        others: Table[_Row] = self._database[join.other.row]
        partners = others.filter(**{column: row[join.column]})
        return [other for other in partners if self._pairs(row, other)]

    def _old_rows(self, other: _Row, own: TableDelta | None) -> Iterable[EncodedRow]:
        """Rows of the returned table as they were before, that meet this row of the other one."""
        join, source = self._join, self._query.source
        value = other[join.other_column]
        table: Table[_Row] = self._database[source.row]
        column = source.columns[join.column]  # type: ignore[union-attr]
        now = {data: EncodedRow(row, data) for row, data in table.encoded_filter(**{column: value})}
        if own is not None:
            for inserted in own.inserts:
                now.pop(inserted.data, None)
            now.update(
                (deleted.data, deleted)
                for deleted in own.deletes
                if deleted.row[join.column] == value
            )
        return now.values()

    def _reader(self, row: _Row, other: _Row) -> str | None:
        readers, other_readers = self._query.readers, self._join.other_readers
        reader = None if readers is None else readers(row)
        other_reader = None if other_readers is None else other_readers(other)
        if reader is None or reader == other_reader:
            return other_reader
        return reader if other_reader is None else _NO_USER


def _signed(delta: TableDelta | None) -> Iterator[tuple[int, EncodedRow]]:
    """A table's change, row by row: what came counts +1, what went counts -1."""
    if delta is not None:
        yield from ((1, row) for row in delta.inserts)
        yield from ((-1, row) for row in delta.deletes)
