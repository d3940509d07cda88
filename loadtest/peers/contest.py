"""Contest: every workload on every server, in turn, each time on a fresh one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console

from loadtest.connection import allow_connections
from loadtest.measurement import Measurement, Window
from loadtest.peers.launch import running
from loadtest.peers.roster import Peer
from loadtest.peers.workload import Workload
from loadtest.server_process import pinned_cores

__all__ = ["Run", "hold"]


class Run(NamedTuple):
    """One workload on one server, once.

    Attributes:
        workload: its name.
        peer: the server's name.
        turn: number of the round in which all servers ran.
        measurement: what was measured.
        resident: bytes that the server held under load.
        versions: what it said of itself.
    """

    workload: str
    peer: str
    turn: int
    measurement: Measurement
    resident: int
    versions: str


async def hold(
    peers: Sequence[Peer], works: Sequence[Workload], window: Window, rounds: int, console: Console
) -> list[Run]:
    """Measure; servers take turns, in every second round in the opposite order.

    What a machine does beside it, and how its speed drifts, so falls on neighbours alike, and
    ratios within a round are worth more than figures. This process stays pinned to its cores.

    Raises:
        LoadTestError: a server, an answer or an update was not as it should be.
    """
    allow_connections(max(work.callers + work.listeners for work in works))
    cores = pinned_cores()
    if cores is None:
        console.print("[yellow]one core, or no pinning here: both sides share it[/yellow]")
    else:
        os.sched_setaffinity(0, cores[1])
    runs = []
    for work in works:
        console.print(f"[bold]{work.name}[/bold]: {work.title}")
        for turn in range(rounds):
            for peer in peers if turn % 2 == 0 else reversed(peers):
                async with running(peer.command, cores and cores[0]) as server:
                    measured = await work.run(peer.dialect, server, window)
                    resident = server.resident_bytes()
                console.print(
                    f"  {turn + 1} {peer.name}: {measured.rate:,.0f} {work.operation}/s, server"
                    f" {measured.server_micros:.2f} us each, {measured.server_share:.0%} busy,"
                    f" client {measured.client_share:.0%}"
                )
                runs.append(Run(work.name, peer.name, turn, measured, resident, server.ready_line))
    return runs
