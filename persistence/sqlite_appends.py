"""Appends of the SQLite store: batches are admitted by the ends of journals, and logged."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from threading import Lock
from time import monotonic

import orjson

from persistence.commit_log import Commit, CommitLog, Place
from persistence.errors import SequenceConflictError, StoreError, StoreFailedError
from persistence.group_commit import AppendJob, Outcome
from persistence.limits import (
    LOOP_WRITE_BYTES_MAX,
    LOOP_WRITE_RETRY_SECONDS,
    LOOP_WRITE_SECONDS_MAX,
    TIP_CACHE_MAX,
    UNFILED_BYTES_MAX,
)
from persistence.record import check_place
from persistence.schema import READ_TIPS
from persistence.sqlite_filing import Filing
from persistence.sqlite_owner import SqliteOwner, to_json
from persistence.store import check_actor_name, is_actor_name
from persistence.unfiled import Unfiled

__all__ = ["SqliteAppends"]


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


class SqliteAppends:
    """The ends of all journals, and the log that continues them.

    Handing a batch to a thread and its outcome back costs more than a write takes that returns
    within some tenths of a millisecond. So the loop logs batches by itself (``settle_now``) when it
    can and the medium is as fast as that, and the writer's thread does the others (``settle``).
    Each holds ``gate`` meanwhile.

    Attributes:
        tell_bytes: size of the log from which on the writer's thread must be told of it.
    """

    def __init__(
        self, owner: SqliteOwner, log: CommitLog, unfiled: Unfiled, filing: Filing, gate: Lock
    ) -> None:
        self.tell_bytes = 1
        self._owner = owner
        self._log = log
        self._unfiled = unfiled
        self._filing = filing
        self._gate = gate
        self._failure: StoreError | None = None
        # Of the actors written lately; forgotten after every failure, which leaves it ahead.
        self._tips: dict[str, _Tip] = {}
        self._id_max = 0
        self._mean_seconds = 0.0
        self._slow_until = 0.0

    def settle(self, jobs: Sequence[AppendJob], failure: StoreError | None) -> list[Outcome]:
        """Log batches on the writer's thread, as one commit; none when there is a ``failure``."""
        with self._gate:
            if failure is None and self._failure is None:
                failure = self._owner.guarded(self._look_up_tips, jobs)
            return self._settle(jobs, failure)

    def settle_now(self, jobs: Sequence[AppendJob]) -> list[Outcome] | None:
        """Log batches on the loop's thread, as one commit; None: the writer's has to do it.

        That is when nothing is known of an actor's journal, as after a failure, and when the medium
        is slow or holds too much unfiled. The writer's thread must have no other batches.
        """
        if self.is_slow:
            return None
        tips = self._tips
        weight_bytes = 0
        for job in jobs:
            weight_bytes += job.weight_bytes
            for append in job.batch:
                if append[0] not in tips:
                    return None
        if weight_bytes > LOOP_WRITE_BYTES_MAX or self._log.unfiled_bytes > UNFILED_BYTES_MAX:
            return None
        with self._gate:
            outcomes = self._settle(jobs, None)
        self._judge(self._log.write_seconds)
        return outcomes

    @property
    def is_slow(self) -> bool:
        """Whether the medium was too slow lately for the loop to wait for it."""
        return monotonic() < self._slow_until

    def take_notice(self) -> bool:
        """Whether the writer's thread must be told of the log's size; once for each size."""
        if self._log.unfiled_bytes < self.tell_bytes:
            return False
        self.tell_bytes = sys.maxsize
        return True

    def reset(self) -> None:
        """Accept batches again."""
        self._failure = None

    def _judge(self, write_seconds: float) -> None:
        """Average what writes took; one that was slow alone counts little."""
        taken = min(write_seconds, 4 * LOOP_WRITE_SECONDS_MAX)
        self._mean_seconds += (taken - self._mean_seconds) / 8
        if self._mean_seconds > LOOP_WRITE_SECONDS_MAX:
            self._slow_until = monotonic() + LOOP_WRITE_RETRY_SECONDS

    def _settle(self, jobs: Sequence[AppendJob], failure: StoreError | None) -> list[Outcome]:
        plan = _Plan()
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
                raise self._log.fenced() or SequenceConflictError(actor, tip.seq + 1, seq)
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
