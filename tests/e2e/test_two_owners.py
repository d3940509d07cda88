"""Two servers that are started at once on one store: one serves, the other says why it does not."""

from __future__ import annotations

import asyncio

import pytest
from bot import Words, connected
from redis_server import redis_server
from served import Served, first_to_end

from actors.module.module import Module

pytestmark = pytest.mark.crash

WORDS = Words(Module.load("ledger_module"))


async def test_two_servers_started_at_once_on_one_redis(tmp_path):
    with redis_server(tmp_path / "redis", "--appendfsync", "always") as redis:
        flags = ("--store", redis.url)
        servers = [Served("ledger_module", tmp_path / name, *flags) for name in ("one", "two")]
        try:
            for server in servers:
                server.begin()
            loser = await asyncio.to_thread(first_to_end, servers)
            (winner,) = [server for server in servers if server is not loser]
            assert loser.exit_code() == 2
            assert "genarrative: owner of epoch 1 was fenced by the owner of epoch 2" in loser.log()
            winner.expect_ready()
            async with connected(WORDS, winner) as bot:
                await bot.call("write_note", 0, 0, 0)
            assert winner.get("/readyz") == (200, {"status": "ready"})
            winner.stop()
        finally:
            for server in servers:
                server.kill()


def test_two_servers_started_at_once_on_one_folder(tmp_path):
    servers = [Served("ledger_module", tmp_path / "data") for _ in range(2)]
    try:
        for server in servers:
            server.begin()
        loser = first_to_end(servers)
        (winner,) = [server for server in servers if server is not loser]
        assert loser.exit_code() == 2
        assert "genarrative: data folder is locked" in loser.log()
        winner.expect_ready()
        winner.stop()
    finally:
        for server in servers:
            server.kill()
