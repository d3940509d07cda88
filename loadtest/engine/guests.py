"""Guests: users who come in, call one thing after the other, and leave; each is a coroutine.

What each of them does is a scenario's. When the storm breaks out, all lose their connections at
once, between two calls, and come back as who they were.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from loadtest.engine.stage import Stage
from loadtest.engine.turns import wait_until
from loadtest.errors import CheckError, LoadTestError, RefusedError, TimeIsUpError
from loadtest.limits import CONNECTS_AT_ONCE

__all__ = ["Guest", "play_guests"]


class Guest(ABC):
    """One user of a load.

    Args:
        stage: where it plays.
        number: among all users of the load.

    Attributes:
        calls: whether it takes turns; others stay until the end.
    """

    calls: ClassVar[bool] = True

    def __init__(self, stage: Stage, number: int) -> None:
        self.stage = stage
        self.meter = stage.meter
        self.number = number

    @abstractmethod
    async def enter(self) -> None:
        """Connect, as whom it was if it was here before, and subscribe."""

    async def act(self, due: int) -> None:
        """Make one call that was due then, and note its answer.

        Raises:
            RefusedError: a refusal that says nothing about the server, such as a rate limit.
            CheckError: a rule is broken.
        """
        raise NotImplementedError(f"who has turns has something to do: {due}")

    @abstractmethod
    def cut(self) -> None:
        """Lose the connection."""

    @abstractmethod
    async def leave(self) -> None:
        """Check what can be checked when nothing more is called, and end the connection."""


async def play_guests(stage: Stage, make: Callable[[Stage, int], Guest]) -> None:
    """Let this process's users come in over the ramp, call until the end, and leave together."""
    gate = asyncio.Semaphore(CONNECTS_AT_ONCE)
    stays = await asyncio.gather(*(_stay(make(stage, number), gate) for number in stage.numbers))
    # Whoever leaves first may not take away what others still wait for.
    await asyncio.gather(*(_part(guest) for guest in stays if guest is not None))


async def _stay(guest: Guest, gate: asyncio.Semaphore) -> Guest | None:
    """A guest's time from coming in to its last answer; None when it broke down."""
    try:
        await wait_until(guest.stage.comes_at(guest.number))
        async with gate:
            await _timed(guest, "connect", time.monotonic_ns())
        await _be_there(guest)
    except TimeIsUpError:
        return guest
    except (LoadTestError, TimeoutError, OSError) as error:
        _note(guest, error)
        return None
    return guest


async def _be_there(guest: Guest) -> None:
    quiet = asyncio.Lock()
    try:
        async with asyncio.TaskGroup() as group:
            if guest.stage.plan.reconnects:
                group.create_task(_weather(guest, quiet))
            group.create_task(_call(guest, quiet))
    except* Exception as failures:  # noqa: BLE001 - the first of them is the reason
        raise failures.exceptions[0] from None


async def _call(guest: Guest, quiet: asyncio.Lock) -> None:
    turns = guest.stage.turns(guest.number)
    while guest.calls and (due := await turns.take()) is not None:
        async with quiet:
            try:
                await guest.act(due)
            except RefusedError as refusal:
                guest.meter.failed(refusal.code)
    await wait_until(guest.stage.end)


async def _weather(guest: Guest, quiet: asyncio.Lock) -> None:
    await wait_until(guest.stage.storm)
    async with quiet:
        guest.cut()
        guest.meter.connections -= 1
        await _timed(guest, "reconnect", guest.stage.storm)


async def _timed(guest: Guest, kind: str, due: int) -> None:
    await guest.enter()
    guest.meter.connections += 1
    guest.meter.answered(kind, due)


async def _part(guest: Guest) -> None:
    try:
        await guest.leave()
    except (LoadTestError, TimeoutError, OSError) as error:
        _note(guest, error)
    guest.meter.connections -= 1


def _note(guest: Guest, error: BaseException) -> None:
    """A check tells its rule; anything else that ends a user early is a rule broken as well."""
    if not isinstance(error, CheckError):
        guest.meter.failed(type(error).__name__)
    guest.meter.broke(str(error) or type(error).__name__)
