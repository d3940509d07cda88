"""Words of the store tests: rows, records, and calls that can be awaited."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from persistence import (
    Append,
    Retention,
    RetentionPolicy,
    RowChange,
    Snapshot,
    decode_record,
    encode_record,
)

State = dict[tuple[int, bytes], bytes]


def record(seq, *changes, time=None):
    return encode_record(seq, seq * 10 if time is None else time, "call", b"", b"", changes)


def put(table_id, key, value=b""):
    """A row that tells its own key, so that a state can be read back from rows alone."""
    return RowChange(table_id, key, bytes([len(key)]) + key + value)


def drop(table_id, key):
    return RowChange(table_id, key, None)


def one(actor, seq, *changes, wake=None):
    return Append(actor, seq, record(seq, *changes), wake)


def replay(state: State, changes) -> State:
    for table_id, key, row in changes:
        if row is None:
            state.pop((table_id, key), None)
        else:
            state[table_id, key] = row
    return state


def net(turns):
    """The last word on each row that these turns touched."""
    touched = {}
    for turn in turns:
        for change in turn:
            touched[change[:2]] = change
    return list(touched.values())


def state_of(snapshot: Snapshot) -> State:
    state = {(table_id, row[1 : 1 + row[0]]): row for table_id, row in snapshot.rows}
    assert len(state) == len(snapshot.rows)
    for data in snapshot.tail:
        replay(state, decode_record(data).changes)
    return state


def keeping(records=None, size=None, age=None, **kinds):
    """A policy without the program's own limits; kinds are given as ``Retention``s."""
    return RetentionPolicy(Retention(records, size, age), kinds)


def append(store, *batch):
    """Append and return the future outcome: None or the error."""
    outcome = asyncio.get_running_loop().create_future()
    store.append(batch, outcome.set_result)
    return outcome


def checkpoint(store, actor, through, changes=None, time=None):
    """Checkpoint and return the future outcome; the time is that of ``record``, unless given."""
    outcome = asyncio.get_running_loop().create_future()
    time = through * 10 if time is None else time
    store.checkpoint(actor, through, outcome.set_result, changes, time)
    return outcome


async def load(store, actor) -> Snapshot:
    (snapshot,) = await store.load([actor])
    assert isinstance(snapshot, Snapshot), snapshot
    return snapshot


async def check_crashed_history(store, snapshot):
    """After a crash of ``crash_writer``: history is whole, and as long as it may be."""
    records = await store.history(snapshot.actor, 0, 1_000_000)
    folded = records[: len(records) - len(snapshot.tail)]
    last = snapshot.base_seq + len(snapshot.tail)
    seqs = [decode_record(data).seq for data in records]
    assert seqs == list(range(last - len(records) + 1, last + 1))
    per_record = {"a": 1, "b": len(records[0])}[snapshot.actor]
    at_most = {"a": 70, "b": 6 * 1024}[snapshot.actor] // per_record
    assert len(folded) == min(at_most, snapshot.base_seq)


@asynccontextmanager
async def opened(medium, **options):
    store = medium.store(**options)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def last_row(item):
    return decode_record(item.record).changes[-1].row
