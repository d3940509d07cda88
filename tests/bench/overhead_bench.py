"""Overhead of tails: what calls cost the server while an operator follows, and while nobody does.

``python tests/bench/overhead_bench.py`` keeps one server under the same load all the time. Windows
without and with a tail take turns, so that the machine's drift meets both; the figure is the median
of the ratios of neighbours, in processor time of the server for each call.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect

from loadtest.calls import Caller
from loadtest.cases import CASES, Case
from loadtest.latency import Latencies
from loadtest.loads import prepare
from loadtest.measurement import Window
from loadtest.server_process import ServerProcess, pinned_cores, running_server

TAILS: dict[str, tuple[str, dict[str, Any]]] = {
    "calls, all": ("tail.calls", {}),
    "calls, failed ones": ("tail.calls", {"failed": True}),
    "deltas, all": ("tail.deltas", {}),
    "deltas of an actor that does nothing": ("tail.deltas", {"actor": "operations/"}),
    "logs": ("tail.logs", {}),
}


@asynccontextmanager
async def following(data: Path, method: str, params: dict[str, Any]) -> AsyncIterator[None]:
    """An operator who follows a tail and reads everything."""
    url = (data / "admin.address").read_text().strip()
    token = (data / "admin.token").read_text().strip()
    async with connect(
        url,
        subprotocols=["admin.v1.jsonrpc"],
        additional_headers={"authorization": f"Bearer {token}"},
    ) as connection:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        await connection.send(json.dumps(request))
        assert "result" in json.loads(await connection.recv())

        async def read() -> None:
            async for _ in connection:
                pass

        reading = asyncio.create_task(read())
        yield
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def compare(
    case: Case, server: ServerProcess, data: Path, pairs: int, seconds: float
) -> dict[str, list[float]]:
    """Ratios of each tail's windows to those before and after without one."""
    latencies = Latencies()
    callers = [
        Caller(case.ring(number), case.in_flight, latencies) for number in range(case.connections)
    ]
    ratios: dict[str, list[float]] = {name: [] for name in TAILS}
    async with AsyncExitStack() as stack:
        for caller in callers:
            stack.push_async_callback(caller.close)
            await caller.connect(server.address)
        for caller in callers:
            caller.start()

        async def cost() -> float:
            window = Window(0.5, seconds)
            done = await window.measure(
                server, latencies, lambda: sum(caller.answered for caller in callers)
            )
            return done.server_micros

        await Window(1.0, seconds).measure(server, latencies, lambda: callers[0].answered)
        before = await cost()
        for _ in range(pairs):
            for name, (method, params) in TAILS.items():
                async with following(data, method, params):
                    followed = await cost()
                after = await cost()
                ratios[name].append(2 * followed / (before + after))
                before = after
        for caller in callers:
            await caller.stop()
    return ratios


async def measure(case: Case, pairs: int, seconds: float) -> dict[str, list[float]]:
    cores = pinned_cores()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        async with running_server(
            *("--module", case.work.value, "--database", "bench", "--store", "sqlite"),
            *("--no-rate-limits", "--log-level", "warning"),
            data_dir=data,
            cores=None if cores is None else cores[0],
            modules=Path(__file__).parent,
        ) as server:
            await prepare(case, server.address)
            return await compare(case, server, data, pairs, seconds)


def main(
    only: Annotated[str, typer.Option(help="Case of the load tests.")] = "coalesced-users",
    pairs: Annotated[int, typer.Option(help="Windows with each tail.", min=1)] = 7,
    seconds: Annotated[float, typer.Option(help="Of each window.", min=0.1)] = 2.0,
    tail: Annotated[list[str] | None, typer.Option(help="Tails to compare [all].")] = None,
) -> None:
    for name in set(TAILS) - set(tail or TAILS):
        del TAILS[name]
    case = next(case for case in CASES if case.name == only)
    ratios = asyncio.run(measure(case, pairs, seconds))
    table = Table("tail", "median", "range", title=f"processor time per call, {case.title}")
    for name, found in ratios.items():
        shown = f"{min(found):.3f} - {max(found):.3f}"
        table.add_row(name, f"{median(found):.3f}", shown)
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
