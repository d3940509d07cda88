"""SQLite store: the port on one file, with a writer thread and a reader thread.

Loop side only: queues in, outcomes back. What the threads do is in ``sqlite_writer`` and
``sqlite_reader``. A commit is one synced write to the commit log before any of it is acknowledged:
by the loop itself, of what a few of its turns brought, while the medium is fast; or else of
everything that waited, by the writer's thread, while the next one gathers.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from heapq import nsmallest
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar, TypeVarTuple, Unpack

import orjson

from persistence.commit_log import CommitLog
from persistence.errors import (
    CorruptActorError,
    FencedError,
    StoreClosedError,
    StoreError,
    StoreReadError,
    StoreWriteError,
)
from persistence.group_commit import (
    AppendJob,
    Barrier,
    BarrierJob,
    FoldJob,
    Job,
    MetaJob,
    Outcome,
    TrimJob,
    gather,
    weigh_changes,
)
from persistence.limits import (
    CHANGES_BYTES_MAX,
    META_KEY_BYTES_MAX,
    PENDING_BYTES_MAX,
    SWITCH_INTERVAL_S_MAX,
)
from persistence.niceness import give_way
from persistence.record import RowChange
from persistence.retention import DEFAULT_RETENTION, RetentionPolicy, now_micros
from persistence.runs import cut_run
from persistence.schema import (
    READ_ACTORS,
    READ_DUE,
    READ_EPOCH,
    READ_HISTORY,
    READ_META,
    describe_durability,
    open_reader,
    open_writer,
)
from persistence.sqlite_queue import SqliteQueue
from persistence.sqlite_reader import Answer, LoadJob, QueryJob, SqliteReader
from persistence.sqlite_writer import SqliteWriter
from persistence.store import Done, PlainAppend, Snapshot, StoreDescription
from persistence.tail import verify_tail
from persistence.unfiled import Unfiled, join_unfiled

__all__ = ["SqliteStore"]

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class _LoopGoneError(Exception):
    """The loop was closed before the store: nobody is left to tell, so the thread ends."""


class SqliteStore:
    """``Store`` on one SQLite file; folders on the way to it are made, for the owner only.

    ``retention`` bounds the folded records that stay for ``history``, by ``clock`` as to their
    age; what they took in the file is used again, and given back to nobody. ``pages_max`` bounds
    the file, in pages of 4 KiB; beyond it nothing is filed, and appends fail with StoreWriteError
    when the log has reached its own bound.

    Opening lowers the interpreter's switch interval to ``SWITCH_INTERVAL_S_MAX``, for the whole
    process and for good: without it a busy loop starves the threads.
    """

    def __init__(
        self,
        path: Path,
        *,
        retention: RetentionPolicy = DEFAULT_RETENTION,
        clock: Callable[[], int] = now_micros,
        pages_max: int | None = None,
        pending_bytes_max: int = PENDING_BYTES_MAX,
        changes_bytes_max: int = CHANGES_BYTES_MAX,
    ) -> None:
        self._path = path
        self._bounds_of = retention.bounds_by(clock)
        self._pages_max = pages_max
        self._queue = SqliteQueue(pending_bytes_max)
        self._changes_bytes_max = changes_bytes_max
        self._changes_bytes = 0
        self._unfiled = Unfiled()
        self._reads: SimpleQueue[LoadJob | QueryJob | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._reader_gone: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._epoch = 0

    async def open(self) -> StoreDescription:
        """See ``Store.open``."""
        assert self._loop is None, "opened already"
        loop = asyncio.get_running_loop()
        if sys.getswitchinterval() > SWITCH_INTERVAL_S_MAX:
            sys.setswitchinterval(SWITCH_INTERVAL_S_MAX)
        opened: asyncio.Future[StoreDescription] = loop.create_future()
        writer = Thread(target=self._write, args=(loop, opened), name="store-writer", daemon=True)
        writer.start()
        description = await opened
        readable: asyncio.Future[None] = loop.create_future()
        gone: asyncio.Future[None] = loop.create_future()
        read = partial(self._read, loop, readable, gone)
        reader = Thread(target=read, name="store-reader", daemon=True)
        reader.start()
        self._threads = [reader, writer]
        self._reader_gone = gone
        self._loop = loop
        self._epoch = description.epoch
        try:
            await readable
        except StoreError:
            await self.close()
            raise
        return description

    def append(self, batch: Sequence[PlainAppend], done: Done) -> None:
        """See ``Store.append``."""
        if self._loop is None:
            asyncio.get_running_loop().call_soon(done, StoreClosedError())
            return
        self._queue.append(batch, done)

    def pending_bytes(self) -> int:
        """See ``Store.pending_bytes``."""
        return self._queue.pending_bytes

    async def reset(self) -> None:
        """See ``Store.reset``."""
        self._require_open()
        await self._written(lambda done: BarrierJob(Barrier.RESET, done))

    async def load(self, actors: Sequence[str]) -> list[Snapshot | CorruptActorError]:
        """See ``Store.load``."""
        loop = self._require_open()
        answered: asyncio.Future[list[Answer]] = loop.create_future()
        self._reads.put(LoadJob(tuple(actors), _reporter(loop, answered)))
        return await answered

    def checkpoint(
        self,
        actor: str,
        through: int,
        done: Done,
        changes: Sequence[RowChange] | None = None,
        time: int = 0,
    ) -> None:
        """See ``Store.checkpoint``."""
        if self._loop is None:
            asyncio.get_running_loop().call_soon(done, StoreClosedError())
            return
        weight_bytes = 0 if changes is None else weigh_changes(changes)
        if self._changes_bytes + weight_bytes > self._changes_bytes_max:
            changes, weight_bytes = None, 0
        self._changes_bytes += weight_bytes

        def settled(error: StoreError | None) -> None:
            self._changes_bytes -= weight_bytes
            done(error)

        self._queue.put(FoldJob(actor, through, settled, None, changes, time, weight_bytes))

    async def history(self, actor: str, after: int, limit: int) -> list[bytes]:
        """See ``Store.history``."""
        unfiled = self._unfiled.numbered([actor])
        row = await self._row(READ_HISTORY, actor, after, limit)
        assert row is not None
        trimmed, runs = row
        assert isinstance(runs, str)
        filed = [
            item
            for seq, places, records in orjson.loads(runs)
            for item in cut_run(seq, bytes.fromhex(places), bytes.fromhex(records))
        ]
        if isinstance(trimmed, int):
            after = max(after, trimmed)
        records = join_unfiled(filed, unfiled.get(actor, ()))
        wanted = [item for item in records if item[0] > after][:limit]
        return verify_tail(actor, after, wanted)

    async def due(self, before: int, limit: int) -> list[tuple[str, int]]:
        """See ``Store.due``."""
        unfiled = self._unfiled.wakes()
        text = await self._listed(READ_DUE, before, limit + len(unfiled))
        wakes: dict[str, int] = dict(orjson.loads(text)) | unfiled
        due = [(wake, actor) for actor, wake in wakes.items() if 0 < wake <= before]
        return [(actor, wake) for wake, actor in nsmallest(limit, due)]

    async def actors(self, prefix: str, after: str, limit: int) -> list[str]:
        """See ``Store.actors``."""
        unfiled = [
            name for name in self._unfiled.names() if name > after and name.startswith(prefix)
        ]
        end = _successor(prefix)
        text = await self._listed(READ_ACTORS, after, prefix, end, end, limit)
        return nsmallest(limit, {*orjson.loads(text), *unfiled})

    async def trim(self, after: str, limit: int) -> str:
        """See ``Store.trim``."""
        names = await self.actors("", after, limit)
        self._require_open()
        await self._written(lambda done: TrimJob(names, done))
        return names[-1] if len(names) == limit else ""

    async def read_meta(self, key: str) -> bytes | None:
        """See ``Store.read_meta``."""
        row = await self._row(READ_META, key)
        if row is None:
            return None
        assert isinstance(row[0], bytes)
        return row[0]

    async def write_meta(self, key: str, value: bytes) -> None:
        """See ``Store.write_meta``."""
        assert 0 < len(key.encode()) <= META_KEY_BYTES_MAX
        self._require_open()
        await self._written(lambda done: MetaJob(key, value, done))

    async def check_owner(self) -> None:
        """See ``Store.check_owner``."""
        row = await self._row(READ_EPOCH)
        assert row is not None
        (newer,) = row
        if newer != self._epoch:
            assert isinstance(newer, int)
            raise FencedError(self._epoch, newer)

    async def close(self) -> None:
        """See ``Store.close``."""
        if self._loop is None:
            return
        self._loop = None
        # The reader goes first: the last connection to close folds the log into the file, and two
        # that close at the same moment may each leave it to the other.
        assert self._reader_gone is not None
        self._reads.put(None)
        await self._reader_gone
        await self._written(lambda done: BarrierJob(Barrier.CLOSE, done))
        for thread in self._threads:
            thread.join()

    def _require_open(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise StoreClosedError
        return self._loop

    async def _written(self, job: Callable[[Done], Job]) -> None:
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(error: StoreError | None) -> None:
            _resolve(settled, error)

        self._queue.put(job(done))
        await settled

    async def _row(
        self, statement: str, *parameters: str | int | None
    ) -> tuple[object, ...] | None:
        loop = self._require_open()
        answered: asyncio.Future[tuple[object, ...] | None] = loop.create_future()
        self._reads.put(QueryJob(statement, parameters, _reporter(loop, answered)))
        return await answered

    async def _listed(self, statement: str, *parameters: str | int | None) -> str:
        row = await self._row(statement, *parameters)
        assert row is not None
        assert isinstance(row[0], str)
        return row[0]

    def _write(
        self, loop: asyncio.AbstractEventLoop, opened: asyncio.Future[StoreDescription]
    ) -> None:
        """Writer thread, from the opening of the file to its closing."""
        report = _reporter(loop, opened)

        def settled(outcomes: list[Outcome], appends: Sequence[AppendJob]) -> None:
            _post(loop, self._queue.settled, outcomes, appends)

        with suppress(_LoopGoneError):
            with ExitStack() as opening:
                try:
                    connection, epoch = open_writer(self._path, self._pages_max)
                    opening.enter_context(closing(connection))
                    log = opening.enter_context(closing(CommitLog(self._path, epoch)))
                except StoreError as error:
                    report(error)
                    return
                except (sqlite3.Error, OSError) as error:
                    report(StoreWriteError(f"{self._path}: {error}"))
                    return
                unfiled = self._unfiled
                writer = SqliteWriter(connection, log, epoch, self._bounds_of, unfiled, settled)
                failure = writer.recover(self._path)
                if failure is not None:
                    report(failure)
                    return
                self._queue.open(loop, writer.appends)
                synced = "log synced" if log.is_synced else "log not synced"
                durability = f"{synced}; {describe_durability(connection)}"
                report(StoreDescription("sqlite", str(self._path), durability, epoch))
                give_way()
                barrier = self._settle_until_closed(writer)
                writer.file_all()
            settled([(barrier.done, None)], ())

    def _settle_until_closed(self, writer: SqliteWriter) -> BarrierJob:
        waiting: deque[Job] = deque()
        while True:
            arrived: deque[Job | None] = deque()
            patience = writer.patience_seconds()
            if patience == 0:
                writer.file()
            elif not waiting:
                with suppress(Empty):
                    arrived.append(self._queue.jobs.get(timeout=patience))
            _drain(self._queue.jobs, arrived)
            waiting.extend(job for job in arrived if job is not None)
            if not waiting:
                continue
            group = gather(waiting)
            writer.settle(group)
            if group.barrier is not None and group.barrier.kind is Barrier.CLOSE:
                return group.barrier

    def _read(
        self,
        loop: asyncio.AbstractEventLoop,
        readable: asyncio.Future[None],
        gone: asyncio.Future[None],
    ) -> None:
        """Reader thread, from the opening of its connection to its closing."""
        report = _reporter(loop, readable)
        with suppress(_LoopGoneError):
            try:
                connection = open_reader(self._path)
            except sqlite3.Error as error:
                report(StoreReadError(f"{self._path}: {error}"))
            else:
                with closing(connection):
                    report(None)
                    self._answer_until_closed(SqliteReader(connection, self._unfiled))
            _reporter(loop, gone)(None)

    def _answer_until_closed(self, reader: SqliteReader) -> None:
        waiting: deque[LoadJob | QueryJob | None] = deque()
        while None not in waiting:
            waiting.clear()
            waiting.append(self._reads.get())
            _drain(self._reads, waiting)
            reader.answer(job for job in waiting if job is not None)


def _drain(queue: SimpleQueue[_T], waiting: deque[_T]) -> None:
    try:
        while True:
            waiting.append(queue.get_nowait())
    except Empty:
        return


def _post(
    loop: asyncio.AbstractEventLoop,
    callback: Callable[[Unpack[_Ts]], None],
    *arguments: *_Ts,
) -> None:
    """Call back on the loop, from a thread; raises _LoopGoneError when it is closed."""
    try:
        loop.call_soon_threadsafe(callback, *arguments)
    except RuntimeError:
        raise _LoopGoneError from None


def _reporter(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[_T]
) -> Callable[[_T | StoreError], None]:
    """How a thread resolves a future of the loop."""

    def report(answer: _T | StoreError) -> None:
        _post(loop, _resolve, future, answer)

    return report


def _resolve(future: asyncio.Future[_T], answer: _T | StoreError) -> None:
    if future.done():
        # Its caller was cancelled.
        return
    if isinstance(answer, StoreError):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _successor(prefix: str) -> str | None:
    """The least text above all texts with this prefix, by code points; None: there is none."""
    for end in range(len(prefix), 0, -1):
        point = ord(prefix[end - 1]) + 1
        if point == 0xD800:
            point = 0xE000
        if point <= 0x10FFFF:
            return prefix[: end - 1] + chr(point)
    return None
