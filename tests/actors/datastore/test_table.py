"""A table's promises one by one; ``test_transactions`` has the laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf_rows import Item, Mark, Ping, commit, empty_database, recovered

from actors.errors import ConstraintError
from actors.limits import SEQUENCE_CHUNK
from actors.module.system import Sequence


def item(number: int, code: str, owner: str | None = None) -> Item:
    return Item(number, code, owner, 0, [])


def test_two_rows_that_trade_a_unique_value_are_recovered():
    database, journal = empty_database(), []
    table = database[Item]
    table.insert(item(1, "a"))
    table.insert(item(2, "b"))
    commit(database, journal)
    table.update(item(1, "c"))
    table.update(item(2, "a"))
    table.update(item(1, "b"))
    commit(database, journal)
    again = recovered(journal)[Item]
    assert list(again) == [item(1, "b"), item(2, "a")]
    assert again.filter(code="a") == [item(2, "a")]
    with pytest.raises(ConstraintError, match=r"item\.already_exists: code 'a' is taken"):
        again.insert(item(3, "a"))


def test_two_rows_that_trade_a_unique_value_are_rolled_back():
    database = empty_database()
    table = database[Item]
    table.insert(item(1, "a"))
    table.insert(item(2, "b"))
    database.commit()
    table.delete(2)
    table.update(item(1, "b"))
    table.insert(item(3, "a"))
    database.rollback()
    assert list(table) == [item(1, "a"), item(2, "b")]
    assert table.filter(code="b") == [item(2, "b")]
    assert database.commit() == ([], [])


def test_what_ends_as_it_began_is_no_change():
    database = empty_database()
    table = database[Item]
    table.insert(item(1, "a"))
    database.commit()
    table.delete(1)
    table.insert(item(1, "a"))
    table.insert(item(2, "b"))
    table.delete(2)
    assert database.is_dirty
    assert database.commit() == ([], [])


def test_an_update_is_one_delete_and_one_insert():
    database = empty_database()
    database[Item].insert(item(1, "a"))
    database.commit()
    database[Item].update(item(1, "b"))
    database[Item].update(item(1, "c"))
    done = database.commit()
    (delta,) = done.deltas
    assert [row.row for row in delta.inserts] == [item(1, "c")]
    assert [row.row for row in delta.deletes] == [item(1, "a")]
    assert len(done.changes) == 1


def test_events_are_told_in_order_and_never_kept():
    database, journal = empty_database(), []
    pings = [Ping("b", 2), Ping("a", 1), Ping("b", 2)]
    for ping in pings:
        database[Ping].insert(ping)
    done = commit(database, journal)
    assert [row.row for row in done.deltas[0].inserts] == pings
    assert journal == []
    assert list(database[Ping]) == []
    assert commit(database, journal) == ([], [])


def test_the_same_row_twice_is_one_row_of_a_set():
    database = empty_database()
    database[Mark].insert(Mark("a", 1))
    database[Mark].insert(Mark("a", 1))
    assert len(database[Mark]) == 1
    assert database[Mark].delete_row(Mark("a", 1))
    assert not database[Mark].delete_row(Mark("a", 1))


def test_numbers_are_reserved_by_the_chunk_and_skip_after_a_restart():
    database, journal = empty_database(), []
    codes = [database[Item].insert(item(0, str(index))).id for index in range(3)]
    commit(database, journal)
    assert codes == [1, 2, 3]
    assert list(database[Sequence]) == [Sequence("item", SEQUENCE_CHUNK)]
    again = recovered(journal)
    assert again[Item].insert(item(0, "x")).id == SEQUENCE_CHUNK + 1
    commit(again, journal)
    assert list(again[Sequence]) == [Sequence("item", 2 * SEQUENCE_CHUNK)]


def test_a_chunk_that_ends_is_followed_by_the_next():
    database = empty_database()
    for index in range(SEQUENCE_CHUNK + 1):
        assert database[Item].insert(item(0, str(index))).id == index + 1
    assert list(database[Sequence]) == [Sequence("item", 2 * SEQUENCE_CHUNK)]


def test_a_reservation_that_was_rolled_back_is_made_again():
    database, journal = empty_database(), []
    assert database[Item].insert(item(0, "a")).id == 1
    database.rollback()
    assert database[Item].insert(item(0, "a")).id == 2
    commit(database, journal)
    assert recovered(journal)[Item].insert(item(0, "b")).id > 2


def test_what_is_not_there_is_told_by_name():
    table = empty_database()[Item]
    with pytest.raises(ConstraintError, match=r"item\.not_found"):
        table.get(7)
    with pytest.raises(ConstraintError, match=r"item\.not_found"):
        table.update(item(7, "a"))
    assert table.find(7) is None
    assert table.first(owner="ann") is None
    assert not table.delete(7)


def test_a_range_needs_an_index_and_a_filter_needs_a_column():
    table = empty_database()[Item]
    with pytest.raises(ValueError, match="no index on rank"):
        table.range("rank")
    with pytest.raises(ValueError, match="not in tuple"):
        table.filter(colour="red")


@given(
    st.lists(st.tuples(st.integers(1, 20), st.sampled_from("abcd"), st.integers(0, 3))),
    st.none() | st.tuples(st.sampled_from("abcd"), st.integers(0, 3)),
)
def test_rows_fall_by_value_and_rise_by_key_whatever_came_and_went(writes, high):
    table = empty_database()[Item]
    for number, owner, rank in writes:
        list(table.falling("owner", "rank"))  # from now on the order is kept up to date
        if not table.delete(number):
            table.insert(Item(number, str(number), owner, rank, []))
    rows = sorted(table, key=lambda row: row.id)
    rows.sort(key=lambda row: (row.owner, row.rank), reverse=True)
    expected = [row for row in rows if high is None or (row.owner, row.rank) <= high]
    assert list(table.falling("owner", "rank", high=high)) == expected
    by_owner = sorted(sorted(table), key=lambda row: row.owner, reverse=True)
    assert list(table.falling("owner")) == by_owner
    assert list(table.range("owner")) == sorted(table, key=lambda row: (row.owner, row.id))


def test_a_table_may_be_written_while_it_is_looked_through():
    table = empty_database()[Item]
    for number in range(1, 6):
        table.insert(item(number, str(number), "ann"))
    for row in table:
        table.delete(row.id)
        table.insert(item(row.id + 10, f"{row.code}x", "ann"))
    assert [row.id for row in table.range("owner", "ann")] == [11, 12, 13, 14, 15]
    for row in table.range("owner"):
        table.delete(row.id)
    assert len(table) == 0
