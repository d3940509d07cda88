"""Queue of the SQLite store: what is to be written, until somebody writes it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from queue import SimpleQueue
from time import monotonic

from persistence.errors import StoreError, StoreOverloadedError
from persistence.group_commit import AppendJob, Job, Outcome, settle, weigh
from persistence.limits import LOOP_GATHER_SECONDS, LOOP_GATHER_TURNS
from persistence.sqlite_appends import SqliteAppends
from persistence.store import Done, PlainAppend

__all__ = ["SqliteQueue"]


class SqliteQueue:
    """Batches are gathered here and written on this thread; everything else goes to the writer's.

    A batch waits for those that come in the next turns of the loop, as a write costs the same for
    all of them. While the writer's thread is at batches, what comes is gathered for the next
    commit; only a slow medium is kept busy without a pause. Used on the loop's thread.

    Attributes:
        jobs: for the writer's thread; None: there is something to be filed.
        pending_bytes: of the batches that are not settled.
    """

    def __init__(self, pending_bytes_max: int) -> None:
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self.pending_bytes = 0
        self._pending_bytes_max = pending_bytes_max
        self._gathered: list[AppendJob] = []
        self._handed_over = 0
        self._is_waiting = False
        self._loop: asyncio.AbstractEventLoop
        self._appends: SqliteAppends

    def open(self, loop: asyncio.AbstractEventLoop, appends: SqliteAppends) -> None:
        """Be ready for batches; called by the writer's thread before anybody gives one."""
        self._loop = loop
        self._appends = appends

    def append(self, batch: Sequence[PlainAppend], done: Done) -> None:
        """Take a batch, or its refusal when too much waits already."""
        weight_bytes = weigh(batch)
        refusal: StoreError | None = None
        if self.pending_bytes + weight_bytes > self._pending_bytes_max:
            refusal = StoreOverloadedError(self.pending_bytes, self._pending_bytes_max)
            batch, weight_bytes = (), 0
        self.pending_bytes += weight_bytes
        self._gathered.append(AppendJob(batch, done, weight_bytes, refusal))
        if not self._handed_over:
            self._wait()
        elif self._appends.is_slow:
            self._hand_over()

    def put(self, job: Job) -> None:
        """Queue what is no batch behind all batches."""
        self._hand_over()
        self.jobs.put(job)

    def settled(self, outcomes: Sequence[Outcome], jobs: Sequence[AppendJob]) -> None:
        """Take what the writer's thread has done."""
        self._handed_over -= len(jobs)
        self._tell(outcomes, jobs)
        if self._gathered and not self._handed_over:
            self._write()

    def _wait(self) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            self._loop.call_soon(self._look, monotonic(), len(self._gathered), LOOP_GATHER_TURNS)

    def _look(self, began: float, count: int, turns: int) -> None:
        """Write unless batches still come: there were ``count``, and some turns may pass."""
        if len(self._gathered) > count:
            turns = LOOP_GATHER_TURNS
        if turns and monotonic() - began < LOOP_GATHER_SECONDS:
            self._loop.call_soon(self._look, began, len(self._gathered), turns - 1)
            return
        self._is_waiting = False
        if self._gathered and not self._handed_over:
            self._write()

    def _write(self) -> None:
        """Write what is gathered, or leave it to the writer's thread."""
        outcomes = self._appends.settle_now(self._gathered)
        if outcomes is None:
            self._hand_over()
            return
        jobs, self._gathered = self._gathered, []
        self._loop.call_soon(self._tell, outcomes, jobs)
        if self._appends.take_notice():
            self.jobs.put(None)

    def _hand_over(self) -> None:
        jobs, self._gathered = self._gathered, []
        self._handed_over += len(jobs)
        for job in jobs:
            self.jobs.put(job)

    def _tell(self, outcomes: Sequence[Outcome], jobs: Sequence[AppendJob]) -> None:
        self.pending_bytes -= sum(job.weight_bytes for job in jobs)
        settle(self._loop, outcomes)
