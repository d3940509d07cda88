from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing

import pytest
from store_words import append, checkpoint, keeping, load, one, opened, put, record

from persistence import FencedError, SqliteStore, StoreFormatError, sqlite_writer
from persistence.commit_log import CommitLog, read_commits
from persistence.schema import open_writer
from persistence.sqlite_filing import Filing, Unfiled
from persistence.sqlite_owner import SqliteOwner

FRONT_LAP = slice(4096 + 4, 4096 + 12)
"""The lap of a log's first frame."""


class Disk:
    def __init__(self, path):
        self.path = path

    def store(self, **options):
        return SqliteStore(self.path, **options)

    def logs(self):
        """The commit logs, oldest first."""
        return sorted(self.path.parent.glob(f"{self.path.name}-log.*"))

    def execute(self, statement):
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement).fetchone()

    def counts(self):
        """Commits in the log that is in use, and rows of the journals."""
        log_epoch, lap = self.execute("SELECT log_epoch, lap FROM owner")
        (runs,) = self.execute("SELECT count(*) FROM journal")
        for log in self.logs():
            in_use = int.from_bytes(log.read_bytes()[FRONT_LAP], "little") == lap
            if in_use and log.suffix == f".{log_epoch}":
                return len(read_commits(log, lap)), runs
        return 0, runs

    def crashed(self, name="crashed.sqlite3"):
        """What a power cut would leave of it now."""
        copy = self.path.with_name(name)
        for part in self.path.parent.glob(f"{self.path.name}*"):
            if not part.name.endswith("-shm"):
                shutil.copyfile(part, f"{copy}{part.name.removeprefix(self.path.name)}")
        return Disk(copy)


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path / "journal.sqlite3")


async def test_a_commit_is_one_frame_until_something_needs_the_journals(disk):
    async with opened(disk, retention=keeping(9)) as store:
        assert await append(store, *[one("a", seq) for seq in range(1, 9)], one("b", 1)) is None
        assert await append(store, one("a", 9)) is None
        assert disk.counts() == (2, 0)
        assert [len(found.tail) for found in await store.load(["a", "b", "c"])] == [9, 1, 0]
        assert await store.history("a", 7, 9) == [record(8), record(9)]
        assert await store.actors("", "", 9) == ["a", "b"]
        assert disk.counts() == (2, 0)
        assert await checkpoint(store, "b", 1) is None
        assert disk.counts() == (2, 1), "one actor's records are filed, the others' are not"
        assert [len(found.tail) for found in await store.load(["a", "b"])] == [9, 0]
        assert await store.actors("", "", 9) == ["a", "b"]
    assert disk.counts() == (0, 2)
    assert disk.logs() == []


async def test_wakes_are_known_whether_filed_or_not(disk):
    async with opened(disk) as store:
        batch = [one(name, 1, wake=at) for name, at in {"a": 5, "b": 3, "c": 3}.items()]
        assert await append(store, *batch) is None
        assert await store.due(5, 2) == [("b", 3), ("c", 3)]
        assert await checkpoint(store, "b", 1) is None
        assert await append(store, one("a", 2, wake=1), one("b", 2, wake=0)) is None
        assert await store.due(5, 9) == [("a", 1), ("c", 3)]
        assert await store.due(2, 9) == [("a", 1)]
        left = disk.crashed()
    async with opened(left) as store:
        assert await store.due(5, 9) == [("a", 1), ("c", 3)]


async def test_what_weighs_enough_is_filed(disk, monkeypatch):
    monkeypatch.setattr(sqlite_writer, "FILING_BYTES", 10_000)
    async with opened(disk) as store:
        for seq in range(1, 5):
            assert await append(store, one("a", seq, put(1, b"k", bytes(6_000)))) is None
        assert disk.counts() == (2, 1)
    assert disk.counts() == (0, 2)


async def test_what_waits_long_enough_is_filed(disk, monkeypatch):
    """However little it is, and whether anything comes after it or not."""
    async with opened(disk, retention=keeping(9)) as store:
        assert await append(store, one("a", 1)) is None
        monkeypatch.setattr(sqlite_writer, "FILING_SECONDS", 0.0)
        assert await append(store, one("a", 2)) is None
        assert disk.counts()[1] >= 1
        # The writer was not told to hurry: it files when it is idle.
        while disk.counts() != (0, 2):
            await store.read_meta("anything")


