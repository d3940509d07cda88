"""Writer thread of the SQLite store: takes what waits, commits it as one, tells the outcomes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

import orjson

from persistence.commit_log import Commit, CommitLog, Place
from persistence.errors import SequenceConflictError, StoreError, StoreFailedError, StoreWriteError
from persistence.group_commit import AppendJob, Barrier, FoldJob, Group, MetaJob, Outcome, TrimJob
from persistence.limits import (
    FILING_BYTES,
    FILING_SECONDS,
    TIP_CACHE_MAX,
    UNFILED_BYTES_MAX,
)
from persistence.record import check_place
from persistence.retention import BoundsOf
from persistence.schema import READ_TIPS, WRITE_META
from persistence.sqlite_checkpoint import SqliteCheckpoints
from persistence.sqlite_filing import Filing, Unfiled
from persistence.sqlite_owner import SqliteOwner, to_json
from persistence.store import check_actor_name, is_actor_name

__all__ = ["SqliteWriter"]


class _Tip:
    """The end of an actor's journal."""

    __slots__ = ("actor_id", "seq")

    def __init__(self, actor_id: int, seq: int) -> None:
        self.actor_id = actor_id
        self.seq = seq


class _Plan:
    """What one commit of appends is going to log."""

    __slots__ = ("names", "places", "records")

    def __init__(self) -> None:
        self.names: list[tuple[int, str]] = []
        self.places: list[Place] = []
        self.records: list[bytes] = []


