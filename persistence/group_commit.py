"""Group commit: gather what waits into the next commit, and tell the outcomes in order.

Pure apart from ``settle``, which runs callbacks on the loop's thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias

from persistence.errors import StoreError
from persistence.limits import (
    APPEND_OVERHEAD_BYTES,
    CHANGE_OVERHEAD_BYTES,
    FAILED_CHECKPOINTS_MAX,
    FOLD_GROUP_MAX,
    GROUP_BYTES_MAX,
)
from persistence.record import RowChange
from persistence.store import Done, PlainAppend

__all__ = [
    "AppendJob",
    "Barrier",
    "BarrierJob",
    "FailedCheckpoints",
    "FoldJob",
    "Group",
    "Job",
    "MetaJob",
    "Outcome",
    "TrimJob",
    "gather",
    "settle",
    "weigh",
    "weigh_changes",
]

Outcome: TypeAlias = tuple[Done, StoreError | None]


class AppendJob(NamedTuple):
    """A batch; ``refusal`` is set when it failed on entry, and takes its turn all the same."""

    batch: Sequence[PlainAppend]
    done: Done
    weight_bytes: int
    refusal: StoreError | None


class FoldJob(NamedTuple):
    """A checkpoint; ``refusal`` as for a batch. Without ``changes`` it folds the journal."""

    actor: str
    through: int
    done: Done
    refusal: StoreError | None
    changes: Sequence[RowChange] | None = None
    time: int = 0
    weight_bytes: int = 0


class MetaJob(NamedTuple):
    """A small value to write."""

    key: str
    value: bytes
    done: Done


class TrimJob(NamedTuple):
    """Actors from whose history goes what their retention no longer allows."""

    actors: Sequence[str]
    done: Done


class Barrier(Enum):
    """What ends a group: everything before it is settled first."""

    RESET = "reset"
    CLOSE = "close"


class BarrierJob(NamedTuple):
    """A barrier and who waits for it."""

    kind: Barrier
    done: Done


Job: TypeAlias = AppendJob | FoldJob | MetaJob | TrimJob | BarrierJob


@dataclass(slots=True)
class Group:
    """Work of one round: appends in one commit, then values, checkpoints, trims, then the barrier.

    Checkpoints may be late against appends accepted after them, since they name the record they
    go through; they are never early.
    """

    appends: list[AppendJob] = field(default_factory=list)
    metas: list[MetaJob] = field(default_factory=list)
    folds: list[FoldJob] = field(default_factory=list)
    trims: list[TrimJob] = field(default_factory=list)
    barrier: BarrierJob | None = None


class FailedCheckpoints:
    """How far the checkpoints went that failed: changes they were given are lost.

    Later changes of such an actor stand on a hole until its journal is folded past it.
    """

    __slots__ = ("_all", "_through")

    def __init__(self) -> None:
        self._through: dict[str, int] = {}
        self._all = False

    def note(self, actor: str, through: int) -> None:
        """Remember a checkpoint that failed."""
        if through > self._through.get(actor, 0):
            self._through[actor] = through
        if len(self._through) > FAILED_CHECKPOINTS_MAX:
            self._all = True
            self._through.clear()

    def allow_changes(self, actor: str, base_seq: int) -> bool:
        """Whether changes can be written on top of the rows stored as of ``base_seq``."""
        if self._all:
            return False
        if base_seq >= self._through.get(actor, 0):
            self._through.pop(actor, None)
            return True
        return False


def weigh(batch: Sequence[PlainAppend]) -> int:
    """Bytes that a batch counts against the limits of the queue and of a commit."""
    return sum([len(append[2]) for append in batch]) + APPEND_OVERHEAD_BYTES * len(batch)


def weigh_changes(changes: Sequence[RowChange]) -> int:
    """Bytes that a checkpoint's changes count against the limits of a commit and of what waits."""
    rows = [len(row) for _, _, row in changes if row is not None]
    keys = [len(change[1]) for change in changes]
    return sum(rows) + sum(keys) + CHANGE_OVERHEAD_BYTES * len(keys)


def gather(waiting: deque[Job]) -> Group:
    """Take the next round's work from the left; what exceeds a commit stays.

    The second checkpoint of one actor stays as well. At least one job is taken when any waits,
    so that a batch above the limit goes alone.
    """
    group = Group()
    weight_bytes = 0
    fold_bytes = 0
    folded: set[str] = set()
    while waiting:
        job = waiting[0]
        if isinstance(job, AppendJob):
            weight_bytes += job.weight_bytes
            if group.appends and weight_bytes > GROUP_BYTES_MAX:
                break
            group.appends.append(job)
        elif isinstance(job, FoldJob):
            fold_bytes += job.weight_bytes
            if job.actor in folded or len(folded) == FOLD_GROUP_MAX:
                break
            if folded and fold_bytes > GROUP_BYTES_MAX:
                break
            folded.add(job.actor)
            group.folds.append(job)
        elif isinstance(job, MetaJob):
            group.metas.append(job)
        elif isinstance(job, TrimJob):
            group.trims.append(job)
        else:
            group.barrier = job
        waiting.popleft()
        if group.barrier is not None:
            break
    return group


def settle(loop: asyncio.AbstractEventLoop, outcomes: Iterable[Outcome]) -> None:
    """Call each ``done`` with its outcome, in order, on the loop's thread.

    One that raises is reported to the loop's exception handler; the others are told all the same.
    """
    for done, error in outcomes:
        try:
            done(error)
        except Exception as exception:  # noqa: BLE001 -- whatever it raises must not stop others
            loop.call_exception_handler(
                {"message": "a commit's done callback raised", "exception": exception}
            )
