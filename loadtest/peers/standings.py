"""Standings: what all runs of a workload on a server come to, and who needs the least."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from loadtest.measurement import median_run
from loadtest.peers.contest import Run

__all__ = ["Span", "Standing", "standings", "winner"]

_BUSY = 0.9
"""Part of its core from which on somebody is taken to have no time left."""


class Span(NamedTuple):
    """A median, with the least and the most."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Span:
        """Of one figure or more."""
        return cls(median(figures), min(figures), max(figures))


class Standing(NamedTuple):
    """One workload on one server, all rounds.

    Attributes:
        workload: its name.
        peer: the server's name.
        rate: operations per second.
        micros: microseconds of the server's processor time for one operation.
        cost: those in relation to the reference's of the same round; None when it did not run.
        p50: median latency of the median run, milliseconds.
        p99: 99th percentile of it.
        server_share: part of a core that the server used in the median run.
        client_share: the same of the load generator.
        resident: bytes of memory, the most.
    """

    workload: str
    peer: str
    rate: Span
    micros: Span
    cost: Span | None
    p50: float
    p99: float
    server_share: float
    client_share: float
    resident: int

    @property
    def is_bound_by_client(self) -> bool:
        """Whether the server could have done more than it was asked for."""
        return self.client_share >= _BUSY > self.server_share


def standings(runs: Sequence[Run], reference: str) -> list[Standing]:
    """One standing for each workload and server, in the order in which they first ran."""
    pairs = dict.fromkeys((run.workload, run.peer) for run in runs)
    against = {
        (run.workload, run.turn): run.measurement.server_micros
        for run in runs
        if run.peer == reference
    }
    found = []
    for workload, peer in pairs:
        mine = [run for run in runs if (run.workload, run.peer) == (workload, peer)]
        costs = [
            run.measurement.server_micros / against[workload, run.turn]
            for run in mine
            if against.get((workload, run.turn))
        ]
        middle = median_run([run.measurement for run in mine])
        found.append(
            Standing(
                workload,
                peer,
                Span.of([run.measurement.rate for run in mine]),
                Span.of([run.measurement.server_micros for run in mine]),
                Span.of(costs) if costs else None,
                middle.latency.p50 / 1_000,
                middle.latency.p99 / 1_000,
                middle.server_share,
                middle.client_share,
                max(run.resident for run in mine),
            )
        )
    return found


def winner(group: Sequence[Standing]) -> Standing:
    """Who needs the least processor time."""
    return min(group, key=lambda standing: standing.micros.middle)