class SqliteWriter:
    """One connection and all that is known about the ends of journals; used by one thread.

    ``report`` is called on that thread with outcomes in order, and with the weight in bytes of
    the batches among them.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        log: CommitLog,
        epoch: int,
        bounds_of: BoundsOf,
        unfiled: Unfiled,
        report: Callable[[list[Outcome], int], None],
    ) -> None:
        self._owner = SqliteOwner(connection, epoch)
        self._log = log
        self._unfiled = unfiled
        self._filing = Filing(self._owner, unfiled, log)
        self._filing_failed_bytes = 0
        self._logged_since = monotonic()
        self._checkpoints = SqliteCheckpoints(self._owner, bounds_of)
        self._report = report
        self._failure: StoreError | None = None
        # Of the actors written lately; forgotten after every failure, which leaves it ahead.
        self._tips: dict[str, _Tip] = {}
        self._id_max = 0

    def settle(self, group: Group) -> None:
        """Do a round's work. What a part of it meets is told to its jobs, never raised."""
        if group.appends:
            outcomes = self._settle_appends(group.appends)
            self._report(outcomes, sum(job.weight_bytes for job in group.appends))
        for meta in group.metas:
            self._report([(meta.done, self._owner.guarded(self._write_meta, meta))], 0)
        if group.folds:
            self._report(self._settle_folds(group.folds), 0)
        for trim in group.trims:
            self._report([self._settle_trim(trim)], 0)
        if group.barrier is not None and group.barrier.kind is Barrier.RESET:
            self._failure = None
            self._report([(group.barrier.done, None)], 0)

    def recover(self, store: Path) -> StoreError | None:
        """File what an earlier owner left, before anything else; answers why it cannot be."""
        return self._owner.guarded(self._filing.recover, store)

    def patience_seconds(self) -> float | None:
        """How long what is logged may still wait to be filed; None when nothing is."""
        if not self._log.size_bytes:
            return None
        return max(0.0, self._logged_since + FILING_SECONDS - monotonic())

    def file(self) -> StoreError | None:
        """File all that is logged; answers why it cannot be, and is patient again."""
        size_bytes = self._log.size_bytes
        self._logged_since = monotonic()
        failure = self._owner.guarded(self._filing.file_all)
        self._filing_failed_bytes = 0 if failure is None else size_bytes
        return failure

    def _settle_folds(self, jobs: Sequence[FoldJob]) -> list[Outcome]:
        """Checkpoints look at journals, so these are made whole first."""
        failure = self._owner.guarded(self._filing.file, {job.actor for job in jobs})
        if failure is not None:
            return self._checkpoints.refuse(jobs, failure)
        return self._checkpoints.settle(jobs)

    def _settle_trim(self, job: TrimJob) -> Outcome:
        failure = self._owner.guarded(self._filing.file, job.actors)
        return (job.done, failure) if failure is not None else self._checkpoints.trim(job)

    def _file_when_due(self) -> StoreError | None:
        """Keep the log short; answers why nothing can be appended, which is when it cannot be."""
        size_bytes = self._log.size_bytes
        if not size_bytes:
            self._logged_since = monotonic()
        elif (
            size_bytes >= max(FILING_BYTES, 2 * self._filing_failed_bytes)
            or self.patience_seconds() == 0
        ):
            failure = self.file()
            return failure if size_bytes > UNFILED_BYTES_MAX else None
        return None

    def _settle_appends(self, jobs: Sequence[AppendJob]) -> list[Outcome]:
        plan = _Plan()
        failure = self._failure
        if failure is None:
            failure = self._file_when_due() or self._owner.guarded(self._look_up_tips, jobs)
        errors: list[StoreError | None] = []
        accepted = 0
        for job in jobs:
            error = self._failure and StoreFailedError(self._failure)
            if error is None:
                error = failure or job.refusal or self._owner.guarded(self._admit, job, plan)
                self._failure = error
                accepted += error is None
            errors.append(error)
        if plan.places:
            commit = Commit(plan.names, plan.places, plan.records)
            error = self._owner.guarded(self._log.append, commit)
            if error is not None:
                self._failure = error
                errors[:accepted] = [error] * accepted
            else:
                actors = [append[0] for job in jobs[:accepted] for append in job.batch]
                self._unfiled.add(actors, commit)
        if self._failure is not None or len(self._tips) > TIP_CACHE_MAX:
            self._tips.clear()
        return [(job.done, error) for job, error in zip(jobs, errors, strict=True)]

    def _look_up_tips(self, jobs: Sequence[AppendJob]) -> None:
        written = {append[0] for job in jobs for append in job.batch}
        names = [name for name in written.difference(self._tips) if is_actor_name(name)]
        if not names:
            return
        self._filing.file(names)  # tips that were forgotten, of which the file may not know yet
        statement = self._owner.connection.execute(READ_TIPS, (to_json(names),))
        id_max, known = statement.fetchone()
        self._id_max = max(self._id_max, id_max)
        for name, actor_id, seq in orjson.loads(known):
            self._tips[name] = _Tip(actor_id, seq)

    def _admit(self, job: AppendJob, plan: _Plan) -> None:
        """Check a batch and add it to the plan, whole or not at all; hot path of every commit.

        It holds the interpreter lock, so each step per record is one that the loop waits for.
        """
        names: list[tuple[int, str]] = []
        places: list[Place] = []
        find_tip = self._tips.get
        for actor, seq, record, wake in job.batch:
            tip = find_tip(actor)
            if tip is None:
                tip = self._begin_journal(actor)
                names.append((tip.actor_id, actor))
            if seq != tip.seq + 1:
                raise self._owner.fenced() or SequenceConflictError(actor, tip.seq + 1, seq)
            check_place(record, seq)
            tip.seq = seq
            places.append((tip.actor_id, seq, len(record), wake))
        plan.names += names
        plan.places += places
        plan.records += [append[2] for append in job.batch]

    def _begin_journal(self, actor: str) -> _Tip:
        check_actor_name(actor)
        self._id_max += 1
        tip = self._tips[actor] = _Tip(self._id_max, 0)
        return tip

    def _write_meta(self, job: MetaJob) -> None:
        parameters = (job.key, job.value, self._owner.epoch)
        cursor = self._owner.connection.execute(WRITE_META, parameters)
        if cursor.rowcount != 1:
            raise self._owner.fenced() or StoreWriteError("the value was not written")
