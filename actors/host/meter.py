"""Meter: what the turns of a host take, which of them runs now, and the clocks that tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import length_hint
from typing import Any

from actors.host.core import ActorCore
from actors.host.histogram import TURN_BOUNDS, Histogram
from actors.host.rounds import Rounds
from actors.host.turns import Turn
from actors.host.watch import TurnWatch

__all__ = ["Meter", "Running"]


class Running:
    """The turns that an actor takes now; noted once for all of them, so that it costs nothing."""

    __slots__ = ("_batch", "_messages", "core")

    def __init__(self, core: ActorCore, batch: list[Any], messages: Iterator[Any]) -> None:
        self.core = core
        self._batch = batch
        self._messages = messages

    @property
    def turn(self) -> Turn:
        """The one that runs."""
        turn: Turn = self._batch[len(self._batch) - length_hint(self._messages) - 1]
        return turn


class Meter:
    """What the cells of a host report of their turns; the host is one.

    Attributes:
        clock: microseconds since the Unix epoch.
        stopwatch: seconds, monotonic.
        turn_count: turns that were taken, ever.
        slow_turn_count: those that were over their budget.
        turn_seconds: what each took; cells count, and tell the sum to ``turns_taken``.
        turn_watch: who follows turns.
        running: what runs now.
        rounds: of journal records; there once the host has started.
    """

    rounds: Rounds

    def __init__(self, clock: Callable[[], int], stopwatch: Callable[[], float]) -> None:
        self.clock = clock
        self.stopwatch = stopwatch
        self.turn_count = 0
        self.slow_turn_count = 0
        self.turn_seconds = Histogram(TURN_BOUNDS)
        self.turn_watch: TurnWatch | None = None
        self.running: Running | None = None

    def turns_taken(self, count: int, seconds: float) -> None:
        """Add up what turns took; how long each took has been counted."""
        self.turn_count += count
        self.turn_seconds.total += seconds
