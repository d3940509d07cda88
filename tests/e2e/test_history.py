"""The checker itself: it explains what can be explained, and nothing else."""

from __future__ import annotations

import math
import random

import pytest
from history import Operation, Outcome, is_linearizable, number, respects_time
from hypothesis import given
from hypothesis import strategies as st

LOOK = ("look", 0)


def ok(begin: float, end: float, name: str, operand: int = 0, answer: int | None = None):
    return Operation((name, operand), begin, end, Outcome.OK, answer)


def info(begin: float, name: str, operand: int):
    return Operation((name, operand), begin, math.inf, Outcome.INFO)


def fail(begin: float, end: float, name: str, operand: int):
    return Operation((name, operand), begin, end, Outcome.FAIL)


GOOD = {
    "nothing": [],
    "one after the other": [ok(0, 1, "put", 5), ok(2, 3, "look", 0, 5)],
    "a look at the same time may come before": [ok(0, 9, "put", 5), ok(1, 2, "look", 0, 0)],
    "a look at the same time may come after": [ok(0, 9, "put", 5), ok(1, 2, "look", 0, 5)],
    "puts at the same time in either order": [
        ok(0, 9, "put", 1),
        ok(0, 9, "put", 2),
        ok(10, 11, "look", 0, 1),
    ],
    "sums tell the order": [ok(0, 9, "add", 1, 3), ok(0, 9, "add", 2, 2), ok(10, 11, "look", 0, 3)],
    "a lost call took effect": [info(0, "put", 5), ok(2, 3, "look", 0, 5)],
    "a lost call did not": [info(0, "put", 5), ok(2, 3, "look", 0, 0)],
    "a lost call took effect late": [
        info(0, "add", 5),
        ok(2, 3, "look", 0, 0),
        ok(4, 5, "look", 0, 5),
    ],
    "a refused call did nothing": [fail(0, 1, "add", 5), ok(2, 3, "look", 0, 0)],
}

BAD = {
    "an acknowledged put is gone": [ok(0, 1, "put", 5), ok(2, 3, "look", 0, 0)],
    "a lost update": [ok(0, 9, "add", 1, 1), ok(0, 9, "add", 1, 1), ok(10, 11, "look", 0, 1)],
    "a stale look": [
        ok(0, 1, "put", 1),
        ok(2, 3, "put", 2),
        ok(4, 5, "look", 0, 1),
    ],
    "two looks that disagree about the order": [
        ok(0, 9, "put", 1),
        ok(0, 9, "put", 2),
        ok(10, 11, "look", 0, 1),
        ok(12, 13, "look", 0, 2),
    ],
    "an effect that happened twice": [ok(0, 1, "add", 1, 1), ok(2, 3, "look", 0, 2)],
    "a lost call that happened twice": [
        info(0, "add", 1),
        ok(2, 3, "look", 0, 1),
        ok(4, 5, "look", 0, 2),
    ],
    "a lost call that was taken back": [
        info(0, "put", 5),
        ok(2, 3, "look", 0, 5),
        ok(4, 5, "look", 0, 0),
    ],
    "a lost call before its time": [ok(0, 1, "look", 0, 5), info(2, "put", 5)],
    "a refused call that took effect": [fail(0, 1, "add", 5), ok(2, 3, "look", 0, 5)],
    "an answer out of nowhere": [ok(0, 1, "look", 0, 7)],
}


@pytest.mark.parametrize("name", GOOD)
def test_what_can_be_explained(name):
    assert is_linearizable(GOOD[name], 0, number)


@pytest.mark.parametrize("name", BAD)
def test_what_cannot(name):
    assert not is_linearizable(BAD[name], 0, number)


ACTIONS = st.tuples(st.sampled_from(["put", "add", "look"]), st.integers(0, 3))


@given(st.lists(st.tuples(ACTIONS, st.integers(1, 6), st.booleans()), max_size=30), st.randoms())
def test_every_run_of_a_real_number_is_explained(calls, chance):
    """Calls overlap as they like; each takes effect at one moment of its time."""
    operations, state = [], 0
    for moment, (action, width, is_lost) in enumerate(calls):
        begin, end = moment - chance.random() * width, moment + chance.random() * width
        state, answer = number(state, action)
        if is_lost:
            operations.append(info(begin, *action))
        else:
            operations.append(ok(begin, end, *action, answer))
    chance.shuffle(operations)
    assert is_linearizable(operations, 0, number)


def test_a_long_run_is_quick_and_one_false_look_in_it_is_found():
    chance = random.Random(7)
    operations, state = [], 0
    for moment in range(1_000):
        action = chance.choice([("put", moment), ("add", 1), LOOK])
        state, answer = number(state, action)
        operations.append(ok(moment - chance.random(), moment + chance.random(), *action, answer))
    assert is_linearizable(operations, 0, number)
    place = next(i for i, one in enumerate(operations) if i > 500 and one.action == LOOK)
    operations[place] = operations[place]._replace(answer=-1)
    assert not is_linearizable(operations, 0, number)


def test_the_order_of_a_log_respects_time():
    first, second = ok(0, 1, "put", 1), ok(2, 3, "put", 2)
    between = ok(0.5, 2.5, "put", 3)
    lost = info(0, "put", 4)
    assert respects_time([first, second])
    assert respects_time([first, between, second])
    assert respects_time([between, first, second])
    assert respects_time([first, second, lost])
    assert not respects_time([second, first])
    assert not respects_time([second, between, first])
