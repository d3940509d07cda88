from __future__ import annotations

import asyncio

import pytest
from store_words import append, checkpoint, keeping, one

from persistence import MemoryStore, StoreWriteError
from persistence.limits import SWEEP_ACTORS_MAX, SWEEP_PAUSE_SECONDS, SWEEP_ROUND_SECONDS
from persistence.sweep import sweep_history

NAMES = [f"actor/{number:03d}" for number in range(2 * SWEEP_ACTORS_MAX + 1)]


class Pauses:
    """Pauses that end when they are told to."""

    def __init__(self):
        self.begun = asyncio.Queue()
        self._ended = asyncio.Event()

    async def __call__(self, seconds):
        self._ended.clear()
        self.begun.put_nowait(seconds)
        await self._ended.wait()

    async def next(self):
        """How long the next pause is that begins; the one before it ends."""
        self._ended.set()
        async with asyncio.timeout(30):
            return await self.begun.get()


class BrokenOnce(MemoryStore):
    is_broken = True

    async def trim(self, after, limit):
        if after and self.is_broken:
            self.is_broken = False
            raise StoreWriteError("no space")
        return await super().trim(after, limit)


@pytest.fixture
def now():
    return [0]


async def filled(made, now):
    store = made(retention=keeping(age=1), clock=lambda: now[0])
    await store.open()
    await append(store, *[one(name, 1) for name in NAMES])
    for name in NAMES:
        assert await checkpoint(store, name, 1) is None
    now[0] = 9_000_000
    return store


async def left(store):
    return sum([len(await store.history(name, 0, 9)) for name in NAMES])


async def test_all_sleepers_are_trimmed_a_few_at_a_time(now):
    store, pauses = await filled(MemoryStore, now), Pauses()
    sweep = asyncio.ensure_future(sweep_history(store, pauses))
    expected = [SWEEP_ACTORS_MAX + 1, 1, 0]
    paused = [SWEEP_PAUSE_SECONDS, SWEEP_PAUSE_SECONDS, SWEEP_ROUND_SECONDS]
    for count, seconds in zip(expected, paused, strict=True):
        assert await pauses.next() == seconds
        assert await left(store) == count
    assert await append(store, one(NAMES[0], 2)) is None
    assert await checkpoint(store, NAMES[0], 2, [], 0) is None
    assert await pauses.next() == SWEEP_PAUSE_SECONDS
    await store.close()
    pauses._ended.set()
    await sweep


async def test_a_store_that_refuses_is_asked_again_where_it_stopped(now, caplog):
    store, pauses = await filled(BrokenOnce, now), Pauses()
    sweep = asyncio.ensure_future(sweep_history(store, pauses))
    expected = [SWEEP_ACTORS_MAX + 1, SWEEP_ACTORS_MAX + 1, 1, 0]
    for count in expected:
        await pauses.next()
        assert await left(store) == count
    assert "no space" in caplog.text
    await MemoryStore(store.disk).open()
    pauses._ended.set()
    await sweep
    await store.close()


async def test_a_sweep_that_is_cancelled_harms_nobody(now):
    store = await filled(MemoryStore, now)
    store.hold()
    sweep = asyncio.ensure_future(sweep_history(store))
    await asyncio.sleep(0)
    sweep.cancel()
    store.release()
    assert await append(store, one(NAMES[0], 2)) is None
    assert sweep.cancelled()
    await store.close()
