from __future__ import annotations

from store_words import record

from persistence.commit_log import Commit
from persistence.unfiled import Unfiled


def commit(actor_id, name, *seqs, wake=None, is_new=False):
    places = [(actor_id, seq, len(record(seq)), wake) for seq in seqs]
    names = [(actor_id, name)] if is_new else []
    return [name] * len(seqs), Commit(names, places, [record(seq) for seq in seqs])


def test_what_comes_while_an_actor_is_filed_is_not_filed():
    unfiled = Unfiled()
    unfiled.add(*commit(1, "a", 1, 2, wake=5, is_new=True))
    waiting = unfiled.of(["a", "b"])
    unfiled.add(*commit(1, "a", 3, wake=7))
    unfiled.forget(waiting)
    assert unfiled.numbered(["a"]) == {"a": [(3, record(3))]}
    assert (unfiled.names(), unfiled.wakes()) == ([], {"a": 7})
    unfiled.forget(unfiled.of(["a"]))
    assert (unfiled.numbered(["a"]), unfiled.wakes()) == ({}, {})


def test_a_sealed_lap_and_the_next_one_are_read_as_one():
    unfiled = Unfiled()
    unfiled.add(*commit(1, "a", 1, wake=5, is_new=True))
    unfiled.seal()
    unfiled.add(*commit(1, "a", 2, 3))
    unfiled.add(*commit(2, "b", 1, wake=6, is_new=True))
    assert unfiled.numbered(["a", "b"]) == {
        "a": [(seq, record(seq)) for seq in (1, 2, 3)],
        "b": [(1, record(1))],
    }
    assert (unfiled.names(), unfiled.wakes()) == (["a", "b"], {"a": 5, "b": 6})
    assert [actor.name for actor in unfiled.sealed()] == ["a"]
    unfiled.forget_sealed()
    assert unfiled.numbered(["a"]) == {"a": [(2, record(2)), (3, record(3))]}
    assert (unfiled.names(), unfiled.wakes()) == (["b"], {"b": 6})


def test_an_actor_of_both_laps_is_filed_from_both():
    unfiled = Unfiled()
    unfiled.add(*commit(1, "a", 1))
    unfiled.seal()
    unfiled.add(*commit(1, "a", 2))
    waiting = unfiled.of(["a"])
    assert [(each.seq, len(each.records)) for each in waiting] == [(1, 1), (2, 1)]
    unfiled.forget(waiting)
    assert unfiled.numbered(["a"]) == {}
    assert unfiled.sealed() == []
