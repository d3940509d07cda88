"""Measurement: what one run of a load showed, and the window of time in which it is taken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from statistics import median_low
from typing import NamedTuple

from loadtest.errors import CheckError
from loadtest.latency import Latencies, LatencySummary
from loadtest.sampler import BEGIN, END
from loadtest.server_process import ServerProcess

__all__ = ["Measurement", "Window", "median_run"]


class Measurement(NamedTuple):
    """One run.

    Attributes:
        operations: calls answered, or updates delivered, in the window.
        seconds: length of the window.
        latency: of the operations, in microseconds.
        server_seconds: processor time of the server in the window, all threads.
        client_seconds: processor time of the load generator: at 1 second per second it, and not
            the server, is what was measured.
    """

    operations: int
    seconds: float
    latency: LatencySummary
    server_seconds: float
    client_seconds: float

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.operations / self.seconds

    @property
    def server_micros(self) -> float:
        """Microseconds of the server's processor time for one operation."""
        return self.server_seconds * 1e6 / max(1, self.operations)

    @property
    def server_share(self) -> float:
        """Part of one core that the server used."""
        return self.server_seconds / self.seconds

    @property
    def client_share(self) -> float:
        """Part of one core that the load generator used."""
        return self.client_seconds / self.seconds


def median_run(runs: list[Measurement]) -> Measurement:
    """The run with the median rate; of an even number the lower of the two."""
    rate = median_low(run.rate for run in runs)
    return next(run for run in runs if run.rate == rate)


class Window(NamedTuple):
    """How long load runs before it is measured, and how long it is measured.

    ``profiled`` lets the server's sampler run in the measured time; it must have one.
    """

    warm_up_seconds: float
    seconds: float
    profiled: bool = False

    async def measure(
        self, server: ServerProcess, latencies: Latencies, count: Callable[[], int]
    ) -> Measurement:
        """Measure a load that has started.

        Args:
            server: the one under load.
            latencies: what the load records; cleared at the beginning.
            count: operations so far.

        Raises:
            CheckError: nothing happened at all.
        """
        await asyncio.sleep(self.warm_up_seconds)
        if self.profiled:
            server.signal(BEGIN)
        latencies.clear()
        operations, began = count(), time.perf_counter()
        server_cpu, client_cpu = server.cpu_seconds(), time.process_time()
        await asyncio.sleep(self.seconds)
        used = (
            count() - operations,
            time.perf_counter() - began,
            server.cpu_seconds() - server_cpu,
            time.process_time() - client_cpu,
        )
        # Last: it takes a while, in which the server goes on with what is in flight.
        measurement = Measurement(*used[:2], latencies.summary(), *used[2:])
        if self.profiled:
            server.signal(END)
        if not measurement.operations:
            raise CheckError("nothing was answered while it was measured")
        return measurement
