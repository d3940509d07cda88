"""Seat: one player in a load: calls are paced, timed and counted, and a referee looks on.

When to call is said by the player's turns; what for is the policy's; who counts it is the score.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol, Self

from loadtest.connection import Address
from loadtest.engine.turns import ClosedTurns, Turns
from loadtest.errors import RefusedError, TimeIsUpError
from loadtest.limits import (
    ANSWER_SECONDS_MAX,
    BATTLE_PAUSE_SECONDS,
    USER_CALLS_BURST_MAX,
    USER_CALLS_PER_SECOND_MAX,
)
from loadtest.player import Player
from loadtest.policy import Step
from loadtest.referee import OWN_TABLES, SESSION_TABLES, Referee
from protocol.schema import ModuleSchema
from protocol.upgrade import Subprotocol

__all__ = ["Pace", "Score", "Seat", "turns_of_its_own"]

_TOO_SOON = "limit.rate_exceeded"
_NEVER = {"internal.error", "procedure", "dependency.timeout"}
"""Refusals that no input earns."""


class Score(Protocol):
    """Counts what players do. Moments are nanoseconds of the monotonic clock."""

    def answered(self, kind: str, due: int) -> None:
        """Note the answer, now, to a call that was due then."""

    def failed(self, code: str) -> None:
        """Note a refusal."""

    def broke(self, rule: str) -> None:
        """Note a broken rule."""


def turns_of_its_own(think_seconds: float = 0.0) -> Turns:
    """Turns of a player who plays as long as it likes, and thinks before each call."""
    return ClosedTurns(0, sys.maxsize, think_seconds)


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

    def __init__(self, player: Player, score: Score, turns: Turns) -> None:
        self.player = player
        self.referee = Referee(player.user_id, player.rows)
        self._score = score
        self._turns = turns
        self._pace = Pace(time.monotonic())
        player.watch(self.referee.observe)

    @classmethod
    async def take(
        cls,
        address: Address,
        schema: ModuleSchema,
        score: Score,
        turns: Turns | None = None,
        subprotocol: Subprotocol = Subprotocol.V3_BSATN,
    ) -> Self:
        """Connect anonymously and follow everything that the referee judges.

        Args:
            address: of the server.
            schema: of its module.
            score: counts what the player does.
            turns: when it calls; as soon as it can without them.
            subprotocol: the wire's version.
        """
        began = time.monotonic_ns()
        player = await Player.enter(address, schema, subprotocol=subprotocol)
        seat = cls(player, score, turns or turns_of_its_own())
        await player.subscribe(*OWN_TABLES, *SESSION_TABLES)
        score.answered("connect and subscribe", began)
        return seat

    async def leave(self) -> None:
        """End the connection, and hand the broken rules in."""
        for rule in (*self.referee.violations, *self.player.faults()):
            self._score.broke(rule)
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
        """Make a call in the player's next turn; one that comes too soon is made again.

        Returns:
            Whether it was done; only whims are not.

        Raises:
            RefusedError: refused for another reason, and it was no whim.
            TimeIsUpError: there are no more turns.
        """
        await asyncio.sleep(self._pace.delay(time.monotonic()))
        due = await self._turns.take()
        if due is None:
            raise TimeIsUpError("the load is over")
        while True:
            try:
                await self._call(step, due)
            except RefusedError as refusal:
                self._score.failed(refusal.code)
                if refusal.code != _TOO_SOON:
                    if step.is_whim and refusal.code not in _NEVER:
                        return False
                    raise
                await asyncio.sleep(BATTLE_PAUSE_SECONDS + self._pace.delay(time.monotonic()))
                due = time.monotonic_ns()
            else:
                return True

    async def _call(self, step: Step, due: int) -> None:
        wrapped = f"{step.name}_and_return"
        try:
            if self.player.can_ask(wrapped):
                await self.player.ask(wrapped, **step.fields)
            else:
                await self.player.call(step.name, **step.fields)
        finally:
            self._score.answered(step.name, due)
