from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.limits import BUCKETS_SWEEP_MIN
from server.rates import TokenBuckets

SECOND = 1_000_000


def test_a_burst_passes_and_the_next_call_does_not():
    buckets = TokenBuckets(per_minute=1800, burst=60)
    now = 10**15
    assert [buckets.take(1, now) for _ in range(61)] == [True] * 60 + [False]
    assert buckets.take(2, now), "another caller has another bucket"
    assert not buckets.take(1, now + SECOND // 31)
    assert buckets.take(1, now + SECOND // 30)
    assert not buckets.take(1, now + SECOND // 30)


@given(
    st.integers(1, 100),
    st.integers(1, 20),
    st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=80),
)
def test_agrees_with_a_bucket_that_counts_its_tokens(per_second, burst, gaps):
    buckets = TokenBuckets(per_minute=60 * per_second, burst=burst)
    interval = SECOND // per_second
    now, level, last = 10**15, burst * interval, 10**15
    for gap in gaps:
        now += gap
        level = min(burst * interval, level + now - last)
        last = now
        expected = level >= interval
        level -= interval * expected
        assert buckets.take(1, now) is expected


@given(st.integers(1, 50), st.integers(1, 10), st.integers(0, 10**15))
def test_a_clock_that_goes_back_refuses_nobody_for_ever(per_second, burst, back):
    buckets = TokenBuckets(per_minute=60 * per_second, burst=burst)
    now = 2 * 10**15
    while buckets.take(1, now):
        pass
    now -= back
    assert any(buckets.take(1, now + wait * SECOND) for wait in range(burst + 2))


def test_full_buckets_are_forgotten():
    buckets = TokenBuckets(per_minute=60, burst=1)
    for key in range(3 * BUCKETS_SWEEP_MIN):
        buckets.take(key, key * SECOND)
    assert len(buckets) <= BUCKETS_SWEEP_MIN + 1
