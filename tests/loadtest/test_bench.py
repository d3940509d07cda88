from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.bench import BenchOptions, run_benchmark
from loadtest.cases import CASES, Work
from loadtest.errors import ServerProcessError
from loadtest.latency import LatencySummary
from loadtest.measurement import Measurement, median_run
from loadtest.report import CaseResult, profile_tables, results_table, write_json
from loadtest.server_process import running_server

OPTIONS = BenchOptions(
    seconds=0.3,
    warm_up_seconds=0.1,
    runs=1,
    store="memory:",
    modules=Path(__file__).parents[1] / "bench",
    profiled=False,
)


@pytest.fixture(autouse=True)
def unpinned():
    """The benchmark pins its process for good; the tests after it want all cores."""
    cores = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, cores)


def small(name: str):
    case = next(case for case in CASES if case.name == name)
    return replace(
        case,
        connections=min(case.connections, 4),
        subscribers=min(case.subscribers, 5),
        accounts=50,
        rate=min(case.rate, 2_000),
    )


@pytest.mark.parametrize(
    "name",
    [
        "coalesced-bank",
        "coalesced-users",
        "single-users-64",
        "volatile-users-64",
        "rated-users-22500",
        "fanout-full",
        "fanout-single",
    ],
)
async def test_a_case_runs_and_passes_its_checks(name, tmp_path) -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=120)
    outcome = await run_benchmark([small(name)], OPTIONS, console)
    ((result, profile),) = outcome
    assert profile is None
    assert result.median.operations > 0
    assert 0 < result.median.latency.p50 <= result.median.latency.max
    assert result.server.startswith("ready http://127.0.0.1:")
    console.print(results_table([result]))
    assert name in screen.getvalue()
    path = tmp_path / "results.json"
    write_json(path, [result])
    (case,) = json.loads(path.read_text())["cases"]
    assert case["median"]["operations"] == result.median.operations


async def test_a_profile_shows_the_servers_own_functions() -> None:
    options = replace(OPTIONS, profiled=True)
    console = Console(file=io.StringIO(), width=160)
    ((result, profile),) = await run_benchmark([small("coalesced-bank")], options, console)
    assert profile is not None
    assert profile.packages["actors"] > 0
    assert any("Cell.on_batch" in share.name for share in profile.functions)
    console.print(*profile_tables(result.case, profile, 5))
    assert "actors" in console.file.getvalue()


async def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(ServerProcessError, match="no_such_module"):
        async with running_server("--module", "no_such_module", "--store", "memory:"):
            raise AssertionError("it started")


def test_the_median_is_a_run_that_was() -> None:
    runs = [
        Measurement(count, 2.0, LatencySummary(1, 2, 3), 1.0, 0.5) for count in (50, 10, 30, 20)
    ]
    assert median_run(runs).operations == 20
    assert median_run(runs[:3]).operations == 30
    assert runs[0].rate == 25.0
    assert runs[0].server_micros == 20_000.0


@pytest.mark.parametrize(
    ("name", "rate", "p99", "is_met"),
    [
        ("coalesced-users", 120_000, 9_000, True),
        ("coalesced-users", 119_999, 1, False),
        ("rated-users-22500", 1, 4_999, True),
        ("rated-users-22500", 22_500, 5_000, False),
    ],
)
def test_a_target_is_a_rate_or_in_an_open_loop_a_latency(name, rate, p99, is_met) -> None:
    case = next(case for case in CASES if case.name == name)
    run = Measurement(rate, 1.0, LatencySummary(1, p99, 9_999), 1.0, 0.5)
    table = results_table([CaseResult(case, [run], "ready")])
    (cells,) = zip(*(column.cells for column in table.columns), strict=True)
    judged = "".join(cells)
    assert ("[green]" in judged, "[red]" in judged) == (is_met, not is_met)


def test_an_open_loop_has_the_rate_that_it_says() -> None:
    case = next(case for case in CASES if case.name == "rated-users-50000")
    calls = list(islice(case.arrivals(), 50_000))
    assert sum(seconds for seconds, _ in calls) == pytest.approx(1.0, rel=0.02)
    assert {number for _, number in calls} == set(range(case.connections))


def test_every_case_has_a_module_that_exists() -> None:
    for work in Work:
        path = Path(*work.value.split("."))
        root = OPTIONS.modules.parents[1]
        places = (root / path / "__init__.py", OPTIONS.modules / f"{path}.py")
        assert any(place.is_file() for place in places)
