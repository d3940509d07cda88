"""Fleet: the processes of a load generator, from their start to what they found together."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loadtest.engine.exposition import scrape
from loadtest.engine.stage import Site
from loadtest.errors import LoadTestError
from loadtest.histogram import Histogram
from loadtest.interval import Interval
from loadtest.limits import START_SECONDS_MAX, WORKER_LINE_BYTES_MAX

__all__ = ["Fleet", "Watch", "merged"]

Watch = Callable[[Interval], None]
"""Told of each second when all processes have told it, in order."""

_WORKER = "loadtest.worker"
_HEAD_START_NANOS = 50_000_000


def merged(second: int, parts: Sequence[Interval]) -> Interval:
    """One second of all processes: sums, and of strain the worst."""
    kinds = sorted({kind for part in parts for kind in part.calls})
    errors: Counter[str] = Counter()
    for part in parts:
        errors.update(part.errors)
    return Interval(
        second,
        {kind: _sum(part.calls.get(kind, "") for part in parts) for kind in kinds},
        dict(errors),
        sum(part.deliveries for part in parts),
        sum(part.connections for part in parts),
        max((part.generator_cpu for part in parts), default=0.0),
        max((part.generator_lag_ms for part in parts), default=0.0),
        delivery_latency=_sum(part.delivery_latency for part in parts),
        arrivals=sum(part.arrivals for part in parts),
    )


def _sum(texts: Any) -> str:
    told = [text for text in texts if text]
    return told[0] if len(told) == 1 else Histogram.decode(*told).encode()


@dataclass(slots=True)
class Fleet:
    """All processes of one load. Loop thread.

    Args:
        site: the server under load.
        watch: told of each second.
        cores: of the machine, that they may use; None for all.

    Attributes:
        intervals: second by second.
        notes: sums of what all noted.
        broken: rules that were broken, and how often.
    """

    site: Site
    watch: Watch
    cores: Sequence[int] | None = None
    intervals: list[Interval] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    _parts: defaultdict[int, list[Interval]] = field(default_factory=lambda: defaultdict(list))
    _told: dict[int, int] = field(default_factory=dict)
    _whole: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Start all processes, let them begin together, and take what they tell to the end.

        Raises:
            LoadTestError: a process broke down.
        """
        workers: list[asyncio.subprocess.Process] = []
        handing_over = asyncio.create_task(self._hand_over())
        try:
            while len(workers) < self.site.plan.processes:
                workers.append(await self._spawn(len(workers)))
            async with asyncio.timeout(START_SECONDS_MAX):
                for worker in workers:
                    await _line(worker)
            start = f"{time.monotonic_ns() + _HEAD_START_NANOS}\n".encode()
            for worker in workers:
                assert worker.stdin is not None, "it was asked for"
                worker.stdin.write(start)
            await asyncio.gather(
                *(self._listen(number, worker) for number, worker in enumerate(workers))
            )
            await handing_over
        finally:
            handing_over.cancel()
            for worker in workers:
                with contextlib.suppress(ProcessLookupError):
                    worker.kill()
                await worker.wait()

    async def _spawn(self, number: int) -> asyncio.subprocess.Process:
        site = self.site
        job = {
            "plan": site.plan.as_json(),
            "address": site.address,
            "tokens": (site.service_token, site.admin_url, site.admin_token),
            "worker": number,
            "cores": [self.cores[number % len(self.cores)]] if self.cores else [],
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", _WORKER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=WORKER_LINE_BYTES_MAX,
        )
        assert process.stdin is not None, "it was asked for"
        process.stdin.write(json.dumps(job).encode() + b"\n")
        return process

    async def _listen(self, number: int, worker: asyncio.subprocess.Process) -> None:
        while "done" not in (told := await _line(worker)):
            interval = Interval(**told["interval"])
            self._parts[interval.second].append(interval)
            self._told[number] = interval.second
            self._whole.set()
        self._told[number] = sys.maxsize
        self._whole.set()
        self.notes.update(told["done"]["notes"])
        self.broken.update(told["done"]["broken"])

    async def _hand_over(self) -> None:
        """Hand over the seconds that nobody will tell more of, with what the server says then."""
        before = 0
        while before < sys.maxsize:
            await self._whole.wait()
            self._whole.clear()
            if len(self._told) < self.site.plan.processes:
                continue
            before = min(self._told.values())
            seconds = sorted(second for second in self._parts if second <= before)
            metrics = await scrape(self.site.address) if seconds else {}
            for second in seconds:
                interval = merged(second, self._parts.pop(second))
                self.intervals.append(replace(interval, server_metrics=metrics))
                self.watch(self.intervals[-1])


async def _line(worker: asyncio.subprocess.Process) -> dict[str, Any]:
    assert worker.stdout is not None, "it was asked for"
    line = await worker.stdout.readline()
    if not line:
        raise LoadTestError(f"a process of the load generator broke down: {await worker.wait()}")
    told: dict[str, Any] = json.loads(line)
    return told
