from __future__ import annotations

import time

from loadtest.engine.fleet import merged
from loadtest.engine.meter import Meter
from loadtest.histogram import Histogram
from loadtest.interval import Interval
from loadtest.limits import BROKEN_TOLD_MAX


def test_a_second_holds_what_came_since_the_last_one() -> None:
    meter = Meter()
    meter.connections = 3
    meter.answered("buy", time.monotonic_ns() - 5_000_000)
    meter.failed("limit.rate_exceeded")
    meter.delivered(count=4)
    meter.delivered(time.monotonic_ns() - 1_000_000)
    interval = meter.cut(0, 7, 0.5, 1.5)
    assert 5_000 <= Histogram.decode(interval.calls["buy"]).quantiles().p50 < 100_000
    assert interval.errors == {"limit.rate_exceeded": 1}
    assert (interval.deliveries, interval.connections, interval.arrivals) == (5, 3, 7)
    assert Histogram.decode(interval.delivery_latency).quantiles().recorded == 1
    assert (interval.generator_cpu, interval.generator_lag_ms) == (0.5, 1.5)
    assert meter.cut(1, 0, 0.0, 0.0) == Interval(1, connections=3)


def test_broken_rules_are_told_once_and_counted() -> None:
    meter = Meter()
    for number in range(BROKEN_TOLD_MAX + 5):
        meter.broke(f"rule {number}")
    meter.broke("rule 0")
    assert meter.broken["rule 0"] == 2
    assert meter.broken["further rules, not told"] == 5
    assert len(meter.broken) == BROKEN_TOLD_MAX + 1


def test_processes_are_added_up_and_the_worst_strain_counts() -> None:
    def part(micros: int, cpu: float) -> Interval:
        text = Histogram.of({micros: 2}).encode()
        return Interval(4, {"buy": text}, {"no": 1}, 3, 2, cpu, 10 * cpu, arrivals=5)

    whole = merged(4, [part(100, 0.25), part(900, 0.75), Interval(4)])
    told = Histogram.decode(whole.calls["buy"]).quantiles()
    assert (told.recorded, told.p50, told.max) == (4, 100, 900)
    assert whole.errors == {"no": 2}
    assert (whole.deliveries, whole.connections, whole.arrivals) == (6, 4, 10)
    assert (whole.generator_cpu, whole.generator_lag_ms) == (0.75, 7.5)
