"""Plain lane: calls of one connection made by a bot, in any version of the wire.

It makes the calls that ``calls.Caller`` spells in v3, and counts them likewise; each of them costs
the load generator a task, a request and an answer that is decoded.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence

from loadtest.bot import Bot
from loadtest.connection import Address
from loadtest.errors import CheckError, LoadTestError, RefusedError
from loadtest.latency import Latencies
from loadtest.limits import ANSWER_SECONDS_MAX
from protocol.schema import ModuleSchema
from protocol.upgrade import Subprotocol

__all__ = ["PlainLane"]


class PlainLane:
    """One connection under load.

    Its calls go round ``arguments``, and one round of them may be in flight; others wait their
    turn, which is latency.

    Args:
        reducer: what is called.
        arguments: BSATN of each call's arguments.
        in_flight: calls that :meth:`start` keeps unanswered.
        latencies: gets theirs, by the monotonic clock.
        on_refusal: told the code of each refusal.
        schema: of the server's module.
        subprotocol: the wire's version.

    Attributes:
        failure: why the load had to end, None while all is well.
    """

    def __init__(
        self,
        reducer: str,
        arguments: Sequence[bytes],
        in_flight: int,
        latencies: Latencies,
        *,
        on_refusal: Callable[[str], None],
        schema: ModuleSchema,
        subprotocol: Subprotocol,
    ) -> None:
        assert 0 < in_flight <= len(arguments), "one round may be in flight"
        self.failure: LoadTestError | None = None
        self._reducer = reducer
        self._arguments = arguments
        self._in_flight = in_flight
        self._latencies = latencies
        self._on_refusal = on_refusal
        self._schema = schema
        self._subprotocol = subprotocol
        self._bot: Bot
        self._next = 0
        self._made = Counter[int]()
        self._running = False
        self._room = asyncio.Semaphore(len(arguments))
        self._work: set[asyncio.Task[None]] = set()

    async def connect(self, address: Address) -> None:
        """Open the connection and wait for the server's first message."""
        self._bot = await Bot.connect(address, schema=self._schema, subprotocol=self._subprotocol)

    def start(self) -> None:
        """Keep as many calls in flight as was said, from now on."""
        self._running = True
        for _ in range(self._in_flight):
            self._begin(self._call_on())

    def call(self, count: int, due: int) -> None:
        """Make calls that were due at a moment of the clock."""
        for _ in range(count):
            self._begin(self._call(due))

    def made(self) -> Counter[int]:
        """How often the call with each of the arguments has committed, by their places."""
        return self._made

    async def stop(self) -> None:
        """Make no more calls, and wait until all are answered; raises what went wrong."""
        self._running = False
        await asyncio.gather(*self._work)
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        """End the connection."""
        await self._bot.close()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _call_on(self) -> None:
        while self._running:
            await self._call(time.monotonic_ns())

    async def _call(self, due: int) -> None:
        async with self._room:
            place = self._next
            self._next = (place + 1) % len(self._arguments)
            try:
                await self._bot.call(self._reducer, self._arguments[place])
            except RefusedError as refusal:
                self._on_refusal(refusal.code)
            except LoadTestError as error:
                self._fail(error)
                return
            except TimeoutError:
                self._fail(CheckError(f"no answer to a call in {ANSWER_SECONDS_MAX:g} s"))
                return
            else:
                self._made[place] += 1
            self._latencies.record(time.monotonic_ns() - due)

    def _fail(self, failure: LoadTestError) -> None:
        self.failure = self.failure or failure
        self._running = False
