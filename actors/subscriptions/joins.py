"""Semijoin: rows of one table, each as often as it joins with rows of another, kept up to date.

With R the returned table, S the other one, and D what a transaction did (inserts count +1,
deletes -1), the change of the result is, as a bag,

    D(R join S) = DR join S_new  +  R_old join DS

What is read holds the new rows, so R_old is R_new less what DR inserted plus what it deleted.

Joins of the same columns are one family, however many there are: the rows that meet a changed row
are looked up once, and each such pair finds the joins that it concerns by what their predicates
demand of either row.

A caller's result joins the rows that the caller sees. So a pair of rows has a reader as well: the
one of either row, everybody when both are everybody's, and nobody when each is another user's. The
change is computed once for all who ask the same, and its pairs find their readers' plans by hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from actors.datastore import EncodedRow
from actors.module.tables import Readers
from actors.subscriptions.matcher import Matcher
from actors.subscriptions.operands import Operand, chosen
from actors.subscriptions.plan import Hit, Plan
from actors.subscriptions.query import CompiledQuery
from protocol.sql import OneOf
from protocol.values import Identity

__all__ = ["JoinFamily", "JoinFeed", "RowChanges"]

_Row = tuple[object, ...]
_Told = dict[tuple["JoinFeed", str | None], dict[bytes, int]]

_NO_USER = ""
"""The reader of a pair that nobody sees; no user has this id."""


class RowChanges(NamedTuple):
    """What a transaction did to a table or view: bags of what came and of what went."""

    inserts: list[EncodedRow]
    deletes: list[EncodedRow]


_UNCHANGED = RowChanges([], [])


class JoinFeed:
    """One semijoin that somebody asks for, and its plans by reader.

    Args:
        query: the join.
        caller: for whom it is computed, where its predicates depend on who asks.
    """

    __slots__ = ("_caller", "_other_test", "_pair_test", "_test", "plans", "query")

    def __init__(self, query: CompiledQuery, caller: Identity) -> None:
        assert query.join is not None
        self.query = query
        self._caller = caller
        self._test = query.test
        self._other_test = query.join.other_test
        self._pair_test = query.join.pair_test
        self.plans: dict[str | None, Plan] = {}

    @property
    def is_found_by_other(self) -> bool:
        """Whether rows of the other table find it better than rows of the returned one."""
        join = self.query.join
        assert join is not None
        if isinstance(self.query.demand, OneOf) or join.other_demand is None:
            return False
        return self.query.demand is None or isinstance(join.other_demand, OneOf)

    def takes(self, row: _Row) -> bool:
        """Whether a row of the returned table passes alone."""
        return self._test is None or self._test(row, self._caller)

    def takes_other(self, other: _Row) -> bool:
        """Whether a row of the other table passes alone."""
        return self._other_test is None or self._other_test(other, self._caller)

    def takes_pair(self, row: _Row, other: _Row) -> bool:
        """Whether rows that pass alone pass together."""
        return self._pair_test is None or self._pair_test(row, other, self._caller)

    def met(self, row: _Row, others: list[_Row]) -> list[_Row]:
        """Those of the other table's rows that pass, alone and together with a row."""
        caller, other_test, pair_test = self._caller, self._other_test, self._pair_test
        if other_test is not None:
            others = [other for other in others if other_test(other, caller)]
        if pair_test is not None:
            others = [other for other in others if pair_test(row, other, caller)]
        return others

    def enter(self, by_own: Matcher[JoinFeed], by_other: Matcher[JoinFeed]) -> None:
        """Let rows find it."""
        join = self.query.join
        assert join is not None
        if self.is_found_by_other:
            by_other.add(self, join.other_demand, self._caller)
        else:
            by_own.add(self, self.query.demand, self._caller)

    def leave(self, by_own: Matcher[JoinFeed], by_other: Matcher[JoinFeed]) -> None:
        """Undo ``enter``."""
        join = self.query.join
        assert join is not None
        if self.is_found_by_other:
            by_other.remove(self, join.other_demand, self._caller)
        else:
            by_own.remove(self, self.query.demand, self._caller)

    def own_rows(self, operand: Operand) -> list[EncodedRow]:
        """The rows of the returned table that pass alone."""
        demand = self.query.demand
        rows = None
        if isinstance(demand, OneOf):
            rows = chosen(operand, demand.column.position, demand.wanted(self._caller))
        return [row for row in (operand.rows() if rows is None else rows) if self.takes(row.row)]

    def other_rows(self, operand: Operand) -> list[EncodedRow]:
        """The rows of the other table that pass alone."""
        assert self.query.join is not None
        demand = self.query.join.other_demand
        rows = None
        if isinstance(demand, OneOf):
            rows = chosen(operand, demand.column.position, demand.wanted(self._caller))
        rows = operand.rows() if rows is None else rows
        return [row for row in rows if self.takes_other(row.row)]


