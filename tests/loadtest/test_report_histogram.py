from __future__ import annotations

from collections import Counter

from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.histogram import Histogram
from loadtest.limits import LATENCY_MICROS_MAX

counted = st.dictionaries(st.integers(1, LATENCY_MICROS_MAX), st.integers(1, 5_000), max_size=60)


@settings(max_examples=25)  # the library is slow
@given(counted)
def test_figures_are_the_library_s_own(counts) -> None:
    reference = HdrHistogram(1, LATENCY_MICROS_MAX, 3)
    for micros, count in counts.items():
        reference.record_value(micros, count)
    found = Histogram.decode(Histogram.of(counts).encode())
    percentiles = (50.0, 90.0, 99.0, 99.9)
    if counts:
        values = reference.get_percentile_to_value_dict(list(percentiles))
        assert found.quantiles()[1:5] == tuple(values[each] for each in percentiles)
    recorded = {
        item.value_iterated_to: item.count_at_value_iterated_to
        for item in reference.get_recorded_iterator()
    }
    assert dict(found.buckets()) == recorded
    assert found.quantiles().recorded == sum(counts.values())


@given(counted, counted)
def test_sums_of_texts_are_sums(one, other) -> None:
    both = Histogram.decode(Histogram.of(one).encode(), "", Histogram.of(other).encode())
    whole = Histogram.of(Counter(one) + Counter(other))
    assert list(both.buckets()) == list(whole.buckets())
