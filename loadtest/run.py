"""Run: one load from its preparation to its last check, on its own server or a running one."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from loadtest.connection import Address, allow_connections
from loadtest.engine.fleet import Fleet, Watch
from loadtest.engine.plan import Plan
from loadtest.engine.scenario import Finding, Scenario, Shape
from loadtest.engine.stage import Site
from loadtest.engine.strain import saturation
from loadtest.errors import LoadTestError
from loadtest.outcome import Outcome
from loadtest.scenarios import SCENARIOS
from loadtest.server_process import pinned_cores, running_server, service_token

__all__ = ["DATABASE", "OwnServer", "RunningServer", "run_load"]

_CHECKOUT = Path(__file__).parents[1]
DATABASE = "loadtest"
"""Of servers that are started for a load; run one's own likewise, or name it."""

_ADMIN_ADDRESS_FILE = "admin.address"
_ADMIN_TOKEN_FILE = "admin.token"  # noqa: S105 - a file name


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that is there.

    Attributes:
        address: of a database that serves the scenario's module.
        data_dir: of the server, for tokens of a service or an operator; None where no scenario
            needs one.
    """

    address: Address
    data_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A server that is started for the load, in a folder that is deleted afterwards.

    Attributes:
        store: as ``genarrative serve --store`` takes it.
        launcher: Python module that takes the place of the server's own.
        modules: folder of Python modules beside the scenario's own.
    """

    store: str = "sqlite"
    launcher: tuple[str, ...] = ("server",)
    modules: Path = _CHECKOUT


async def run_load(plan: Plan, place: RunningServer | OwnServer, watch: Watch) -> Outcome:
    """Run a load.

    Args:
        plan: what is asked of it.
        place: where.
        watch: told of each second, in order.

    Raises:
        LoadTestError: it cannot begin, or a process broke down. Broken rules are in the outcome.
    """
    scenario = SCENARIOS[plan.scenario]
    plan = _completed(plan, scenario)
    allow_connections(2 * plan.users + plan.storm + plan.slow_readers)
    async with _served(scenario, place) as (server, said, cores):
        site = await _site(server, plan, scenario)
        await scenario.prepare(site)
        fleet = Fleet(site, watch, cores)
        await fleet.run()
        measured = [each for each in fleet.intervals if 0 <= each.second < plan.duration]
        broken = [
            f"{rule} ({count} times)" if count > 1 else rule for rule, count in fleet.broken.items()
        ]
        facts: dict[str, float | str] = {}
        try:
            facts.update(await scenario.check(site, Finding(measured, fleet.notes)))
        except (LoadTestError, TimeoutError, OSError) as error:
            broken.append(str(error) or type(error).__name__)
        if not any(each.calls for each in measured):
            broken.append("nothing was answered while it was measured")
    return Outcome(
        scenario.name,
        plan.as_json(),
        fleet.intervals,
        broken,
        saturation(measured),
        {**facts, **{name: n for name, n in fleet.notes.items() if name.startswith("slow ")}},
        said,
        plan.processes,
        plan.duration,
    )


def _completed(plan: Plan, scenario: Scenario) -> Plan:
    """Check what the scenario can do, and fill in its weights.

    Raises:
        LoadTestError: it cannot do what is asked.
    """
    asked = {
        Shape.STORM: plan.storm > 0,
        Shape.RECONNECTS: plan.reconnects,
        Shape.SLOW_READERS: plan.slow_readers > 0,
        Shape.PARTIES: plan.party > 1,
    }
    for shape, is_asked in asked.items():
        if is_asked and shape not in scenario.shapes:
            raise LoadTestError(f"{scenario.name} knows no {shape.value}")
    if unknown := sorted(plan.weights.keys() - scenario.kinds.keys()):
        known = ", ".join(scenario.kinds) or "none"
        raise LoadTestError(f"{scenario.name} has no calls named {unknown[0]}; it has {known}")
    weights = plan.weights or scenario.kinds
    if scenario.kinds and not any(weights.values()):
        raise LoadTestError("some kind of call needs a weight")
    return replace(
        plan,
        weights=dict(weights),
        run=plan.run or _mark(),
        processes=min(plan.processes, plan.users),
    )


def _mark() -> str:
    return secrets.token_hex(4)


async def _site(server: RunningServer, plan: Plan, scenario: Scenario) -> Site:
    site = Site(server.address, plan)
    if server.data_dir is None:
        return site
    if scenario.has_service:
        site = replace(site, service_token=await service_token(server.data_dir))
    channel = server.data_dir / _ADMIN_ADDRESS_FILE
    if not channel.is_file():
        return site
    token = (server.data_dir / _ADMIN_TOKEN_FILE).read_text(encoding="ascii").strip()
    return replace(site, admin_url=channel.read_text(encoding="ascii").strip(), admin_token=token)


@asynccontextmanager
async def _served(
    scenario: Scenario, place: RunningServer | OwnServer
) -> AsyncIterator[tuple[RunningServer, str, list[int] | None]]:
    """The server, what it says of itself, and the cores that are left for the generator."""
    if isinstance(place, RunningServer):
        yield place, place.address.url("", "ws"), None
        return
    cores = pinned_cores()
    server_cores, others = cores or (None, None)
    with tempfile.TemporaryDirectory(prefix="genarrative-run-") as folder:
        data_dir = Path(folder) / "data"
        arguments = (
            *("--module", scenario.module, "--database", DATABASE, "--store", place.store),
            *("--log-level", "warning", "--admin-port", "0", *scenario.arguments),
        )
        async with running_server(
            *arguments,
            data_dir=data_dir,
            cores=server_cores,
            modules=place.modules,
            launcher=place.launcher,
        ) as server:
            left = None if others is None else sorted(others)
            yield RunningServer(server.address, data_dir), server.ready_line, left
