"""Redis checkpoints: one call each when the rows are given, a read before it when they are not.

Checkpoints of one actor follow each other; those of different actors are on their way together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from persistence.errors import CorruptActorError, SequenceConflictError, StoreError
from persistence.group_commit import FailedCheckpoints, FoldJob, TrimJob
from persistence.redis_calls import Call, ReadCall, WriteCall
from persistence.redis_keys import RedisKeys, encode_row, read_base, read_records, row_field
from persistence.redis_library import function_call
from persistence.retention import BoundsOf
from persistence.store import is_actor_name
from persistence.tail import Fold, fold_changes, fold_journal

__all__ = ["RedisFolds"]


class RedisFolds:
    """Turns checkpoints into calls; remembers which actors' changes cannot be believed.

    Args:
        keys: of the store.
        bounds_of: tells what may stay in the history of an actor.
        send: takes calls.
        settled: told each job's outcome.
    """

    def __init__(
        self,
        keys: RedisKeys,
        bounds_of: BoundsOf,
        send: Callable[[Call], None],
        settled: Callable[[FoldJob, StoreError | None], None],
    ) -> None:
        self._keys = keys
        self._bounds_of = bounds_of
        self._send = send
        self._settled = settled
        self._failed = FailedCheckpoints()
        # Per actor that is being checkpointed: what must wait for it.
        self._behind: dict[str, deque[FoldJob]] = {}

    def begin(self, job: FoldJob) -> None:
        """Send a checkpoint, or let it wait for the one before it of its actor."""
        behind = self._behind.get(job.actor)
        if behind is None:
            self._behind[job.actor] = deque()
            self._begin(job)
        else:
            behind.append(job)

    def _begin(self, job: FoldJob) -> None:
        if not is_actor_name(job.actor):
            beyond = job.through > 0
            error = SequenceConflictError(job.actor, 0, job.through) if beyond else None
            self._settle(job, error)
        elif job.changes is not None and self._failed.allow_changes(job.actor, 0):
            self._write(job, fold_changes(job.changes, job.time))
        else:
            keys = (self._keys.journal(job.actor), self._keys.rows(job.actor))
            self._send(
                ReadCall(
                    function_call("load", keys, reads=True),
                    lambda reply: self._fold(job, reply),
                    lambda error: self._settle(job, error),
                )
            )

    def _fold(self, job: FoldJob, reply: object) -> None:
        """Fold the journal as it was answered, or use the changes if they can be believed."""
        assert isinstance(reply, list)
        rows, journal = reply[0]
        try:
            base_seq, _, _ = read_base(job.actor, rows)
            records = read_records(job.actor, base_seq, journal)
            if job.changes is not None and self._failed.allow_changes(job.actor, base_seq):
                fold = fold_changes(job.changes, job.time)
            else:
                last = base_seq + len(records)
                if job.through <= base_seq:
                    self._settle(job, None)
                    return
                if job.through > last:
                    raise SequenceConflictError(job.actor, last, job.through)
                chosen = records[: job.through - base_seq]
                fold = fold_journal(job.actor, base_seq, job.through, chosen)
        except (CorruptActorError, SequenceConflictError) as error:
            self._settle(job, error)
        else:
            self._write(job, fold)

    def _write(self, job: FoldJob, fold: Fold) -> None:
        deletes: list[bytes] = []
        puts: list[bytes] = []
        for (table_id, key), row in fold.changes.items():
            field = row_field(table_id, key)
            if row is None:
                deletes.append(field)
            else:
                puts += (field, encode_row(field, row))
        actor, keys = job.actor, self._keys
        self._send(
            WriteCall(
                "fold",
                (keys.owner, keys.journal(actor), keys.rows(actor)),
                (job.through, fold.time, *self._limits(actor), len(deletes), *deletes, *puts),
                lambda error: self._settle(job, error),
                lambda last: SequenceConflictError(actor, last, job.through),
            )
        )

    def trim_call(self, job: TrimJob, done: Callable[[StoreError | None], None]) -> WriteCall:
        """Apply retention to actors as far as they are folded."""
        keys = [self._keys.owner]
        limits: list[str | int] = []
        for actor in job.actors:
            keys += (self._keys.journal(actor), self._keys.rows(actor))
            limits += self._limits(actor)
        return WriteCall("trim", keys, limits, done)

    def _limits(self, actor: str) -> list[str | int]:
        return ["" if bound is None else bound for bound in self._bounds_of(actor)]

    def _settle(self, job: FoldJob, error: StoreError | None) -> None:
        if error is not None:
            self._failed.note(job.actor, job.through)
        self._settled(job, error)
        behind = self._behind[job.actor]
        if behind:
            self._begin(behind.popleft())
        else:
            del self._behind[job.actor]
