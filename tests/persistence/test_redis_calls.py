from __future__ import annotations

import pytest
from store_words import one

from persistence import SequenceConflictError, StoreReadError, StoreWriteError
from persistence.group_commit import AppendJob
from persistence.redis_calls import AppendCall, Link, ReadCall, WriteCall
from persistence.redis_keys import RedisKeys


def jobs_of(*batches):
    return [AppendJob(batch, lambda error: None, 1, None) for batch in batches]


@pytest.fixture
def told():
    return []


@pytest.fixture
def jobs():
    return jobs_of([one("a", 1)], [one("b", 1), one("a", 2)], [])


@pytest.fixture
def call(jobs, told):
    return AppendCall(RedisKeys("s"), jobs, 7, told.append)


@pytest.mark.parametrize("batch", [9, 10])
def test_batches_that_a_new_connection_finds_are_not_sent_again(call, jobs, told, batch):
    call.resolve(batch)
    assert call.is_local
    assert told == []
    call.settle(None)
    assert told == [(jobs, 3, None, 9)]


def test_batches_that_a_new_connection_found_are_written_whatever_comes(call, jobs, told):
    call.resolve(9)
    call.fail(StoreWriteError("away"))
    assert told[0].written == 3


@pytest.mark.parametrize("batch", [0, 6])
def test_batches_that_a_new_connection_does_not_find_are_sent_again(call, told, batch):
    before = call.encode(Link(1, 1))
    call.resolve(batch)
    assert not call.is_local
    assert call.encode(Link(1, 1)) == before


def test_of_batches_that_are_written_in_part_the_rest_is_sent_again(call, jobs, told):
    call.resolve(7)
    assert not call.is_local
    rest = AppendCall(RedisKeys("s"), jobs[1:], 8, told.append)
    assert call.encode(Link(1, 2)) == rest.encode(Link(1, 2))
    call.settle([b"ok", 2])
    assert told == [(jobs, 3, None, 9)]


def test_a_conflict_in_the_rest_names_its_record(call, jobs, told):
    call.resolve(7)
    call.settle([b"conflict", 0, 2, 9])
    assert (told[0].written, told[0].last_batch) == (1, 7)
    assert (told[0].error.actor, told[0].error.expected, told[0].error.given) == ("a", 9, 2)


def test_a_conflict_names_its_record(call, jobs, told):
    call.settle([b"conflict", 1, 3, 5])
    (outcome,) = told
    assert outcome[:2] == (jobs, 1)
    assert outcome.last_batch == 7
    error = outcome.error
    assert isinstance(error, SequenceConflictError)
    assert (error.actor, error.expected, error.given) == ("a", 5, 2)


def test_a_batch_out_of_turn_is_refused(call, jobs, told):
    call.settle([b"gap"])
    assert told[0][:2] == (jobs, 0)
    assert isinstance(told[0].error, StoreWriteError)


def test_a_read_fails_as_a_read(told):
    call = ReadCall(b"", told.append, told.append)
    call.fail(StoreWriteError("away"))
    assert isinstance(told[0], StoreReadError)
    assert told[0].reason == "away"


@pytest.mark.parametrize(
    "make",
    [lambda t: ReadCall(b"x", t, t), lambda t: WriteCall("put", [b"k"], ["key", b""], t)],
)
def test_reads_and_repeatable_writes_are_sent_again(told, make):
    call = make(told.append)
    before = call.encode(Link(1, 1))
    call.resolve(99)
    assert not call.is_local
    assert call.encode(Link(1, 1)) == before
