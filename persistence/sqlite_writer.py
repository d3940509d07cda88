"""Writer thread of the SQLite store: takes what waits, commits it as one, tells the outcomes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain
from zlib import crc32

import orjson

from persistence.errors import (
    CorruptActorError,
    CorruptRecordError,
    FencedError,
    SequenceConflictError,
    StoreError,
    StoreFailedError,
    StoreWriteError,
)
from persistence.group_commit import AppendJob, Barrier, FoldJob, Group, MetaJob, Outcome
from persistence.limits import TIP_CACHE_MAX
from persistence.record import record_seq
from persistence.schema import (
    READ_EPOCH,
    READ_FOLDS,
    READ_TIPS,
    WRITE_APPENDS,
    WRITE_FOLDS,
    WRITE_META,
)
from persistence.store import check_actor_name, is_actor_name
from persistence.tail import Fold, fold_tail, verify_tail

__all__ = ["SqliteWriter"]


class _AppendPlan:
    """What one commit of appends is going to insert, in the shape of its statement."""

    __slots__ = ("names", "places", "records", "size_bytes", "wakes")

    def __init__(self) -> None:
        self.names: list[tuple[int, str]] = []
        self.places: list[tuple[int, int, int, int]] = []
        self.records: list[bytes] = []
        self.wakes: list[tuple[int, int]] = []
        self.size_bytes = 0


class _FoldPlan:
    """What one commit of checkpoints is going to change, in the shape of its statement."""

    __slots__ = ("actors", "deletes", "parts", "places", "size_bytes")

    def __init__(self) -> None:
        self.actors: list[tuple[int, int, int, int]] = []
        self.deletes: list[tuple[int, int, int, int]] = []
        self.places: list[tuple[int, int, int, int, int, int]] = []
        self.parts: list[bytes] = []
        self.size_bytes = 0

    def add(self, actor_id: int, through: int, trim_through: int, fold: Fold) -> None:
        self.actors.append((actor_id, through, fold.time, trim_through))
        for (table_id, key), row in fold.changes.items():
            place = (actor_id, table_id, self.size_bytes, len(key))
            self.parts.append(key)
            self.size_bytes += len(key)
            if row is None:
                self.deletes.append(place)
            else:
                self.places.append((*place, len(row), crc32(row)))
                self.parts.append(row)
                self.size_bytes += len(row)


class SqliteWriter:
    """One connection and all that is known about the ends of journals; used by one thread.

    ``report`` is called on that thread with outcomes in order, and with the weight in bytes of
    the batches among them.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        epoch: int,
        keep_records: int,
        report: Callable[[list[Outcome], int], None],
    ) -> None:
        self._connection = connection
        self._epoch = epoch
        self._keep_records = keep_records
        self._report = report
        self._failure: StoreError | None = None
        # Of the actors written lately; both forgotten together, and after every failure.
        self._ids: dict[str, int] = {}
        self._tips: dict[str, int] = {}
        self._id_max = 0

    def settle(self, group: Group) -> None:
        """Do a round's work. What a part of it meets is told to its jobs, never raised."""
        if group.appends:
            outcomes = self._settle_appends(group.appends)
            self._report(outcomes, sum(job.weight_bytes for job in group.appends))
        for meta in group.metas:
            self._report([(meta.done, self._guarded(self._write_meta, meta))], 0)
        if group.folds:
            self._report(self._settle_folds(group.folds), 0)
        if group.barrier is not None and group.barrier.kind is Barrier.RESET:
            self._failure = None
            self._report([(group.barrier.done, None)], 0)

    def _settle_appends(self, jobs: Sequence[AppendJob]) -> list[Outcome]:
        plan = _AppendPlan()
        failure = self._failure
        if failure is None:
            failure = self._guarded(self._look_up_tips, jobs)
        errors: list[StoreError | None] = []
        accepted = 0
        for job in jobs:
            error = self._failure and StoreFailedError(self._failure)
            if error is None:
                error = failure or job.refusal or self._guarded(self._admit, job, plan)
                self._failure = error
                accepted += error is None
            errors.append(error)
        if plan.places:
            error = self._guarded(self._write_appends, plan)
            if error is not None:
                self._failure = error
                errors[:accepted] = [error] * accepted
        if self._failure is not None or len(self._tips) > TIP_CACHE_MAX:
            self._ids.clear()
            self._tips.clear()
        return [(job.done, error) for job, error in zip(jobs, errors, strict=True)]

    def _look_up_tips(self, jobs: Sequence[AppendJob]) -> None:
        tips = self._tips
        strangers = {append[0] for job in jobs for append in job.batch if append[0] not in tips}
        names = [name for name in strangers if is_actor_name(name)]
        if not names:
            return
        statement = self._connection.execute(READ_TIPS, (_json(names),))
        self._id_max, known = statement.fetchone()
        for name, actor_id, tip in orjson.loads(known):
            self._ids[name] = actor_id
            tips[name] = tip

    def _admit(self, job: AppendJob, plan: _AppendPlan) -> None:
        """Check a batch and add it to the plan, whole or not at all."""
        names: list[tuple[int, str]] = []
        places: list[tuple[int, int, int, int]] = []
        wakes: list[tuple[int, int]] = []
        offset = plan.size_bytes
        ids, tips = self._ids, self._tips
        for actor, seq, record, wake in job.batch:
            tip = tips.get(actor)
            if tip is None:
                check_actor_name(actor)
                tip = 0
                self._id_max += 1
                ids[actor] = self._id_max
                names.append((self._id_max, actor))
            if seq != tip + 1:
                raise self._fenced() or SequenceConflictError(actor, tip + 1, seq)
            if record_seq(record) != seq:
                raise CorruptRecordError(f"a record of {record_seq(record)} is given as {seq}")
            tips[actor] = seq
            actor_id = ids[actor]
            size = len(record)
            places.append((actor_id, seq, offset, size))
            offset += size
            if wake is not None:
                wakes.append((actor_id, wake))
        plan.names += names
        plan.places += places
        plan.records += [append[2] for append in job.batch]
        plan.wakes += wakes
        plan.size_bytes = offset

    def _write_appends(self, plan: _AppendPlan) -> None:
        self._connection.execute(
            WRITE_APPENDS,
            (
                self._epoch,
                _json(plan.names),
                _json(plan.places),
                b"".join(plan.records),
                # One entry per actor, the last one: an UPDATE takes any of several.
                _json(list(dict(plan.wakes).items())),
            ),
        )

    def _write_meta(self, job: MetaJob) -> None:
        cursor = self._connection.execute(WRITE_META, (job.key, job.value, self._epoch))
        if cursor.rowcount != 1:
            raise self._fenced() or StoreWriteError("the value was not written")

    def _settle_folds(self, jobs: Sequence[FoldJob]) -> list[Outcome]:
        plan = _FoldPlan()
        outcomes: list[Outcome] = []
        failure = self._guarded(self._plan_folds, jobs, plan, outcomes)
        if failure is None and plan.actors:
            failure = self._guarded(self._write_folds, plan)
        if failure is None:
            return outcomes
        if len(jobs) > 1 and not isinstance(failure, FencedError):
            # One of them may be at fault, or they are too much for one statement.
            return list(chain.from_iterable(self._settle_folds([job]) for job in jobs))
        return [(job.done, job.refusal or failure) for job in jobs]

    def _plan_folds(
        self, jobs: Sequence[FoldJob], plan: _FoldPlan, outcomes: list[Outcome]
    ) -> None:
        wanted = [
            (job.actor, job.through)
            for job in jobs
            if job.refusal is None and is_actor_name(job.actor)
        ]
        statement = self._connection.execute(READ_FOLDS, (_json(wanted),))
        known_json, records_json = statement.fetchone()
        known = {name: (actor_id, base) for name, actor_id, base in orjson.loads(known_json)}
        numbered: dict[int, list[tuple[int, bytes]]] = {}
        for actor_id, seq, record in orjson.loads(records_json):
            numbered.setdefault(actor_id, []).append((seq, bytes.fromhex(record)))
        for job in jobs:
            actor_id, base = known.get(job.actor, (0, 0))
            error = job.refusal
            if error is None and job.through > base:
                error = self._plan_fold(job, actor_id, base, numbered.get(actor_id, []), plan)
            outcomes.append((job.done, error))

    def _plan_fold(
        self,
        job: FoldJob,
        actor_id: int,
        base: int,
        numbered: Sequence[tuple[int, bytes]],
        plan: _FoldPlan,
    ) -> StoreError | None:
        try:
            records = verify_tail(job.actor, base, numbered)
            last = base + len(records)
            if last != job.through:
                return SequenceConflictError(job.actor, last, job.through)
            fold = fold_tail(job.actor, base, records)
        except CorruptActorError as error:
            return error
        plan.add(actor_id, job.through, job.through - self._keep_records, fold)
        return None

    def _write_folds(self, plan: _FoldPlan) -> None:
        self._connection.execute(
            WRITE_FOLDS,
            (
                self._epoch,
                _json(plan.actors),
                _json(plan.deletes),
                _json(plan.places),
                b"".join(plan.parts),
            ),
        )

    def _fenced(self) -> FencedError | None:
        (newer,) = self._connection.execute(READ_EPOCH).fetchone()
        return None if newer == self._epoch else FencedError(self._epoch, newer)

    def _guarded(self, work: Callable[..., None], *arguments: object) -> StoreError | None:
        """Run a step against the medium; what it raises becomes the answer."""
        try:
            work(*arguments)
        except StoreError as error:
            return error
        except sqlite3.Error as error:
            return self._refusal(error)
        except Exception as error:  # noqa: BLE001 -- who waits must be told; the thread goes on
            return StoreWriteError(repr(error))
        return None

    def _refusal(self, error: sqlite3.Error) -> StoreError:
        try:
            if self._connection.in_transaction:
                self._connection.rollback()
            return self._fenced() or StoreWriteError(str(error))
        except sqlite3.Error:
            return StoreWriteError(str(error))


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
