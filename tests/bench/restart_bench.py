"""Time of a restart, and that it does not depend on how much history there is.

``python tests/bench/restart_bench.py`` makes stores of 100,000 users with ever more records in
their journals, and starts ``genarrative serve`` over each: with a cold file, and once more after a
``kill -9`` in the middle of work. Told are the times from the start of the process until it is
ready, and until a call for a stored user, which loads that user, is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
import uvloop
from crowd import claims_of
from rich.console import Console
from rich.table import Table
from stored_users import FILE, GAME, store_users

from actors.keys import user_id_of
from actors.module import Module
from loadtest.bot import Bot
from loadtest.errors import ServerProcessError
from loadtest.server_process import ServerProcess, running_server, service_token
from protocol.bsatn import compile_codec

TARGET_SECONDS = 5.0
REDUCER = "upsert_runtime_setting"
RECORD_BYTES = 300
"""What one record of a visit takes in the file, with its place in the index; for the estimate."""
CALLS_BEFORE_THE_KILL = 500


class Restart(NamedTuple):
    """Seconds from the start of the process, and of processor time until it was ready."""

    ready: float
    processor: float
    served: float


@asynccontextmanager
async def killed(folder: Path) -> AsyncIterator[ServerProcess]:
    """A server that ends as by a power cut."""
    with contextlib.suppress(ServerProcessError):
        async with running_server("--no-rate-limits", data_dir=folder) as server:
            yield server
            server.signal(signal.SIGKILL)


async def restart(folder: Path, token: str, call: int) -> Restart:
    """Start a server, and let it serve; then kill it while it works."""
    encode = compile_codec(Module.load(GAME).reducers[REDUCER].parameters).encode

    async def change(number: int) -> None:
        user = user_id_of(claims_of(number).identity)
        rest = (None, None, None, None, None, None, None, f"c{call}.{number}")
        await bot.call(REDUCER, encode(((user, call, *rest),)))

    began = time.perf_counter()
    async with killed(folder) as server:
        ready, processor = time.perf_counter() - began, server.cpu_seconds()
        bot = await Bot.connect(server.address, token=token)
        await change(call)
        served = time.perf_counter() - began
        await asyncio.gather(*map(change, range(100, 100 + CALLS_BEFORE_THE_KILL)))
    return Restart(ready, processor, served)


def forget_pages(path: Path) -> None:
    """Let the system forget what it holds of a file, so that it is read from the disk again."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


async def fill(folder: Path, users: int, megabytes: float) -> None:
    """Make a store and its keys."""
    await store_users(folder, users, max(0, int(megabytes * 1e6 / users / RECORD_BYTES)))
    async with killed(folder):
        pass


async def restarts(folders: list[Path], runs: int) -> dict[Path, list[list[Restart]]]:
    """Restart over each store in turn, again and again: [from a cold file, after a kill]."""
    tokens = {folder: await service_token(folder) for folder in folders}
    found: dict[Path, list[list[Restart]]] = {folder: [[], []] for folder in folders}
    for run in range(runs):
        for folder in folders:
            forget_pages(folder / FILE)
            for index, times in enumerate(found[folder]):
                times.append(await restart(folder, tokens[folder], 2 * run + index))
    return found


def main(
    users: Annotated[int, typer.Option(help="Stored users.")] = 100_000,
    megabytes: Annotated[list[float] | None, typer.Option(help="History; repeatable.")] = None,
    runs: Annotated[int, typer.Option(help="Restarts of each kind; the median counts.")] = 5,
) -> None:
    """Measure restarts over stores with more and more history."""
    table = Table(title=f"Restart over {users:,} stored users, seconds from the process's start")
    table.add_column("file, MB", justify="right")
    for kind in ("cold", "after kill -9"):
        for name in ("ready", "processor", "first call"):
            table.add_column(f"{kind}: {name}", justify="right")
    with tempfile.TemporaryDirectory() as name:
        folders = []
        for size in megabytes or [0, 100, 500, 1_000]:
            folders.append(Path(name) / f"{size:.0f}")
            folders[-1].mkdir()
            uvloop.run(fill(folders[-1], users, size))
        for folder, kinds in uvloop.run(restarts(folders, runs)).items():
            cells = [f"{(folder / FILE).stat().st_size / 1e6:,.0f}"]
            for times in kinds:
                for seconds in map(statistics.median, zip(*times, strict=True)):
                    colour = "green" if seconds < TARGET_SECONDS else "red"
                    cells.append(f"[{colour}]{seconds:.2f}")
            table.add_row(*cells)
    Console().print(table)
    Console().print(f"Target: {TARGET_SECONDS:.0f} s, whatever the history.")


if __name__ == "__main__":
    typer.run(main)
