"""Scenario: what users of a load do, as data: a module, kinds of calls, and three coroutines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from loadtest.engine.stage import Site, Stage
from loadtest.interval import Interval

__all__ = ["Facts", "Finding", "Scenario", "Shape"]

Facts: TypeAlias = Mapping[str, float | str]
"""What a scenario says of itself in the end, by name."""


class Shape(Enum):
    """Shapes of load that not every scenario can take."""

    STORM = "connect storm"
    RECONNECTS = "reconnect storm"
    SLOW_READERS = "slow readers"
    PARTIES = "parties"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the processes of a load found, for the last check.

    Attributes:
        measured: the seconds that count.
        notes: sums of what all processes noted, by name.
    """

    measured: Sequence[Interval]
    notes: Mapping[str, int]


async def _nothing_to_prepare(_site: Site) -> None:
    """Most scenarios take the server as it is."""


async def _nothing_to_check(_site: Site, _finding: Finding) -> Facts:
    return {}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario.

    Attributes:
        name: for the command line.
        title: for people.
        module: the Python module that the server must serve.
        play: one process's part, from coming in to leaving; broken rules go to the meter.
        prepare: done once, before.
        check: done once, after everybody has left. Raises CheckError for a broken rule.
        kinds: of calls, with the weights that a plan has when it names none.
        rate: calls per second of one user, when the command line names none.
        is_rate_of_all: whether that rate is that of all users together.
        arguments: of the server that is started for it.
        bystanders: queries of those who come in by storm, or read slowly.
        shapes: those that it can take.
        has_service: whether it needs a token of the role ``service``.
    """

    name: str
    title: str
    module: str
    play: Callable[[Stage], Awaitable[None]]
    prepare: Callable[[Site], Awaitable[None]] = _nothing_to_prepare
    check: Callable[[Site, Finding], Awaitable[Facts]] = _nothing_to_check
    kinds: Mapping[str, int] = field(default_factory=dict)
    rate: float = 1.0
    is_rate_of_all: bool = False
    arguments: tuple[str, ...] = ()
    bystanders: tuple[str, ...] = ()
    shapes: frozenset[Shape] = frozenset()
    has_service: bool = False

    def rate_for(self, users: int) -> float:
        """Calls per second of so many users, when the command line names none."""
        return self.rate if self.is_rate_of_all else self.rate * users
