"""Report: measurements as a table for people and as JSON for comparisons."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from loadtest.cases import Case
from loadtest.measurement import Measurement, median_run
from loadtest.profile import Profile

__all__ = ["CaseResult", "profile_tables", "results_table", "write_json"]


class CaseResult(NamedTuple):
    """All runs of one case against one server."""

    case: Case
    runs: list[Measurement]
    server: str

    @property
    def median(self) -> Measurement:
        """The run that counts."""
        return median_run(self.runs)


def _millis(micros: int) -> str:
    return f"{micros / 1_000:,.1f}"


def _colored(figure: str, *, is_met: bool) -> str:
    color = "green" if is_met else "red"
    return f"[{color}]{figure}[/{color}]"


def results_table(results: Sequence[CaseResult]) -> Table:
    """One line per case: its median run, and its target."""
    table = Table(title="Median runs; latency in ms, server CPU in us per operation")
    table.add_column("case", no_wrap=True)
    for name in ("per second", "target", "p50", "p99", "max", "CPU", "server", "client"):
        table.add_column(name, justify="right")
    for case, runs, _ in results:
        run = median_run(runs)
        rate, p99, target = f"{run.rate:,.0f}", _millis(run.latency.p99), ""
        if case.target is not None:
            rate = _colored(rate, is_met=run.rate >= case.target)
            target = f"{case.target:,}"
        elif case.target_p99_millis is not None:
            p99 = _colored(p99, is_met=run.latency.p99 < case.target_p99_millis * 1_000)
            target = f"p99 < {case.target_p99_millis:g}"
        table.add_row(
            case.name,
            rate,
            target,
            _millis(run.latency.p50),
            p99,
            _millis(run.latency.max),
            f"{run.server_micros:,.2f}",
            f"{run.server_share:.0%}",
            f"{run.client_share:.0%}",
        )
    return table


def profile_tables(name: str, profile: Profile, count: int) -> list[Table]:
    """Where a load's processor time went: by thread and package, then the top functions."""
    shares = Table(title=f"{name}: {profile.seconds:.1f} s of processor time")
    shares.add_column("thread or package")
    shares.add_column("part", justify="right")
    for part, share in (*profile.threads.items(), *profile.packages.items()):
        if share >= 0.005:
            shares.add_row(part, f"{share:.1%}")
    functions = Table(title=f"{name}: functions")
    functions.add_column("own", justify="right")
    functions.add_column("with callees", justify="right")
    functions.add_column("function", overflow="fold")
    for function in profile.functions[:count]:
        functions.add_row(f"{function.own:.1%}", f"{function.total:.1%}", function.name)
    return [shares, functions]


def _run_json(run: Measurement) -> dict[str, object]:
    return {
        "per_second": round(run.rate, 1),
        "operations": run.operations,
        "seconds": round(run.seconds, 3),
        "latency_micros": run.latency._asdict(),
        "server_cpu_micros_per_operation": round(run.server_micros, 3),
        "server_cpu_share": round(run.server_share, 3),
        "client_cpu_share": round(run.client_share, 3),
    }


def write_json(path: Path, results: Sequence[CaseResult]) -> None:
    """Write every run, with the machine that it ran on."""
    machine = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
    }
    cases = [
        {
            "name": result.case.name,
            "title": result.case.title,
            "target": result.case.target,
            "server": result.server,
            "median": _run_json(result.median),
            "runs": [_run_json(run) for run in result.runs],
        }
        for result in results
    ]
    path.write_text(json.dumps({"machine": machine, "cases": cases}, indent=2) + "\n")
