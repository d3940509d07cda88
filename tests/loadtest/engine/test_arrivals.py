from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.engine.arrivals import Arrivals

RATES = st.floats(0.1, 200_000)
RAMPS = st.one_of(st.just(0.0), st.floats(0.1, 600))


def test_a_rate_is_even() -> None:
    arrivals = Arrivals(100)
    assert [arrivals.due(number) for number in range(3)] == [0, 10_000_000, 20_000_000]
    assert arrivals.before(1_000_000_000) == 100


def test_a_ramp_rises_in_a_straight_line() -> None:
    arrivals = Arrivals(1_000, ramp=10)
    counts = [arrivals.before(second * 1_000_000_000) for second in range(13)]
    rates = [after - before for before, after in pairwise(counts)]
    assert rates == pytest.approx([50 + 100 * second for second in range(10)] + [1_000] * 2, abs=1)


@given(rate=RATES, ramp=RAMPS, numbers=st.lists(st.integers(0, 10**7), min_size=2))
def test_later_arrivals_are_due_later(rate, ramp, numbers) -> None:
    arrivals = Arrivals(rate, ramp)
    dues = [arrivals.due(number) for number in sorted(numbers)]
    assert dues == sorted(dues)


@given(rate=RATES, ramp=RAMPS, number=st.integers(0, 10**6), step=st.integers(1, 8))
def test_what_is_due_was_counted_before_and_not_sooner(rate, ramp, number, step) -> None:
    arrivals = Arrivals(rate, ramp, first=step - 1, step=step)
    due = arrivals.due(number)
    assert arrivals.before(due) <= number
    assert arrivals.before(due + 1) >= number + 1


@given(rate=RATES, ramp=RAMPS, step=st.integers(1, 8), nanos=st.integers(0, 10**12))
def test_processes_share_one_schedule(rate, ramp, step, nanos) -> None:
    whole = Arrivals(rate, ramp)
    parts = [Arrivals(rate, ramp, first, step) for first in range(step)]
    assert sum(part.before(nanos) for part in parts) == whole.before(nanos)
    for number in range(2 * step):
        assert parts[number % step].due(number // step) == whole.due(number)
