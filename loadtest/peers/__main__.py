"""``python -m loadtest.peers``: the comparison from the command line."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from loadtest.errors import LoadTestError
from loadtest.measurement import Window
from loadtest.peers.contest import Run, hold
from loadtest.peers.report import write_report
from loadtest.peers.roster import others, ours
from loadtest.peers.toolbox import Toolbox
from loadtest.peers.workload import WORKLOADS, Workload

_COLUMNS = 120
_NAMES = ", ".join(work.name for work in WORKLOADS)


def main(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="One short round: does it work, roughly how much.")
    ] = False,
    rounds: Annotated[int, typer.Option(help="Rounds in which all servers run.", min=1)] = 5,
    seconds: Annotated[float, typer.Option(help="Measured time of a run.", min=0.1)] = 5.0,
    warm_up: Annotated[float, typer.Option(help="Load before it, in seconds.", min=0.0)] = 3.0,
    only: Annotated[list[str] | None, typer.Option(help=f"Workloads: {_NAMES}.")] = None,
    peer: Annotated[list[str] | None, typer.Option(help="Servers, by name.")] = None,
    cache: Annotated[Path, typer.Option(help="Where packages are installed.")] = Path(
        ".genarrative/peers"
    ),
    modules: Annotated[Path, typer.Option(help="Folder of the module that we serve.")] = Path(
        "tests/bench"
    ),
    publish: Annotated[
        bool, typer.Option("--publish", help="Put tables and picture into docs/performance.md.")
    ] = False,
) -> None:
    """Measure the same work on this server and on others, in turn, server and client pinned."""
    works = [work for work in WORKLOADS if not only or work.name in only]
    if len(works) < len(set(only or ())):
        raise typer.BadParameter(f"workloads are {_NAMES}")
    window = Window(1.0, 2.0) if quick else Window(warm_up, seconds)
    console = Console()
    if not console.is_terminal:
        console = Console(width=_COLUMNS)
    Toolbox(cache).install()
    folders = (cache.resolve(), modules.resolve())
    held = _measure(works, peer or [], window, 1 if quick else rounds, folders, console)
    runs = uvloop.run(held)
    documented = Path("docs/performance.md") if publish else None
    for path in write_report(runs, works, window, cache / "report", documented):
        console.print(f"written: {path}")


async def _measure(
    works: list[Workload],
    names: list[str],
    window: Window,
    rounds: int,
    folders: tuple[Path, Path],
    console: Console,
) -> list[Run]:
    task = asyncio.current_task()
    assert task is not None, "this runs as a task"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    cache, modules = folders
    known = [*await ours(Path.cwd(), cache, modules), *others(Toolbox(cache))]
    peers = [peer for peer in known if not names or peer.name in names]
    if len(peers) < len(set(names)):
        raise typer.BadParameter(f"servers are {', '.join(peer.name for peer in known)}")
    return await hold(peers, works, window, rounds, console)


if __name__ == "__main__":
    try:
        typer.run(main)
    except LoadTestError as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}:[/red] {error}", markup=True)
        raise SystemExit(1) from None
