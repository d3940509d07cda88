"""Matcher: a row finds who demands it, once, as long as they are there."""

from __future__ import annotations

import pytest

from actors.datastore import EncodedRow
from actors.subscriptions.matcher import Matcher
from protocol.sql import SENDER, OneOf, Range
from protocol.sql.predicate import Column
from protocol.types import BYTES, I32, IDENTITY
from protocol.values import Identity

ME, YOU = Identity(1), Identity(2)
NUMBER, OWNER, BLOB = Column(0, I32), Column(1, IDENTITY), Column(2, BYTES)
DEMANDS = {
    "one": OneOf(NUMBER, (1,)),
    "some": OneOf(NUMBER, (1, 2, 3)),
    "mine": OneOf(OWNER, (SENDER,)),
    "my bytes": OneOf(BLOB, (SENDER,)),
    "low": Range(NUMBER, None, 1),
    "high": Range(NUMBER, 3, None),
    "between": Range(NUMBER, 2, 3),
    "anything": None,
}
ROWS = {
    (1, ME, b""): ["one", "some", "mine", "low", "anything"],
    (2, YOU, b""): ["some", "between", "anything"],
    (3, YOU, ME.to_bytes(32, "little")): ["some", "my bytes", "high", "between", "anything"],
    (9, YOU, YOU.to_bytes(32, "little")): ["high", "anything"],
}


@pytest.mark.parametrize("gone", [None, *DEMANDS])
def test_a_row_finds_who_demands_it_once(gone):
    matcher: Matcher[str] = Matcher()
    for name, demand in DEMANDS.items():
        matcher.add(name, demand, ME)
    if gone is not None:
        matcher.remove(gone, DEMANDS[gone], ME)
    for row, wanted in ROWS.items():
        left = sorted(name for name in wanted if name != gone)
        assert sorted(matcher.of(row)) == left
        first, second = EncodedRow(row, b"first"), EncodedRow(row, b"second")
        twice = matcher.among([first, second])
        assert sorted(name for name, _ in twice) == sorted(left * 2)
        for name in left:
            assert [change for item, change in twice if item == name] == [first, second]


def test_nothing_is_left_of_those_that_go():
    matcher: Matcher[str] = Matcher()
    for name, demand in DEMANDS.items():
        matcher.add(name, demand, ME)
    for name, demand in DEMANDS.items():
        assert matcher
        matcher.remove(name, demand, ME)
    assert not matcher
