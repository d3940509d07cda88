from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_words import append, checkpoint, load, one, opened
from test_sqlite_store import SqliteMedium, sqlite_medium

from persistence import (
    SequenceConflictError,
    StoreFailedError,
    sqlite_appends,
    sqlite_queue,
    sqlite_writer,
)
from persistence.commit_log import commit_logs, read_commits

FAST, SLOW = 3600.0, -1.0


@pytest.fixture
def medium():
    with sqlite_medium() as medium:
        yield medium


def logged(medium):
    return len(read_commits(sorted(commit_logs(medium.path)), 1))


async def test_commits_go_on_while_the_file_is_locked(medium, monkeypatch):
    """The loop itself writes for actors that are known; the other thread waits for the lock."""
    monkeypatch.setattr(sqlite_appends, "LOOP_WRITE_SECONDS_MAX", FAST)
    async with opened(medium) as store:
        assert await append(store, one("a", 1)) is None
        with closing(sqlite3.connect(medium.path, isolation_level=None)) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            waiting = checkpoint(store, "a", 1)
            assert await append(store, one("a", 2), one("a", 3)) is None
            assert await append(store, one("a", 4)) is None
            assert not waiting.done()
            assert logged(medium) == 3
            somebody.execute("COMMIT")
        assert await waiting is None
        assert len((await load(store, "a")).tail) == 3


@pytest.mark.parametrize(("seconds", "commits"), [(FAST, 1), (SLOW, 2)])
async def test_a_commit_waits_for_what_the_next_turns_bring(medium, monkeypatch, seconds, commits):
    monkeypatch.setattr(sqlite_appends, "LOOP_WRITE_SECONDS_MAX", FAST)
    async with opened(medium) as store:
        assert await append(store, one("a", 1), one("b", 1)) is None
        monkeypatch.setattr(sqlite_queue, "LOOP_GATHER_SECONDS", seconds)
        before = logged(medium)
        first = append(store, one("a", 2))
        await asyncio.sleep(0)
        second = append(store, one("b", 2))
        assert await asyncio.gather(first, second) == [None, None]
        assert logged(medium) == before + commits


async def test_a_slow_medium_is_left_to_the_writers_thread(medium, monkeypatch):
    async with opened(medium) as store:
        assert await append(store, one("a", 1)) is None
        monkeypatch.setattr(sqlite_appends, "LOOP_WRITE_SECONDS_MAX", SLOW)
        assert await append(store, one("a", 2)) is None
        monkeypatch.setattr(sqlite_appends, "LOOP_WRITE_SECONDS_MAX", FAST)
        outcome = append(store, one("a", 3))
        last = append(store, one("a", 4))
        assert await outcome is None
        assert await last is None
        assert (await load(store, "a")).tail[-1] == one("a", 4).record


ACTORS = st.sampled_from("abcdef")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(ACTORS, max_size=4)),
        st.tuples(st.sampled_from(["checkpoint", "skip"]), ACTORS),
        st.tuples(st.sampled_from(["turn", "reset", "meta", "fast", "slow"]), st.none()),
    ),
    max_size=40,
)


@given(steps=STEPS, filing_bytes=st.sampled_from([1, 1_000, 1 << 20]))
async def test_batches_become_durable_in_their_order_whoever_writes_them(steps, filing_bytes):
    """Also those after a batch that leaves out a number fail on both threads, until the reset."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_writer, "FILING_BYTES", filing_bytes)
        medium = SqliteMedium(Path(folder) / "journal.sqlite3")
        seqs, told, expected, others = {}, [], [], []
        async with opened(medium) as store:

            def give(batch, error):
                number = len(expected)
                store.append(batch, lambda error: told.append((number, type(error))))
                expected.append((number, error))

            refusal = None
            for step, subject in steps:
                if step == "append":
                    counts = Counter(subject)
                    batch = [
                        one(name, seqs.get(name, 0) + 1 + more)
                        for name, count in counts.items()
                        for more in range(count)
                    ]
                    give(batch, refusal or type(None))
                    if refusal is None:
                        seqs = Counter(seqs) + counts
                elif step == "skip":
                    give([one(subject, seqs.get(subject, 0) + 2)], refusal or SequenceConflictError)
                    refusal = StoreFailedError
                elif step == "checkpoint":
                    others.append(checkpoint(store, subject, seqs.get(subject, 0)))
                elif step == "turn":
                    await asyncio.sleep(0)
                elif step == "reset":
                    await store.reset()
                    refusal = None
                elif step == "meta":
                    others.append(asyncio.ensure_future(store.write_meta("key", b"value")))
                else:
                    limit = FAST if step == "fast" else SLOW
                    patch.setattr(sqlite_appends, "LOOP_WRITE_SECONDS_MAX", limit)
            assert set(await asyncio.gather(*others)) <= {None}
            await store.reset()
            assert told == expected
            await check(store, seqs)
        async with opened(medium) as store:
            await check(store, seqs)


async def check(store, seqs):
    found = await store.load(list(seqs))
    assert {each.actor: each.base_seq + len(each.tail) for each in found} == seqs
