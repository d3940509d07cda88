"""Calls per second of the actor host alone: no socket, no process between, durable on SQLite.

``python tests/bench/host_bench.py`` prints what one core does from decoded requests to encoded
answers; what a server reaches less than this is the price of its sockets.
"""

from __future__ import annotations

import asyncio
import struct
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Annotated

import typer
import uvloop
from crowd import claims_of, running_host
from rich.console import Console
from rich.table import Table

from actors.host import Host
from actors.module.types import ConnectionId
from protocol.messages import V2, CallReducer, ReducerOk, ReducerResult, decode_server_message

ACCOUNTS = 10_000
BALANCE = 1_000_000_000


class Caller:
    """A connection whose answers are counted and followed by as many calls; the session's sink."""

    def __init__(self, host: Host, number: int, calls: list[CallReducer]) -> None:
        self.answered = 0
        self.running = False
        self._calls = calls
        self._next = 0
        self._idle = asyncio.Event()
        self._in_flight = 0
        self.session = host.open_session(
            claims=claims_of(number),
            connection_id=ConnectionId(number + 1),
            token="token",
            wire=V2,
            confirmed=True,
            sink=self,
        )

    def abort(self, close_code: int, reason: str) -> None:
        raise AssertionError(f"closed with {close_code}: {reason}")

    def deliver(self, messages: list[bytes]) -> None:
        if not self._in_flight:
            return  # the first message of a connection
        answer, _ = decode_server_message(messages[0])
        assert isinstance(answer, ReducerResult), answer
        assert isinstance(answer.outcome, ReducerOk), answer
        self.answered += len(messages)
        self._in_flight -= len(messages)
        if self.running:
            self.send(len(messages))
        elif not self._in_flight:
            self._idle.set()

    def send(self, count: int) -> None:
        calls, start = self._calls, self._next
        self._next = (start + count) % (len(calls) // 2)
        self._in_flight += count
        self.session.receive(calls[start : start + count])

    async def stop(self) -> None:
        self.running = False
        await self._idle.wait()


def calls_of(module: str, number: int) -> list[CallReducer]:
    """A ring of calls, twice in a row, so that any stretch of it is one slice."""
    random = Random(number)
    if module == "counter_module":
        ring = [CallReducer(n, "bump", struct.pack("<Q", 1)) for n in range(256)]
    else:
        ring = [
            CallReducer(n, "transfer", struct.pack("<IIq", *random.sample(range(ACCOUNTS), 2), 1))
            for n in range(256)
        ]
    return ring * 2


async def run(module: str, store: str, connections: int, in_flight: int, seconds: float):
    """Calls per second, and microseconds of processor time for each."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_host(module, store, Path(folder)) as host:
            callers = [Caller(host, n, calls_of(module, n)) for n in range(connections)]
            for caller in callers:
                await caller.session.connect()
            await host.durable()
            if module != "counter_module":
                seed = CallReducer(0, "seed", struct.pack("<Iq", ACCOUNTS, BALANCE))
                callers[0].session.receive([seed])
                await host.durable()
            for caller in callers:
                caller.running = True
                caller.send(in_flight)
            await asyncio.sleep(seconds / 5)
            before = sum(caller.answered for caller in callers)
            began, cpu = time.perf_counter(), time.process_time()
            await asyncio.sleep(seconds)
            answered = sum(caller.answered for caller in callers) - before
            took, cpu = time.perf_counter() - began, time.process_time() - cpu
            for caller in callers:
                await caller.stop()
    return answered / took, cpu * 1e6 / answered


def main(
    seconds: Annotated[float, typer.Option(help="Measured time of a run.")] = 10.0,
    runs: Annotated[int, typer.Option(help="Runs; the median counts.")] = 3,
) -> None:
    """Measure coalesced and single calls on both kinds of actors, on SQLite and in memory."""
    table = Table(title="Actor host without sockets, median runs")
    for name in ("module", "store", "connections", "in flight", "calls/s", "CPU us"):
        table.add_column(name, justify="right")
    for store in ("sqlite", "memory:"):
        for module in ("examples.bank", "counter_module"):
            for connections, in_flight in ((64, 40), (512, 1)):
                results = sorted(
                    uvloop.run(run(module, store, connections, in_flight, seconds))
                    for _ in range(runs)
                )
                rate, micros = results[(len(results) - 1) // 2]
                cells = (module, store, connections, in_flight, f"{rate:,.0f}", f"{micros:.1f}")
                table.add_row(*map(str, cells))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
