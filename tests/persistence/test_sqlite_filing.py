from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from threading import Lock

import pytest
from store_words import append, checkpoint, keeping, load, one, opened, put, record

from persistence import FencedError, SqliteStore, StoreFormatError, StoreWriteError, sqlite_writer
from persistence.commit_log import Commit, CommitLog, read_commits
from persistence.schema import open_writer
from persistence.sqlite_filing import Filing
from persistence.sqlite_owner import SqliteOwner
from persistence.unfiled import Unfiled


class Disk:
    def __init__(self, path):
        self.path = path

    def store(self, **options):
        return SqliteStore(self.path, **options)

    def logs(self):
        """The files of commit logs: of each the one of odd laps, then that of even ones."""
        return sorted(self.path.parent.glob(f"{self.path.name}-log.*"))

    def execute(self, statement):
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement).fetchone()

    def counts(self):
        """Commits in the log that are not filed, and rows of the journals."""
        log_epoch, lap = self.execute("SELECT log_epoch, lap FROM owner")
        (runs,) = self.execute("SELECT count(*) FROM journal")
        files = [path for path in self.logs() if path.suffix.rstrip("b") == f".{log_epoch}"]
        return len(read_commits(files, lap)) if files else 0, runs

    def crashed(self, name="crashed.sqlite3"):
        """What a power cut would leave of it now."""
        copy = self.path.with_name(name)
        for part in self.path.parent.glob(f"{self.path.name}*"):
            if not part.name.endswith("-shm"):
                shutil.copyfile(part, f"{copy}{part.name.removeprefix(self.path.name)}")
        return Disk(copy)


async def looked(store):
    """Wait until the writer has looked at the log, as it does before each job."""
    await store.reset()
    await store.reset()


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
        for seq, counts in enumerate([(1, 0), (0, 1), (1, 1), (0, 2)], start=1):
            assert await append(store, one("a", seq, put(1, b"k", bytes(6_000)))) is None
            await looked(store)
            assert disk.counts() == counts


async def test_what_waits_long_enough_is_filed(disk, monkeypatch):
    """However little it is, and whether anything comes after it or not."""
    async with opened(disk, retention=keeping(9)) as store:
        assert await append(store, one("a", 1)) is None
        await looked(store)
        assert disk.counts() == (1, 0)
        monkeypatch.setattr(sqlite_writer, "FILING_SECONDS", 0.0)
        await looked(store)
        assert disk.counts() == (0, 1)
        assert await append(store, one("a", 2)) is None
        # The writer was told of it, and of nothing else: it files when it is idle.
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
        assert len(left.logs()) == 2
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


class Mute:
    """A connection whose medium does what it was told, and cannot say so once."""

    def __init__(self, connection):
        self._connection = connection
        self.is_mute = False

    def execute(self, *arguments):
        answer = self._connection.execute(*arguments)
        if self.is_mute:
            self.is_mute = False
            raise sqlite3.OperationalError("disk I/O error")
        return answer


async def test_filing_that_was_done_and_could_not_tell_is_not_done_again(disk):
    connection, epoch = open_writer(disk.path, None)
    with closing(connection), closing(CommitLog(disk.path, epoch)) as log:
        owner, unfiled = SqliteOwner(connection, epoch), Unfiled()
        owner.connection = mute = Mute(connection)
        filing = Filing(owner, unfiled, log, Lock())

        def commit(actor_id, name, seq):
            done = Commit([(actor_id, name)], [(actor_id, seq, len(record(seq)), None)], [])
            done = done._replace(records=[record(seq)])
            log.append(done)
            unfiled.add([name], done)

        commit(1, "a", 1)
        mute.is_mute = True
        with pytest.raises(sqlite3.OperationalError):
            filing.file_lap()
        commit(2, "b", 1)
        assert (unfiled.names(), log.unfiled_lap) == (["a", "b"], 1)
        filing.file_lap()
        assert (unfiled.names(), log.unfiled_lap) == (["b"], 2)
        filing.file_lap()
        assert (unfiled.names(), disk.counts()) == ([], (0, 2))


async def test_a_lap_that_could_not_be_filed_is_filed_with_the_next_one(disk):
    """Commits go on meanwhile, in the other file; a crash finds both laps."""
    async with opened(disk, retention=keeping(9)) as store:
        assert await append(store, one("a", 1)) is None
        with closing(sqlite3.connect(disk.path, isolation_level=None)) as somebody:
            somebody.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON journal WHEN new.actor_id = 1 BEGIN"
                " SELECT raise(ABORT, 'not now'); END"
            )
            assert isinstance(await checkpoint(store, "a", 1), StoreWriteError)
            with pytest.MonkeyPatch.context() as hurry:
                hurry.setattr(sqlite_writer, "FILING_SECONDS", 0.0)
                await looked(store)
            assert await append(store, one("a", 2), one("b", 1)) is None
            assert await checkpoint(store, "b", 1) is None
            assert disk.counts() == (2, 1), "the other actor's records are filed"
            found = await store.load(["a", "b"])
            assert [each.base_seq + len(each.tail) for each in found] == [2, 1]
            left = disk.crashed()
            somebody.execute("DROP TRIGGER refuse")
        assert await checkpoint(store, "a", 2) is None
        assert await append(store, one("a", 3)) is None
        found = await store.load(["a", "b"])
        assert [each.base_seq + len(each.tail) for each in found] == [3, 1]
    assert disk.logs() == []
    left.execute("DROP TRIGGER refuse")
    async with opened(left) as store:
        assert [len(found.tail) for found in await store.load(["a", "b"])] == [2, 0]


async def test_a_lap_of_which_frames_are_missing_is_refused_when_another_follows(disk):
    with closing(CommitLog(disk.path, 1)) as log:
        for seq in (1, 2):
            place = (1, seq, len(record(seq)), None)
            log.append(Commit([(1, "a")] if seq == 1 else [], [place], [record(seq)]))
        end = log.size_bytes
        log.begin_lap()
        log.append(Commit([], [(1, 3, len(record(3)), None)], [record(3)]))
        files = disk.logs()
        assert [commit.places[0][1] for commit in read_commits(files, 1)] == [1, 2, 3]
        assert [commit.places[0][1] for commit in read_commits(files, 2)] == [3]
        data = files[0].read_bytes()
        files[0].write_bytes(data[: 4096 + end - 1])
        with pytest.raises(StoreFormatError, match="damaged"):
            read_commits(files, 1)


@pytest.mark.parametrize("cut", range(1, 60, 7))
async def test_a_torn_frame_is_the_end_of_the_log(disk, cut):
    async with opened(disk) as store:
        assert await append(store, one("a", 1)) is None
        whole = disk.logs()[0].stat().st_size
        assert await append(store, one("a", 2), one("b", 1)) is None
        left = disk.crashed()
    log = left.logs()[0]
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
    log = left.logs()[0]
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
        await looked(store)
        monkeypatch.undo()
        assert await append(store, one("a", 2), one("a", 3)) is None
        left = disk.crashed()
    assert left.counts() == (1, 1)
    left.execute("DELETE FROM journal")
    left.execute("DELETE FROM actor")
    log = left.logs()[0]
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
            filing = Filing(SqliteOwner(connection, epoch), Unfiled(), log, Lock())
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
