"""Meter: what the turns of a host take, which of them runs now, and the clocks that tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from actors.host.core import ActorCore
from actors.host.histogram import TURN_BOUNDS, Histogram
from actors.host.rounds import Rounds
from actors.host.turns import Turn
from actors.host.watch import TurnWatch

__all__ = ["Meter", "Running"]


class Running(NamedTuple):
    """A turn that is being taken, and the actor that takes it."""

    core: ActorCore
    turn: Turn


class Meter:
    """What the cells of a host report of their turns; the host is one.

    Attributes:
        clock: microseconds since the Unix epoch.
        stopwatch: seconds, monotonic.
        turn_count: turns that were taken, ever.
        slow_turn_count: those that were over their budget.
        turn_seconds: what each took; cells count, and tell the sum to ``turns_taken``.
        turn_watch: who follows turns.
        running_core: the actor that takes turns now.
        running_turn: which one it takes.
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
        self.running_core: ActorCore | None = None
        self.running_turn: Turn | None = None

    @property
    def running(self) -> Running | None:
        """What runs now; None between turns, whose cells note no more than they must."""
        core, turn = self.running_core, self.running_turn
        return None if core is None or turn is None else Running(core, turn)

    def turns_taken(self, count: int, seconds: float) -> None:
        """Add up what turns took; how long each took has been counted."""
        self.turn_count += count
        self.turn_seconds.total += seconds
