from __future__ import annotations

import struct

import pytest

from loadtest.bot import Bot
from loadtest.connection import Address
from loadtest.errors import ConnectionEndedError, RefusedError
from loadtest.schema_reader import fetch_schema
from loadtest.server_process import running_server
from protocol.upgrade import Subprotocol

ARGUMENTS = ("--module", "examples.bank", "--store", "memory:", "--database", "bank")


@pytest.mark.parametrize("subprotocol", [Subprotocol.V3_BSATN, Subprotocol.V2_BSATN])
async def test_a_bot_calls_subscribes_and_follows(subprotocol) -> None:
    async with running_server(*ARGUMENTS, "--log-level", "warning") as server:
        schema = await fetch_schema(server.address)
        bot = await Bot.connect(server.address, schema=schema, subprotocol=subprotocol)
        other = await Bot.connect(server.address, schema=schema, subprotocol=subprotocol)
        assert bot.hello.identity != other.hello.identity
        seen = []
        other.watcher = seen.append
        await other.subscribe("SELECT * FROM accounts")
        await bot.call("seed", struct.pack("<Iq", 3, 100))
        await bot.call("transfer", struct.pack("<IIq", 0, 1, 30))
        accounts = other.cache.table("accounts")
        await other.until(lambda: other.commits == 2)
        assert sorted((row.id, row.balance) for row in accounts.values()) == [
            (0, 70),
            (1, 130),
            (2, 100),
        ]
        assert len(seen) == 2
        assert sorted(accounts.rows()) == sorted(await bot.query("SELECT * FROM accounts"))
        assert other.cache.faults() == []
        with pytest.raises(RefusedError) as refused:
            await bot.call("transfer", struct.pack("<IIq", 0, 1, 71))
        assert refused.value.code == "insufficient_funds"
        with pytest.raises(RefusedError, match="subscription"):
            await bot.subscribe("SELECT * FROM nothing")
        again = await Bot.connect(server.address, token=bot.hello.token)
        assert again.hello.identity == bot.hello.identity
        for each in (bot, other, again):
            await each.close()
        with pytest.raises(ConnectionEndedError):
            await bot.call("seed", struct.pack("<Iq", 1, 1))


async def test_a_refused_upgrade_is_an_error_with_its_status() -> None:
    async with running_server(*ARGUMENTS, "--log-level", "warning") as server:
        wrong = Address(server.address.host, server.address.port, "elsewhere")
        with pytest.raises(ConnectionEndedError, match="404"):
            await Bot.connect(wrong)
        with pytest.raises(ConnectionEndedError, match="401"):
            await Bot.connect(server.address, token="forged")
