"""Many stored users, few in memory: a million users of the game behind a budget.

``python tests/bench/population_bench.py`` fills a store, then serves it from a fresh process: some
users are connected, calls come for everybody at a steady rate, and last comes a storm of calls for
users who all sleep, while the connected ones go on. Latencies run from a call's arrival until its
outcome is durable.
"""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Annotated, NamedTuple

import typer
import uvloop
from crowd import Deaf, claims_of, resident_bytes, running_host
from rich.console import Console
from rich.table import Table
from stored_users import FILE, GAME, key_of, store_users

from actors.host import Budget, Caller, Host
from actors.host.turns import ReducerCall, Reply
from actors.keys import ActorKey
from actors.module.types import ConnectionId
from loadtest.latency import Latencies, LatencySummary
from protocol.messages import V2

TARGET_BYTES = 1 << 30
TICK_SECONDS = 0.005
RESIDENT_RATE = 250
STORM_USERS = 20_000
STORM_RATE = 50_000
CALLS_PER_TICK = 250
"""However late the loop is: a burst that arrives in one callback would be no fault of the host."""
REDUCER = "upsert_runtime_setting"


class Times:
    """How long calls took: until they were handled, and until their outcome was durable."""

    def __init__(self) -> None:
        self.handled = Latencies()
        self.durable = Latencies()

    def summary(self) -> tuple[LatencySummary, LatencySummary]:
        return self.handled.summary(), self.durable.summary()


class Timed(Reply):
    """A call's reply that notes the times."""

    subscriber = None

    def __init__(self, host: Host, times: Times) -> None:
        self._host = host
        self._times = times
        self._began = time.perf_counter_ns()

    def succeed(self, timestamp: int, body: bytes | None, answer: object) -> None:
        del timestamp, body, answer
        self._times.handled.record(time.perf_counter_ns() - self._began)
        self._host.rounds.when_durable(self._note)

    def fail(self, timestamp: int, error: Exception) -> None:
        raise AssertionError(f"{timestamp}: {error}")

    def _note(self) -> None:
        self._times.durable.record(time.perf_counter_ns() - self._began)


class Stream(NamedTuple):
    """Calls per second, and whom each is for; ends with the users."""

    rate: float
    users: Iterator[int]
    times: Times


class Load:
    """Calls for users by number, on time whatever becomes of them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._endpoint = host.reducers[REDUCER]
        self._sent = 0

    def call(self, number: int, times: Times) -> None:
        """Let one user change a setting."""
        self._sent += 1
        volume = self._sent % 100
        fields = (None, volume, None, None, None, None, None, None, None, f"r{self._sent}")
        arguments = (self._endpoint.decode(self._host.encode_arguments(REDUCER, (fields,)), 0))[0]
        args = self._host.encode_arguments(REDUCER, arguments)
        caller = Caller(claims_of(number), ConnectionId(0))
        call = ReducerCall(self._endpoint, arguments, args, caller, Timed(self._host, times))
        self._host.tell(ActorKey(key_of(number)), call)

    async def run(self, stream: Stream, seconds: float = math.inf) -> None:
        """Call until the time or the users are over, and all is answered."""
        loop = asyncio.get_running_loop()
        began, sent, is_over = loop.time(), 0, False
        while not is_over and (passed := loop.time() - began) < seconds:
            wanted = min(max(0, int(stream.rate * passed) - sent), CALLS_PER_TICK)
            numbers = list(islice(stream.users, wanted))
            for number in numbers:
                self.call(number, stream.times)
            sent += len(numbers)
            is_over = len(numbers) < wanted
            await asyncio.sleep(TICK_SECONDS)
        while len(stream.times.durable) < sent:
            await self._host.durable()


async def serve(
    folder: Path, users: int, active: int, budget_bytes: int, rate: float, seconds: float
) -> dict[str, object]:
    """Serve a stored population; what that took."""
    random = Random(1)
    everybody = iter(lambda: random.randrange(users), -1)
    connected = iter(lambda: random.randrange(active), -1)
    async with running_host(GAME, "sqlite", folder, Budget(memory_bytes=budget_bytes)) as host:
        await connect(host, active)
        load = Load(host)
        await load.run(Stream(rate, everybody, Times()), seconds / 4)
        visitors, residents = Times(), Times()
        left, cpu, began = host.passivation.count, time.process_time(), time.perf_counter()
        await asyncio.gather(
            load.run(Stream(rate, everybody, visitors), seconds),
            load.run(Stream(RESIDENT_RATE, connected, residents), seconds),
        )
        took = time.perf_counter() - began
        found: dict[str, object] = {
            "actors": host.actor_count,
            "estimate": host.passivation.resident_bytes,
            "resident": resident_bytes(),
            "passivations": (host.passivation.count - left) / took,
            "cpu": (time.process_time() - cpu) / took,
            "visitors": visitors.summary(),
            "residents": residents.summary(),
        }
        found |= await weather(host, load, users, active)
        return found | {"resident_after": resident_bytes()}


async def connect(host: Host, active: int) -> None:
    """Let the first users come, and stay."""
    for number in range(active):
        session = host.open_session(
            claims=claims_of(number),
            connection_id=ConnectionId(1_000_000 + number),
            token="token",
            wire=V2,
            confirmed=True,
            sink=Deaf(),
        )
        await session.connect()


async def weather(host: Host, load: Load, users: int, active: int) -> dict[str, object]:
    """A storm of activations, and how the connected users fare meanwhile."""
    random = Random(2)
    sleepers = random.sample(range(active, users), min(STORM_USERS, users - active))
    connected = iter(lambda: random.randrange(active), -1)
    storm, residents = Times(), Times()
    began = time.perf_counter()
    others = asyncio.create_task(load.run(Stream(RESIDENT_RATE, connected, residents)))
    await load.run(Stream(STORM_RATE, iter(sleepers), storm))
    others.cancel()
    return {
        "storm": len(sleepers),
        "storm_seconds": time.perf_counter() - began,
        "storm_calls": storm.summary(),
        "storm_residents": residents.summary(),
        "storm_actors": host.actor_count,
    }


def measured(users: int, budget_bytes: int, *options: str) -> dict[str, object]:
    """Fill and serve, the latter in a process of its own, so that memory is that of serving."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        uvloop.run(store_users(Path(folder), users))
        filled = time.perf_counter() - began
        size = (Path(folder) / FILE).stat().st_size
        arguments = ("--folder", folder, "--users", str(users), "--budget", str(budget_bytes))
        done = subprocess.run(
            [sys.executable, __file__, *arguments, *options],
            check=True,
            stdout=subprocess.PIPE,
        )
    return json.loads(done.stdout) | {"filled": filled, "file": size}


