from __future__ import annotations

import pytest

from loadtest.errors import CheckError
from loadtest.histogram import Histogram
from loadtest.interval import Interval
from loadtest.scenarios.soak import judge

MEBIBYTE = 2**20


def seconds(memory, cost=lambda _second: 100.0, count: int = 40) -> list[Interval]:
    """A hundred calls a second, for a while."""
    calls = {"transfer": Histogram.of({900: 100}).encode()}
    used, found = 5.0, []
    for second in range(count):
        used += cost(second) * 100 / 1e6
        metrics = {
            "process_resident_memory_bytes": memory(second) * MEBIBYTE,
            "process_cpu_seconds_total": used,
        }
        found.append(Interval(second, calls, server_metrics=metrics))
    return found


def test_what_stays_as_it_is_passes() -> None:
    facts = judge(seconds(lambda second: 200 + second % 3))
    assert facts["memory slope in MiB an hour"] == 0.0
    assert facts["us of processor time a call, late"] == pytest.approx(100, abs=0.2)


def test_caches_that_fill_up_pass() -> None:
    judge(seconds(lambda second: min(200, 50 + 20 * second)))


def test_memory_that_grows_is_a_fault() -> None:
    with pytest.raises(CheckError, match=r"memory grew from 129 to 169 MiB"):
        judge(seconds(lambda second: 100 + 2 * second, lambda _second: 100.0))


def test_calls_that_become_dear_are_a_fault() -> None:
    with pytest.raises(CheckError, match=r"took 100 us of processor time, then 200"):
        judge(seconds(lambda _second: 200, lambda second: 100.0 if second < 25 else 200.0))


def test_too_short_a_time_says_nothing() -> None:
    assert judge(seconds(lambda second: 100 * second, count=15)) == {
        "judged": "no: 15 of 16 seconds with metrics"
    }
    assert "judged" in judge([Interval(second) for second in range(60)])
