"""Parties: connections under load: those that call, and those that are told."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from loadtest.errors import CheckError, ConnectionEndedError, LoadTestError
from loadtest.latency import Latencies
from loadtest.peers.dialect import START, Calls, Dialect
from loadtest.peers.link import Link
from loadtest.shared_reader import Mark, SharedReader

__all__ = ["Caller", "Listener"]

_LEARNED = 2
"""Calls before the load, for each thing that is called: the first may make a row that later ones
change, so the second one's answers and updates show the shape of all that follow."""

_FIRST = START + _LEARNED
"""The total after them."""


class Caller:
    """Keeps a number of calls in flight and checks every answer; a ``Taker``.

    Attributes:
        answered: calls so far.
        sent_at: when each call left, in order.
        failure: what went wrong, None while all is well.
    """

    def __init__(self, link: Link, calls: Calls, latencies: Latencies, *, purses: int = 1) -> None:
        self.answered = 0
        self.sent_at: list[int] = []
        self.failure: LoadTestError | None = None
        self._link = link
        self._calls = calls
        self._latencies = latencies
        self._purses = purses
        self._next = 0
        self._batches: deque[tuple[int, int]] = deque()
        self._running = False
        self._idle: asyncio.Future[None] | None = None

    async def learn(self, dialect: Dialect) -> None:
        """Make the calls before the load, and take answers of their shape from now on."""
        for _ in range(_LEARNED):
            for number in range(self._purses):
                self._link.write(self._calls.take(number, 1))
                payload = await self._link.receive()
        self._link.count(dialect.shape(payload, _FIRST), self)

    def start(self, in_flight: int) -> None:
        """Fill the pipe, and keep it full from now on."""
        assert 0 < in_flight <= self._calls.length, "one round may be in flight"
        self._running = True
        self._send(in_flight)

    async def stop(self) -> None:
        """Send no more, and wait until everything is answered; raises what went wrong."""
        self._running = False
        if self._batches and self.failure is None:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
        if self.failure is not None:
            raise self.failure

    def took(self, count: int, total: int | None) -> None:
        """Take answers, and make as many calls as were answered."""
        self.answered += count
        # The purses have their turns, and after a round each has one more.
        expected = _FIRST - -self.answered // self._purses
        if total is not None and total != expected:
            self._fail(CheckError(f"{expected} expected, {total} answered"))
            return
        self._record(count)
        if self._running:
            self._send(count)
        elif not self._batches:
            self._rest()

    def ended(self, reason: str) -> None:
        """Note the end, which is a failure while calls are in flight."""
        if self._batches:
            self._fail(ConnectionEndedError(reason))

    def _send(self, count: int) -> None:
        now = time.perf_counter_ns()
        self._batches.append((now, count))
        self.sent_at += [now] * count
        self._link.write(self._calls.take(self._next, count))
        self._next = (self._next + count) % self._calls.length

    def _record(self, count: int) -> None:
        """Answers come in the order of the calls; calls of one batch left at one time."""
        now, batches = time.perf_counter_ns(), self._batches
        while count:
            sent, waiting = batches[0]
            done = min(waiting, count)
            if done < waiting:
                batches[0] = (sent, waiting - done)
            else:
                batches.popleft()
            self._latencies.record(now - sent, done)
            count -= done

    def _fail(self, failure: LoadTestError) -> None:
        self.failure = self.failure or failure
        self._running = False
        self._rest()

    def _rest(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)


class Listener:
    """Is told of every ``every``-th call from the ``first`` on; a ``Taker``, and a ``Member``.

    Attributes:
        received: updates so far.
        failure: what went wrong, None while all is well.
    """

    __slots__ = ("_every", "_first", "_latencies", "_link", "_marks", "_progress", "_sent_at",
                 "_shared", "failure", "received")  # fmt: skip

    def __init__(
        self, link: Link, sent_at: Sequence[int], latencies: Latencies, *, first: int, every: int
    ) -> None:
        self.received = 0
        self.failure: LoadTestError | None = None
        self._link = link
        self._sent_at = sent_at
        self._latencies = latencies
        self._first = first
        self._every = every
        self._marks: list[Mark] = []
        self._shared: SharedReader | None = None
        self._progress: asyncio.Future[None] | None = None

    async def learn(self, dialect: Dialect) -> None:
        """Take the updates of the calls before the load, and those of their shape from now on."""
        for _ in range(_LEARNED):
            payload = await self._link.receive()
        self._link.count(dialect.shape(payload, _FIRST), self)

    def share(self, reader: SharedReader) -> None:
        """Let somebody read for this one and for others, who are told the same of every call."""
        self._shared = reader
        reader.add(self._link.pause(), self)

    async def finish(self, calls: int) -> None:
        """Wait until it was told of its part of so many calls, and of no more.

        Raises:
            LoadTestError: it was not.
        """
        due = (calls - self._first + self._every - 1) // self._every
        while self.received < due and self.failure is None:
            if self._shared is not None:
                await self._shared.progress()
            else:
                self._progress = asyncio.get_running_loop().create_future()
                await self._progress
        if self.failure is not None:
            raise self.failure
        if self.received != due:
            raise CheckError(f"{self.received} updates of {due}")

    def took(self, count: int, total: int | None) -> None:
        """Take updates; the latency is that of the oldest."""
        sent = self._sent_at[self._first + self.received * self._every]
        self._latencies.record(time.perf_counter_ns() - sent, count)
        if self._shared is not None:
            self._marks.append(Mark(self.received, count))
        self.received += count
        if total != _FIRST + self.received:
            self._fail(CheckError(f"{_FIRST + self.received} expected, {total} told"))
        self._wake()

    def ended(self, reason: str) -> None:
        """Note the end; whether it is one too early is for the load to say."""
        self._fail(ConnectionEndedError(reason))

    # --- member of a shared reader

    def take_read(self, data: bytes) -> Sequence[Mark] | None:
        """Take what a read brought."""
        self._marks = []
        is_even = self._link.take_read(data)
        return self._marks if is_even and self.failure is None else None

    def read_end(self) -> None:
        """Let the link learn of its end."""
        self._link.resume()

    def _fail(self, failure: LoadTestError) -> None:
        self.failure = self.failure or failure
        self._wake()

    def _wake(self) -> None:
        if self._shared is not None:
            self._shared.wake()
        if self._progress is not None and not self._progress.done():
            self._progress.set_result(None)
