from __future__ import annotations

import math
import uuid
from functools import cmp_to_key

from hypothesis import given
from hypothesis import strategies as st

from protocol.sql.order import OrderColumn, compile_joined_order, compile_order
from protocol.sql.predicate import Column
from protocol.types import BOOL, BYTES, F64, I32, IDENTITY, STRING, UUID
from protocol.values import Identity

TYPES = (I32, F64, STRING, BYTES, BOOL, UUID, IDENTITY)
ROWS = st.tuples(
    st.integers(-2, 2),
    st.sampled_from([-1.0, -0.0, 0.0, 1.0, math.inf, -math.inf, math.nan]),
    st.sampled_from(["", "a", "B", "é", "ab"]),
    st.sampled_from([b"", b"a", b"\xff"]),
    st.booleans(),
    st.sampled_from([uuid.UUID(int=1), uuid.UUID(int=2)]),
    st.sampled_from([Identity(1), Identity(2)]),
)
ORDERS = st.lists(
    st.builds(
        OrderColumn,
        st.integers(0, len(TYPES) - 1).map(lambda at: Column(at, TYPES[at])),
        st.booleans(),
    ),
    max_size=4,
)


def compare(one, other):
    """-1, 0 or 1: the order by the book, with NaN after every number and equal to itself."""
    if isinstance(one, float):
        one, other = ((math.isnan(v), 0.0 if math.isnan(v) else v) for v in (one, other))
    return (one > other) - (one < other)


@given(ORDERS, st.lists(ROWS, max_size=12))
def test_rows_sort_by_column_after_column_and_equals_stay(order, rows):
    def by_the_book(one, other):
        for term in order:
            at = term.column.position
            found = compare(one[at], other[at])
            if found:
                return -found if term.is_falling else found
        return 0

    wanted = sorted(rows, key=cmp_to_key(by_the_book))
    found = sorted(rows, key=compile_order(order))
    assert [*map(id, found)] == [*map(id, wanted)]
    joined = sorted([(row,) for row in rows], key=compile_joined_order(order))
    assert [id(row) for (row,) in joined] == [*map(id, wanted)]


def test_a_joined_order_looks_at_the_side():
    key = compile_joined_order([OrderColumn(Column(0, I32, side=1), is_falling=False)])
    assert key(((9,), (3,))) == (3,)
