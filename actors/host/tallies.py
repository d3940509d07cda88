"""Tallies: what the host counts of calls, rounds and effects; counting is one addition."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.host.histogram import BATCH_BOUNDS, SECONDS_BOUNDS, Histogram

__all__ = ["CallTally", "EffectTally", "RoundTally", "ScheduleTally"]


@dataclass(slots=True)
class CallTally:
    """Calls of one reducer, by how they ended.

    Attributes:
        committed: those that changed what they wanted.
        repeated: those that were answered from their receipt.
        refused: those that the reducer refused.
        failed: those that broke.
    """

    committed: int = 0
    repeated: int = 0
    refused: int = 0
    failed: int = 0


@dataclass(slots=True)
class EffectTally:
    """Runs of one effect.

    Attributes:
        running: those that run now.
        done: those that came to their end.
        failed: those that raised or took too long; their requests come again.
    """

    running: int = 0
    done: int = 0
    failed: int = 0


@dataclass(slots=True)
class ScheduleTally:
    """Slots of one scheduled table.

    Attributes:
        fired: those whose reducer committed.
        failed: those whose reducer refused or broke; they do not come again.
        skipped: those that nobody could fire in time, and nobody wanted afterwards.
        late_seconds: from each fired or failed slot until its reducer ran: the drift.
    """

    fired: int = 0
    failed: int = 0
    skipped: int = 0
    late_seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS_BOUNDS))


@dataclass(slots=True)
class RoundTally:
    """What went to the store.

    Attributes:
        refused: rounds that the store did not take, with those behind them as one.
        seconds: from handing a round over until it was durable; its count is that of the rounds.
        sizes: records of each round; its total is the number of all records.
    """

    refused: int = 0
    seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS_BOUNDS))
    sizes: Histogram = field(default_factory=lambda: Histogram(BATCH_BOUNDS))
