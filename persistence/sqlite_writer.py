"""Writer thread of the SQLite store: takes what waits, commits it as one, tells the outcomes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from time import monotonic

from persistence.commit_log import CommitLog
from persistence.errors import StoreError, StoreWriteError
from persistence.group_commit import AppendJob, Barrier, FoldJob, Group, MetaJob, Outcome, TrimJob
from persistence.limits import FILING_BYTES, FILING_SECONDS, UNFILED_BYTES_MAX
from persistence.retention import BoundsOf
from persistence.schema import WRITE_META
from persistence.sqlite_appends import SqliteAppends
from persistence.sqlite_checkpoint import SqliteCheckpoints
from persistence.sqlite_filing import Filing
from persistence.sqlite_owner import SqliteOwner
from persistence.unfiled import Unfiled

__all__ = ["SqliteWriter"]


class SqliteWriter:
    """One connection that writes; used by one thread, but for its ``appends``.

    ``report`` is called on that thread with outcomes in order, and with the batches that they are
    of, if they are of batches.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        log: CommitLog,
        epoch: int,
        bounds_of: BoundsOf,
        unfiled: Unfiled,
        report: Callable[[list[Outcome], Sequence[AppendJob]], None],
    ) -> None:
        gate = Lock()
        self._owner = SqliteOwner(connection, epoch)
        self._log = log
        self._gate = gate
        self._filing = Filing(self._owner, unfiled, log, gate)
        self._filing_failed_bytes = 0
        self._tried_at = 0.0
        self.appends = SqliteAppends(self._owner, log, unfiled, self._filing, gate)
        self._checkpoints = SqliteCheckpoints(self._owner, bounds_of)
        self._report = report

    def settle(self, group: Group) -> None:
        """Do a round's work. What a part of it meets is told to its jobs, never raised."""
        if group.appends:
            outcomes = self.appends.settle(group.appends, self._excess())
            self._report(outcomes, group.appends)
        for meta in group.metas:
            self._report([(meta.done, self._owner.guarded(self._write_meta, meta))], ())
        if group.folds:
            self._report(self._settle_folds(group.folds), ())
        for trim in group.trims:
            self._report([self._settle_trim(trim)], ())
        if group.barrier is not None and group.barrier.kind is Barrier.RESET:
            self.appends.reset()
            self._report([(group.barrier.done, None)], ())

    def recover(self, store: Path) -> StoreError | None:
        """File what an earlier owner left, before anything else; answers why it cannot be."""
        return self._owner.guarded(self._filing.recover, store)

    def patience_seconds(self) -> float | None:
        """How long what is logged may still wait to be filed; None when nothing is."""
        log = self._log
        with self._gate:
            if not log.unfiled_bytes:
                self.appends.tell_bytes = 1
                return None
            due_bytes = max(FILING_BYTES, 2 * self._filing_failed_bytes)
            self.appends.tell_bytes = due_bytes
            if log.unfiled_bytes >= due_bytes:
                return 0.0
            return max(0.0, max(log.began, self._tried_at) + FILING_SECONDS - monotonic())

    def file(self) -> StoreError | None:
        """File a lap of what is logged; answers why it cannot be, and is patient again."""
        failure = self._owner.guarded(self._filing.file_lap)
        self._tried_at = monotonic()
        self._filing_failed_bytes = 0 if failure is None else self._log.unfiled_bytes
        return failure

    def file_all(self) -> None:
        """File whatever is logged, as far as that can be done; the next owner does the rest."""
        while self._log.unfiled_bytes and self.file() is None:
            pass

    def _excess(self) -> StoreError | None:
        """Why nothing can be appended: too much is logged, and cannot be filed."""
        return self.file() if self._log.unfiled_bytes > UNFILED_BYTES_MAX else None

    def _settle_folds(self, jobs: Sequence[FoldJob]) -> list[Outcome]:
        """Checkpoints look at journals, so these are made whole first."""
        failure = self._owner.guarded(self._filing.file, {job.actor for job in jobs})
        if failure is not None:
            return self._checkpoints.refuse(jobs, failure)
        return self._checkpoints.settle(jobs)

    def _settle_trim(self, job: TrimJob) -> Outcome:
        failure = self._owner.guarded(self._filing.file, job.actors)
        return (job.done, failure) if failure is not None else self._checkpoints.trim(job)

    def _write_meta(self, job: MetaJob) -> None:
        parameters = (job.key, job.value, self._owner.epoch)
        cursor = self._owner.connection.execute(WRITE_META, parameters)
        if cursor.rowcount != 1:
            raise self._owner.fenced() or StoreWriteError("the value was not written")
