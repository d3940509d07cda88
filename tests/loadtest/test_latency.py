from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadtest.latency import Latencies, LatencySummary


def test_nothing_recorded_is_zero() -> None:
    assert Latencies().summary() == LatencySummary(0, 0, 0)


def test_a_batch_counts_as_often_as_it_has_requests() -> None:
    latencies = Latencies()
    latencies.record(1_000_000, 98)
    latencies.record(50_000_000, 2)
    summary = latencies.summary()
    assert summary.p50 == 1_000
    assert abs(summary.p99 - 50_000) <= 50
    latencies.clear()
    assert latencies.summary().max == 0


@given(st.lists(st.integers(1_000, 10_000_000_000), min_size=1, max_size=50))
def test_percentiles_are_within_three_digits(nanos) -> None:
    latencies = Latencies()
    for each in nanos:
        latencies.record(each)
    ordered = sorted(each // 1_000 for each in nanos)
    summary = latencies.summary()
    assert abs(summary.max - ordered[-1]) <= ordered[-1] / 1_000 + 1
    assert ordered[0] * 0.999 - 1 <= summary.p50 <= summary.p99 <= summary.max
