from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_schema import BOOM, SAMPLE

from protocol.bsatn import compile_codec
from protocol.client_cache import ClientCache, TableCache
from protocol.messages import (
    QuerySetUpdate,
    TableRows,
    TableUpdate,
    TableUpdateRows,
    TransactionUpdate,
)

CODEC = compile_codec(BOOM)


def row(key: int, text: str) -> bytes:
    return CODEC.encode((key, text))


def keyed() -> TableCache:
    return TableCache("t", BOOM, 0)


def test_rows_of_two_sets_are_held_twice():
    table = keyed()
    table.apply([row(1, "a")], ())
    table.apply([row(1, "a")], ())
    assert table.counts() == Counter({row(1, "a"): 2})
    assert len(table) == 1
    table.apply((), [row(1, "a")])
    assert table.rows() == [row(1, "a")]
    table.apply((), [row(1, "a")])
    assert table.rows() == []
    assert table.faults == []


def test_an_update_in_both_sets_counts_once():
    table = keyed()
    table.apply([row(1, "a"), row(1, "a")], ())
    table.apply([row(1, "b"), row(1, "b")], [row(1, "a"), row(1, "a")])
    assert table.counts() == Counter({row(1, "b"): 2})
    assert table.faults == []


def test_a_row_that_leaves_one_set_and_stays_in_the_other():
    table = keyed()
    table.apply([row(1, "a"), row(1, "a")], ())
    table.apply([row(1, "b")], [row(1, "a"), row(1, "a")])
    assert table.counts() == Counter({row(1, "b"): 1})
    assert table.faults == []


def test_rows_without_a_key_are_told_apart_by_their_bytes():
    table = TableCache("t")
    table.apply([b"a", b"a", b"b"], ())
    table.apply([b"c"], [b"a"])
    assert table.counts() == Counter({b"a": 1, b"b": 1, b"c": 1})
    assert table.faults == []


@pytest.mark.parametrize(
    ("inserts", "deletes"),
    [
        ([], [row(2, "x")]),  # not there
        ([], [row(1, "a"), row(1, "a")]),  # twice
        ([], [row(1, "other")]),  # another row of that key
        ([row(2, "y")], [row(2, "x")]),  # update of what is not there
        ([row(1, "b")], []),  # a second row of one key
        ([row(1, "b")], [row(1, "a"), row(1, "a")]),  # more deletes than references
    ],
)
def test_what_does_not_balance_is_a_fault(inserts, deletes):
    table = keyed()
    table.apply([row(1, "a")], ())
    table.apply(inserts, deletes)
    assert table.faults


def test_values_need_a_schema():
    table = keyed()
    table.apply([row(1, "a")], ())
    assert table.values() == [(1, "a")]
    with pytest.raises(ValueError, match="no row type"):
        TableCache("t").values()


def test_tables_and_views_get_their_keys_from_the_schema():
    cache = ClientCache(SAMPLE)
    cache.add([TableRows("boom", [row(1, "a")]), TableRows("boom", [row(1, "a")])])
    assert cache.table("boom").counts() == Counter({row(1, "a"): 2})
    cache.drop([TableRows("boom", [row(1, "a"), row(1, "a")])])
    assert len(cache.table("boom")) == 0
    assert cache.faults() == []
    item = SAMPLE.views[0]
    codec = compile_codec(item.row_type)
    one, other = (codec.encode((7, 1, kind, [], 1.0, 2, 3)) for kind in ("bow", "axe"))
    cache.add([TableRows("my_items", [one])])
    cache.update(_transaction([(0, "my_items", [other], [one])]))
    assert cache.table("my_items").rows() == [other]
    assert cache.faults() == []
    assert sorted(cache.tables()) == ["boom", "my_items"]


def test_events_are_kept_apart():
    cache = ClientCache(SAMPLE)
    rows = TableUpdateRows([row(1, "a")], [], is_event=True)
    cache.update(TransactionUpdate([QuerySetUpdate(0, [TableUpdate("boom", [rows])])]))
    assert cache.table("boom").events == [row(1, "a")]
    assert cache.table("boom").rows() == []


def _transaction(changes) -> TransactionUpdate:
    return TransactionUpdate(
        [
            QuerySetUpdate(
                set_id, [TableUpdate(table, [TableUpdateRows(inserts, deletes, is_event=False)])]
            )
            for set_id, table, inserts, deletes in changes
        ]
    )


STATES = st.dictionaries(st.integers(0, 3), st.sampled_from("abc"), max_size=4)
SETS = st.frozensets(st.integers(0, 3), max_size=4)


@given(st.lists(STATES, min_size=1, max_size=6), st.lists(SETS, min_size=1, max_size=3))
def test_balanced_sets_always_give_their_union(states, sets):
    """Each set wants the rows of some keys; the rows change from state to state."""
    cache = ClientCache(SAMPLE)

    def wanted(state, keys):
        return {row(key, text) for key, text in state.items() if key in keys}

    for keys in sets:
        cache.add([TableRows("boom", sorted(wanted(states[0], keys)))])
    keyed_cache = TableCache("boom", BOOM, 0)
    keyed_cache.apply([one for keys in sets for one in wanted(states[0], keys)], ())
    for before, after in pairwise(states):
        changes = []
        for set_id, keys in enumerate(sets):
            old, new = wanted(before, keys), wanted(after, keys)
            changes.append((set_id, "boom", sorted(new - old), sorted(old - new)))
        cache.update(_transaction(changes))
        keyed_cache.apply(
            [one for change in changes for one in change[2]],
            [one for change in changes for one in change[3]],
        )
        held = Counter(one for keys in sets for one in wanted(after, keys))
        assert cache.table("boom").counts() == held
        assert keyed_cache.counts() == held
    for keys in sets:
        cache.drop([TableRows("boom", sorted(wanted(states[-1], keys)))])
    assert cache.table("boom").rows() == []
    assert cache.faults() == []
    assert keyed_cache.faults == []
