"""Seat: one player in a load: calls are paced, timed and counted, and a referee looks on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, Self

from loadtest.connection import Address
from loadtest.errors import RefusedError
from loadtest.limits import (
    ANSWER_SECONDS_MAX,
    BATTLE_PAUSE_SECONDS,
    USER_CALLS_BURST_MAX,
    USER_CALLS_PER_SECOND_MAX,
)
from loadtest.player import Player
from loadtest.policy import Step
from loadtest.referee import OWN_TABLES, SESSION_TABLES, Referee
from loadtest.tally import Tally
from protocol.schema import ModuleSchema

__all__ = ["Pace", "Seat"]

_TOO_SOON = "limit.rate_exceeded"
_NEVER = {"internal.error", "procedure", "dependency.timeout"}
"""Refusals that no input earns."""


class Pace:
    """Holds one user's calls within the rate that servers take.

    Args:
        now: seconds of any clock that does not go back; the same that ``delay`` is given.
    """

    def __init__(self, now: float) -> None:
        self._credit = float(USER_CALLS_BURST_MAX)
        self._credited_at = now

    def delay(self, now: float) -> float:
        """Take the next call's place; returns how many seconds it has to wait."""
        earned = (now - self._credited_at) * USER_CALLS_PER_SECOND_MAX
        self._credit = min(USER_CALLS_BURST_MAX, self._credit + earned) - 1
        self._credited_at = now
        return max(0.0, -self._credit / USER_CALLS_PER_SECOND_MAX)


class Seat:
    """A connected player. Made by :meth:`take`.

    Attributes:
        player: who calls and what it sees.
        referee: judges every commit that the player sees.
    """

    def __init__(self, player: Player, tally: Tally, think_seconds: float) -> None:
        self.player = player
        self.referee = Referee(player.user_id, player.rows)
        self._tally = tally
        self._think_seconds = think_seconds
        self._pace = Pace(time.monotonic())
        player.watch(self.referee.observe)

    @classmethod
    async def take(
        cls, address: Address, schema: ModuleSchema, tally: Tally, think_seconds: float = 0.0
    ) -> Self:
        """Connect anonymously and follow everything that the referee judges.

        Args:
            address: of the server.
            schema: of its module.
            tally: counts what the player does.
            think_seconds: pause before each call, half as long to half as long again.
        """
        began = time.perf_counter_ns()
        player = await Player.enter(address, schema)
        seat = cls(player, tally, think_seconds)
        await player.subscribe(*OWN_TABLES, *SESSION_TABLES)
        tally.answered("connect and subscribe", time.perf_counter_ns() - began)
        return seat

    async def leave(self) -> None:
        """End the connection, and hand the broken rules in."""
        self._tally.violations += self.referee.violations
        self._tally.violations += self.player.faults()
        await self.player.leave()

    def rows(self, table: str) -> list[Any]:
        """Rows as the player sees them now."""
        return self.player.rows(table)

    async def until(
        self, condition: Callable[[], bool], seconds: float = ANSWER_SECONDS_MAX
    ) -> None:
        """Wait until a condition on the rows holds; raises TimeoutError."""
        await self.player.until(condition, seconds)

    async def do(self, step: Step) -> bool:
        """Make a call; one that comes too soon for the server is made again.

        Returns:
            Whether it was done; only whims are not.

        Raises:
            RefusedError: refused for another reason, and it was no whim.
        """
        if self._think_seconds:
            # Nobody thinks in step with others, and waves of calls would measure just that.
            await asyncio.sleep(self._think_seconds * random.uniform(0.5, 1.5))
        while True:
            await asyncio.sleep(self._pace.delay(time.monotonic()))
            try:
                await self._call(step)
            except RefusedError as refusal:
                self._tally.refusals[refusal.code] += 1
                if refusal.code != _TOO_SOON:
                    if step.is_whim and refusal.code not in _NEVER:
                        return False
                    raise
                await asyncio.sleep(BATTLE_PAUSE_SECONDS)
            else:
                return True

    async def _call(self, step: Step) -> None:
        began = time.perf_counter_ns()
        wrapped = f"{step.name}_and_return"
        try:
            if self.player.can_ask(wrapped):
                await self.player.ask(wrapped, **step.fields)
            else:
                await self.player.call(step.name, **step.fields)
        finally:
            self._tally.answered(step.name, time.perf_counter_ns() - began)
