from __future__ import annotations

import struct
import time
from collections import Counter

import pytest

from loadtest.bot import Bot
from loadtest.engine.plain_lane import PlainLane
from loadtest.errors import ConnectionEndedError
from loadtest.latency import Latencies
from loadtest.schema_reader import fetch_schema
from loadtest.server_process import ServerProcess, running_server
from protocol.upgrade import Subprotocol

ARGUMENTS = ("--module", "examples.bank", "--store", "memory:", "--log-level", "warning")
TRANSFERS = [struct.pack("<IIq", 0, 1, 1 if place % 2 else 1_000) for place in range(10)]
"""Every other one asks for more than there is."""


async def connected(
    server: ServerProcess, in_flight: int, subprotocol: Subprotocol = Subprotocol.V1_JSON
) -> tuple[PlainLane, Latencies, Counter[str]]:
    bot = await Bot.connect(server.address)
    await bot.call("seed", struct.pack("<Iq", 2, 500))
    await bot.close()
    latencies, refusals = Latencies(), Counter[str]()
    lane = PlainLane(
        "transfer",
        TRANSFERS,
        in_flight,
        latencies,
        on_refusal=lambda code: refusals.update([code]),
        schema=await fetch_schema(server.address),
        subprotocol=subprotocol,
    )
    await lane.connect(server.address)
    return lane, latencies, refusals


@pytest.mark.parametrize("version", [each for each in Subprotocol if each.value[:2] != "v3"])
async def test_calls_that_are_due_are_made_in_order_and_refusals_counted(version) -> None:
    async with running_server(*ARGUMENTS, "--no-rate-limits") as server:
        lane, latencies, refusals = await connected(server, 1, version)
        due = time.monotonic_ns() - 5_000_000_000
        for _ in range(3):
            lane.call(8, due)  # of a ring of ten: fourteen of them have to wait
        await lane.stop()
        assert len(latencies) == 24
        assert latencies.summary().p50 >= 5_000_000
        assert refusals == {"insufficient_funds": 12}
        assert lane.made() == Counter({place: 3 if place < 4 else 2 for place in range(1, 10, 2)})
        bot = await Bot.connect(server.address)
        rows = await bot.query("SELECT * FROM accounts")
        assert sorted(struct.unpack("<Iq", row) for row in rows) == [(0, 488), (1, 512)]
        await bot.close()
        await lane.close()


async def test_a_closed_loop_goes_on_until_it_is_stopped() -> None:
    async with running_server(*ARGUMENTS, "--no-rate-limits") as server:
        lane, latencies, _ = await connected(server, 4)
        watch = await Bot.connect(server.address)
        await watch.subscribe("SELECT * FROM accounts")
        lane.start()
        await watch.until(lambda: watch.commits >= 20)
        await lane.stop()
        made = sum(lane.made().values())
        assert len(latencies) >= made >= 20
        await watch.until(lambda: watch.commits == made)
        await watch.close()
        await lane.close()


async def test_calls_whose_answers_do_not_come_are_a_failure() -> None:
    async with running_server(*ARGUMENTS, "--no-rate-limits") as server:
        lane, _, _ = await connected(server, 4)
        lane.start()
        await server.stop()
        with pytest.raises(ConnectionEndedError, match="closed by the server"):
            await lane.stop()
        await lane.close()
