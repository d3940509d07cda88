from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.host.histogram import BATCH_BOUNDS, SECONDS_BOUNDS, TURN_BOUNDS, Histogram

VALUES = st.lists(st.floats(0, 100) | st.sampled_from(SECONDS_BOUNDS))


@given(VALUES)
def test_each_value_is_in_the_first_place_that_holds_it(values):
    histogram = Histogram(SECONDS_BOUNDS)
    for value in values:
        histogram.note(value)
    for index, bound in enumerate(SECONDS_BOUNDS):
        assert sum(histogram.counts[: index + 1]) == sum(value <= bound for value in values)
    assert histogram.count == len(values)
    assert histogram.total == sum(values)


def test_bounds_ascend():
    for bounds in (BATCH_BOUNDS, SECONDS_BOUNDS, TURN_BOUNDS):
        assert list(bounds) == sorted(set(bounds))
