"""Playthroughs: many players at once, alone or in parties, on one server; rules watched."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from loadtest.connection import Address, allow_connections
from loadtest.errors import CheckError, LoadTestError
from loadtest.limits import CONNECTS_AT_ONCE
from loadtest.party import play_together
from loadtest.playthrough_report import ServerUse
from loadtest.schema_reader import fetch_schema
from loadtest.seat import Seat, turns_of_its_own
from loadtest.server_process import ServerProcess, running_server, service_token
from loadtest.story import load_fixture_world
from loadtest.tally import Tally
from protocol.schema import ModuleSchema

__all__ = ["PlaythroughOptions", "play_on_own_server", "play_on_server"]


@dataclass(frozen=True, slots=True)
class PlaythroughOptions:
    """How many play, and how.

    Attributes:
        users: players in all, each anonymous.
        party: players of one story; the last party may be smaller.
        chapters: after which players leave; the whole story when it has no more.
        think_seconds: pause of a player before each call.
        whims: needless steps in a thousand.
    """

    users: int
    party: int
    chapters: int
    think_seconds: float = 0.0
    whims: int = 0


async def play_on_server(
    address: Address, data_dir: Path, options: PlaythroughOptions, console: Console
) -> Tally:
    """Play on a running server, which must allow fixtures.

    Args:
        address: of its database.
        data_dir: its data folder, whose key signs the token of the service that loads the world.
        options: how many play, and how.
        console: shows the progress.

    Raises:
        LoadTestError: no server, or no fixtures. What goes wrong for single players is tallied.
    """
    allow_connections(options.users)
    await load_fixture_world(address, await service_token(data_dir))
    schema = await fetch_schema(address)
    tally = Tally()
    sizes = [
        min(options.party, options.users - first)
        for first in range(0, options.users, options.party)
    ]
    gate = asyncio.Semaphore(CONNECTS_AT_ONCE)
    with _progress(console) as progress:
        task = progress.add_task("playthroughs", total=options.users, facts="")
        watching = asyncio.create_task(_show(progress, task, tally))
        await asyncio.gather(
            *(_play(address, schema, size, options, tally, gate) for size in sizes)
        )
        tally.end()
        watching.cancel()
        progress.update(task, completed=tally.finished, facts=_facts(tally))
    return tally


async def play_on_own_server(
    store: str, options: PlaythroughOptions, console: Console
) -> tuple[Tally, ServerUse]:
    """Play on a server that is started for it.

    Raises:
        LoadTestError: it does not start or stop as it should.
    """
    allow_connections(options.users)
    arguments = ("--dev-fixtures", "--log-level", "warning", "--store", store)
    with tempfile.TemporaryDirectory(prefix="genarrative-playthroughs-") as folder:
        data_dir = Path(folder) / "data"
        async with running_server(*arguments, data_dir=data_dir) as server:
            before = server.cpu_seconds()
            tally = await play_on_server(server.address, data_dir, options, console)
            return tally, _use(server, before, tally)


def _use(server: ServerProcess, before: float, tally: Tally) -> ServerUse:
    return ServerUse(
        server.ready_line,
        (server.cpu_seconds() - before) / tally.seconds,
        server.resident_bytes(),
        server.log_lines(),
    )


async def _play(
    address: Address,
    schema: ModuleSchema,
    size: int,
    options: PlaythroughOptions,
    tally: Tally,
    gate: asyncio.Semaphore,
) -> None:
    """Let one party play; what goes wrong ends it, and is tallied."""
    seats: list[Seat] = []
    async with AsyncExitStack() as stack:
        try:
            for _ in range(size):
                async with gate:
                    seat = await Seat.take(
                        address, schema, tally, turns_of_its_own(options.think_seconds)
                    )
                stack.push_async_callback(seat.leave)
                seats.append(seat)
            await play_together(seats, options.chapters, options.whims)
            tally.finished += size
        except CheckError as error:
            tally.failures[type(error).__name__] += size
            if not any(seat.referee.violations for seat in seats):
                tally.violations.append(str(error))
        except (LoadTestError, TimeoutError, OSError) as error:
            tally.failures[f"{type(error).__name__}: {error}"] += size


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("[bold]{task.description}[/bold]"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"),
        TimeElapsedColumn(),
        console=console,
    )


def _facts(tally: Tally) -> str:
    rate = tally.calls / max(tally.seconds, 0.001)
    broken = len(tally.violations) + sum(tally.failures.values())
    color = "red" if broken else "green"
    return f"{tally.calls:,} calls, {rate:,.0f}/s, [{color}]{broken} broken[/{color}]"


async def _show(progress: Progress, task: TaskID, tally: Tally) -> None:
    while True:
        progress.update(task, completed=tally.finished, facts=_facts(tally))
        await asyncio.sleep(0.5)