class JoinFamily:
    """The semijoins over the same columns of the same tables or views.

    Args:
        own: the returned table.
        column: its join column.
        other: the table looked up.
        other_column: its join column.
        readers, other_readers: whom rows are for, where not all are for everybody.
    """

    __slots__ = (
        "_by_other",
        "_by_own",
        "_column",
        "_other_column",
        "_other_readers",
        "_readers",
        "feeds",
        "other",
        "own",
    )

    def __init__(
        self,
        own: Operand,
        column: int,
        other: Operand,
        other_column: int,
        readers: Readers | None,
        other_readers: Readers | None,
    ) -> None:
        self.own = own
        self.other = other
        self._column = column
        self._other_column = other_column
        self._readers = readers
        self._other_readers = other_readers
        self._by_own: Matcher[JoinFeed] = Matcher()
        self._by_other: Matcher[JoinFeed] = Matcher()
        self.feeds: dict[tuple[CompiledQuery, Identity], JoinFeed] = {}

    def add(self, plan: Plan) -> None:
        """Keep this plan's rows up to date."""
        key = (plan.query, plan.caller)
        feed = self.feeds.get(key)
        if feed is None:
            feed = self.feeds[key] = JoinFeed(plan.query, plan.caller)
            feed.enter(self._by_own, self._by_other)
        feed.plans[plan.reader] = plan

    def remove(self, plan: Plan) -> None:
        """Undo ``add``."""
        key = (plan.query, plan.caller)
        feed = self.feeds[key]
        del feed.plans[plan.reader]
        if not feed.plans:
            feed.leave(self._by_own, self._by_other)
            del self.feeds[key]

    def rows(self, plan: Plan) -> list[bytes]:
        """The rows of a plan now, whether it was added or not: a bag of row bytes."""
        feed = JoinFeed(plan.query, plan.caller)
        return [
            row.data
            for row, other in self._pairs(feed)
            if feed.takes_pair(row.row, other.row)
            and self._reader(row.row, other.row) == plan.reader
        ]

    def collect(self, own: RowChanges | None, other: RowChanges | None, hits: list[Hit]) -> None:
        """Add a hit for each plan whose result a transaction altered: what came and went, net."""
        told: _Told = {}
        own = own or _UNCHANGED
        for sign, row in _signed(own):
            self._own_changed(sign, row, told)
        if other is not None:
            came = _by_value(own.inserts, self._column)
            went = _by_value(own.deletes, self._column)
            for sign, row in _signed(other):
                value = row.row[self._other_column]
                before = self._before(value, came.get(value, ()), went.get(value, ()))
                self._other_changed(sign, row.row, before, told)
        for (feed, reader), bag in told.items():
            inserts = [data for data, weight in bag.items() for _ in range(weight)]
            deletes = [data for data, weight in bag.items() for _ in range(-weight)]
            if inserts or deletes:
                hits.append(Hit(feed.plans[reader], inserts, deletes))

    def _own_changed(self, sign: int, changed: EncodedRow, told: _Told) -> None:
        row = changed.row
        feeds = [feed for feed in self._by_own.of(row) if feed.takes(row)]
        if not feeds and not self._by_other:
            return
        others = self.other.meeting_rows(self._other_column, row[self._column])
        for feed in feeds:
            self._tell(sign, changed, others, feed, told)
        if self._by_other:
            for other in others:
                for feed in self._by_other.of(other):
                    if feed.takes(row):
                        self._tell(sign, changed, [other], feed, told)

    def _other_changed(
        self, sign: int, other: _Row, rows: Iterable[EncodedRow], told: _Told
    ) -> None:
        feeds = [feed for feed in self._by_other.of(other) if feed.takes_other(other)]
        if not feeds and not self._by_own:
            return
        others = [other]
        for row in rows:
            for feed in (*feeds, *self._by_own.of(row.row)):
                if feed.takes(row.row):
                    self._tell(sign, row, others, feed, told)

    def _tell(
        self, sign: int, row: EncodedRow, others: list[_Row], feed: JoinFeed, told: _Told
    ) -> None:
        """Count the pairs of a row that passes alone with rows that meet it."""
        met = feed.met(row.row, others)
        if not met:
            return
        if self._readers is None and self._other_readers is None:
            bag = told.setdefault((feed, None), {})
            bag[row.data] = bag.get(row.data, 0) + sign * len(met)
            return
        for other in met:
            reader = self._reader(row.row, other)
            if reader in feed.plans:
                bag = told.setdefault((feed, reader), {})
                bag[row.data] = bag.get(row.data, 0) + sign

    def _before(
        self, value: object, came: Iterable[EncodedRow], went: Iterable[EncodedRow]
    ) -> Iterator[EncodedRow]:
        """Rows of the returned table as they were before, that have this value."""
        added: dict[bytes, int] = {}
        for row in came:
            added[row.data] = added.get(row.data, 0) + 1
        for row in self.own.meeting(self._column, value):
            if added.get(row.data, 0):
                added[row.data] -= 1
            else:
                yield row
        yield from went

    def _pairs(self, feed: JoinFeed) -> Iterator[tuple[EncodedRow, EncodedRow]]:
        """Rows that meet and pass alone, by the way that looks at fewest rows."""
        column, other_column = self._column, self._other_column
        if feed.is_found_by_other and self.own.finds(column):
            for other in feed.other_rows(self.other):
                rows = self.own.meeting(column, other.row[other_column])
                yield from ((row, other) for row in rows if feed.takes(row.row))
            return
        if isinstance(feed.query.demand, OneOf) and self.other.finds(other_column):
            for row in feed.own_rows(self.own):
                others = self.other.meeting(other_column, row.row[column])
                yield from ((row, other) for other in others if feed.takes_other(other.row))
            return
        found = _by_value(feed.other_rows(self.other), other_column)
        for row in feed.own_rows(self.own):
            yield from ((row, other) for other in found.get(row.row[column], ()))

    def _reader(self, row: _Row, other: _Row) -> str | None:
        reader = None if self._readers is None else self._readers(row)
        other_reader = None if self._other_readers is None else self._other_readers(other)
        if reader is None or reader == other_reader:
            return other_reader
        return reader if other_reader is None else _NO_USER


def _signed(changes: RowChanges) -> Iterator[tuple[int, EncodedRow]]:
    """Changes row by row: what came counts +1, what went counts -1."""
    yield from ((1, row) for row in changes.inserts)
    yield from ((-1, row) for row in changes.deletes)


def _by_value(rows: Iterable[EncodedRow], column: int) -> dict[object, list[EncodedRow]]:
    found: dict[object, list[EncodedRow]] = {}
    for row in rows:
        found.setdefault(row.row[column], []).append(row)
    return found
