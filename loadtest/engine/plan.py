"""Plan: how heavy a load is, for how long, and of which shape; the same for every process of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from protocol.upgrade import Subprotocol

__all__ = ["Plan"]

_STORM_PART = 1 / 3
"""Of the measured time: enough before it to compare with, and enough after it to recover in."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of a load.

    Attributes:
        scenario: its name.
        users: at once, all processes together.
        rate: calls that fall due per second, all users together; 0 is a closed loop, in which each
            user calls as soon as the last answer is there and the think time is over.
        ramp: seconds in which the rate rises, and users come in.
        warm_up: seconds before anything counts, the ramp included.
        duration: measured seconds.
        think: seconds between an answer and the next call of a closed loop, by chance half as long
            to half as long again.
        batch: calls in one frame, where the scenario coalesces; they fall due together.
        processes: of the load generator.
        weights: how often each kind of call is made, where a scenario has several.
        alpha: how uneven the choice among many is (Zipf's exponent); 0 is even.
        storm: further connections that all come in at one moment.
        reconnects: whether all users lose their connections at that moment, and come back.
        slow_readers: further connections that subscribe and then do not read.
        watchers: operators who look on in the second half, where a scenario has them.
        party: players of one story.
        protocol: the wire's version.
        run: a word that tells this load's marks from those of others.
    """

    scenario: str
    users: int
    rate: float
    ramp: float = 0.0
    warm_up: float = 0.0
    duration: float = 30.0
    think: float = 0.0
    batch: int = 1
    processes: int = 1
    weights: Mapping[str, int] = field(default_factory=dict)
    alpha: float = 0.0
    storm: int = 0
    reconnects: bool = False
    slow_readers: int = 0
    watchers: int = 1
    party: int = 1
    protocol: str = Subprotocol.V3_BSATN.value
    run: str = ""

    @property
    def is_open(self) -> bool:
        """Whether calls fall due whatever became of those before."""
        return self.rate > 0

    @property
    def subprotocol(self) -> Subprotocol:
        """The wire's version."""
        return Subprotocol(self.protocol)

    @property
    def storm_after(self) -> float:
        """Seconds of measured time before the storm."""
        return self.duration * _STORM_PART

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON; ``Plan(**...)`` makes it again."""
        return asdict(self)
