"""A Redis store as a medium of the conformance kit, and words of the tests of its faults."""

from __future__ import annotations

import asyncio
import itertools
import logging

from store_words import one

from persistence.redis_keys import RedisKeys
from persistence.redis_store import RedisStore
from persistence.redis_url import parse_redis_url

_numbers = itertools.count()


class RedisMedium:
    """One store of many on one server: their names keep them apart."""

    def __init__(self, server, parameters="", name=None):
        self.server = server
        self.name = name or f"store-{next(_numbers)}"
        self.keys = RedisKeys(self.name)
        self.parameters = parameters

    def store(self, parameters="", **options):
        given = "&".join(filter(None, [self.parameters, parameters]))
        return RedisStore(parse_redis_url(f"{self.server.url}?{given}", self.name), **options)

    async def replace_record(self, actor, seq, data):
        key = self.keys.journal(actor)
        standing = self.server.command("HGET", self.keys.rows(actor), "") or b"0 0 0 0"
        base, _, kept, _ = standing.split()
        index = seq - (int(base) - int(kept)) - 1
        self.server.command("LSET", key, index, b"lost" if data is None else data)
        if data is None:
            self.server.command("LREM", key, 1, "lost")


class Flood:
    """Appends to one actor that never wait for each other; outcomes in the order of the appends.

    ``told`` are the numbers of the records in the order in which their outcomes came.
    """

    def __init__(self, store, actor="a", seq=0):
        self.outcomes = []
        self.told = []
        self._store = store
        self._actor = actor
        self._seq = seq

    def pour(self, count):
        for _ in range(count):
            self._seq += 1
            self.outcomes.append(asyncio.get_running_loop().create_future())
            self._store.append([one(self._actor, self._seq)], self._done(self.outcomes[-1]))

    def pour_nothing(self):
        """An empty batch, which tells that those before it are durable."""
        self._store.append([], self._done(asyncio.get_running_loop().create_future()))

    async def settled(self):
        return [await outcome for outcome in self.outcomes]

    def _done(self, outcome):
        def done(error, seq=self._seq):
            self.told.append(seq)
            outcome.set_result(error)

        return done


class Told(logging.Handler):
    """What the store's log tells, as events to wait for."""

    def __init__(self):
        super().__init__()
        self._lines = asyncio.Queue()

    def emit(self, record):
        self._lines.put_nowait(record.getMessage())

    async def until(self, words):
        """The next line with these words in it; lines before it are forgotten."""
        async with asyncio.timeout(30):
            while words not in (line := await self._lines.get()):
                pass
        return line
