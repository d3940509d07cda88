"""Lanes: connections that keep many calls in flight and look at nothing but the answers.

In v3 the calls are spelled beforehand, many in one frame: what one core can send and check this way
is far beyond what a server takes. In other versions each call is made by itself. Users that think
and look at rows are ``guests``.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Protocol

from loadtest.calls import Caller, CallRing
from loadtest.connection import Address
from loadtest.engine.plain_lane import PlainLane
from loadtest.engine.stage import Stage
from loadtest.engine.turns import wait_until
from loadtest.errors import CheckError, LoadTestError
from loadtest.limits import CONNECTS_AT_ONCE, DRAIN_SECONDS_MAX, LANE_TICK_SECONDS
from protocol.upgrade import Subprotocol

__all__ = ["Lane", "drive_lanes", "make_lane"]


class Lane(Protocol):
    """A connection whose calls go round one list of arguments; a ``Caller`` or a ``PlainLane``."""

    failure: LoadTestError | None

    async def connect(self, address: Address) -> None:
        """Open the connection and wait for the server's first message."""

    def start(self) -> None:
        """Keep the plan's number of calls in flight, from now on."""

    def call(self, count: int, due: int) -> None:
        """Make calls that were due at a moment of the clock."""

    def made(self) -> Counter[int]:
        """How often the call with each of the arguments has committed; nothing is in flight."""

    async def stop(self) -> None:
        """Make no more calls, and wait until all are answered; raises what went wrong."""

    async def close(self) -> None:
        """End the connection."""


def make_lane(stage: Stage, reducer: str, arguments: Sequence[bytes]) -> Lane:
    """A lane of the plan's version of the wire; what it finds goes to the meter.

    Args:
        stage: where it plays.
        reducer: what is called, and the kind of the calls.
        arguments: BSATN of each call's arguments, as a ``CallRing`` takes them.
    """
    meter, version = stage.meter, stage.plan.subprotocol
    in_flight = min(stage.plan.batch, len(arguments))
    latencies = meter.latencies(reducer)
    if version is Subprotocol.V3_BSATN:
        ring = CallRing(reducer, arguments)
        return Caller(ring, in_flight, latencies, clock=time.monotonic_ns, on_refusal=meter.failed)
    return PlainLane(
        reducer,
        arguments,
        in_flight,
        latencies,
        on_refusal=meter.failed,
        schema=stage.schema,
        subprotocol=version,
    )


async def drive_lanes(stage: Stage, lanes: Sequence[Lane]) -> None:
    """Connect, call until the end, wait for every answer, and leave.

    In an open loop the arrivals go round the lanes; in a closed one they come in over the ramp, and
    each keeps ``batch`` calls in flight.

    Raises:
        LoadTestError: a connection ended, or an answer is wrong.
    """
    gate = asyncio.Semaphore(CONNECTS_AT_ONCE)
    async with AsyncExitStack() as stack:
        numbered = zip(lanes, stage.numbers, strict=True)
        await asyncio.gather(
            *(_enter(stage, lane, number, gate, stack) for lane, number in numbered)
        )
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


async def _enter(
    stage: Stage, lane: Lane, number: int, gate: asyncio.Semaphore, stack: AsyncExitStack
) -> None:
    if not stage.plan.is_open:
        await wait_until(stage.comes_at(number))
    async with gate:
        began = time.monotonic_ns()
        await lane.connect(stage.site.address)
    stack.push_async_callback(lane.close)
    stage.meter.answered("connect", began)
    stage.meter.connections += 1
    if not stage.plan.is_open:
        lane.start()


async def _offer(stage: Stage, lanes: Sequence[Lane]) -> None:
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
