"""An example on a host of its own, over a store in memory that outlives the host."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from actors.claims import Claims
from actors.errors import ReducerError
from actors.host import Host
from actors.host.caller import Caller
from actors.host.turns import Connect, Disconnect, ReducerCall
from actors.keys import DATABASE
from actors.module.module import Module
from actors.module.types import ConnectionId, Identity
from persistence.memory import MemoryDisk, MemoryStore


def caller(number: int) -> Caller:
    """One of many callers; everybody has one connection."""
    identity = Identity((0xC200 << 240) + number)
    roles = frozenset({"player"})
    claims = Claims("localhost", f"s-{number}", (), identity, roles, None, None, 0, None, "{}")
    return Caller(claims, ConnectionId(number))


class ExampleBench:
    """A running host of an example module."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.key = DATABASE.key("0")

    async def call(self, number: int, name: str, *arguments: object) -> str | None:
        """Call a reducer for a caller; answers why it was refused."""
        endpoint = self.host.reducers[name]
        args = self.host.encode_arguments(name, arguments)
        reply = self.host.future_reply()
        self.host.tell(self.key, ReducerCall(endpoint, arguments, args, caller(number), reply))
        try:
            await reply
        except ReducerError as error:
            return str(error)
        return None

    async def connect(self, number: int) -> None:
        """Let a caller in."""
        reply = self.host.future_reply()
        assert self.host.on_connect is not None
        self.host.tell(self.key, Connect(self.host.on_connect, caller(number), reply))
        await reply

    async def disconnect(self, number: int) -> None:
        """Let a caller go."""
        who = caller(number)
        done = self.host.future()
        turn = Disconnect(
            self.host.on_disconnect,
            who.identity,
            who.connection_id,
            lambda: done.set_result(None),
        )
        self.host.tell(self.key, turn)
        await done

    def rows(self, table: type) -> list[Any]:
        """A table's rows."""
        return list(self.host.core(self.key).database[table])


@asynccontextmanager
async def running_example(
    module: str, disk: MemoryDisk, clock: Callable[[], int] | None = None
) -> AsyncIterator[ExampleBench]:
    """A host over a disk; what it did is on the disk when it ends.

    Without a clock it has one that ticks when it is read.
    """
    store = MemoryStore(disk)
    await store.open()
    now = iter(range(1_700_000_000_000_000, 2_000_000_000_000_000))
    clock = clock or (lambda: next(now))
    host = Host(Module.load(module), store, secret=bytes(32), clock=clock)
    await host.start()
    try:
        yield ExampleBench(host)
    finally:
        await host.stop()
        await store.close()
