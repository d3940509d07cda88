"""Transactions against a model: two dictionaries, one of them thrown away by a roll back."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from shelf_rows import STORED, Item, Mark, Ping, commit, empty_database, recovered

from actors.datastore import Database
from actors.errors import ConstraintError
from actors.module.types import replace
from protocol.errors import EncodeError

CODES = st.sampled_from("abcdef")
OWNERS = st.sampled_from([None, "", "ann", "bob"])
RANKS = st.integers(0, 3)
TAGS = st.lists(st.sampled_from(["x", "y"]), max_size=2)
IDS = st.integers(1, 6)


def key_of(row: tuple) -> object:
    """A model's key: the first column of an item, the whole of a mark."""
    return row[0] if isinstance(row, Item) else tuple(row)


def encoded_key(database: Database, row: tuple) -> object:
    """What rows are ordered by: the primary key, or the bytes."""
    layout = database[type(row)].layout
    return layout.encode(row) if layout.primary_key is None else row[0]


class Transactions(RuleBasedStateMachine):
    """The real thing, the model, and the journal of what was committed."""

    @initialize()
    def begin(self) -> None:
        self.database = empty_database()
        self.committed: dict[type, dict] = {row: {} for row in STORED}
        self.running: dict[type, dict] = {row: {} for row in STORED}
        self.pings: list[Ping] = []
        self.journal: list = []
        self.states = [self.frozen()]
        self.given: set[int] = set()
        self.given_here: set[int] = set()
        self.durably_given: set[int] = set()

    def frozen(self) -> dict[type, list]:
        return {row: sorted(self.committed[row].values()) for row in STORED}

    def taken(self, row: Item) -> bool:
        """Whether another row than the one with this key has the code."""
        return any(
            other.code == row.code and other.id != row.id for other in self.running[Item].values()
        )

    # Writing

    @rule(code=CODES, owner=OWNERS, rank=RANKS, tags=TAGS)
    def insert_numbered(self, code, owner, rank, tags) -> None:
        row = Item(0, code, owner, rank, tags)
        if self.taken(row):
            with pytest.raises(ConstraintError):
                self.database[Item].insert(row)
            return
        stored = None
        while stored is None:
            try:
                stored = self.database[Item].insert(row)
            except ConstraintError as error:  # someone inserted this number by hand
                assert "key" in error.message  # noqa: PT017 - the loop goes on
        number = stored.id
        assert number not in self.given, "numbers are given once"
        self.given.add(number)
        self.given_here.add(number)
        assert stored == row._replace(id=number)
        self.running[Item][number] = stored

    @rule(number=IDS, code=CODES, owner=OWNERS, rank=RANKS, tags=TAGS)
    def insert_with_number(self, number, code, owner, rank, tags) -> None:
        row = Item(number, code, owner, rank, tags)
        if number in self.running[Item] or self.taken(row):
            with pytest.raises(ConstraintError):
                self.database[Item].insert(row)
        else:
            self.running[Item][number] = self.database[Item].insert(row)

    @rule(number=IDS, code=CODES, owner=OWNERS, rank=RANKS, tags=TAGS)
    def update(self, number, code, owner, rank, tags) -> None:
        row = Item(number, code, owner, rank, tags)
        if number not in self.running[Item] or self.taken(row):
            with pytest.raises(ConstraintError):
                self.database[Item].update(row)
        else:
            self.running[Item][number] = self.database[Item].update(row)

    @rule(number=IDS, code=CODES, owner=OWNERS, rank=RANKS)
    def upsert(self, number, code, owner, rank) -> None:
        row = Item(number, code, owner, rank, [])
        if self.taken(row):
            with pytest.raises(ConstraintError):
                self.database[Item].upsert(row)
        else:
            self.running[Item][number] = self.database[Item].upsert(row)

    @rule(first=IDS, second=IDS)
    def trade_codes(self, first, second) -> None:
        """Two rows trade a unique value, through a third one."""
        rows = self.running[Item]
        free = set("abcdef") - {row.code for row in rows.values()}
        if first == second or first not in rows or second not in rows or not free:
            return
        table, mine, other = self.database[Item], rows[first], rows[second]
        table.update(replace(mine, code=min(free)))
        rows[second] = table.update(replace(other, code=mine.code))
        rows[first] = table.update(replace(mine, code=other.code))

    @rule(number=IDS)
    def delete(self, number) -> None:
        assert self.database[Item].delete(number) == (number in self.running[Item])
        self.running[Item].pop(number, None)

    @rule(who=CODES, size=RANKS)
    def insert_mark(self, who, size) -> None:
        row = Mark(who, size)
        assert self.database[Mark].insert(row) == row
        self.running[Mark][key_of(row)] = row

    @rule(who=CODES, size=RANKS)
    def delete_mark(self, who, size) -> None:
        row = Mark(who, size)
        there = key_of(row) in self.running[Mark]
        assert self.database[Mark].delete_row(row) == there
        self.running[Mark].pop(key_of(row), None)

    @rule(who=CODES, size=RANKS)
    def ping(self, who, size) -> None:
        self.pings.append(self.database[Ping].insert(Ping(who, size)))

    # Ending

    @rule()
    def commit(self) -> None:
        done = commit(self.database, self.journal)
        for row in STORED:
            before, after = self.committed[row], self.running[row]
            gone = {key for key in before if before[key] != after.get(key)}
            came = {key for key in after if after[key] != before.get(key)}
            deltas = [delta for delta in done.deltas if delta.layout.row is row]
            assert len(deltas) == (1 if gone or came else 0)
            if deltas:
                self.check_delta(deltas[0], [before[k] for k in gone], [after[k] for k in came])
            self.committed[row] = dict(after)
        events = [delta for delta in done.deltas if delta.layout.row is Ping]
        assert [row.row for delta in events for row in delta.inserts] == self.pings
        assert not any(delta.deletes for delta in events)
        self.pings = []
        self.durably_given |= self.given_here
        self.given_here = set()
        assert not self.database.is_dirty
        if done.changes and len(self.journal) == len(self.states):
            self.states.append(self.frozen())

    def check_delta(self, delta, gone: list, came: list) -> None:
        encode = delta.layout.encode
        assert Counter(row.data for row in delta.deletes) == Counter(map(encode, gone))
        assert Counter(row.data for row in delta.inserts) == Counter(map(encode, came))
        for row in (*delta.inserts, *delta.deletes):
            assert encode(row.row) == row.data

    @rule()
    def roll_back(self) -> None:
        self.database.rollback()
        self.running = {row: dict(self.committed[row]) for row in STORED}
        self.pings = []
        self.given_here = set()

    @rule(code=CODES)
    def commit_what_cannot_be_encoded(self, code) -> None:
        """A value that does not fit its column is found at the end, and nothing has happened."""
        row = Item(99, code, "ann", 300, [])
        if not self.taken(row) and 99 not in self.running[Item]:
            self.database[Item].insert(row)
            with pytest.raises(EncodeError):
                self.database.commit()
            self.roll_back()

    @precondition(lambda self: not self.database.is_dirty)
    @rule(data=st.data())
    def recover_any_prefix(self, data) -> None:
        length = data.draw(st.integers(0, len(self.journal)))
        database = recovered(self.journal[:length])
        for row in STORED:
            assert sorted(database[row]) == self.states[length][row]
            for stored in database[row].encoded_rows():
                assert database[row].layout.encode(stored.row) == stored.data
        self.check_indexes(database, *(self.states[length][row] for row in STORED))

    @precondition(lambda self: not self.database.is_dirty)
    @rule()
    def restart(self) -> None:
        """Go on with what the journal holds; committed numbers are never given again."""
        self.database = recovered(self.journal)
        self.given = set(self.durably_given)

    # Reading

    @invariant()
    def reads_see_what_was_written(self) -> None:
        for row in STORED:
            rows = self.running[row]
            order = sorted(rows.values(), key=lambda r: encoded_key(self.database, r))
            assert list(self.database[row]) == order
            assert len(self.database[row]) == len(rows)
        items, marks = (sorted(self.running[row].values()) for row in STORED)
        self.check_indexes(self.database, items, marks)
        assert list(self.database[Ping]) == []

    def check_indexes(self, database: Database, items: list[Item], marks: list[Mark]) -> None:
        for who in "abcdefg":
            found = database[Mark].filter(who=who)
            assert sorted(found) == [mark for mark in marks if mark.who == who]
        table = database[Item]
        for item in items:
            assert table.find(item.id) == table.get(item.id) == item
            assert table.filter(code=item.code) == [item]
            assert table.first(id=item.id, code=item.code) == item
        for owner in (None, "", "ann", "bob", "nobody"):
            assert table.filter(owner=owner) == [row for row in items if row.owner == owner]
            for rank in range(4):
                wanted = [row for row in items if (row.owner, row.rank) == (owner, rank)]
                assert table.filter(rank=rank, owner=owner) == wanted
        assert table.filter(rank=2) == [row for row in items if row.rank == 2]
        by_code = sorted(items, key=lambda row: row.code)
        assert list(table.range("code")) == by_code
        assert list(table.range("code", "b", "d")) == [r for r in by_code if "b" <= r.code <= "d"]
        by_owner = sorted(items, key=lambda row: (row.owner is not None, row.owner or "", row.id))
        assert list(table.range("owner")) == by_owner
        named = [row for row in by_owner if row.owner is not None]
        assert list(table.range("owner", "ann")) == [row for row in named if row.owner >= "ann"]
        assert list(table.range("owner", None, "ann")) == [r for r in named if r.owner <= "ann"]


Transactions.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, print_blob=True
)
test_transactions_equal_the_model = Transactions.TestCase
