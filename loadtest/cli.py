"""Command line of the load test: loads, benchmark, demonstrations, playthroughs and streams."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine, Sequence
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
from loadtest.engine.plan import Plan
from loadtest.engine.scenario import Scenario
from loadtest.errors import LoadTestError, SloError
from loadtest.limits import BATCH_MAX
from loadtest.playthrough_report import calls_table, outcome_table
from loadtest.playthroughs import PlaythroughOptions, play_on_own_server, play_on_server
from loadtest.report import profile_tables, results_table, write_json
from loadtest.reported_run import run_and_publish
from loadtest.reports.publishing import REGRESSION_RATIO, Publication, compare_reports
from loadtest.reports.slo import Slo, parse_slo
from loadtest.run import OwnServer, RunningServer
from loadtest.scenarios import SCENARIOS
from loadtest.stream_report import streams_table
from loadtest.streams import StreamOptions, stream_on_own_server
from loadtest.world_demo import show_worlds
from protocol.upgrade import Subprotocol

__all__ = ["app", "main"]

app = typer.Typer(
    name="loadtest",
    help="Load tests, benchmarks and a demonstration against a real server.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_T = TypeVar("_T")

_Duration = Annotated[float, typer.Option(help="Measured seconds.", min=1.0)]
_Rate = Annotated[
    float | None,
    typer.Option(help="Calls per second, all users together; the scenario's own when absent."),
]
_Closed = Annotated[
    bool, typer.Option("--closed", help="Each user calls when the last answer is there.")
]
_Ramp = Annotated[float, typer.Option(help="Seconds in which the load rises.", min=0.0)]
_WarmUp = Annotated[float, typer.Option(help="Seconds before anything counts, ramp included.")]
_Think = Annotated[float, typer.Option(help="Pause of a closed loop, seconds.", min=0.0)]
_Batch = Annotated[
    int, typer.Option(help="Calls in one frame, where they coalesce.", min=1, max=BATCH_MAX)
]
_Processes = Annotated[int, typer.Option(help="Of the load generator.", min=1)]
_Weights = Annotated[
    list[str] | None, typer.Option("--weight", help="How often a kind is called: choose=3.")
]
_Alpha = Annotated[float, typer.Option(help="Zipf's exponent of uneven choices.", min=0.0)]
_Storm = Annotated[int, typer.Option(help="Connections that come in at one moment.", min=0)]
_Reconnects = Annotated[
    bool, typer.Option("--reconnect-storm", help="Everybody is cut off at once, and comes back.")
]
_SlowReaders = Annotated[int, typer.Option(help="Connections that do not read.", min=0)]
_Watchers = Annotated[int, typer.Option(help="Operators who look on.", min=0)]
_Party = Annotated[int, typer.Option(help="Players of one story.", min=1, max=4)]
_Protocol = Annotated[str, typer.Option(help="Version of the wire: v3.bsatn, v1.json.")]
_Slos = Annotated[
    list[str] | None, typer.Option("--slo", help="Bound: p99<50ms, errors<0.1%, rate>1000.")
]
_Folder = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of report.json and report.html; one of .genarrative/loads."),
]
_Against = Annotated[
    Path | None, typer.Option(help="Earlier report, or its folder, to compare with.")
]
_Threshold = Annotated[float, typer.Option(help="So many times worse is a regression.", min=1.001)]

_LOADS = Path(".genarrative/loads")
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


@app.command()
def run(
    *,
    scenario: Annotated[str, typer.Argument(help=f"One of {', '.join(SCENARIOS)}.")],
    url: Annotated[str, typer.Option(help="Running server.")] = "ws://127.0.0.1:3000",
    database: Annotated[str, typer.Option(help="Its database.")] = "genarrative",
    data_dir: Annotated[
        Path | None, typer.Option(help="Its data folder, where a scenario needs its tokens.")
    ] = None,
    start_server: Annotated[
        bool, typer.Option("--start-server", help="Start a server for it, in a folder of its own.")
    ] = False,
    store: Annotated[str, typer.Option(help="Store of the server that is started.")] = "sqlite",
    users: Annotated[int, typer.Option(help="Users at once.", min=1)] = 100,
    rate: _Rate = None,
    closed: _Closed = False,
    ramp: _Ramp = 0.0,
    warm_up: _WarmUp = 5.0,
    duration: _Duration = 30.0,
    think: _Think = 0.0,
    batch: _Batch = 1,
    processes: _Processes = 1,
    weight: _Weights = None,
    alpha: _Alpha = 0.0,
    storm: _Storm = 0,
    reconnect_storm: _Reconnects = False,
    slow_readers: _SlowReaders = 0,
    watchers: _Watchers = 1,
    party: _Party = 1,
    protocol: _Protocol = "v3.bsatn",
    slo: _Slos = None,
    out: _Folder = None,
    against: _Against = None,
    threshold: _Threshold = REGRESSION_RATIO,
) -> None:
    """Load a server with a scenario, check its rules, and report.

    Exit code 1 when a rule was broken; 3 when a bound was not kept or something became worse.
    """
    played = _scenario_of(scenario)
    if closed and rate is not None:
        raise typer.BadParameter("a closed loop has no rate")
    own_rate = 0.0 if closed else played.rate_for(users)
    plan = Plan(
        scenario,
        users,
        rate=own_rate if rate is None else rate,
        ramp=ramp,
        warm_up=max(warm_up, ramp),
        duration=duration,
        think=think,
        batch=batch,
        processes=processes,
        weights=_weights_of(weight or ()),
        alpha=alpha,
        storm=storm,
        reconnects=reconnect_storm,
        slow_readers=slow_readers,
        watchers=watchers,
        party=party,
        protocol=_subprotocol_of(protocol),
    )
    address = _address_of(url, database)
    place = OwnServer(store) if start_server else RunningServer(address, data_dir)
    folder = out or _LOADS / time.strftime(f"{scenario}-%Y%m%d-%H%M%S", time.gmtime())
    publication = Publication(folder, _slos_of(slo or ()), against, threshold)
    if code := _run(run_and_publish(plan, place, publication, _wide_console())):
        raise typer.Exit(code)


@app.command()
def compare(
    *,
    before: Annotated[Path, typer.Argument(help="Report of the earlier load, or its folder.")],
    after: Annotated[Path, typer.Argument(help="Report of the later one.")],
    threshold: Annotated[
        float, typer.Option(help="So many times worse is a regression.", min=1.001)
    ] = REGRESSION_RATIO,
    html: Annotated[
        Path | None, typer.Option(help="Write the later load's page, the earlier beside it.")
    ] = None,
) -> None:
    """Compare the reports of two loads.

    Exit code 3 when a figure became worse beyond the threshold, and beyond what chance does.
    """
    if code := compare_reports(before, after, threshold, html, _wide_console()):
        raise typer.Exit(code)


def _scenario_of(name: str) -> Scenario:
    if name not in SCENARIOS:
        raise typer.BadParameter(f"no such scenario: {name}; there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def _weights_of(texts: Sequence[str]) -> dict[str, int]:
    """Weights by kind of call, as in ``choose=3``."""
    weights = {}
    for text in texts:
        kind, _, number = text.partition("=")
        if not kind or not number.isdecimal():
            raise typer.BadParameter(f"no weight: {text}; weights are as in choose=3")
        weights[kind] = int(number)
    return weights


def _subprotocol_of(name: str) -> str:
    """The wire's version by its short name, such as ``v1.json``."""
    for version in Subprotocol:
        if name in {version.value, version.value.removesuffix(".spacetimedb")}:
            return version.value
    raise typer.BadParameter(f"no version of the wire: {name}")


def _slos_of(texts: Sequence[str]) -> list[Slo]:
    try:
        return [parse_slo(text) for text in texts]
    except SloError as error:
        raise typer.BadParameter(str(error)) from error


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
