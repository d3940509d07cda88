"""Where a server runs: on SQLite or on Redis, with the faults that can strike there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from redis_server import RedisServer, redis_server
from served import Served

SERVER = "server"
STORE = "store"

FAULTS = {
    "sqlite-server": ("sqlite", (SERVER,)),
    "redis-server": ("redis", (SERVER,)),
    "redis-store": ("redis", (STORE,)),
    "redis-both": ("redis", (STORE, SERVER)),
}
"""By name: the store, and who is killed."""

_OUTAGE_SECONDS = 0.3
"""Short, so that some outages are waited for and some are not."""


class Place:
    """A server over its store.

    Attributes:
        server: the server, running.
        redis: the server of its store, running; None on SQLite.
        store_url: the store, as the command line wants it.
    """

    def __init__(self, server: Served, redis: RedisServer | None, store_url: str) -> None:
        self.server = server
        self.redis = redis
        self.store_url = store_url
        self.victims: tuple[str, ...] = ()

    def strike(self) -> None:
        """Kill who is to be killed."""
        if STORE in self.victims:
            assert self.redis is not None
            self.redis.kill()
        if SERVER in self.victims:
            self.server.kill()

    async def heal(self) -> None:
        """Start who was killed; the server does not wait for the store."""
        starts = []
        if STORE in self.victims:
            assert self.redis is not None
            starts.append(asyncio.to_thread(self.redis.start))
        if SERVER in self.victims:
            starts.append(asyncio.to_thread(self.server.start))
        await asyncio.gather(*starts)


@contextmanager
def place(module: str, folder: Path, store: str, *flags: str, query: str = "") -> Iterator[Place]:
    """A running server on a store of its own; both are killed in the end."""
    with ExitStack() as stack:
        redis, url = None, store
        if store == "redis":
            redis = stack.enter_context(redis_server(folder / "redis", "--appendfsync", "always"))
            url = redis.url + query
        server = Served(module, folder / "data", "--store", url, *flags)
        stack.callback(server.kill)
        server.start()
        yield Place(server, redis, url)


@contextmanager
def faulty_place(fault: str, module: str, folder: Path, *flags: str) -> Iterator[Place]:
    """A place that a fault of a name will strike."""
    store, victims = FAULTS[fault]
    query = f"?outage_seconds={_OUTAGE_SECONDS}" if victims == (STORE,) else ""
    with place(module, folder, store, *flags, query=query) as made:
        made.victims = victims
        yield made
