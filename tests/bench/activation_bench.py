"""Memory and activation of very many idle actors: 100,000 users in one process, from SQLite.

``python tests/bench/activation_bench.py`` fills a store in one process, then activates everybody
in a fresh one. Memory is told twice: as the growth of the resident set, and as the sizes of all
objects that belong to one actor alone, with its rows and without.
"""

from __future__ import annotations

import asyncio
import gc
import json
import struct
import subprocess
import sys
import tempfile
import time
from enum import Enum
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Annotated

import typer
import uvloop
from crowd import Deaf, claims_of, resident_bytes, running_host
from rich.console import Console
from rich.table import Table

from actors.host import Budget, Host
from actors.keys import user_id_of
from actors.module.types import ConnectionId
from protocol.messages import V2, CallReducer

GAME = "actors.domains.entry"
AT_ONCE = 512
SHARED_TYPES = (type, Enum, FunctionType, BuiltinFunctionType, ModuleType)
"""What belongs to the program, whoever refers to it."""
TARGET_BYTES = 8 * 1024
TARGET_PER_SECOND = 5_000


async def fill(module: str, folder: Path, count: int) -> None:
    """Let every user come once and go, as a server would have it."""

    async def visit(number: int) -> None:
        session = host.open_session(
            claims=claims_of(number),
            connection_id=ConnectionId(number + 1),
            token="token",
            wire=V2,
            confirmed=True,
            sink=Deaf(),
        )
        await session.connect()
        if module != GAME:
            session.receive([CallReducer(0, "bump", struct.pack("<Q", number))])
            while session.pending:
                await host.durable()
        await session.disconnect()

    async with running_host(module, "sqlite", folder) as host:
        for first in range(0, count, AT_ONCE):
            await asyncio.gather(*map(visit, range(first, min(first + AT_ONCE, count))))


async def activate(module: str, folder: Path, count: int) -> dict[str, float]:
    """Bring everybody into memory; what that took."""
    async with running_host(module, "sqlite", folder, Budget(memory_bytes=1 << 60)) as host:
        kind = host.catalogue.home
        assert kind is not None
        keys = [kind.key(user_id_of(claims_of(number).identity)) for number in range(count)]
        before = resident_bytes()
        began, cpu = time.perf_counter(), time.process_time()
        await host.activate(keys)
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        gc.collect()
        resident = resident_bytes() - before
        shared = shared_objects(host)
        cells = [private_bytes(host, key, shared) for key in keys[:: max(1, count // 100)]]
        return {
            "seconds": took,
            "cpu_seconds": cpu,
            "resident": resident / count,
            "objects": sum(whole for whole, _ in cells) / len(cells),
            "rows": sum(rows for _, rows in cells) / len(cells),
            "estimate": host.passivation.resident_bytes / count,
        }


def shared_objects(host: Host) -> set[int]:
    """Ids of what all actors have in common: the host, and all that its catalogue leads to."""
    shared = {id(host), id(host._loop)}
    reach([host.catalogue, host.module, host._shared], shared)
    return shared


def private_bytes(host: Host, key: str, shared: set[int]) -> tuple[int, int]:
    """Bytes of all objects that belong to one actor, and of its rows among them."""
    cell = host._cells[key]
    rows = []
    for table in cell.core.database.tables():
        rows += [*table._rows.values(), *table._encoded.values(), *table._rows]
    # The directory's key belongs to the actor; the slots of the directory itself do not show here.
    return reach([cell, key], set(shared)), reach(rows, set(shared))


def reach(roots: list[object], seen: set[int]) -> int:
    """Bytes of everything that is reached from some objects and was not seen; it is seen then."""
    waiting = list(roots)
    size = 0
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, SHARED_TYPES):
            continue
        if item is None or isinstance(item, bool) or (isinstance(item, int) and item < 257):
            continue
        seen.add(id(item))
        size += sys.getsizeof(item)
        waiting += gc.get_referents(item)
    return size


def measured(module: str, count: int) -> dict[str, float]:
    """Fill and activate, each in a process of its own, so that memory is that of activation."""
    with tempfile.TemporaryDirectory() as folder:
        for phase in ("fill", "activate"):
            arguments = ("--phase", phase, "--folder", folder, "--module", module)
            done = subprocess.run(
                [sys.executable, __file__, *arguments, "--count", str(count)],
                check=True,
                stdout=subprocess.PIPE,
            )
    return json.loads(done.stdout)


def main(
    count: Annotated[int, typer.Option(help="Actors.")] = 100_000,
    module: Annotated[str, typer.Option(help="Module; all known ones without it.")] = "",
    phase: Annotated[str, typer.Option(hidden=True)] = "",
    folder: Annotated[Path, typer.Option(hidden=True)] = Path(),
) -> None:
    """Measure memory per idle actor and activations per second."""
    if phase == "fill":
        uvloop.run(fill(module, folder, count))
        return
    if phase == "activate":
        sys.stdout.write(json.dumps(uvloop.run(activate(module, folder, count))))
        return
    table = Table(title=f"{count:,} activated actors, bytes and activations per second")
    for name in (
        "module",
        "RSS",
        "estimate",
        "objects",
        "rows",
        "beside rows",
        "activations/s",
        "CPU us",
    ):
        table.add_column(name, justify="right")
    for name in [module] if module else [GAME, "counter_module"]:
        found = measured(name, count)
        beside = found["objects"] - found["rows"]
        rate = count / found["seconds"]
        table.add_row(
            name,
            f"{found['resident']:,.0f}",
            f"{found['estimate']:,.0f}",
            f"{found['objects']:,.0f}",
            f"{found['rows']:,.0f}",
            f"[{'green' if beside <= TARGET_BYTES else 'red'}]{beside:,.0f}",
            f"[{'green' if rate >= TARGET_PER_SECOND else 'red'}]{rate:,.0f}",
            f"{found['cpu_seconds'] * 1e6 / count:.0f}",
        )
    Console().print(table)
    Console().print(f"Targets: {TARGET_BYTES:,} bytes beside rows, {TARGET_PER_SECOND:,}/s.")


if __name__ == "__main__":
    typer.run(main)
