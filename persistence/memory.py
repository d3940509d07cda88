"""Memory store: the whole port without a medium, for tests and for servers that may forget.

What a disk is to other stores, a ``MemoryDisk`` is to this one: two stores on one disk fence each
other, and a store that is dropped without ``close`` has crashed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from persistence.errors import (
    CorruptActorError,
    FencedError,
    SequenceConflictError,
    StoreClosedError,
    StoreError,
    StoreFailedError,
    StoreOverloadedError,
)
from persistence.group_commit import (
    AppendJob,
    Barrier,
    BarrierJob,
    FailedCheckpoints,
    FoldJob,
    Job,
    MetaJob,
    TrimJob,
    settle,
    weigh,
    weigh_changes,
)
from persistence.limits import CHANGES_BYTES_MAX, META_KEY_BYTES_MAX, PENDING_BYTES_MAX
from persistence.record import RowChange, check_place
from persistence.retention import DEFAULT_RETENTION, RetentionPolicy, count_excess, now_micros
from persistence.store import Done, PlainAppend, Snapshot, StoreDescription, check_actor_name
from persistence.tail import fold_changes, fold_journal, verify_tail

__all__ = ["MemoryDisk", "MemoryStore", "StoredActor"]


@dataclass(slots=True)
class StoredActor:
    """One actor on the disk; ``journal`` is in the order of sequence numbers.

    ``kept_bytes`` is the length of its folded records together.
    """

    base_seq: int = 0
    base_time: int = 0
    wake: int = 0
    last_seq: int = 0
    kept_bytes: int = 0
    rows: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    journal: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class MemoryDisk:
    """What outlives a store: everything durable."""

    epoch: int = 0
    actors: dict[str, StoredActor] = field(default_factory=dict)
    meta: dict[str, bytes] = field(default_factory=dict)


class MemoryStore:
    """``Store`` in memory; a batch is durable in the loop's next round.

    ``retention`` bounds the folded records that stay for ``history``, by ``clock`` as to their
    age. Tests hold durability back with ``hold`` and let it go on with ``release``; ``fail_next``
    makes the next batch fail.
    """

    def __init__(
        self,
        disk: MemoryDisk | None = None,
        *,
        retention: RetentionPolicy = DEFAULT_RETENTION,
        clock: Callable[[], int] = now_micros,
        pending_bytes_max: int = PENDING_BYTES_MAX,
        changes_bytes_max: int = CHANGES_BYTES_MAX,
    ) -> None:
        self.disk = disk if disk is not None else MemoryDisk()
        self._bounds_of = retention.bounds_by(clock)
        self._pending_bytes_max = pending_bytes_max
        self._pending_bytes = 0
        self._changes_bytes_max = changes_bytes_max
        self._changes_bytes = 0
        self._failed = FailedCheckpoints()
        self._waiting: deque[Job] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scheduled = False
        self._held = False
        self._epoch = 0
        self._failure: StoreError | None = None
        self._next_failure: StoreError | None = None
        self._closed = True

    async def open(self) -> StoreDescription:
        """See ``Store.open``."""
        assert self._closed, "opened already"
        self._loop = asyncio.get_running_loop()
        self.disk.epoch += 1
        self._epoch = self.disk.epoch
        self._failure = None
        self._closed = False
        return StoreDescription(
            "memory", "this process", "none: gone with the process", self._epoch
        )

    def append(self, batch: Sequence[PlainAppend], done: Done) -> None:
        """See ``Store.append``."""
        weight_bytes = weigh(batch)
        refusal: StoreError | None = None
        if self._closed:
            refusal = StoreClosedError()
        elif self._pending_bytes + weight_bytes > self._pending_bytes_max:
            refusal = StoreOverloadedError(self._pending_bytes, self._pending_bytes_max)
        if refusal is not None:
            batch, weight_bytes = (), 0
        self._pending_bytes += weight_bytes
        self._enqueue(AppendJob(batch, done, weight_bytes, refusal))

    def pending_bytes(self) -> int:
        """See ``Store.pending_bytes``."""
        return self._pending_bytes

    async def reset(self) -> None:
        """See ``Store.reset``."""
        self._require_open()
        await self._barrier(Barrier.RESET)

    async def load(self, actors: Sequence[str]) -> list[Snapshot | CorruptActorError]:
        """See ``Store.load``."""
        self._require_open()
        return [self._snapshot(actor) for actor in actors]

    def checkpoint(
        self,
        actor: str,
        through: int,
        done: Done,
        changes: Sequence[RowChange] | None = None,
        time: int = 0,
    ) -> None:
        """See ``Store.checkpoint``."""
        refusal = StoreClosedError() if self._closed else None
        weight_bytes = 0 if changes is None else weigh_changes(changes)
        if self._changes_bytes + weight_bytes > self._changes_bytes_max:
            changes, weight_bytes = None, 0
        self._changes_bytes += weight_bytes
        self._enqueue(FoldJob(actor, through, done, refusal, changes, time, weight_bytes))

    async def history(self, actor: str, after: int, limit: int) -> list[bytes]:
        """See ``Store.history``."""
        self._require_open()
        stored = self.disk.actors.get(actor, StoredActor())
        later = [(seq, data) for seq, data in stored.journal.items() if seq > after][:limit]
        return verify_tail(actor, later[0][0] - 1, later) if later else []

    async def due(self, before: int, limit: int) -> list[tuple[str, int]]:
        """See ``Store.due``."""
        self._require_open()
        found = [
            (actor, stored.wake)
            for actor, stored in self.disk.actors.items()
            if 0 < stored.wake <= before
        ]
        return sorted(found, key=lambda due: (due[1], due[0]))[:limit]

    async def actors(self, prefix: str, after: str, limit: int) -> list[str]:
        """See ``Store.actors``."""
        self._require_open()
        names = sorted(self.disk.actors)
        return list(islice((n for n in names if n > after and n.startswith(prefix)), limit))

    async def trim(self, after: str, limit: int) -> str:
        """See ``Store.trim``."""
        names = await self.actors("", after, limit)
        await self._written(lambda done: TrimJob(names, done))
        return names[-1] if len(names) == limit else ""

    async def read_meta(self, key: str) -> bytes | None:
        """See ``Store.read_meta``."""
        self._require_open()
        return self.disk.meta.get(key)

    async def write_meta(self, key: str, value: bytes) -> None:
        """See ``Store.write_meta``."""
        assert 0 < len(key.encode()) <= META_KEY_BYTES_MAX
        self._require_open()
        await self._written(lambda done: MetaJob(key, value, done))

    async def close(self) -> None:
        """See ``Store.close``. Ends a hold as well."""
        if self._closed:
            return
        self._closed = True
        self._held = False
        await self._barrier(Barrier.CLOSE)

    def hold(self) -> None:
        """Hold durability back: from now on, what is accepted waits for ``release``."""
        self._held = True

    def release(self, batches: int | None = None) -> None:
        """Settle the first ``batches`` that wait, at once; None ends the hold.

        Checkpoints and values that wait among them are settled on the way.
        """
        if batches is None:
            self._held = False
            self._schedule()
            return
        while batches > 0 and self._waiting:
            batches -= isinstance(self._waiting[0], AppendJob)
            self._settle_first()

    def fail_next(self, error: StoreError) -> None:
        """Let the next batch that is not empty fail with this error, as a broken disk would."""
        self._next_failure = error

    def _require_open(self) -> None:
        if self._closed:
            raise StoreClosedError

    async def _written(self, job: Callable[[Done], Job]) -> None:
        outcome: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()

        def done(error: StoreError | None) -> None:
            if not outcome.done():
                outcome.set_result(error)

        self._enqueue(job(done))
        error = await outcome
        if error is not None:
            raise error

    async def _barrier(self, kind: Barrier) -> None:
        passed: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()
        self._enqueue(BarrierJob(kind, passed.set_result))
        await passed

    async def check_owner(self) -> None:
        """See ``Store.check_owner``."""
        if self._closed:
            raise StoreClosedError
        if (fenced := self._fenced()) is not None:
            raise fenced

    def _enqueue(self, job: Job) -> None:
        self._waiting.append(job)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and not self._held and self._waiting:
            self._scheduled = True
            loop = self._loop if self._loop is not None else asyncio.get_running_loop()
            loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._scheduled = False
        for _ in range(len(self._waiting)):
            if self._held or not self._waiting:
                break
            self._settle_first()
        self._schedule()

    def _settle_first(self) -> None:
        job = self._waiting.popleft()
        error: StoreError | None = None
        if isinstance(job, AppendJob):
            self._pending_bytes -= job.weight_bytes
            error = self._write(job)
        elif isinstance(job, FoldJob):
            self._changes_bytes -= job.weight_bytes
            error = job.refusal or self._fenced() or self._fold(job)
            if error is not None and job.refusal is None:
                self._failed.note(job.actor, job.through)
        elif isinstance(job, MetaJob):
            error = self._fenced()
            if error is None:
                self.disk.meta[job.key] = job.value
        elif isinstance(job, TrimJob):
            error = self._fenced()
            for actor in () if error else job.actors:
                self._trim(actor, self.disk.actors[actor])
        elif job.kind is Barrier.RESET:
            self._failure = None
        loop = self._loop if self._loop is not None else asyncio.get_running_loop()
        settle(loop, [(job.done, error)])

    def _fenced(self) -> FencedError | None:
        newer = self.disk.epoch
        return None if newer == self._epoch else FencedError(self._epoch, newer)

    def _write(self, job: AppendJob) -> StoreError | None:
        if isinstance(job.refusal, StoreClosedError):
            return job.refusal
        if self._failure is not None:
            return StoreFailedError(self._failure)
        try:
            self._check(job)
        except StoreError as error:
            self._failure = error
            return error
        actors = self.disk.actors
        for actor, seq, record, wake in job.batch:
            stored = actors.get(actor)
            if stored is None:
                stored = actors[actor] = StoredActor()
            stored.journal[seq] = record
            stored.last_seq = seq
            if wake is not None:
                stored.wake = wake
        return None

    def _check(self, job: AppendJob) -> None:
        error = job.refusal or self._fenced()
        if job.batch and error is None:
            error, self._next_failure = self._next_failure, None
        if error is not None:
            raise error
        tips: dict[str, int] = {}
        for actor, seq, record, _ in job.batch:
            tip = tips.get(actor)
            if tip is None:
                stored = self.disk.actors.get(actor)
                if stored is None:
                    check_actor_name(actor)
                tip = 0 if stored is None else stored.last_seq
            if seq != tip + 1:
                raise SequenceConflictError(actor, tip + 1, seq)
            check_place(record, seq)
            tips[actor] = seq

    def _fold(self, job: FoldJob) -> StoreError | None:
        actor, through = job.actor, job.through
        stored = self.disk.actors.get(actor, StoredActor())
        if through <= stored.base_seq:
            return None
        if through > stored.last_seq:
            return SequenceConflictError(actor, stored.last_seq, through)
        base = stored.base_seq
        if job.changes is not None and self._failed.allow_changes(actor, base):
            fold = fold_changes(job.changes, job.time)
        else:
            chosen = [(s, d) for s, d in stored.journal.items() if base < s <= through]
            try:
                fold = fold_journal(actor, base, through, chosen)
            except CorruptActorError as corrupt:
                return corrupt
        for place, row in fold.changes.items():
            if row is None:
                stored.rows.pop(place, None)
            else:
                stored.rows[place] = row
        stored.base_seq = through
        stored.base_time = fold.time
        folded = [stored.journal.get(seq, b"") for seq in range(base + 1, through + 1)]
        stored.kept_bytes += sum(map(len, folded))
        self._trim(actor, stored)
        return None

    def _trim(self, actor: str, stored: StoredActor) -> None:
        journal = stored.journal
        count = stored.base_seq + 1 - next(iter(journal), stored.base_seq + 1)
        oldest_first = (data for seq, data in journal.items() if seq <= stored.base_seq)
        bounds = self._bounds_of(actor)
        gone, gone_bytes = count_excess(bounds, oldest_first, count, stored.kept_bytes)
        for seq in list(islice(journal, gone)):
            del journal[seq]
        stored.kept_bytes -= gone_bytes

    def _snapshot(self, actor: str) -> Snapshot | CorruptActorError:
        stored = self.disk.actors.get(actor, StoredActor())
        later = [(seq, data) for seq, data in stored.journal.items() if seq > stored.base_seq]
        try:
            tail = verify_tail(actor, stored.base_seq, later)
        except CorruptActorError as corrupt:
            return corrupt
        rows = [(place[0], row) for place, row in sorted(stored.rows.items())]
        return Snapshot(actor, stored.base_seq, stored.base_time, rows, tail)
