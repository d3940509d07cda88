from __future__ import annotations

import asyncio
import time

from loadtest.engine.strain import StrainProbe, saturation
from loadtest.interval import Interval


def seconds(**strain: float) -> list[Interval]:
    return [Interval(second, **strain) for second in range(20)]


def test_a_generator_at_ease_says_nothing() -> None:
    assert saturation(seconds(generator_cpu=0.5, generator_lag_ms=3)) == []
    assert saturation([]) == []


def test_a_short_hiccup_is_no_saturation() -> None:
    hiccup = Interval(20, generator_cpu=1.0, generator_lag_ms=400)
    assert saturation([*seconds(generator_cpu=0.1), hiccup]) == []


def test_a_generator_at_its_limit_says_so() -> None:
    busy, late = saturation(seconds(generator_cpu=0.99, generator_lag_ms=80))
    assert "whole core in 20 of 20 seconds" in busy
    assert "50 ms late or more in 20 of 20 seconds" in late


async def test_a_loop_that_is_held_up_is_late_and_busy() -> None:
    probe = StrainProbe()
    await asyncio.sleep(0)
    until = time.monotonic() + 0.1
    while time.monotonic() < until:  # what a callback that computes does to a loop
        pass
    ticks = asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, ticks.set)
    await ticks.wait()
    strain = probe.take()
    assert strain.lag_ms >= 80
    assert strain.cpu > 0.1
    probe.stop()
