"""Redis store: the port on a Redis server, or on the node of a cluster that has the store's slot.

One owner talks over one connection. A batch is written by one function on the server, which
compares epoch and sequence numbers first (``redis_functions.lua``); all batches of a turn of the
loop go as one call, and several calls are on their way at once. ``redis_queue`` keeps their order,
``redis_line`` their connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from persistence.errors import (
    CorruptActorError,
    FencedError,
    StoreClosedError,
    StoreError,
    StoreOverloadedError,
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
    weigh,
    weigh_changes,
)
from persistence.limits import (
    CHANGES_BYTES_MAX,
    LOAD_GROUP_MAX,
    META_KEY_BYTES_MAX,
    PENDING_BYTES_MAX,
)
from persistence.record import RowChange
from persistence.redis_calls import ReadCall
from persistence.redis_connection import RedisConnector
from persistence.redis_faults import RedisOutage
from persistence.redis_keys import RedisKeys, read_snapshot
from persistence.redis_library import Argument, command, function_call
from persistence.redis_line import RedisLine
from persistence.redis_queue import RedisQueue
from persistence.redis_url import RedisAddress
from persistence.retention import DEFAULT_RETENTION, RetentionPolicy, now_micros
from persistence.store import Done, PlainAppend, Snapshot, StoreDescription, is_actor_name
from persistence.tail import verify_tail

__all__ = ["RedisStore"]

_T = TypeVar("_T")


class RedisStore:
    """``Store`` on Redis 7.0 or newer. ``retention`` and ``clock`` as in the SQLite store.

    A server that goes away is waited for, ``address.outage_seconds`` long. Then what waits fails,
    loads and batches fail at once, and once the server is back all goes on after the ``reset``.
    A server that comes back without batches it had acknowledged fails the next batch, so that
    every actor is loaded again.
    """

    def __init__(
        self,
        address: RedisAddress,
        *,
        retention: RetentionPolicy = DEFAULT_RETENTION,
        clock: Callable[[], int] = now_micros,
        pending_bytes_max: int = PENDING_BYTES_MAX,
        changes_bytes_max: int = CHANGES_BYTES_MAX,
    ) -> None:
        self._address = address
        self._keys = RedisKeys(address.name)
        self._bounds_of = retention.bounds_by(clock)
        self._pending_bytes_max = pending_bytes_max
        self._changes_bytes_max = changes_bytes_max
        self._changes_bytes = 0
        self._epoch = 0
        self._line: RedisLine | None = None
        self._queue: RedisQueue | None = None

    async def open(self) -> StoreDescription:
        """See ``Store.open``. Waits for a server that starts; raises StoreRefusedError as well."""
        assert self._queue is None, "opened already"
        connector = RedisConnector(self._address)
        line = RedisLine(self._address, connector)
        attached = await line.open()
        try:
            durability, risk = await connector.describe(attached.connection)
        except RedisOutage as outage:
            await attached.connection.disconnect(nowait=True)
            raise StoreWriteError(f"{self._address}: {outage.reason}") from outage
        except BaseException:
            await attached.connection.disconnect(nowait=True)
            raise
        queue = RedisQueue(self._keys, self._bounds_of, line.wake)
        queue.attach(attached.batch)
        line.start(attached, queue)
        self._line, self._queue = line, queue
        self._epoch = attached.link.epoch
        return StoreDescription("redis", str(self._address), durability, self._epoch, risk)

    def append(self, batch: Sequence[PlainAppend], done: Done) -> None:
        """See ``Store.append``."""
        queue = self._queue
        if queue is None:
            asyncio.get_running_loop().call_soon(done, StoreClosedError())
            return
        weight_bytes = weigh(batch)
        refusal: StoreError | None = None
        if queue.pending_bytes + weight_bytes > self._pending_bytes_max:
            refusal = StoreOverloadedError(queue.pending_bytes, self._pending_bytes_max)
            batch, weight_bytes = (), 0
        queue.put(AppendJob(batch, done, weight_bytes, refusal))

    def pending_bytes(self) -> int:
        """See ``Store.pending_bytes``."""
        return 0 if self._queue is None else self._queue.pending_bytes

    async def reset(self) -> None:
        """See ``Store.reset``."""
        await self._written(self._require_open(), lambda done: BarrierJob(Barrier.RESET, done))

    async def load(self, actors: Sequence[str]) -> list[Snapshot | CorruptActorError]:
        """See ``Store.load``. Up to ``LOAD_GROUP_MAX`` actors are of one moment together."""
        self._require_open()
        answers: dict[str, Snapshot | CorruptActorError] = {}
        names = []
        for actor in dict.fromkeys(actors):
            if is_actor_name(actor):
                names.append(actor)
            else:
                answers[actor] = Snapshot(actor, 0, 0, [], [])
        for start in range(0, len(names), LOAD_GROUP_MAX):
            await self._load(names[start : start + LOAD_GROUP_MAX], answers)
        return [answers[actor] for actor in actors]

    def checkpoint(
        self,
        actor: str,
        through: int,
        done: Done,
        changes: Sequence[RowChange] | None = None,
        time: int = 0,
    ) -> None:
        """See ``Store.checkpoint``."""
        if self._queue is None:
            asyncio.get_running_loop().call_soon(done, StoreClosedError())
            return
        weight_bytes = 0 if changes is None else weigh_changes(changes)
        if self._changes_bytes + weight_bytes > self._changes_bytes_max:
            changes, weight_bytes = None, 0
        self._changes_bytes += weight_bytes

        def settled(error: StoreError | None) -> None:
            self._changes_bytes -= weight_bytes
            done(error)

        self._queue.put(FoldJob(actor, through, settled, None, changes, time, weight_bytes))

    async def history(self, actor: str, after: int, limit: int) -> list[bytes]:
        """See ``Store.history``."""
        self._require_open()
        if not is_actor_name(actor):
            return []
        keys = (self._keys.journal(actor), self._keys.rows(actor))
        reply = await self._asked(function_call("history", keys, after, limit, reads=True))
        assert isinstance(reply, list)
        before, records = reply
        return verify_tail(actor, before, enumerate(records, before + 1))

    async def due(self, before: int, limit: int) -> list[tuple[str, int]]:
        """See ``Store.due``."""
        words = ("(0", before, "BYSCORE", "LIMIT", 0, limit, "WITHSCORES")
        found = await self._words("ZRANGE", self._keys.wakes, *words)
        return [(n.decode(), int(w)) for n, w in zip(found[::2], found[1::2], strict=True)]

    async def actors(self, prefix: str, after: str, limit: int) -> list[str]:
        """See ``Store.actors``."""
        start = b"(" + after.encode() if after >= prefix else b"[" + prefix.encode()
        words = (start, _end(prefix), "BYLEX", "LIMIT", 0, limit)
        return [name.decode() for name in await self._words("ZRANGE", self._keys.names, *words)]

    async def trim(self, after: str, limit: int) -> str:
        """See ``Store.trim``."""
        names = await self.actors("", after, limit)
        await self._written(self._require_open(), lambda done: TrimJob(names, done))
        return names[-1] if len(names) == limit else ""

    async def read_meta(self, key: str) -> bytes | None:
        """See ``Store.read_meta``."""
        self._require_open()
        value = await self._asked(command("HGET", self._keys.meta, key))
        assert value is None or isinstance(value, bytes)
        return value

    async def write_meta(self, key: str, value: bytes) -> None:
        """See ``Store.write_meta``."""
        assert 0 < len(key.encode()) <= META_KEY_BYTES_MAX
        await self._written(self._require_open(), lambda done: MetaJob(key, value, done))

    async def check_owner(self) -> None:
        """See ``Store.check_owner``."""
        self._require_open()
        epoch = await self._asked(command("HGET", self._keys.owner, "epoch"))
        assert epoch is None or isinstance(epoch, bytes)
        newer = int(epoch or 0)
        if newer != self._epoch:
            raise FencedError(self._epoch, newer)

    async def close(self) -> None:
        """See ``Store.close``. With the server away, what waits fails after ``outage_seconds``."""
        queue, self._queue = self._queue, None
        if queue is None:
            return
        await self._written(queue, lambda done: BarrierJob(Barrier.CLOSE, done))
        assert self._line is not None
        await self._line.stop()

    def _require_open(self) -> RedisQueue:
        if self._queue is None:
            raise StoreClosedError
        return self._queue

    async def _written(self, queue: RedisQueue, job: Callable[[Done], Job]) -> None:
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(error: StoreError | None) -> None:
            _resolve(settled, error)

        queue.put(job(done))
        await settled

    async def _asked(self, packed: bytes) -> object:
        answered: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def take(answer: object) -> None:
            _resolve(answered, answer)

        self._require_open().read(ReadCall(packed, take, take))
        return await answered

    async def _words(self, *words: Argument) -> list[bytes]:
        reply = await self._asked(command(*words))
        assert isinstance(reply, list)
        return reply

    async def _load(
        self, names: Sequence[str], answers: dict[str, Snapshot | CorruptActorError]
    ) -> None:
        keys = [key for name in names for key in (self._keys.journal(name), self._keys.rows(name))]
        reply = await self._asked(function_call("load", keys, reads=True))
        assert isinstance(reply, list)
        for name, (rows, journal) in zip(names, reply, strict=True):
            try:
                answers[name] = read_snapshot(name, rows, journal)
            except CorruptActorError as error:
                answers[name] = error


def _resolve(future: asyncio.Future[_T], answer: _T | StoreError) -> None:
    if future.done():
        # Its caller was cancelled.
        return
    if isinstance(answer, StoreError):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _end(prefix: str) -> bytes:
    """Bound above all names with this prefix: 0xFF is in no UTF-8."""
    return b"(" + prefix.encode() + b"\xff"
