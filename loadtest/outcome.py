"""Outcome: what a whole load showed: its seconds, what broke, and whether to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loadtest.interval import Interval

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A load that has ended.

    Attributes:
        scenario: its name.
        options: what was asked for, by name, ready for JSON.
        intervals: second by second, ascending, ramp and warm-up included.
        broken: rules that were broken, in words, without repetition; empty when all is well.
        saturated: why the load generator itself was the limit, in words; empty when it was not.
        facts: what the scenario says of itself in the end, by name: totals, slopes, costs.
        server: ready line of the server that was started for it, else its address.
        processes: of the load generator.
        duration: seconds that were to be measured; answers that came after them were late. None
            where the load ends by itself, and every second counts.
    """

    scenario: str
    options: Mapping[str, object]
    intervals: Sequence[Interval]
    broken: Sequence[str] = ()
    saturated: Sequence[str] = ()
    facts: Mapping[str, float | str] = field(default_factory=dict)
    server: str = ""
    processes: int = 1
    duration: float | None = None

    @property
    def measured(self) -> Sequence[Interval]:
        """The seconds that count: without ramp and warm-up."""
        return [interval for interval in self.intervals if interval.second >= 0]
