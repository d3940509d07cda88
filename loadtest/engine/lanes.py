"""Lanes: connections whose calls are spelled beforehand, many in flight, many in one frame.

What one core can send and check this way is far beyond what a server takes; users that think and
look at rows are ``guests``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

from loadtest.calls import Caller
from loadtest.engine.stage import Stage
from loadtest.engine.turns import wait_until
from loadtest.errors import CheckError
from loadtest.limits import CONNECTS_AT_ONCE, DRAIN_SECONDS_MAX, LANE_TICK_SECONDS

__all__ = ["drive_lanes"]


async def drive_lanes(stage: Stage, lanes: Sequence[Caller]) -> None:
    """Connect, call until the end, wait for every answer, and leave.

    In an open loop the arrivals go round the lanes; in a closed one they come in over the ramp, and
    each keeps ``batch`` calls in flight.

    Raises:
        LoadTestError: a connection ended, or an answer is wrong.
    """
    gate = asyncio.Semaphore(CONNECTS_AT_ONCE)
    async with AsyncExitStack() as stack:
        for lane in lanes:
            stack.push_async_callback(lane.close)
        numbered = zip(lanes, stage.numbers, strict=True)
        await asyncio.gather(*(_enter(stage, lane, number, gate) for lane, number in numbered))
        if stage.plan.is_open:
            await _offer(stage, lanes)
        await wait_until(stage.end)
        try:
            async with asyncio.timeout(DRAIN_SECONDS_MAX):
                for lane in lanes:
                    await lane.stop()
        except TimeoutError:
            raise CheckError(
                f"calls were not answered {DRAIN_SECONDS_MAX:g} s after the end"
            ) from None
    stage.meter.connections -= len(lanes)


async def _enter(stage: Stage, lane: Caller, number: int, gate: asyncio.Semaphore) -> None:
    if not stage.plan.is_open:
        await wait_until(stage.comes_at(number))
    async with gate:
        began = time.monotonic_ns()
        await lane.connect(stage.site.address)
    stage.meter.answered("connect", began)
    stage.meter.connections += 1
    if not stage.plan.is_open:
        lane.start()


async def _offer(stage: Stage, lanes: Sequence[Caller]) -> None:
    """Make each call when it is due; those that have become due meanwhile at once."""
    batch = stage.plan.batch
    arrivals = stage.share_arrivals(stage.worker, stage.plan.processes, batch)
    number = 0
    while (due := stage.start + arrivals.due(number)) < stage.end:
        await wait_until(due, LANE_TICK_SECONDS)
        now = time.monotonic_ns()
        while due <= now:
            lane = lanes[number % len(lanes)]
            lane.call(batch, due)
            if lane.failure is not None:
                raise lane.failure
            number += 1
            due = stage.start + arrivals.due(number)
        # A generator that is late all the time must read its answers all the same.
        await asyncio.sleep(0)
