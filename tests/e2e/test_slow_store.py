"""A store that takes its time, and one whose settings can lose what it took."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bot import Words, connected
from places import Place, place
from redis_server import redis_server
from served import serving

from actors.module.module import Module

pytestmark = pytest.mark.crash

WORDS = Words(Module.load("ledger_module"))


@contextmanager
def _stopped(here: Place) -> Iterator[None]:
    """Let the store's medium finish no write."""
    if here.redis is not None:
        here.redis.pause()
        yield
        here.redis.resume()
        return
    # Whoever else begins to write into the file makes our writer wait, as a slow disk does, as soon
    # as it files what it has logged.
    path = here.server.data_dir / "journal.sqlite3"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.parametrize("store", ["sqlite", "redis"])
async def test_a_slow_store_is_waited_for_and_named(tmp_path, store):
    with place("ledger_module", tmp_path, store) as here:
        async with connected(WORDS, here.server) as bot, connected(WORDS, here.server) as other:
            await other.subscribe("SELECT * FROM note")
            await bot.call("write_note", 0, 0, 0)
            await other.until(lambda: len(other.rows("note")) == 1)
            with _stopped(here):
                reason = await asyncio.to_thread(here.server.wait_until_ready, ready=False)
                assert reason == "the store is too slow"
                calls = [bot.call("write_note", 0, 0, number) for number in (1, 2)]
                await asyncio.to_thread(here.server.wait_until_ready, ready=False)
                assert [call.done() for call in calls] == [False, False]
                assert len(other.rows("note")) == 1
            await asyncio.gather(*calls)
            await other.until(lambda: len(other.rows("note")) == 3)
            assert await asyncio.to_thread(here.server.wait_until_ready, ready=True) == ""
        await asyncio.to_thread(here.server.stop)
        assert "Traceback" not in here.server.log()


LOSES = {
    ("--appendfsync", "always"): ("appendonly=yes, appendfsync=always", None),
    ("--appendfsync", "everysec"): ("appendonly=yes, appendfsync=everysec", "about one second"),
    ("--appendonly", "no"): ("appendonly=no", "everything since the server's last snapshot"),
}


@pytest.mark.parametrize("settings", LOSES)
def test_settings_that_lose_acknowledged_writes_are_warned_of(tmp_path, settings):
    durability, risk = LOSES[settings]
    with (
        redis_server(tmp_path / "redis", *settings) as redis,
        serving("ledger_module", tmp_path / "data", "--store", redis.url) as server,
    ):
        assert f'durability="{durability}' in server.ready_line
        assert ("acknowledged writes can be lost" in server.log()) is (risk is not None)
        assert risk is None or risk in server.log()
