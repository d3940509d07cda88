"""Redis line: sends calls and settles them by their replies, over one connection after the other.

Calls go out as they come, many on their way at once, and are answered in order. When a connection
is lost, what was sent may have been done or not: the next connection closes the door on the last
one and finds the last batch written, and only then is anything told or sent again. After
``outage_seconds`` without a server, everything fails, and what comes fails at once; the line goes
on trying, and is back by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from random import SystemRandom

from redis.asyncio.connection import Connection
from redis.exceptions import RedisError, ResponseError

from persistence.errors import FencedError, StoreError, StoreUncertainError, StoreWriteError
from persistence.limits import REDIS_BACKOFF_SECONDS_MAX, REDIS_BACKOFF_SECONDS_MIN
from persistence.redis_calls import Call, Link
from persistence.redis_connection import Attached, RedisConnector, check_disks, wait_for_disks
from persistence.redis_faults import RedisOutage, outage_of, reason_of, refusal_of
from persistence.redis_queue import RedisQueue
from persistence.redis_url import RedisAddress

__all__ = ["RedisLine"]

log = logging.getLogger("persistence.redis")

_chance = SystemRandom()


class RedisLine:
    """The way of one owner's calls to the server; for one running loop."""

    def __init__(self, address: RedisAddress, connector: RedisConnector) -> None:
        self._address = address
        self._connector = connector
        self._sync = b"" if address.sync is None else wait_for_disks(address)
        self._sent: deque[Call] = deque()
        # Something may be taken from the queue; something was sent.
        self._wanted = asyncio.Event()
        self._expected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Look into the queue, in the loop's next turn: what is there by then goes together."""
        self._wanted.set()

    async def open(self) -> Attached:
        """Connect as a new owner; waits for a server that is not there yet.

        Raises StoreRefusedError, StoreFormatError; StoreWriteError when no server came.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._address.outage_seconds
        pauses = _Pauses()
        while True:
            try:
                return await self._connector.open()
            except RedisOutage as outage:
                pause = pauses.after(outage)
                if loop.time() + pause > deadline:
                    raise StoreWriteError(f"{self._address}: {outage.reason}") from outage
            await asyncio.sleep(pause)

    def start(self, attached: Attached, queue: RedisQueue) -> None:
        """Send what comes out of ``queue``, until ``stop``."""
        self._task = asyncio.get_running_loop().create_task(self._run(attached, queue))

    async def stop(self) -> None:
        """End the connection; nothing may wait any more."""
        assert self._task is not None
        assert not self._sent
        while not self._task.done():
            # What connects may swallow a cancellation that comes together with its answer.
            self._task.cancel()
            await asyncio.wait((self._task,), timeout=REDIS_BACKOFF_SECONDS_MAX)
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, attached: Attached, queue: RedisQueue) -> None:
        epoch = attached.link.epoch
        while True:
            outage = await self._talk(attached, queue)
            log.warning("the connection to %s is lost: %s", self._address, outage.reason)
            try:
                attached = await self._attach_again(epoch, queue, outage)
            except FencedError as error:
                self._fail(queue, error)
                return
            log.warning("connected to %s again", self._address)
            for call in self._sent:
                call.resolve(attached.batch)
            queue.attach(attached.batch)

    async def _attach_again(self, epoch: int, queue: RedisQueue, outage: RedisOutage) -> Attached:
        """Connect until it works; after too long, fail what waits and go on trying."""
        patience = asyncio.get_running_loop().call_later(
            self._address.outage_seconds, lambda: self._give_up(queue, outage)
        )
        pauses = _Pauses()
        try:
            while True:
                await asyncio.sleep(pauses.after(outage))
                try:
                    return await self._connector.attach(epoch)
                except RedisOutage as again:
                    outage = again
        finally:
            patience.cancel()

    def _give_up(self, queue: RedisQueue, outage: RedisOutage) -> None:
        log.error("%s is away, what waits for it fails: %s", self._address, outage.reason)
        self._fail(queue, StoreWriteError(f"{self._address} is away: {outage.reason}"))

    def _fail(self, queue: RedisQueue, error: StoreError) -> None:
        uncertain = error
        if isinstance(error, StoreWriteError):
            uncertain = StoreUncertainError(error.reason)
        sent, self._sent = self._sent, deque()
        for call in sent:
            call.fail(uncertain)
        queue.lose(error)

    async def _talk(self, attached: Attached, queue: RedisQueue) -> RedisOutage:
        """Send and receive until the connection is of no use; tells why."""
        connection, link, _ = attached
        loop = asyncio.get_running_loop()
        tasks = [
            loop.create_task(self._send(connection, link, queue)),
            loop.create_task(self._receive(connection, link.epoch)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await connection.disconnect(nowait=True)
        return _first_outage(results)

    async def _send(self, connection: Connection, link: Link, queue: RedisQueue) -> None:
        data = [part for call in self._sent for part in self._encoded(call, link)]
        while True:
            self._wanted.clear()
            while (call := queue.take()) is not None:
                self._sent.append(call)
                data += self._encoded(call, link)
            if self._sent:
                self._expected.set()
            if data:
                await connection.send_packed_command(data, check_health=False)
                data = []
            await self._wanted.wait()

    def _encoded(self, call: Call, link: Link) -> list[bytes]:
        if call.is_local:
            return []
        packed = call.encode(link)
        return [packed, self._sync] if self._sync and call.is_write else [packed]

    async def _receive(self, connection: Connection, epoch: int) -> None:
        while True:
            while not self._sent:
                self._expected.clear()
                await self._expected.wait()
            call = self._sent[0]
            if call.is_local:
                self._sent.popleft().settle(None)
                continue
            reply, refusal = await self._reply(connection, call, epoch)
            self._sent.popleft()
            if refusal is not None:
                call.fail(refusal)
            else:
                call.settle(reply)
            self._wanted.set()

    async def _reply(
        self, connection: Connection, call: Call, epoch: int
    ) -> tuple[object, StoreError | None]:
        """What the server says to a call; raises RedisOutage when it may say otherwise later."""
        reply: object = None
        refusal: StoreError | None = None
        try:
            reply = await connection.read_response()
        except ResponseError as error:
            outage = outage_of(error)
            if outage is not None:
                raise outage from error
            refusal = refusal_of(error)
        if self._sync and call.is_write:
            check_disks(self._address, await connection.read_response())
        if isinstance(reply, list) and reply:
            if reply[0] == b"stale":
                raise RedisOutage("another connection of this owner took its place")
            if reply[0] == b"fenced":
                refusal = FencedError(epoch, int(reply[1]))
        return reply, refusal


class _Pauses:
    """Pauses between attempts: they double, less what chance takes off; none to follow a move."""

    def __init__(self) -> None:
        self._seconds = REDIS_BACKOFF_SECONDS_MIN
        self._moves = 0

    def after(self, outage: RedisOutage) -> float:
        """Seconds to wait before the next attempt."""
        if outage.moved_to is not None and self._moves == 0:
            self._moves += 1
            return 0.0
        pause = self._seconds * (1 - _chance.random() / 2)
        self._seconds = min(self._seconds * 2, REDIS_BACKOFF_SECONDS_MAX)
        return pause


def _first_outage(results: Sequence[object]) -> RedisOutage:
    """Why sending or receiving ended; a defect counts as a lost connection, and is logged."""
    for result in results:
        if isinstance(result, RedisOutage):
            return result
    for result in results:
        if isinstance(result, RedisError | OSError):
            return RedisOutage(reason_of(result), result)
    for result in results:
        if isinstance(result, Exception):
            log.error("the connection is given up for a defect", exc_info=result)
            return RedisOutage(repr(result), result)
    return RedisOutage("it was closed")
