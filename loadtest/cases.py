"""Cases: which loads are measured, and what they are expected to reach on two cores."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from random import Random

from loadtest.calls import CallRing

__all__ = ["CASES", "Case", "Work"]

_SEED = 20_240_817
_RING = 256


class Work(Enum):
    """What is called; the value is the Python module that is served."""

    TRANSFER = "examples.bank"
    """Transfers between random accounts of one actor."""
    BUMP = "counter_module"
    """A counter in the caller's own actor."""


@dataclass(frozen=True, slots=True)
class Case:
    """A load.

    Attributes:
        name: for the command line and the report.
        title: for people.
        work: what is called.
        connections: that call.
        in_flight: unanswered calls of each; answered ones are replaced in one frame.
        subscribers: connections that follow the accounts; the deliveries are then measured.
        accounts: rows of the bank.
        confirmed: answers wait until what they tell is durable.
        rate: of an open loop, calls per second at random moments; 0 for a closed one, in which the
            next call waits for an answer.
        target: operations per second on the reference machine, compiled and durable.
        target_p99_millis: of an open loop, from the moment at which a call was due.
    """

    name: str
    title: str
    work: Work
    connections: int
    in_flight: int
    subscribers: int = 0
    accounts: int = 10_000
    confirmed: bool = True
    rate: int = 0
    target: int | None = None
    target_p99_millis: float | None = None

    def ring(self, number: int) -> CallRing:
        """The calls of one connection, the same in every run."""
        if self.work is Work.BUMP:
            return CallRing("bump", [struct.pack("<Q", 1)] * _RING)
        random = Random(_SEED + number)
        pairs = [random.sample(range(self.accounts), 2) for _ in range(_RING)]
        return CallRing("transfer", [struct.pack("<IIq", *pair, 1) for pair in pairs])

    def arrivals(self) -> Iterator[tuple[float, int]]:
        """Seconds from one call of an open loop to the next, and which connection makes it.

        Moments of a Poisson process, the same in every run.
        """
        random = Random(_SEED)
        while True:
            yield random.expovariate(self.rate), random.randrange(self.connections)


CASES = (
    Case(
        "coalesced-bank",
        "64 connections, 40 calls in flight, one actor",
        Work.TRANSFER,
        64,
        40,
        target=40_000,
    ),
    Case(
        "coalesced-users",
        "64 connections, 40 calls in flight, an actor each",
        Work.BUMP,
        64,
        40,
        target=120_000,
    ),
    Case(
        "single-bank-64",
        "64 connections, 1 call in flight, one actor",
        Work.TRANSFER,
        64,
        1,
        target=20_000,
    ),
    Case(
        "single-users-64",
        "64 connections, 1 call in flight, an actor each",
        Work.BUMP,
        64,
        1,
        target=45_000,
    ),
    Case(
        "volatile-users-64",
        "64 connections, 1 call in flight, an actor each, answered before it is durable",
        Work.BUMP,
        64,
        1,
        confirmed=False,
        target=80_000,
    ),
    Case(
        "single-bank-512",
        "512 connections, 1 call in flight, one actor",
        Work.TRANSFER,
        512,
        1,
        target=20_000,
    ),
    Case(
        "single-users-512",
        "512 connections, 1 call in flight, an actor each",
        Work.BUMP,
        512,
        1,
        target=20_000,
    ),
    Case(
        "rated-users-22500",
        "64 connections, 22,500 calls/s at random moments, an actor each",
        Work.BUMP,
        64,
        1,
        rate=22_500,
        target_p99_millis=5,
    ),
    Case(
        "rated-users-50000",
        "64 connections, 50,000 calls/s at random moments, an actor each",
        Work.BUMP,
        64,
        1,
        rate=50_000,
    ),
    Case(
        "fanout-full",
        "1,000 subscribers of one table, writer with 40 in flight",
        Work.TRANSFER,
        1,
        40,
        subscribers=1_000,
        accounts=100,
        target=800_000,
    ),
    Case(
        "fanout-single",
        "1,000 subscribers of one table, writer with 1 in flight",
        Work.TRANSFER,
        1,
        1,
        subscribers=1_000,
        accounts=100,
        target=300_000,
    ),
)
"""Every load, in the order in which it runs."""
