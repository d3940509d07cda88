from __future__ import annotations

import struct
import time
from collections import Counter

import pytest

from loadtest.bot import Bot
from loadtest.calls import Caller, CallRing
from loadtest.errors import CheckError
from loadtest.latency import Latencies
from loadtest.server_process import running_server

ARGUMENTS = ("--module", "examples.bank", "--store", "memory:", "--log-level", "warning")
TRANSFERS = [struct.pack("<IIq", 0, 1, 1 if place % 2 else 1_000) for place in range(10)]
"""Every other one asks for more than there is."""


async def seeded(address) -> Bot:
    bot = await Bot.connect(address)
    await bot.call("seed", struct.pack("<Iq", 2, 100))
    return bot


async def test_calls_that_are_due_wait_for_their_place_and_refusals_are_counted() -> None:
    async with running_server(*ARGUMENTS, "--no-rate-limits") as server:
        bot = await seeded(server.address)
        latencies, refusals = Latencies(), Counter[str]()
        caller = Caller(
            CallRing("transfer", TRANSFERS),
            1,
            latencies,
            clock=time.monotonic_ns,
            on_refusal=lambda code: refusals.update([code]),
        )
        await caller.connect(server.address)
        due = time.monotonic_ns() - 5_000_000_000
        for _ in range(3):
            caller.call(8, due)  # of a ring of ten: two of them have to wait
        await caller.stop()
        assert (caller.answered, len(latencies)) == (24, 24)
        assert latencies.summary().p50 >= 5_000_000
        assert refusals == {"insufficient_funds": 12}
        assert caller.made() == Counter({place: 3 if place < 4 else 2 for place in range(1, 10, 2)})
        rows = sorted(
            struct.unpack("<Iq", row) for row in await bot.query("SELECT * FROM accounts")
        )
        assert rows == [(0, 88), (1, 112)]
        await caller.close()
        await bot.close()


async def test_a_refusal_that_nobody_expects_is_a_failure() -> None:
    async with running_server(*ARGUMENTS, "--no-rate-limits") as server:
        bot = await seeded(server.address)
        caller = Caller(CallRing("transfer", TRANSFERS), 4, Latencies())
        await caller.connect(server.address)
        caller.start()
        with pytest.raises(CheckError, match="insufficient_funds"):
            await caller.stop()
        await caller.close()
        await bot.close()