def main(
    users: Annotated[int, typer.Option(help="Stored users.")] = 1_000_000,
    active: Annotated[int, typer.Option(help="Connected users.")] = 10_000,
    budget: Annotated[int, typer.Option(help="Bytes for actors, by estimate.")] = 200 << 20,
    rate: Annotated[float, typer.Option(help="Calls per second for random users.")] = 1_000,
    seconds: Annotated[float, typer.Option(help="Measured time.")] = 40,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    folder: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure memory, activation and passivation of a population that does not fit."""
    if folder is not None:
        sys.stdout.write(
            json.dumps(uvloop.run(serve(folder, users, active, budget, rate, seconds)))
        )
        return
    options = ("--active", str(active), "--rate", str(rate), "--seconds", str(seconds))
    found = measured(users, budget, *options)
    if as_json:
        sys.stdout.write(json.dumps(found))
        return
    table = Table(title=f"{users:,} stored users, {active:,} connected, {rate:,.0f} calls/s")
    for name in ("what", "figure"):
        table.add_column(name, justify="right")
    for name, text in figures(found, budget):
        table.add_row(name, text)
    Console().print(table)
    Console().print("Times of calls: milliseconds until handled at p50, p99 and the longest.")


def figures(found: dict, budget: int) -> Iterator[tuple[str, str]]:
    """The lines of the table."""
    yield "filling the store", f"{found['filled']:.0f} s"
    yield "its file", f"{found['file'] / 1e6:,.0f} MB"
    yield "actors in memory", f"{found['actors']:,}"
    yield "budget, estimate of actors", f"{budget / 1e6:,.0f} MB, {found['estimate'] / 1e6:,.0f} MB"
    for name in ("resident", "resident_after"):
        when = "under load" if name == "resident" else "after the storm"
        colour = "green" if found[name] < TARGET_BYTES else "red"
        yield f"process {when}", f"[{colour}]{found[name] / 1e6:,.0f} MB"
    yield "passivations per second", f"{found['passivations']:,.0f}"
    yield "processor", f"{found['cpu']:.2f} cores"
    yield "calls for random users", latency(found["visitors"])
    yield "calls for connected users", latency(found["residents"])
    storm = f"{found['storm']:,} in {found['storm_seconds']:.1f} s"
    yield "storm of activations", f"{storm}, {found['storm_actors']:,} actors then"
    yield "calls of the storm", latency(found["storm_calls"])
    yield "connected users meanwhile", latency(found["storm_residents"])


def latency(summary: list[list[int]]) -> str:
    """Milliseconds at the median, of the slowest hundredth, and of the slowest."""
    handled, durable = (
        " ".join(f"{micros / 1_000:,.1f}" for micros in numbers) for numbers in summary
    )
    return f"{handled}; durable {durable}"


if __name__ == "__main__":
    typer.run(main)
