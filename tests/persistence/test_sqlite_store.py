from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conformance import StoreConformance
from store_words import (
    append,
    check_crashed_history,
    checkpoint,
    keeping,
    load,
    one,
    opened,
    put,
    record,
    state_of,
)

from persistence import (
    Append,
    CorruptActorError,
    SequenceConflictError,
    Snapshot,
    SqliteStore,
    StoreClosedError,
    StoreFailedError,
    StoreFormatError,
    StoreWriteError,
    sqlite_appends,
    sqlite_writer,
)
from persistence.group_commit import AppendJob
from persistence.limits import BACKGROUND_NICENESS, SWITCH_INTERVAL_S_MAX
from persistence.runs import cut_run


class SqliteMedium:
    def __init__(self, path):
        self.path = path
        self.newest = None

    def store(self, **options):
        self.newest = SqliteStore(self.path, **options)
        return self.newest

    def execute(self, statement, *parameters):
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement, parameters).fetchall()

    async def replace_record(self, actor, seq, data):
        """Take the record's run apart into rows of one record each; None removes its row."""
        # What is damaged must be in the journal, not in memory.
        filed = await checkpoint(self.newest, actor, 0)
        assert filed is None or isinstance(filed, StoreClosedError)
        query = """SELECT actor_id, seq, coalesce(places, x''), record FROM journal
            WHERE seq <= ? AND actor_id = (SELECT id FROM actor WHERE name = ?)
            ORDER BY seq DESC LIMIT 1"""
        ((actor_id, first, places, joined),) = self.execute(query, seq, actor)
        self.execute("DELETE FROM journal WHERE actor_id = ? AND seq = ?", actor_id, first)
        insert = "INSERT INTO journal(actor_id, seq, record) VALUES (?, ?, ?)"
        for number, stored in cut_run(first, places, joined):
            changed = data if number == seq else stored
            if changed is not None:
                self.execute(insert, actor_id, number, changed)


@contextmanager
def sqlite_medium():
    with TemporaryDirectory() as folder:
        yield SqliteMedium(Path(folder) / "made" / "journal.sqlite3")


@pytest.fixture
def medium():
    with sqlite_medium() as medium:
        yield medium


class TestSqliteStore(StoreConformance):
    def make_medium(self):
        return sqlite_medium()


async def test_durability_is_read_from_the_file(medium):
    store = medium.store()
    description = await store.open()
    assert description.durability == "log synced; WAL, synchronous=FULL"
    assert description.location == str(medium.path)
    assert medium.path.parent.stat().st_mode & 0o777 == 0o700
    await store.close()


async def test_closing_ends_both_threads_and_leaves_one_file(medium):
    before = set(threading.enumerate())
    store = medium.store()
    await store.open()
    assert len(set(threading.enumerate()) - before) == 2
    assert await append(store, one("a", 1)) is None
    await store.close()
    assert set(threading.enumerate()) == before
    assert [path.name for path in medium.path.parent.iterdir()] == [medium.path.name]


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no niceness of their own")
async def test_the_thread_that_files_leaves_the_core_to_the_loop(medium):
    def niceness(thread_id: int) -> int:
        return os.getpriority(os.PRIO_PROCESS, thread_id)

    own = niceness(threading.get_native_id())
    async with opened(medium) as store:
        assert await append(store, one("a", 1)) is None  # by that thread: a new actor
        (writer,) = (thread for thread in threading.enumerate() if thread.name == "store-writer")
        assert niceness(writer.native_id) == min(own + BACKGROUND_NICENESS, 19)
        assert niceness(threading.get_native_id()) == own


async def test_a_full_disk_fails_what_waits_and_keeps_what_was_acknowledged(medium, monkeypatch):
    monkeypatch.setattr(sqlite_writer, "UNFILED_BYTES_MAX", 700_000)
    async with opened(medium, pages_max=64) as store:
        big = put(1, b"k", bytes(30_000))
        acknowledged = 0
        while (error := await append(store, one("a", acknowledged + 1, big))) is None:
            acknowledged += 1
        assert isinstance(error, StoreWriteError)
        assert "full" in error.reason
        assert acknowledged > 20
        assert isinstance(await append(store, one("b", 1)), StoreFailedError)
        await store.reset()
        assert len((await load(store, "a")).tail) == acknowledged
        assert isinstance(await append(store, one("a", acknowledged + 1, big)), StoreWriteError)
    async with opened(medium) as store:
        assert len((await load(store, "a")).tail) == acknowledged
        assert await append(store, one("a", acknowledged + 1, big)) is None


