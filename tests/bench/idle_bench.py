"""Idle connections: what ten thousand clients that only listen hold of the server's memory.

``python tests/bench/idle_bench.py`` opens connections with one subscription each, as many users,
and reads the resident memory of the server before and after: once with a module of one table, once
with the game. No client may have been dropped in the end.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from loadtest.connection import allow_connections
from loadtest.server_process import ServerProcess, pinned_cores, running_server
from loadtest.subscriber import Subscriber

CONNECTING_MAX = 64
"""Handshakes under way at a time: the listener's backlog is not what is measured."""

MEBIBYTE = 1 << 20


class Subject(NamedTuple):
    """A module, and what its idle users listen to."""

    module: str
    query: str


SUBJECTS = {
    "a counter": Subject("counter_module", "SELECT * FROM counter"),
    "the game": Subject("actors.domains.entry", "SELECT * FROM profile_dashboard_state"),
}


class Measured(NamedTuple):
    """Resident bytes of the server, seconds to connect all, seconds of processor each second."""

    before: int
    after: int
    seconds: float
    idle_share: float


async def connect_all(server: ServerProcess, query: str, count: int) -> list[Subscriber]:
    """Open the connections, some at a time, and wait until each has its first rows."""
    subscribers = [Subscriber(lambda _message, _count: None) for _ in range(count)]
    gate = asyncio.Semaphore(CONNECTING_MAX)

    async def connect(subscriber: Subscriber) -> None:
        async with gate:
            await subscriber.connect(server.address, query)

    await asyncio.gather(*map(connect, subscribers))
    return subscribers


async def measure(subject: Subject, store: str, count: int, seconds: float) -> Measured:
    loop = asyncio.get_running_loop()
    cores = pinned_cores()
    if cores is not None:
        os.sched_setaffinity(0, cores[1])
    arguments = ("--module", subject.module, "--database", "idle", "--store", store)
    limits = ("--no-rate-limits", "--log-level", "warning")
    async with running_server(
        *arguments,
        *limits,
        cores=None if cores is None else cores[0],
        modules=Path(__file__).parent,
    ) as server:
        before = server.resident_bytes()
        began = loop.time()
        subscribers = await connect_all(server, subject.query, count)
        connected = loop.time() - began
        used = server.cpu_seconds()
        await asyncio.sleep(seconds)
        share = (server.cpu_seconds() - used) / seconds
        after = server.resident_bytes()
        assert all(subscriber.failure is None for subscriber in subscribers)
        await asyncio.gather(*(subscriber.close() for subscriber in subscribers))
    return Measured(before, after, connected, share)


def main(
    connections: Annotated[int, typer.Option(help="How many.", min=1)] = 10_000,
    store: Annotated[str, typer.Option(help="As `genarrative serve --store` takes it.")] = "sqlite",
    seconds: Annotated[float, typer.Option(help="Of idling.", min=1)] = 65.0,
) -> None:
    allow_connections(connections)
    names = ("module", "before, MiB", "after, MiB", "bytes each", "connected in", "idle load")
    table = Table(*names, title=f"{connections:,} idle connections, {store}")
    for name, subject in SUBJECTS.items():
        found = asyncio.run(measure(subject, store, connections, seconds))
        table.add_row(
            name,
            f"{found.before / MEBIBYTE:.0f}",
            f"{found.after / MEBIBYTE:.0f}",
            f"{(found.after - found.before) / connections:,.0f}",
            f"{found.seconds:.1f} s",
            f"{found.idle_share:.1%}",
        )
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
