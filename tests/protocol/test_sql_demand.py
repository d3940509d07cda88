from __future__ import annotations

import math

import pytest
from hypothesis import given
from test_sql_predicate import COLUMNS, IDENTITIES, PREDICATES, ROWS, holds, rank

from protocol.sql.demand import OneOf, Range, demand_of
from protocol.sql.predicate import (
    ALWAYS,
    NEVER,
    SENDER,
    Comparison,
    Conjunction,
    Disjunction,
    Value,
    normalise,
)
from protocol.values import Identity

NUMBER, OTHER, _, _, _, OWNER, BLOB = COLUMNS


def meets(demand, row, caller):
    """Whether a row is found by a demand."""
    value = row[demand.column.position]
    if isinstance(demand, OneOf):
        return value in demand.wanted(caller)
    above = demand.low is None or rank(value) >= rank(demand.low)
    # NaN is looked for where infinity is: beside it, in an order of floats.
    if isinstance(value, float) and math.isnan(value):
        return demand.high in (None, math.inf)
    return above and (demand.high is None or rank(value) <= rank(demand.high))


@given(PREDICATES, ROWS, IDENTITIES)
def test_every_row_that_passes_meets_the_demand(predicate, row, sender):
    demand = demand_of(normalise(predicate))
    if demand is not None and holds(predicate, row, sender):
        assert meets(demand, row, sender)


def equal(column, value):
    return Comparison("=", column, value if value is SENDER else Value(value))


@pytest.mark.parametrize(
    ("predicate", "demand"),
    [
        (ALWAYS, None),
        (NEVER, None),
        (equal(NUMBER, 1), OneOf(NUMBER, (1,))),
        (Comparison("=", NUMBER, OTHER), None),
        (Comparison("<>", NUMBER, Value(1)), None),
        (Comparison(">", NUMBER, Value(1)), Range(NUMBER, 1, None)),
        (Comparison("<=", NUMBER, Value(1)), Range(NUMBER, None, 1)),
        (Comparison(">", OWNER, SENDER), None),
        (
            Conjunction((Comparison(">", NUMBER, Value(1)), equal(OWNER, SENDER))),
            OneOf(OWNER, (SENDER,)),
        ),
        (
            Conjunction(
                (
                    Comparison(">", NUMBER, Value(1)),
                    Comparison(">=", NUMBER, Value(3)),
                    Comparison("<", NUMBER, Value(9)),
                    Comparison("<", OTHER, Value(2)),
                )
            ),
            Range(NUMBER, 3, 9),
        ),
        (Disjunction((equal(NUMBER, 1), equal(NUMBER, 2))), OneOf(NUMBER, (1, 2))),
        (Disjunction((equal(NUMBER, 1), equal(OTHER, 2))), None),
        (Disjunction((equal(NUMBER, 1), Comparison(">", NUMBER, Value(5)))), None),
        (
            Disjunction(
                (
                    Conjunction((equal(NUMBER, 1), Comparison(">", OTHER, Value(1)))),
                    Conjunction((equal(NUMBER, 2), Comparison("<", OTHER, Value(1)))),
                )
            ),
            OneOf(NUMBER, (2, 1)),
        ),
        (
            Conjunction((Disjunction((equal(NUMBER, 1), equal(NUMBER, 2))), equal(OWNER, SENDER))),
            OneOf(OWNER, (SENDER,)),
        ),
    ],
)
def test_the_narrowest_demand(predicate, demand):
    assert demand_of(normalise(predicate)) == demand


def test_the_callers_value_is_of_the_columns_type():
    caller = Identity(258)
    assert OneOf(OWNER, (SENDER,)).wanted(caller) == (caller,)
    assert OneOf(BLOB, (SENDER,)).wanted(caller) == (caller.to_bytes(32, "little"),)
    assert OneOf(OWNER, (SENDER, caller)).wanted(caller) == (caller,)
