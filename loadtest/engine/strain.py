"""Strain: whether the load generator keeps up: its processor time, and how late its loop comes.

A generator that is late makes answers look late. It says so, instead of blaming the server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from loadtest.interval import Interval
from loadtest.limits import GENERATOR_CPU_MAX, GENERATOR_LAG_MS_MAX, GENERATOR_STRAINED_MAX

__all__ = ["Strain", "StrainProbe", "saturation"]

_BEAT_SECONDS = 0.01


class Strain(NamedTuple):
    """Of one process, since the last look."""

    cpu: float
    lag_ms: float


class StrainProbe:
    """Watches the running loop: a beat that comes late is a loop that was busy."""

    def __init__(self) -> None:
        self._used = time.process_time()
        self._looked = time.monotonic()
        self._lag = 0.0
        self._beats = asyncio.get_running_loop().create_task(self._beat())

    def take(self) -> Strain:
        """Look, and begin anew."""
        used, now = time.process_time(), time.monotonic()
        strain = Strain(
            (used - self._used) / max(now - self._looked, _BEAT_SECONDS), self._lag * 1_000
        )
        self._used, self._looked, self._lag = used, now, 0.0
        return strain

    def stop(self) -> None:
        """Watch no more."""
        self._beats.cancel()

    async def _beat(self) -> None:
        while True:
            asked = time.monotonic()
            await asyncio.sleep(_BEAT_SECONDS)
            self._lag = max(self._lag, time.monotonic() - asked - _BEAT_SECONDS)


def saturation(measured: Sequence[Interval]) -> list[str]:
    """Why the generator was the limit, in words, from the seconds that count; empty when not."""
    found: list[str] = []
    busy = sum(interval.generator_cpu >= GENERATOR_CPU_MAX for interval in measured)
    late = sum(interval.generator_lag_ms >= GENERATOR_LAG_MS_MAX for interval in measured)
    allowed = GENERATOR_STRAINED_MAX * len(measured)
    if busy > allowed:
        found.append(
            f"a process of the generator used its whole core in {busy} of {len(measured)} seconds"
        )
    if late > allowed:
        found.append(
            f"the generator was {GENERATOR_LAG_MS_MAX:g} ms late or more in {late} of"
            f" {len(measured)} seconds"
        )
    return found
