"""Intervals: a value finds exactly those that hold it, whatever came and went."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.subscriptions import intervals as module
from actors.subscriptions.intervals import Intervals

ENDS = st.one_of(st.none(), st.integers(-3, 3))
STEPS = st.lists(st.tuples(st.integers(0, 9), ENDS, ENDS), max_size=60)


def holds(ends, value):
    low, high = ends
    return (low is None or low <= value) and (high is None or value <= high)


@pytest.fixture(params=[0, 2, 16], autouse=True, scope="module")
def _waiting(request):
    """How many may wait to be sorted: with none there are trees only."""
    before = module._WAITING_MAX
    module._WAITING_MAX = request.param
    yield
    module._WAITING_MAX = before


@given(STEPS)
def test_a_value_finds_those_that_hold_it(steps):
    intervals, known = Intervals(), {}
    for item, low, high in steps:
        if item in known:
            del known[item]
            intervals.remove(item)
        else:
            known[item] = (low, high)
            intervals.add(item, low, high)
        for value in range(-4, 5):
            found = intervals.holding(value)
            wanted = {item for item, ends in known.items() if holds(ends, value)}
            assert sorted(found) == sorted(wanted)
        assert bool(intervals) == bool(known)


def test_floats_and_texts():
    intervals = Intervals()
    for number in range(200):
        intervals.add(number, number / 2, number / 2 + 1)
    intervals.add("open", 7.0, None)
    intervals.add("endless", None, math.inf)
    assert set(intervals.holding(3.0)) == {4, 5, 6, "endless"}
    assert set(intervals.holding(math.nan)) == {"open", "endless"}
    words = Intervals()
    words.add("a-c", "a", "c")
    words.add("-b", None, "b")
    assert words.holding("bb") == ["a-c"]
    assert words.holding("") == ["-b"]
