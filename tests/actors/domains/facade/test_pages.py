"""Domain 11.1: pages of a list are the list, whatever their size and whatever goes meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.facade.limits import PAGE_ROWS_MAX
from actors.domains.facade.pages import cut_page, mark_of
from actors.errors import ReducerError

ROWS = st.sets(st.tuples(st.integers(0, 9), st.text("abc", min_size=1, max_size=3)), max_size=40)


def itself(row: tuple[int, str]) -> tuple[int, str]:
    return row


@given(rows=ROWS, limit=st.integers(1, PAGE_ROWS_MAX))
def test_pages_make_up_the_list(rows: set[tuple[int, str]], limit: int) -> None:
    newest_first = sorted(rows, reverse=True)
    found: list[tuple[int, str]] = []
    cursor = None
    while True:
        page, cursor = cut_page(newest_first, limit, mark_of(cursor), itself)
        found += page
        if cursor is None:
            break
        assert len(page) == limit
    assert found == newest_first


@given(rows=ROWS, limit=st.integers(1, 10), data=st.data())
def test_a_page_goes_on_where_its_last_row_was(
    rows: set[tuple[int, str]], limit: int, data: st.DataObject
) -> None:
    newest_first = sorted(rows, reverse=True)
    first, cursor = cut_page(newest_first, limit, None, itself)
    if cursor is None:
        return
    gone = data.draw(st.sets(st.sampled_from(newest_first)))
    left = [row for row in newest_first if row not in gone]
    rest, _ = cut_page(left, PAGE_ROWS_MAX, mark_of(cursor), itself)
    assert rest == [row for row in left if row not in first]


@pytest.mark.parametrize("limit", [0, PAGE_ROWS_MAX + 1])
def test_a_page_has_a_size(limit: int) -> None:
    with pytest.raises(ReducerError, match=r"input\.out_of_range"):
        cut_page([], limit, None, itself)
