"""Loads: one run of a case against a server: connect, load, measure, drain, check."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack

from loadtest.bot import Bot
from loadtest.calls import Caller, CallRing
from loadtest.cases import Case, Work
from loadtest.connection import Address
from loadtest.errors import CheckError
from loadtest.latency import Latencies
from loadtest.limits import CONNECTS_AT_ONCE, DRAIN_SECONDS_MAX
from loadtest.measurement import Measurement, Window
from loadtest.server_process import ServerProcess
from loadtest.shared_reader import SharedReader
from loadtest.subscriber import Subscriber

__all__ = ["prepare", "run_case"]

_NANOS = 1_000_000_000
_BALANCE = 1_000_000_000
_CHECKED_USERS = 8


async def prepare(case: Case, address: Address) -> None:
    """Write the rows that the case works on."""
    if case.work is Work.TRANSFER:
        seed = CallRing("seed", [struct.pack("<Iq", case.accounts, _BALANCE)])
        caller = Caller(seed, 1, Latencies())
        await caller.connect(address)
        caller.start()
        await caller.stop()
        await caller.close()


async def run_case(case: Case, server: ServerProcess, window: Window) -> Measurement:
    """Run a case once, on connections of its own.

    Raises:
        CheckError: an answer or a row is wrong, or somebody missed an update.
        ConnectionEndedError: the server closed a connection.
    """
    run = _fan_out if case.subscribers else _calls
    return await run(case, server, window)


async def _calls(case: Case, server: ServerProcess, window: Window) -> Measurement:
    latencies = Latencies()
    callers = [
        Caller(case.ring(number), case.in_flight, latencies) for number in range(case.connections)
    ]
    async with AsyncExitStack() as stack:
        for caller in callers:
            stack.push_async_callback(caller.close)
        confirmed = case.confirmed
        await _few_at_once(
            caller.connect(server.address, confirmed=confirmed) for caller in callers
        )
        if case.work is Work.BUMP:
            await _few_at_once(caller.follow("SELECT * FROM counter") for caller in callers)
        offering = asyncio.create_task(_offer(case, callers)) if case.rate else None
        if offering is None:
            for caller in callers:
                caller.start()
        measurement = await window.measure(
            server, latencies, lambda: sum(caller.answered for caller in callers)
        )
        if offering is not None:
            offering.cancel()
            await asyncio.wait((offering,))
        async with asyncio.timeout(DRAIN_SECONDS_MAX):
            for caller in callers:
                await caller.stop()
    await _check_rows(case, server.address, callers)
    return measurement


async def _offer(case: Case, callers: Sequence[Caller]) -> None:
    """Make each call of an open loop when it is due, for ever.

    It looks at the clock at every turn of the event loop, which takes all of the client's core:
    timers, which count milliseconds, would be seen in the latencies.
    """
    arrivals = case.arrivals()
    seconds, number = next(arrivals)
    due = time.perf_counter_ns() + round(seconds * _NANOS)
    while True:
        await asyncio.sleep(0)
        now = time.perf_counter_ns()
        while due <= now:
            callers[number].call(1, due)
            seconds, number = next(arrivals)
            due += round(seconds * _NANOS)


async def _fan_out(case: Case, server: ServerProcess, window: Window) -> Measurement:
    latencies, sent_at = Latencies(), list[int]()
    subscribers = [_subscriber(sent_at, latencies) for _ in range(case.subscribers)]
    writer = Caller(case.ring(0), case.in_flight, Latencies(), sent_at=sent_at)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(writer.close)
        for member in subscribers:
            stack.push_async_callback(member.close)
        query = "SELECT * FROM accounts"
        await _few_at_once(member.connect(server.address, query) for member in subscribers)
        reader = SharedReader(sent_at, latencies)
        stack.callback(reader.close)
        for member in subscribers:
            member.share(reader)
        # One that decodes everything follows too: its rows in the end are the server's.
        bot = await Bot.connect(server.address)
        stack.push_async_callback(bot.close)
        await bot.subscribe(query)
        await writer.connect(server.address)
        writer.start()
        measurement = await window.measure(
            server, latencies, lambda: sum(member.received for member in subscribers)
        )
        async with asyncio.timeout(DRAIN_SECONDS_MAX):
            await writer.stop()
            await bot.until(lambda: bot.commits == writer.answered)
            await _everything_received(subscribers, writer.answered)
        if sorted(bot.cache.table("accounts").rows()) != sorted(await bot.query(query)):
            raise CheckError("the rows that the updates lead to are not the server's")
    await _check_rows(case, server.address, [])
    return measurement


def _subscriber(sent_at: Sequence[int], latencies: Latencies) -> Subscriber:
    """Records the time from a call to its update, of the oldest one in each message."""

    def record(_data: bytes, count: int) -> None:
        first = subscriber.received - count
        if first < len(sent_at):  # those of no call at all are found in the end
            latencies.record(time.perf_counter_ns() - sent_at[first])

    subscriber = Subscriber(record)
    return subscriber


async def _everything_received(subscribers: list[Subscriber], count: int) -> None:
    """Wait until each subscriber has every update, and has no more than that."""
    for subscriber in subscribers:
        while subscriber.received < count and subscriber.failure is None:
            await subscriber.progress()
        if subscriber.failure is not None:
            raise subscriber.failure
        if subscriber.received != count:
            raise CheckError(f"{subscriber.received} updates of {count} commits")


async def _check_rows(case: Case, address: Address, callers: list[Caller]) -> None:
    """Check what is stored: no money came or went, and every bump was counted once."""
    if case.work is Work.TRANSFER:
        bot = await Bot.connect(address)
        rows = await bot.query("SELECT * FROM accounts")
        await bot.close()
        total = sum(struct.unpack("<Iq", row)[1] for row in rows)
        if total != case.accounts * _BALANCE:
            raise CheckError(f"the balances add up to {total}")
        return
    for caller in callers[:_CHECKED_USERS]:
        bot = await Bot.connect(address, token=caller.token)
        (row,) = await bot.query("SELECT * FROM counter")
        await bot.close()
        (total,) = struct.unpack("<Q", row[-8:])
        if total != caller.answered:
            raise CheckError(f"{caller.answered} bumps were answered, {total} counted")


async def _few_at_once(work: Iterable[Awaitable[object]]) -> None:
    gate = asyncio.Semaphore(CONNECTS_AT_ONCE)

    async def run(one: Awaitable[object]) -> None:
        async with gate:
            await one

    await asyncio.gather(*map(run, work))
