"""Cost of a commit beside very many actors: the same calls, while more and more are in memory.

``python tests/bench/actors_bench.py`` keeps two hosts in one process. One has 100 activated actors,
the other more in each step; windows of calls take turns between them, so that the machine's drift
meets both. The figure is the processor time of a call in the larger host, as a multiple of that in
the smaller one.
"""

from __future__ import annotations

import asyncio
import struct
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
import uvloop
from crowd import Deaf, claims_of, running_host
from host_bench import Caller, calls_of
from rich.console import Console
from rich.table import Table

from actors.host import Host
from actors.module.types import ConnectionId
from protocol.messages import V2, CallReducer

MODULE = "counter_module"
FEW = 100
STEPS = (1_000, 10_000, 100_000)
CALLERS = 64
IN_FLIGHT = 40
AT_ONCE = 512


async def visit(host: Host, number: int) -> None:
    """Let a user call once and go; the actor stays in memory."""
    session = host.open_session(
        claims=claims_of(number),
        connection_id=ConnectionId(number + 1),
        token="token",
        wire=V2,
        confirmed=True,
        sink=Deaf(),
    )
    await session.connect()
    session.receive([CallReducer(0, "bump", struct.pack("<Q", 1))])
    await host.durable()
    await session.disconnect()


async def crowd(host: Host, wanted: int) -> None:
    """Bring so many actors into memory in all."""
    for first in range(host.actor_count, wanted, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, wanted))
        await asyncio.gather(*(visit(host, number) for number in numbers))
    assert host.actor_count >= wanted


async def cost(callers: list[Caller], seconds: float) -> float:
    """Microseconds of processor time for each call of a window."""
    for caller in callers:
        caller.running = True
        caller.send(IN_FLIGHT)
    await asyncio.sleep(seconds / 4)
    before, cpu = sum(caller.answered for caller in callers), time.process_time()
    await asyncio.sleep(seconds)
    answered = sum(caller.answered for caller in callers) - before
    micros = (time.process_time() - cpu) * 1e6 / answered
    for caller in callers:
        await caller.stop()
    return micros


async def open_callers(host: Host) -> list[Caller]:
    callers = [Caller(host, number, calls_of(MODULE, number)) for number in range(CALLERS)]
    for caller in callers:
        await caller.session.connect()
    await host.durable()
    return callers


async def run(store: str, pairs: int, seconds: float) -> dict[int, list[float]]:
    ratios: dict[int, list[float]] = {}
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        async with (
            running_host(MODULE, store, Path(one)) as small,
            running_host(MODULE, store, Path(two)) as large,
        ):
            few, many = await open_callers(small), await open_callers(large)
            await crowd(small, FEW)
            for step in STEPS:
                await crowd(large, step)
                ratios[step] = []
                before = await cost(few, seconds)
                for _ in range(pairs):
                    between = await cost(many, seconds)
                    after = await cost(few, seconds)
                    ratios[step].append(2 * between / (before + after))
                    before = after
    return ratios


def main(
    store: Annotated[
        str, typer.Option(help="As `genarrative serve --store` takes it.")
    ] = "memory:",
    pairs: Annotated[int, typer.Option(help="Windows of each kind.", min=1)] = 9,
    seconds: Annotated[float, typer.Option(help="Of each window.", min=0.1)] = 1.0,
) -> None:
    ratios = uvloop.run(run(store, pairs, seconds))
    title = f"processor time per call, to that beside {FEW} actors, {store}"
    table = Table("activated actors", "median", "range", title=title)
    for step, found in ratios.items():
        table.add_row(f"{step:,}", f"{median(found):.3f}", f"{min(found):.3f} - {max(found):.3f}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
