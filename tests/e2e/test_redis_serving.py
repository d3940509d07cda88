"""A server whose actors are kept in Redis, and what its clients meet when Redis goes away."""

from __future__ import annotations

import asyncio

import pytest
from bot import Lost, Refused, Words, connected
from redis_server import redis_server
from served import serving

from actors.module.module import Module

pytestmark = pytest.mark.crash


@pytest.fixture
def redis(tmp_path):
    with redis_server(tmp_path / "redis", "--appendfsync", "always") as server:
        yield server


@pytest.fixture(scope="module")
def words():
    return Words(Module.load("ledger_module"))


def served(tmp_path, url):
    return serving("ledger_module", tmp_path / "data", "--no-rate-limits", "--store", url)


async def notes(words, server):
    async with connected(words, server) as bot:
        await bot.subscribe("SELECT * FROM note")
        return [row.number for row in bot.rows("note")]


def test_what_was_acknowledged_outlives_both_servers(tmp_path, redis, words):
    async def play():
        async with connected(words, server) as bot:
            await asyncio.gather(*[bot.call("write_note", 0, 0, n) for n in range(200)])
        redis.kill()
        server.kill()
        redis.start()
        server.start()
        assert await notes(words, server) == list(range(200))

    with served(tmp_path, redis.url) as server:
        asyncio.run(play())
        assert "acknowledged writes can be lost" not in server.log()


def test_calls_wait_for_a_redis_that_is_restarted(tmp_path, redis, words):
    async def play():
        async with connected(words, server) as bot:
            await bot.call("write_note", 0, 0, 0)
            redis.kill()
            calls = [bot.call("write_note", 0, 0, n) for n in range(1, 50)]
            await asyncio.sleep(0)
            await asyncio.to_thread(redis.start)
            await asyncio.gather(*calls)
        assert await notes(words, server) == list(range(50))

    with served(tmp_path, redis.url) as server:
        asyncio.run(play())


def test_service_resumes_after_a_long_absence(tmp_path, redis, words):
    async def play():
        async with connected(words, server) as bot:
            await bot.call("write_note", 0, 0, 0)
            redis.kill()
            with pytest.raises(Lost):
                await bot.call("write_note", 0, 0, 1)
        # Nobody is left waiting: who comes now is told at once.
        with pytest.raises(Refused, match=r"^state\.actor_unavailable"):
            async with connected(words, server) as bot:
                await bot.call("write_note", 0, 0, 2)
        await asyncio.to_thread(redis.start)
        number = 3
        while True:
            try:
                async with connected(words, server) as bot:
                    await bot.call("write_note", 0, 0, number)
            except (Lost, Refused):
                number += 1
                continue
            break
        assert await notes(words, server) == [0, number]

    with served(tmp_path, f"{redis.url}?outage_seconds=0.5") as server:
        asyncio.run(play())
        assert "is away" in server.log()


def test_the_password_is_shown_nowhere(tmp_path, words):
    async def play():
        async with connected(words, server) as bot:
            await bot.call("write_note", 0, 0, 0)

    arguments = ("--requirepass", "hunter2", "--appendfsync", "everysec")
    with redis_server(tmp_path / "redis", *arguments) as redis:
        url = redis.url.replace("//", "//:hunter2@")
        with served(tmp_path, url) as server:
            asyncio.run(play())
            redis.kill()
            redis.start()
            asyncio.run(play())
            log = server.log()
    assert "acknowledged writes can be lost" in log
    assert "one second" in log
    assert "hunter2" not in log
