"""Turns at models: a request waits for its slot, is measured, and is paid from its user's day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from actors.errors import TextModelError
from server.effects.budgets import Budgets
from server.effects.counts import ModelCounts
from server.effects.slots import Slots

__all__ = ["Turn", "Turns"]


@dataclass(slots=True)
class Turn:
    """One request that runs.

    Attributes:
        prompt_tokens: what its prompt took, as far as it is known.
        answer_tokens: what its answer took.
        cost: what it cost.
    """

    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost: float = 0.0


class Turns:
    """Takes turns among users, within their budgets.

    Args:
        slots: who may run.
        budgets: what users may use.
        counts: what is counted of all.
    """

    def __init__(self, slots: Slots, budgets: Budgets, counts: ModelCounts) -> None:
        self._slots = slots
        self._budgets = budgets
        self._counts = counts

    @asynccontextmanager
    async def turn(self, user_id: str) -> AsyncIterator[Turn]:
        """Wait for a user's turn, and have it for the body, which fills in what it takes.

        Raises:
            TextModelError: ``limit.quota_exceeded`` or ``dependency.unavailable``: there is none.
        """
        turn = Turn()
        has_begun = False
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with self._slots.slot(user_id):
                self._budgets.check(user_id)
                has_begun, began = True, clock()
                self._measure()
                try:
                    yield turn
                except TextModelError:
                    self._counts.failures += 1
                    raise
                finally:
                    self._counts.seconds += clock() - began
                    self._pay(user_id, turn)
        except TextModelError:
            self._counts.refusals += not has_begun
            raise
        finally:
            self._counts.requests += has_begun
            self._measure()

    def _measure(self) -> None:
        self._counts.running = self._slots.running
        self._counts.waiting = self._slots.asking - self._slots.running

    def _pay(self, user_id: str, turn: Turn) -> None:
        self._budgets.add(user_id, turn.prompt_tokens + turn.answer_tokens, turn.cost)
        self._counts.prompt_tokens += turn.prompt_tokens
        self._counts.answer_tokens += turn.answer_tokens
        self._counts.cost += turn.cost
