"""Command line of the load test: benchmark and demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    console = Console()
    options = BenchOptions(seconds, warm_up, runs, store, modules, profile)
    cases = [case for case in CASES if not only or case.name in only]
    outcome = uvloop.run(run_benchmark(cases, options, console))
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
        uvloop.run(play_spawned(console))
    else:
        uvloop.run(play_here(Address(host, port, database), data_dir, console))


def main() -> None:
    """Run the command line; an expected failure is one line and exit code 1."""
    try:
        app()
    except LoadTestError as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}:[/red] {error}", markup=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
