"""Rows of scheduled tables on a real server that dies: each slot is acted on once."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path

import pytest
from bot import Lost, Words, connected
from dying_server import AFTER, BEFORE
from served import HERE, Served

from actors.module.module import Module

pytestmark = pytest.mark.crash

WORDS = Words(Module.load("examples.reminders"))
SECOND = 1_000_000


def server_of(tmp_path: Path, store: str) -> Served:
    return Served("examples.reminders", tmp_path / "data", "--store", store, "--no-admin")


async def said_at_least(server: Served, count: int, token: str = "") -> list[int]:
    """The slots that were said, once there are so many."""
    async with connected(WORDS, server, token=token) as bot:
        await bot.subscribe("SELECT * FROM said", "SELECT * FROM reminder")
        await bot.until(lambda: len(bot.rows("said")) >= count)
        return sorted(row.due for row in bot.rows("said"))


def test_an_interval_goes_on_after_the_server_was_killed(tmp_path, store):
    async def begin() -> list[int]:
        async with connected(WORDS, server) as bot:
            await bot.call("remind_every", 1, "breathe")
        return await said_at_least(server, 1)

    server = server_of(tmp_path, store)
    server.start()
    try:
        dues = asyncio.run(begin())
        for _ in range(2):
            server.kill()
            server.start()
            later = asyncio.run(said_at_least(server, len(dues) + 2))
            assert later[: len(dues)] == dues
            dues = later
    finally:
        server.kill()
    steps = [after - before for before, after in pairwise(dues)]
    assert all(step > 0 and step % SECOND == 0 for step in steps)


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
def test_a_server_that_dies_with_the_call_says_it_once(tmp_path, store, moment):
    async def begin() -> None:
        async with connected(WORDS, server) as bot:
            await bot.call("remind_at", time.time_ns() // 1_000 + SECOND // 2, "now")
            await bot.until(lambda: False)

    async def count() -> int:
        async with connected(WORDS, server) as bot:
            await bot.call("remind_at", time.time_ns() // 1_000, "later")
        await said_at_least(server, 2)
        async with connected(WORDS, server) as bot:
            await bot.subscribe("SELECT * FROM said WHERE text = 'now'", "SELECT * FROM reminder")
            assert not bot.rows("reminder")
            return len(bot.rows("said"))

    server = server_of(tmp_path, store)
    server.program = (str(HERE / "dying_server.py"), moment, "remind")
    server.start()
    try:
        with pytest.raises(Lost):
            asyncio.run(begin())
        assert server.exit_code() == -9
        server.program = ("-m", "server")
        server.start()
        assert asyncio.run(count()) == 1
    finally:
        server.kill()
