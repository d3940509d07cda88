"""Benchmark: every case on a fresh server, several runs each, one core for either side."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from loadtest.cases import Case
from loadtest.connection import allow_connections
from loadtest.loads import prepare, run_case
from loadtest.measurement import Window
from loadtest.profile import Profile, read_profile
from loadtest.report import CaseResult
from loadtest.server_process import pinned_cores, running_server

__all__ = ["BenchOptions", "run_benchmark"]

_DATABASE = "bench"


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """How to measure.

    Attributes:
        seconds: measured time of one run.
        warm_up_seconds: load before it.
        runs: per case.
        store: as ``genarrative serve --store`` takes it.
        modules: folder of Python modules that are served beside the examples.
        profiled: whether the server runs under the sampler.
    """

    seconds: float
    warm_up_seconds: float
    runs: int
    store: str
    modules: Path
    profiled: bool


async def run_benchmark(
    cases: Sequence[Case], options: BenchOptions, console: Console
) -> list[tuple[CaseResult, Profile | None]]:
    """Measure cases, one after the other.

    This process stays pinned to the client's cores.

    Raises:
        LoadTestError: a server, an answer or a check was not as it should be.
    """
    allow_connections(max(case.connections + case.subscribers for case in cases))
    cores = pinned_cores()
    server_cores = None
    if cores is None:
        console.print("[yellow]one core, or no pinning here: both sides share it[/yellow]")
    else:
        server_cores, client_cores = cores
        os.sched_setaffinity(0, client_cores)
    return [await _run(case, options, server_cores, console) for case in cases]


async def _run(
    case: Case, options: BenchOptions, cores: set[int] | None, console: Console
) -> tuple[CaseResult, Profile | None]:
    console.print(f"[bold]{case.name}[/bold]: {case.title}")
    window = Window(options.warm_up_seconds, options.seconds, options.profiled)
    arguments = (
        *("--module", case.work.value, "--database", _DATABASE, "--store", options.store),
        *("--no-rate-limits", "--log-level", "warning"),
    )
    with tempfile.TemporaryDirectory(prefix="genarrative-profile-") as folder:
        samples = Path(folder) / "samples.json"
        launcher = ("loadtest.sampler", str(samples)) if options.profiled else ("server",)
        async with running_server(
            *arguments, cores=cores, modules=options.modules, launcher=launcher
        ) as server:
            await prepare(case, server.address)
            runs = []
            for number in range(options.runs):
                run = await run_case(case, server, window)
                console.print(
                    f"  run {number + 1}: {run.rate:,.0f}/s, server"
                    f" {run.server_micros:.2f} us each, {run.server_share:.0%} busy,"
                    f" client {run.client_share:.0%}"
                )
                runs.append(run)
        profile = read_profile(samples) if options.profiled else None
    return CaseResult(case, runs, server.ready_line), profile
