"""Worker: one process of the load generator; told what to do on its input, tells on its output.

First line in: the job. Then ``go`` with the moment of the beginning, which all processes share:
the monotonic clock is the machine's. Lines out: ``ready``, one per second, and ``done`` in the end.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from dataclasses import asdict
from typing import Any

import uvloop

from loadtest.connection import Address, allow_connections
from loadtest.engine.bystanders import stand_by
from loadtest.engine.meter import Meter
from loadtest.engine.plan import Plan
from loadtest.engine.stage import Site, Stage
from loadtest.engine.strain import StrainProbe
from loadtest.engine.turns import wait_until
from loadtest.errors import LoadTestError
from loadtest.scenarios import SCENARIOS
from loadtest.schema_reader import fetch_schema

__all__ = ["main"]

_NANOS = 1_000_000_000


async def _work(job: dict[str, Any]) -> None:
    plan = Plan(**job["plan"])
    site = Site(Address(*job["address"]), plan, *job["tokens"])
    scenario = SCENARIOS[plan.scenario]
    allow_connections(2 * plan.users + plan.storm + plan.slow_readers)
    if job["cores"]:
        os.sched_setaffinity(0, job["cores"])
    schema = await fetch_schema(site.address)
    gc.freeze()
    _tell({"ready": os.getpid()})
    start = int((await asyncio.to_thread(sys.stdin.readline)).strip())
    meter = Meter()
    stage = Stage(site, job["worker"], start, meter, schema)
    play = asyncio.gather(scenario.play(stage), stand_by(stage, scenario.bystanders))
    probe = StrainProbe()
    telling = asyncio.create_task(_tell_seconds(stage, probe))
    try:
        await play
    except (LoadTestError, TimeoutError, OSError) as error:
        meter.broke(str(error) or type(error).__name__)
    telling.cancel()
    probe.stop()
    # The last second is cut short; what is late still counts.
    _tell({"interval": asdict(_cut(stage, probe, time.monotonic_ns()))})
    _tell({"done": {"notes": meter.notes, "broken": meter.broken}})


async def _tell_seconds(stage: Stage, probe: StrainProbe) -> None:
    # Seconds are those of the measured time, which need not begin on a second of the warm-up.
    ends = stage.zero - (stage.zero - stage.start - 1) // _NANOS * _NANOS
    while True:
        await wait_until(ends)
        _tell({"interval": asdict(_cut(stage, probe, ends))})
        ends += _NANOS


def _cut(stage: Stage, probe: StrainProbe, ends: int) -> Any:
    strain = probe.take()
    second = -(-(ends - stage.zero) // _NANOS) - 1
    began = stage.zero + second * _NANOS
    arrivals = stage.arrived(max(began, stage.start), ends)
    return stage.meter.cut(second, arrivals, strain.cpu, strain.lag_ms)


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run the job of the first line."""
    uvloop.run(_work(json.loads(sys.stdin.readline())))


if __name__ == "__main__":
    main()
