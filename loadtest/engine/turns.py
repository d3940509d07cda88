"""Turns: when a user makes its next call, and from when on that call's latency counts.

In an open loop users who are free take arrivals in their order. When nobody is free an arrival
waits, and its wait is latency: nothing is left out because the server was slow.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Protocol

from loadtest.engine.arrivals import Arrivals

__all__ = ["ClosedTurns", "OpenTurns", "Turns", "wait_until"]

_NANOS = 1_000_000_000


async def wait_until(moment: int, tick_seconds: float = 0.0) -> None:
    """Wait until a moment of the monotonic clock, in nanoseconds; timers may be early.

    Timers count milliseconds: the rest of one is waited for by looking again and again, which takes
    processor time, unless a tick says that being late by so much does no harm.
    """
    while True:
        left = moment - time.monotonic_ns()
        if left <= 0:
            return
        await asyncio.sleep(max(left / _NANOS, tick_seconds))


class Turns(Protocol):
    """Says when to call. Moments are nanoseconds of the monotonic clock."""

    async def take(self) -> int | None:
        """Wait for the next turn; returns when its call was due, None when the load is over."""


class OpenTurns:
    """Arrivals, shared by all users of a process.

    Args:
        arrivals: the schedule.
        start: its beginning.
        end: what would be due from then on is not made.
    """

    def __init__(self, arrivals: Arrivals, start: int, end: int) -> None:
        self._arrivals = arrivals
        self._start = start
        self._end = end
        self._taken = 0

    async def take(self) -> int | None:
        """Take the oldest arrival that nobody has taken, and wait until it is due."""
        due = self._start + self._arrivals.due(self._taken)
        if due >= self._end:
            return None
        self._taken += 1
        await wait_until(due)
        return due


class ClosedTurns:
    """One user's own turns: as soon as it has thought.

    Args:
        first: when the user begins.
        end: from then on there are no more.
        think: seconds, by chance half as long to half as long again.
        chance: a number from 0 to 1.
    """

    def __init__(
        self, first: int, end: int, think: float, chance: Callable[[], float] = random.random
    ) -> None:
        self._first = first
        self._end = end
        self._think = think
        self._chance = chance

    async def take(self) -> int | None:
        """Think; the call then is due at once."""
        await wait_until(self._first)
        if self._think:
            # Nobody thinks in step with others, and waves of calls would measure just that.
            await asyncio.sleep(self._think * (0.5 + self._chance()))
        now = time.monotonic_ns()
        return now if now < self._end else None
