"""Top rows: what came and went adds up to the first rows now, reserve or no reserve."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.datastore import EncodedRow
from actors.subscriptions import top_rows
from actors.subscriptions.top_rows import TopRows

ROWS = [
    EncodedRow((points, number), b"%d/%d" % (points, number))
    for number in range(6)
    for points in range(3)
]
STEPS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(ROWS), max_size=4), st.lists(st.integers(0, 99), max_size=4)
    ),
    max_size=25,
)


@pytest.fixture(params=[1, 2, 3, 100], autouse=True, scope="module")
def _reserve(request):
    before = top_rows.WINDOW_RESERVE_ROWS
    top_rows.WINDOW_RESERVE_ROWS = request.param
    yield
    top_rows.WINDOW_RESERVE_ROWS = before


def first(rows, limit):
    return [row.data for row in sorted(rows, key=lambda row: row.row)[:limit]]


@given(st.lists(st.sampled_from(ROWS), max_size=9), st.integers(0, 4), STEPS)
@example([], 0, [([ROWS[0]] * 3, []), ([ROWS[1]], [0, 0])])
def test_changes_add_up_to_the_first_rows(start, limit, steps):
    """Rows are a bag here, as a view's are: the same row may be there twice."""
    rows = list(start)
    top = TopRows(limit, lambda row: row.row, lambda: rows)
    held = Counter(top.rows())
    for inserts, drawn in steps:
        deletes = [rows.pop(index % len(rows)) for index in drawn if rows]
        rows += inserts
        came, went = top.change(inserts, deletes)
        assert not Counter(came) & Counter(went)
        held.update(came)
        held.subtract(went)
        assert top.rows() == first(rows, limit)
        assert +held == Counter(top.rows())


def test_matching_rows_are_looked_at_again_only_when_the_reserve_is_used_up(monkeypatch):
    monkeypatch.setattr(top_rows, "WINDOW_RESERVE_ROWS", 5)
    rows = {number: EncodedRow((number,), b"%d" % number) for number in range(100)}
    looks = []

    def matching():
        looks.append(len(rows))
        return list(rows.values())

    top = TopRows(5, lambda row: row.row, matching)
    for number in range(60):
        came, went = top.change([], [rows.pop(number)])
        assert (came, went) == ([b"%d" % (number + 5)], [b"%d" % number])
    assert len(looks) == 1 + 60 // 5