@contextmanager
def files_no_larger_than(size):
    """The medium takes so much of a file and no more, as when it is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_log_that_cannot_grow_fails_what_waits_and_takes_it_later(medium):
    async with opened(medium) as store:
        big = put(1, b"k", bytes(30_000))
        with files_no_larger_than(100_000):
            acknowledged = 0
            while (error := await append(store, one("a", acknowledged + 1, big))) is None:
                acknowledged += 1
            assert isinstance(error, StoreWriteError)
            assert acknowledged == 3
            assert isinstance(await append(store, one("b", 1)), StoreFailedError)
            await store.reset()
            assert await append(store, one("b", 1)) is None
        assert await append(store, one("a", acknowledged + 1, big)) is None
        first, second = await store.load(["a", "b"])
        assert (len(first.tail), len(second.tail)) == (acknowledged + 1, 1)


async def leave_no_room_for_rows(store):
    """File what takes the place."""
    assert await append(store, one("filler", 1, put(1, b"k", bytes(90_000)))) is None
    assert await checkpoint(store, "filler", 0) is None


async def test_a_checkpoint_on_a_full_disk_fails_alone(medium):
    async with opened(medium, pages_max=96) as store:
        big = put(1, b"k", bytes(140_000))
        assert await append(store, one("a", 1, big), one("b", 1, put(1, b"k"))) is None
        await leave_no_room_for_rows(store)
        full, well = await asyncio.gather(checkpoint(store, "a", 1), checkpoint(store, "b", 1))
        assert isinstance(full, StoreWriteError)
        assert well is None
        assert len((await load(store, "a")).tail) == 1
        assert (await load(store, "b")).base_seq == 1
        assert await append(store, one("a", 2)) is None


async def test_changes_that_did_not_fit_on_the_disk_are_folded_later(medium):
    async with opened(medium, pages_max=96) as store:
        first = [put(1, b"big", bytes(140_000)), put(1, b"small")]
        second = [put(1, b"big", b"shrunk"), put(1, b"other")]
        assert await append(store, one("a", 1, *first)) is None
        await leave_no_room_for_rows(store)
        assert isinstance(await checkpoint(store, "a", 1, first), StoreWriteError)
        assert await append(store, one("a", 2, *second)) is None
        assert await checkpoint(store, "a", 2, second) is None
        snapshot = await load(store, "a")
        assert state_of(snapshot) == {change[:2]: change.row for change in [*second, first[1]]}
        assert (snapshot.base_seq, snapshot.tail) == (2, [])


async def test_forgotten_ends_of_journals_are_looked_up_again(medium, monkeypatch):
    monkeypatch.setattr(sqlite_appends, "TIP_CACHE_MAX", 2)
    async with opened(medium) as store:
        for seq in (1, 2, 3):
            for name in "abcd":
                assert await append(store, one(name, seq)) is None
        assert isinstance(await append(store, one("a", 3)), SequenceConflictError)


async def test_opening_lowers_the_switch_interval_and_never_raises_it(medium):
    before = sys.getswitchinterval()
    try:
        for given, expected in ((0.005, SWITCH_INTERVAL_S_MAX), (0.00001, 0.00001)):
            sys.setswitchinterval(given)
            async with opened(medium):
                assert sys.getswitchinterval() == pytest.approx(expected)
    finally:
        sys.setswitchinterval(before)


async def test_an_altered_row_is_found(medium):
    async with opened(medium) as store:
        await append(store, one("a", 1, put(1, b"k", b"v")), one("b", 1, put(1, b"k")))
        await asyncio.gather(checkpoint(store, "a", 1), checkpoint(store, "b", 1))
        medium.execute("UPDATE row SET row = x'00' WHERE row = ?", put(1, b"k", b"v").row)
        damaged, sound = await store.load(["a", "b"])
        assert isinstance(damaged, CorruptActorError)
        assert (damaged.actor, damaged.seq) == ("a", 1)
        assert isinstance(sound, Snapshot)


async def test_a_damaged_page_concerns_the_actors_on_it(medium):
    names = [f"a{number:02d}" for number in range(40)]
    async with opened(medium) as store:
        await append(store, *[one(name, 1, put(1, b"k", bytes(9_000))) for name in names])
    content = bytearray(medium.path.read_bytes())
    # A page of the overflow chain of some record, not the last: its link is led astray.
    at = next(
        at
        for at in range(4096, len(content), 4096)
        if any(content[at : at + 4]) and not any(content[at + 4 : at + 4096])
    )
    content[at : at + 4] = b"\xff" * 4
    medium.path.write_bytes(content)
    async with opened(medium) as store:
        answers = await store.load(names)
        damaged = [answer for answer in answers if isinstance(answer, CorruptActorError)]
        assert len(damaged) == 1
        assert damaged[0].seq in (0, 1)


async def test_closing_leaves_one_whole_file_however_much_is_being_read(medium):
    names = [f"a{number:02d}" for number in range(40)]
    async with opened(medium) as store:
        await append(store, *[one(name, 1, put(1, b"k", bytes(9_000))) for name in names])
        reading = asyncio.gather(*(store.load(names) for _ in range(20)))
        await asyncio.sleep(0)
    assert [path.name for path in medium.path.parent.glob("*-wal")] == []
    assert all(len(answers) == len(names) for answers in await reading)


async def test_a_file_of_another_program_is_refused(medium):
    medium.path.parent.mkdir()
    medium.execute("CREATE TABLE theirs(a)")
    with pytest.raises(StoreFormatError, match="another program"):
        await medium.store().open()
    medium.path.write_bytes(b"plain text, longer than a header of SQLite would be" * 40)
    with pytest.raises(StoreFormatError, match="not a SQLite file"):
        await medium.store().open()


async def test_a_format_of_the_future_is_refused(medium):
    async with opened(medium):
        pass
    medium.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreFormatError, match="format 99"):
        await medium.store().open()


async def test_a_path_that_cannot_be_opened_is_refused(medium):
    medium.path.mkdir(parents=True)
    with pytest.raises(StoreWriteError, match="unable to open"):
        await medium.store().open()


async def test_waiting_loads_and_queries_are_answered_together(medium):
    async with opened(medium) as store:
        names = [f"a{number}" for number in range(700)]
        await append(store, *[one(name, 1, put(1, b"k"), wake=1) for name in names])
        loads = [store.load([name, "a0"]) for name in names]
        due, everyone, *answers = await asyncio.gather(store.due(1, 3), store.load(names), *loads)
        assert len(due) == 3
        assert [snapshot.actor for snapshot in everyone] == names
        assert [answer[0].actor for answer in answers] == names
        assert all(len(snapshot.tail) == 1 for snapshot in everyone)


async def test_a_cancelled_load_harms_nobody(medium):
    async with opened(medium) as store:
        assert await append(store, one("a", 1)) is None
        abandoned = asyncio.ensure_future(store.load(["a"]))
        await asyncio.sleep(0)
        abandoned.cancel()
        assert len((await load(store, "a")).tail) == 1
        assert abandoned.cancelled()


async def test_a_programmers_error_is_told_and_the_threads_go_on(medium):
    async with opened(medium) as store:
        assert isinstance(
            await append(store, ("a", 1, one("a", 1).record, object())), StoreWriteError
        )
        await store.reset()
        assert await append(store, one("a", 1)) is None


def test_threads_end_when_the_loop_is_gone(medium):
    before = set(threading.enumerate())

    async def abandon():
        store = medium.store()
        await store.open()
        return store

    store = asyncio.run(abandon())
    store._queue.jobs.put(AppendJob([one("a", 1)], lambda error: None, 1, None))
    left = [thread for thread in threading.enumerate() if thread not in before]
    writer = next(thread for thread in left if thread.name == "store-writer")
    writer.join(timeout=30)
    assert not writer.is_alive()
    store._reads.put(None)


@pytest.mark.parametrize("version", [1, 2])
async def test_a_file_of_an_older_format_is_taken_over(medium, version):
    batch = [one("a", seq, put(1, b"k")) for seq in range(1, 8)]
    async with opened(medium, retention=keeping(3)) as store:
        assert await append(store, *batch) is None
        assert await checkpoint(store, "a", 4) is None
    await medium.replace_record("a", 7, batch[6].record)
    for statement in (
        "DELETE FROM journal WHERE seq = 1",
        "ALTER TABLE owner DROP COLUMN log_epoch",
        "ALTER TABLE owner DROP COLUMN lap",
        "ALTER TABLE journal DROP COLUMN count",
        "ALTER TABLE journal DROP COLUMN places",
        "ALTER TABLE actor DROP COLUMN trimmed",
        *["ALTER TABLE actor DROP COLUMN kept_bytes"] * (version == 1),
        f"PRAGMA user_version = {version}",
    ):
        medium.execute(statement)
    size = len(batch[0].record)
    async with opened(medium, retention=keeping(size=3 * size)) as store:
        assert (await load(store, "a")).tail == [item.record for item in batch[4:]]
        assert await store.history("a", 0, 9) == [item.record for item in batch[1:]]
        assert await checkpoint(store, "a", 5) is None
        assert await store.history("a", 0, 9) == [item.record for item in batch[2:]]
        assert await append(store, one("a", 8)) is None
    assert medium.execute("PRAGMA user_version") == [(3,)]
    assert medium.execute("SELECT kept_bytes, trimmed FROM actor") == [(3 * size, 2)]


async def test_a_steady_load_fits_into_a_bounded_file(medium):
    """What is trimmed is used again: six times the file is written into it."""
    names = [f"user/{number:02d}" for number in range(20)]
    policy = keeping(records=40, size=8 * 1024)
    pages_max = 250
    written = 0
    async with opened(medium, retention=policy, pages_max=pages_max) as store:
        for turn in range(120):
            batch = []
            for place, name in enumerate(names):
                for seq in range(turn * 10 + 1, turn * 10 + 11):
                    # Sizes of all kinds, some of which need pages of their own.
                    size = 7_000 if (seq + place) % 97 == 0 else 40 * ((seq + place) % 9)
                    batch.append(Append(name, seq, record(seq, put(1, b"k", bytes(size))), None))
            written += sum(len(item.record) for item in batch)
            assert await append(store, *batch) is None
            assert await checkpoint_all(store, names, turn * 10 + 10) == [None] * len(names)
        for name in names:
            kept = await store.history(name, 0, 99)
            assert 0 < sum(map(len, kept)) <= 8 * 1024
    assert medium.path.stat().st_size <= pages_max * 4096
    assert written > 6 * pages_max * 4096


async def checkpoint_all(store, names, through):
    return await asyncio.gather(*[checkpoint(store, name, through) for name in names])


@pytest.mark.crash
@pytest.mark.parametrize("acknowledged_min", [1, 40, 300])
def test_a_killed_process_loses_nothing_acknowledged(medium, acknowledged_min):
    script = Path(__file__).with_name("crash_writer.py")
    with subprocess.Popen(
        [sys.executable, str(script), f"sqlite://{medium.path}"], stdout=subprocess.PIPE
    ) as child:
        for _ in range(acknowledged_min):
            assert child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
    asyncio.run(check_after_crash(medium, acknowledged_min + len(rest)))


async def check_after_crash(medium, acknowledged):
    async with opened(medium) as store:
        first, second = await store.load(["a", "b"])
        assert isinstance(first, Snapshot)
        assert isinstance(second, Snapshot)
        length = first.base_seq + len(first.tail)
        assert length >= acknowledged
        assert second.base_seq + len(second.tail) == length
        for snapshot in (first, second):
            assert snapshot.base_time == snapshot.base_seq
            assert snapshot.rows == ([(1, bytes(200))] if snapshot.base_seq else [])
        assert await store.due(10**6, 9) == [("b", length)]
        for snapshot in (first, second):
            await check_crashed_history(store, snapshot)
        assert await append(store, one("a", length + 1)) is None