async def test_what_was_not_filed_is_after_a_crash(disk):
    async with opened(disk, retention=keeping(9)) as store:
        assert await append(store, one("a", 1), one("b", 1)) is None
        assert await checkpoint(store, "a", 1) is None
        assert await append(store, *[one("a", seq) for seq in (2, 3)], one("c", 1)) is None
        left = disk.crashed()
    assert left.counts() == (2, 1)
    async with opened(left) as store:
        assert left.counts() == (0, 4)
        assert len(left.logs()) == 1
        found = await store.load(["a", "b", "c"])
        assert [(each.base_seq, len(each.tail)) for each in found] == [(1, 2), (0, 1), (0, 1)]
        assert await append(store, one("a", 4), one("c", 2), one("d", 1)) is None
        again = left.crashed("again.sqlite3")
    async with opened(again) as store:
        found = await store.load(["a", "b", "c", "d"])
        assert [each.base_seq + len(each.tail) for each in found] == [4, 1, 2, 1]


async def test_frames_of_earlier_laps_have_no_meaning(disk, monkeypatch):
    """They lie behind the lap's own frames, which are shorter here, until they are overwritten."""
    monkeypatch.setattr(sqlite_writer, "FILING_BYTES", 1_000)
    async with opened(disk) as store:
        for seq in range(1, 6):
            assert await append(store, one("a", seq, put(1, b"k", bytes(300)))) is None
        assert await append(store, one("a", 6)) is None
        left = disk.crashed()
        assert left.counts()[0] < 4
    async with opened(left) as store:
        assert len((await load(store, "a")).tail) == 6


async def test_filing_that_was_done_and_could_not_tell_loses_nothing(disk):
    """The owner goes on with the lap that the journals have done with."""
    async with opened(disk) as store:
        assert await append(store, one("a", 1)) is None
        assert await checkpoint(store, "a", 0) is None
        assert await append(store, one("a", 2), one("b", 1)) is None
        left = disk.crashed()
    left.execute("UPDATE owner SET lap = lap + 1")
    async with opened(left) as store:
        assert [len(found.tail) for found in await store.load(["a", "b"])] == [2, 1]


@pytest.mark.parametrize("cut", range(1, 60, 7))
async def test_a_torn_frame_is_the_end_of_the_log(disk, cut):
    async with opened(disk) as store:
        assert await append(store, one("a", 1)) is None
        whole = disk.logs()[0].stat().st_size
        assert await append(store, one("a", 2), one("b", 1)) is None
        left = disk.crashed()
    (log,) = left.logs()
    data = log.read_bytes()
    log.write_bytes(data[: max(whole, len(data) - cut)] + bytes(cut))
    async with opened(left) as store:
        assert [len(found.tail) for found in await store.load(["a", "b"])] == [1, 0]
        assert await append(store, one("a", 2)) is None


@pytest.mark.parametrize("place", [4096 + 1, 4096 + 8, 4096 + 30, 4096 + 70])
async def test_a_damaged_frame_before_the_last_is_no_end(disk, place):
    async with opened(disk) as store:
        for seq in (1, 2, 3):
            assert await append(store, one("a", seq)) is None
        left = disk.crashed()
    (log,) = left.logs()
    data = bytearray(log.read_bytes())
    data[place] ^= 0xFF
    log.write_bytes(data)
    with pytest.raises(StoreFormatError, match="damaged"):
        await left.store().open()
    assert left.logs()[0].read_bytes()[4096:] == data[4096:], "it is kept as it is"


async def test_a_log_that_does_not_continue_the_journals_is_refused(disk, monkeypatch):
    monkeypatch.setattr(sqlite_writer, "FILING_BYTES", 1)
    async with opened(disk) as store:
        assert await append(store, one("a", 1)) is None
        assert await append(store, one("a", 2), one("a", 3)) is None
        left = disk.crashed()
    assert left.counts() == (1, 1)
    left.execute("DELETE FROM journal")
    left.execute("DELETE FROM actor")
    (log,) = left.logs()
    with pytest.raises(StoreFormatError, match="does not continue"):
        await left.store().open()
    assert log.exists()


async def test_an_owner_of_the_past_writes_into_a_log_that_nobody_reads(disk):
    older, newer = disk.store(), disk.store()
    await older.open()
    assert await append(older, one("a", 1)) is None
    await newer.open()
    assert isinstance(await append(older, one("a", 2)), FencedError)
    assert await append(newer, one("a", 2, put(1, b"k"))) is None
    await older.reset()
    assert isinstance(await append(older, one("a", 3)), FencedError)
    await older.close()
    await newer.close()
    async with opened(disk) as store:
        assert (await load(store, "a")).tail == [record(1), record(2, put(1, b"k"))]


async def test_who_was_overtaken_while_opening_is_fenced(disk):
    """Whoever came later has looked for logs before this one had its own."""
    async with opened(disk):
        pass
    connection, epoch = open_writer(disk.path, None)
    async with opened(disk) as newer:
        with closing(connection), closing(CommitLog(disk.path, epoch)) as log:
            filing = Filing(SqliteOwner(connection, epoch), Unfiled(), log)
            with pytest.raises(FencedError):
                filing.recover(disk.path)
        assert await append(newer, one("a", 1)) is None


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
