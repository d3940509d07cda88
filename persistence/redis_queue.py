"""Redis queue: jobs of the port become calls to the server; outcomes are told in order.

Knows no connection: whoever has one takes calls, sends them in the order taken, and settles them
in that order. What has been taken and is not settled counts as open.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from persistence.errors import (
    StoreClosedError,
    StoreError,
    StoreFailedError,
    StoreWriteError,
)
from persistence.group_commit import (
    AppendJob,
    Barrier,
    BarrierJob,
    FoldJob,
    Job,
    MetaJob,
    TrimJob,
    gather,
    settle,
)
from persistence.limits import REDIS_GROUPS_MAX
from persistence.record import check_place
from persistence.redis_calls import AppendCall, AppendOutcome, Call, LocalCall, ReadCall, WriteCall
from persistence.redis_folds import RedisFolds
from persistence.redis_keys import RedisKeys
from persistence.retention import BoundsOf
from persistence.store import check_actor_name

__all__ = ["RedisQueue"]


class RedisQueue:
    """What was accepted and is not settled.

    Attributes:
        pending_bytes: weight of the batches among it.

    Args:
        keys: of the store.
        bounds_of: tells what may stay in the history of an actor.
        wake: called when there may be calls to take.
    """

    def __init__(self, keys: RedisKeys, bounds_of: BoundsOf, wake: Callable[[], None]) -> None:
        self.pending_bytes = 0
        self._keys = keys
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Job] = deque()
        self._ready: deque[Call] = deque()
        self._folds = RedisFolds(keys, bounds_of, self._send, self._settle_job)
        self._barrier: BarrierJob | None = None
        self._fault: StoreError | None = None
        # Taken from ``_waiting`` and not settled; a barrier waits for all of them.
        self._open_jobs = 0
        self._open_groups = 0
        # Batches are numbered without gaps: the server takes none out of turn.
        self._next_batch = 1
        self._last_batch = 0
        self._failure: StoreError | None = None
        # A batch has been refused here: those behind it are not sent, and fail in their turn.
        self._is_doomed = False

    def put(self, job: Job) -> None:
        """Accept a job."""
        if isinstance(job, AppendJob):
            self.pending_bytes += job.weight_bytes
        self._waiting.append(job)
        if self._fault is not None:
            self._loop.call_soon(self._fail_waiting)
        else:
            self._wake()

    def read(self, call: ReadCall) -> None:
        """Accept a question; it goes ahead of the jobs that wait."""
        if self._fault is not None:
            self._loop.call_soon(call.fail, self._fault)
        else:
            self._send(call)

    def take(self) -> Call | None:
        """The next call to send; None when all that may be on its way is."""
        while not self._ready:
            if not self._waiting or self._barrier or self._open_groups >= REDIS_GROUPS_MAX:
                return None
            self._gather()
        return self._ready.popleft()

    def attach(self, batch: int) -> None:
        """A connection is there, on which ``batch`` was the last one written."""
        self._fault = None
        if batch < self._last_batch:
            lost = self._last_batch - batch
            self._failure = StoreWriteError(f"the server lost the last {lost} batches it had")
            self._is_doomed = True
        self._last_batch = batch
        if not self._open_groups:
            self._next_batch = batch + 1

    def lose(self, error: StoreError) -> None:
        """The server is away: what is not taken yet fails, and what comes, until ``attach``."""
        self._fault = error
        self._fail_waiting()

    # From jobs to calls

    def _gather(self) -> None:
        group = gather(self._waiting)
        self._open_jobs += len(group.appends) + len(group.metas)
        self._open_jobs += len(group.folds) + len(group.trims)
        if group.appends:
            self._plan_appends(group.appends)
        for meta in group.metas:
            self._send(self._put_call(meta))
        for fold in group.folds:
            self._folds.begin(fold)
        for trim in group.trims:
            self._send(self._folds.trim_call(trim, partial(self._settle_job, trim)))
        self._barrier = group.barrier
        self._pass_barrier()

    def _plan_appends(self, jobs: Sequence[AppendJob]) -> None:
        """Send what can be sent; from the first refused on, nothing goes to the server."""
        refusal: StoreError | None = None
        count = 0
        if not self._is_doomed:
            for job in jobs:
                refusal = job.refusal or _refusal(job)
                if refusal is not None:
                    self._is_doomed = True
                    break
                count += 1
        admitted, rest = jobs[:count], jobs[count:]
        if any(job.batch for job in admitted):
            self._open_groups += 1
            call = AppendCall(self._keys, admitted, self._next_batch, self._settle_call)
            self._next_batch += count
            self._send(call)
        elif admitted:
            self._send(LocalCall(lambda: self._settle_appends(admitted, count, None)))
        if rest:
            self._send(LocalCall(lambda: self._settle_appends(rest, 0, refusal)))

    def _put_call(self, job: MetaJob) -> WriteCall:
        return WriteCall(
            "put",
            (self._keys.owner, self._keys.meta),
            (job.key, job.value),
            lambda error: self._settle_job(job, error),
        )

    def _send(self, call: Call) -> None:
        self._ready.append(call)
        self._wake()

    # Outcomes

    def _settle_call(self, outcome: AppendOutcome) -> None:
        if outcome.written:
            self._last_batch = outcome.last_batch
        self._open_groups -= 1
        self._settle_appends(outcome.jobs, outcome.written, outcome.error)

    def _settle_appends(
        self, jobs: Sequence[AppendJob], count: int, error: StoreError | None
    ) -> None:
        """Tell jobs of which ``count`` are written, and the first other one met ``error``."""
        outcomes: list[StoreError | None] = [None] * count
        for job in jobs[count:]:
            if isinstance(job.refusal, StoreClosedError):
                outcomes.append(job.refusal)
            elif self._failure is not None:
                outcomes.append(StoreFailedError(self._failure))
            else:
                assert error is not None
                self._failure = error
                self._is_doomed = True
                outcomes.append(error)
        self.pending_bytes -= sum(job.weight_bytes for job in jobs)
        self._open_jobs -= len(jobs)
        settle(self._loop, [(job.done, told) for job, told in zip(jobs, outcomes, strict=True)])
        self._pass_barrier()

    def _settle_job(self, job: MetaJob | FoldJob | TrimJob, error: StoreError | None) -> None:
        self._open_jobs -= 1
        settle(self._loop, [(job.done, error)])
        self._pass_barrier()

    def _pass_barrier(self) -> None:
        """Let a barrier pass that everything before has been settled for."""
        barrier = self._barrier
        if barrier is None or self._open_jobs:
            return
        self._barrier = None
        if barrier.kind is Barrier.RESET:
            self._failure = None
            self._is_doomed = False
            self._next_batch = self._last_batch + 1
        settle(self._loop, [(barrier.done, None)])
        self._wake()

    def _fail_waiting(self) -> None:
        """Fail what waits, in order; there is no server to send it to."""
        while self._fault is not None:
            while self._ready:
                self._ready.popleft().fail(self._fault)
            if not self._waiting or self._barrier:
                return
            self._gather()


def _refusal(job: AppendJob) -> StoreError | None:
    """Why a batch need not be sent."""
    try:
        for actor, seq, record, wake in job.batch:
            check_actor_name(actor)
            check_place(record, seq)
            assert wake is None or isinstance(wake, int), wake
    except StoreError as error:
        return error
    except Exception as error:  # noqa: BLE001 -- who waits must be told
        return StoreWriteError(repr(error))
    return None
