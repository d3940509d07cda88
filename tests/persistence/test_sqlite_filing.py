from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing

import pytest
from store_words import append, checkpoint, keeping, load, one, opened, put, record

from persistence import SqliteStore, StoreFormatError, sqlite_writer
from persistence.schema import open_reader


class Disk:
    def __init__(self, path):
        self.path = path

    def store(self, **options):
        return SqliteStore(self.path, **options)

    def counts(self):
        """Rows of the commit log and of the journals."""
        query = "SELECT (SELECT count(*) FROM commit_log), (SELECT count(*) FROM journal)"
        with closing(open_reader(self.path)) as connection:
            return connection.execute(query).fetchone()

    def crashed(self):
        """What a power cut would leave of it now."""
        copy = self.path.with_name("crashed.sqlite3")
        for end in ("", "-wal"):
            shutil.copyfile(f"{self.path}{end}", f"{copy}{end}")
        return Disk(copy)


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path / "journal.sqlite3")


async def test_a_commit_is_one_row_until_something_needs_the_journals(disk):
    async with opened(disk, retention=keeping(9)) as store:
        assert await append(store, *[one("a", seq) for seq in range(1, 9)], one("b", 1)) is None
        assert await append(store, one("a", 9)) is None
        assert disk.counts() == (2, 0)
        assert [len(found.tail) for found in await store.load(["a", "b", "c"])] == [9, 1, 0]
        assert await store.history("a", 7, 9) == [record(8), record(9)]
        assert disk.counts() == (2, 0)
        assert await checkpoint(store, "b", 1) is None
        assert disk.counts() == (0, 2)
        assert [len(found.tail) for found in await store.load(["a", "b"])] == [9, 0]


async def test_what_weighs_enough_is_filed(disk, monkeypatch):
    monkeypatch.setattr(sqlite_writer, "FILING_BYTES", 10_000)
    async with opened(disk) as store:
        for seq in range(1, 5):
            assert await append(store, one("a", seq, put(1, b"k", bytes(6_000)))) is None
        assert disk.counts() == (2, 1)
    assert disk.counts() == (0, 2)


async def test_what_was_not_filed_is_after_a_crash(disk):
    async with opened(disk, retention=keeping(9)) as store:
        assert await append(store, one("a", 1), one("b", 1)) is None
        assert await checkpoint(store, "a", 1) is None
        assert await append(store, *[one("a", seq) for seq in (2, 3)], one("c", 1)) is None
        left = disk.crashed()
    assert left.counts() == (1, 2)
    async with opened(left) as store:
        assert left.counts() == (0, 4)
        found = await store.load(["a", "b", "c"])
        assert [(each.base_seq, len(each.tail)) for each in found] == [(1, 2), (0, 1), (0, 1)]
        assert await append(store, one("a", 4), one("c", 2)) is None


async def test_a_log_that_contradicts_itself_is_refused(disk):
    async with opened(disk) as store:
        assert await append(store, one("a", 1)) is None
        left = disk.crashed()
    with closing(sqlite3.connect(left.path, isolation_level=None)) as connection:
        connection.execute("UPDATE commit_log SET records = records || x'00'")
    with pytest.raises(StoreFormatError):
        await left.store().open()


async def test_readers_see_whole_commits_while_records_are_filed(disk, monkeypatch):
    """Every load sees as many records of the one actor as of the other, and never fewer."""
    monkeypatch.setattr(sqlite_writer, "FILING_BYTES", 2_000)
    async with opened(disk, retention=keeping(2)) as store:
        acknowledged = 0

        async def write():
            nonlocal acknowledged
            for seq in range(1, 200):
                assert await append(store, one("a", seq), one("b", seq)) is None
                acknowledged = seq
                if seq % 20 == 0:
                    assert await checkpoint(store, "a", seq) is None

        writing = asyncio.ensure_future(write())
        while not writing.done():
            least = acknowledged
            first, second = await store.load(["a", "b"])
            ends = {found.base_seq + len(found.tail) for found in (first, second)}
            assert len(ends) == 1
            assert ends.pop() >= least
        await writing
        assert (await load(store, "b")).tail[-1] == record(199)
