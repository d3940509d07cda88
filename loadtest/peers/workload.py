"""Workloads: what every server is made to do, and one run of it: connect, load, drain, check."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from loadtest.errors import CheckError
from loadtest.latency import Latencies
from loadtest.limits import CONNECTS_AT_ONCE, DRAIN_SECONDS_MAX
from loadtest.measurement import Measurement, Window
from loadtest.peers.dialect import Dialect, Role
from loadtest.peers.link import Link
from loadtest.peers.parties import Caller, Listener
from loadtest.server_process import ServerProcess
from loadtest.shared_reader import SharedReader

__all__ = ["WORKLOADS", "Workload"]


@dataclass(frozen=True, slots=True)
class Workload:
    """One load.

    Attributes:
        name: for the command line.
        title: for people.
        operation: what is counted, in one word.
        callers: connections that call.
        role: what they call.
        in_flight: unanswered calls of each; answered ones are replaced at once.
        told: who is told of the calls beside those that call, if anybody.
        listeners: how many they are.
    """

    name: str
    title: str
    operation: str
    callers: int
    role: Role
    in_flight: int
    told: Role | None = None
    listeners: int = 0

    @property
    def purses(self) -> int:
        """What is called in turn."""
        return self.listeners if self.told is Role.OWNER else 1

    async def run(self, dialect: Dialect, server: ServerProcess, window: Window) -> Measurement:
        """Run it once, on connections of its own.

        Raises:
            LoadTestError: an answer or an update was missing, wrong, or somebody else's.
        """
        latencies = Latencies()
        async with AsyncExitStack() as stack:
            links = await self._links(dialect, server.address.port, stack)
            callers = [
                Caller(
                    link,
                    dialect.calls(self.role, self.purses),
                    Latencies() if self.told else latencies,
                    purses=self.purses,
                )
                for link in links[: self.callers]
            ]
            listeners = [
                Listener(
                    link,
                    callers[0].sent_at,
                    latencies,
                    first=number if self.told is Role.OWNER else 0,
                    every=self.purses,
                )
                for number, link in enumerate(links[self.callers :])
            ]
            for caller in callers:
                await caller.learn(dialect)
            for listener in listeners:
                await listener.learn(dialect)
            if self.told is Role.READER:
                reader = SharedReader(callers[0].sent_at, latencies)
                stack.callback(reader.close)
                for listener in listeners:
                    listener.share(reader)
            for caller in callers:
                caller.start(self.in_flight)
            try:
                measurement = await window.measure(server, latencies, _count(callers, listeners))
            except CheckError as error:
                failures = [caller.failure for caller in callers]
                failures += [listener.failure for listener in listeners]
                raise next(filter(None, failures), error) from None
            try:
                async with asyncio.timeout(DRAIN_SECONDS_MAX):
                    await asyncio.gather(*(caller.stop() for caller in callers))
                    for listener in listeners:
                        await listener.finish(callers[0].answered)
            except TimeoutError:
                raise CheckError("an answer or an update never came") from None
        return measurement

    async def _links(self, dialect: Dialect, port: int, stack: AsyncExitStack) -> list[Link]:
        """Open all links, those that call first; who is told says so in order."""
        gate = asyncio.Semaphore(CONNECTS_AT_ONCE)

        async def connect() -> Link:
            async with gate:
                link = await dialect.connect(port)
            stack.push_async_callback(link.close)
            return link

        links = [await connect()]  # alone: it may have to make what the others join
        count = self.callers + self.listeners - 1
        links += await asyncio.gather(*(connect() for _ in range(count)))
        for link in links[: self.callers]:
            await dialect.enter(link, self.role, 0)
        if self.told is not None:
            for number, link in enumerate(links[self.callers :]):
                await dialect.enter(link, self.told, number)
        return links


def _count(callers: list[Caller], listeners: list[Listener]) -> Callable[[], int]:
    if listeners:
        return lambda: sum(listener.received for listener in listeners)
    return lambda: sum(caller.answered for caller in callers)


WORKLOADS = (
    Workload("calls-1", "64 users, 1 call in flight", "calls", 64, Role.CALLER, 1),
    Workload("calls-40", "64 users, 40 calls in flight", "calls", 64, Role.CALLER, 40),
    Workload(
        "fanout-1",
        "1,000 readers, one writer, 1 call in flight",
        "updates",
        1,
        Role.WRITER,
        1,
        Role.READER,
        1_000,
    ),
    Workload(
        "fanout-40",
        "1,000 readers, one writer, 40 calls in flight",
        "updates",
        1,
        Role.WRITER,
        40,
        Role.READER,
        1_000,
    ),
    Workload(
        "private",
        "1,000 owners of private rows, one writer for all, 40 calls in flight",
        "updates",
        1,
        Role.GIVER,
        40,
        Role.OWNER,
        1_000,
    ),
)
"""Every workload, in the order in which it runs."""
