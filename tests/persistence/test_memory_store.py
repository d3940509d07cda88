from __future__ import annotations

import asyncio
from contextlib import contextmanager

from conformance import StoreConformance
from store_words import append, checkpoint, load, one

from persistence import MemoryDisk, MemoryStore, StoreFailedError, StoreWriteError


class MemoryMedium:
    def __init__(self):
        self.disk = MemoryDisk()

    def store(self, **options):
        return MemoryStore(self.disk, **options)

    async def replace_record(self, actor, seq, data):
        journal = self.disk.actors[actor].journal
        if data is None:
            del journal[seq]
        else:
            journal[seq] = data


class TestMemoryStore(StoreConformance):
    @contextmanager
    def make_medium(self):
        yield MemoryMedium()


async def test_durability_can_be_held_back():
    store = MemoryStore()
    await store.open()
    store.hold()
    first, second, third = [append(store, one("a", seq)) for seq in (1, 2, 3)]
    folded = checkpoint(store, "a", 1)
    await asyncio.sleep(0)
    assert not first.done()
    assert (await load(store, "a")).tail == []
    store.release(1)
    assert first.result() is None
    assert not second.done()
    assert len((await load(store, "a")).tail) == 1
    assert store.pending_bytes() > 0
    store.release()
    assert not second.done()
    assert await third is None
    assert await folded is None
    assert store.pending_bytes() == 0
    await store.close()


async def test_closing_ends_a_hold():
    store = MemoryStore()
    await store.open()
    store.hold()
    outcome = append(store, one("a", 1))
    await store.close()
    assert outcome.result() is None


async def test_a_failure_can_be_ordered():
    store = MemoryStore()
    await store.open()
    broken = StoreWriteError("no space")
    store.fail_next(broken)
    assert await append(store) is None
    assert await append(store, one("a", 1)) is broken
    assert isinstance(await append(store, one("a", 1)), StoreFailedError)
    await store.reset()
    assert await append(store, one("a", 1)) is None
    await store.close()


async def test_a_dropped_store_has_crashed():
    disk = MemoryDisk()
    crashed = MemoryStore(disk)
    await crashed.open()
    assert await append(crashed, one("a", 1)) is None
    crashed.hold()
    lost = append(crashed, one("a", 2))
    store = MemoryStore(disk)
    await store.open()
    assert len((await load(store, "a")).tail) == 1
    assert not lost.done()
    await store.close()
