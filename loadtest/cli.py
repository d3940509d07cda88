"""Command line of the load test: benchmark and demonstration."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, TypeVar

import typer
import uvloop
from rich.console import Console

from loadtest.bench import BenchOptions, run_benchmark
from loadtest.cases import CASES
from loadtest.connection import Address
from loadtest.demo import play_here, play_spawned
from loadtest.errors import LoadTestError
from loadtest.report import profile_tables, results_table, write_json

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
            console.print(*profile_tables(result.case, measured, top), sep="\n")
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
