"""Command line of the load test: benchmark, demonstrations, playthroughs and streams."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import typer
import uvloop
from rich.console import Console

from loadtest.bench import BenchOptions, run_benchmark
from loadtest.cases import CASES
from loadtest.connection import Address
from loadtest.demo import play_here, play_spawned
from loadtest.errors import LoadTestError
from loadtest.playthrough_report import calls_table, outcome_table
from loadtest.playthroughs import PlaythroughOptions, play_on_own_server, play_on_server
from loadtest.report import profile_tables, results_table, write_json
from loadtest.stream_report import streams_table
from loadtest.streams import StreamOptions, stream_on_own_server
from loadtest.world_demo import show_worlds

__all__ = ["app", "main"]

app = typer.Typer(
    name="loadtest",
    help="Load tests, benchmarks and a demonstration against a real server.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_T = TypeVar("_T")

_PAGE_COLUMNS = 120
_NAMES = ", ".join(case.name for case in CASES)


@app.command()
def bench(
    *,
    only: Annotated[list[str] | None, typer.Option(help=f"Cases to run: {_NAMES}.")] = None,
    seconds: Annotated[float, typer.Option(help="Measured time of a run.", min=0.1)] = 10.0,
    warm_up: Annotated[float, typer.Option(help="Load before it, in seconds.", min=0.0)] = 2.0,
    runs: Annotated[int, typer.Option(help="Runs of a case; the median counts.", min=1)] = 3,
    store: Annotated[str, typer.Option(help="Store of the server.")] = "sqlite",
    modules: Annotated[
        Path, typer.Option(help="Folder of the modules that are served for benchmarks.")
    ] = Path("tests/bench"),
    json: Annotated[Path | None, typer.Option(help="Write all runs to a file.")] = None,
    profile: Annotated[bool, typer.Option(help="Show where the server's time goes.")] = False,
    top: Annotated[int, typer.Option(help="Functions that a profile shows.", min=1)] = 40,
) -> None:
    """Measure calls and deliveries over loopback, durable, rate limits off."""
    known = {case.name for case in CASES}
    if unknown := sorted(set(only or ()) - known):
        raise typer.BadParameter(f"no such case: {', '.join(unknown)}; cases are {_NAMES}")
    console = _wide_console()
    options = BenchOptions(seconds, warm_up, runs, store, modules, profile)
    cases = [case for case in CASES if not only or case.name in only]
    outcome = _run(run_benchmark(cases, options, console))
    results = [result for result, _ in outcome]
    for result, measured in outcome:
        if measured is not None:
            console.print(*profile_tables(result.case.name, measured, top), sep="\n")
    console.print(results_table(results))
    if json is not None:
        write_json(json, results)


@app.command()
def demo(
    *,
    spawn: Annotated[
        bool, typer.Option("--spawn", help="Start a server for the demonstration.")
    ] = False,
    host: Annotated[str, typer.Option(help="Address of a running server.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.")] = 3000,
    database: Annotated[str, typer.Option(help="Its database.")] = "genarrative",
    data_dir: Annotated[Path, typer.Option(help="Its data folder, for a service token.")] = Path(
        ".genarrative/local"
    ),
) -> None:
    """Play a story with a bot and print what a player would see.

    A running server must allow fixtures: ``genarrative serve --dev-fixtures``.
    """
    console = Console()
    if spawn:
        _run(play_spawned(console))
    else:
        _run(play_here(Address(host, port, database), data_dir, console))


@app.command()
def demo_world() -> None:
    """Make a world with the creation agent, with a model and without, and have it played.

    Each time on a server of its own; the model is a script on this machine.
    """
    _run(show_worlds(Console()))


@app.command()
def playthroughs(
    *,
    url: Annotated[str, typer.Option(help="Running server.")] = "ws://127.0.0.1:3000",
    database: Annotated[str, typer.Option(help="Its database.")] = "genarrative",
    data_dir: Annotated[
        Path, typer.Option(help="Its data folder, for a service token that loads the world.")
    ] = Path(".genarrative/local"),
    start_server: Annotated[
        bool, typer.Option("--start-server", help="Start a server for it, in a folder of its own.")
    ] = False,
    store: Annotated[str, typer.Option(help="Store of the server that is started.")] = "sqlite",
    users: Annotated[int, typer.Option(help="Players in all.", min=1)] = 200,
    party: Annotated[int, typer.Option(help="Players of one story.", min=1, max=4)] = 1,
    chapters: Annotated[int, typer.Option(help="Leave after so many.", min=1)] = 5,
    think: Annotated[float, typer.Option(help="Pause before each call, seconds.", min=0.0)] = 0.0,
    whims: Annotated[
        int, typer.Option(help="Needless steps in a thousand: flights, spars.", min=0, max=900)
    ] = 0,
) -> None:
    """Let many players play a whole story at once, and check the game's rules as they do.

    A running server must allow fixtures: ``genarrative serve --dev-fixtures``. Exit code 1 when
    somebody could not finish, a rule was broken, or the server that was started logged an error.
    """
    console = _wide_console()
    options = PlaythroughOptions(users, party, chapters, think, whims)
    use = None
    if start_server:
        tally, use = _run(play_on_own_server(store, options, console))
    else:
        address = _address_of(url, database)
        tally = _run(play_on_server(address, data_dir, options, console))
    console.print(calls_table(tally), outcome_table(tally, users, use))
    if tally.finished < users or tally.violations or (use is not None and use.errors):
        raise typer.Exit(1)


@app.command()
def streams(
    *,
    start_server: Annotated[
        bool, typer.Option("--start-server", help="Start a server for it; nothing else will do.")
    ] = False,
    authors: Annotated[int, typer.Option(help="Sessions answered at once.", min=1)] = 500,
    rate: Annotated[float, typer.Option(help="Pieces of an answer, per second.", min=1)] = 50.0,
    users: Annotated[int, typer.Option(help="Players beside them.", min=0)] = 1_000,
    think: Annotated[float, typer.Option(help="Pause before a call, seconds.", min=0.0)] = 10.0,
    seconds: Annotated[float, typer.Option(help="Measured time.", min=0.1)] = 30.0,
    store: Annotated[str, typer.Option(help="Store of the server.")] = "sqlite",
    profile: Annotated[bool, typer.Option(help="Show where the server's time goes.")] = False,
    top: Annotated[int, typer.Option(help="Functions that a profile shows.", min=1)] = 40,
) -> None:
    """Let a model on this machine answer many authors at once, while others play.

    Exit code 1 when a piece of an answer was lost, somebody could not go on, or the server logged
    an error.
    """
    if not start_server:
        raise typer.BadParameter("the model is in the server's settings: --start-server is needed")
    console = _wide_console()
    options = StreamOptions(authors, rate, users, think, seconds, store, profile)
    outcome = _run(stream_on_own_server(options, console))
    if outcome.profile is not None:
        console.print(*profile_tables("streams", outcome.profile, top), sep="\n")
    console.print(streams_table(options, outcome))
    if not outcome.is_good:
        raise typer.Exit(1)


def _address_of(url: str, database: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "http"} or parts.hostname is None:
        raise typer.BadParameter(f"no address of a server: {url}")
    return Address(parts.hostname, parts.port or 80, database)


def _run(work: Coroutine[object, object, _T]) -> _T:
    """Run to the end; SIGTERM, like SIGINT, first ends the servers that were started."""

    async def cancellable() -> _T:
        task = asyncio.current_task()
        assert task is not None, "this runs as a task"
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return uvloop.run(cancellable())
    except asyncio.CancelledError:
        raise SystemExit(128 + signal.SIGTERM) from None


def _wide_console() -> Console:
    """The terminal; where there is none, a page that is wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=_PAGE_COLUMNS)


def main() -> None:
    """Run the command line; an expected failure is one line and exit code 1."""
    try:
        app()
    except LoadTestError as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}:[/red] {error}", markup=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
