from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from store_words import record

from persistence.limits import RUN_BYTES_MAX, RUN_RECORDS_MAX
from persistence.record import record_time
from persistence.runs import Run, cut_run, join_runs

records = st.lists(
    st.builds(
        lambda size, time: record(1, time=time)[:-4] + bytes(size),
        st.sampled_from((0, 1, 300, RUN_BYTES_MAX // 2, RUN_BYTES_MAX)),
        st.integers(-(2**63), 2**63 - 1),
    ),
    min_size=1,
    max_size=12,
)


@given(st.integers(1, 2**40), records, st.sampled_from((1, 30)))
def test_what_is_joined_is_cut_apart_again(first, parts, times):
    stored = parts * times
    runs = list(join_runs(first, stored))
    cut = [item for seq, _, places, joined in runs for item in cut_run(seq, places, joined)]
    assert cut == list(enumerate(stored, first))
    entries = [
        entry
        for seq, count, places, joined in runs
        for entry in Run(seq, seq + count - 1, len(joined), places or joined[9:17]).entries()
    ]
    assert entries == [(seq, len(data), record_time(data)) for seq, data in cut]


@given(records)
def test_no_run_is_longer_than_allowed(parts):
    stored = parts * 60
    for _, count, _, joined in join_runs(1, stored):
        assert count <= RUN_RECORDS_MAX
        assert count == 1 or len(joined) - max(map(len, parts)) < RUN_BYTES_MAX


@given(records, st.binary(max_size=40))
def test_damaged_places_raise_nothing(parts, places):
    joined = b"".join(parts)
    assert all(isinstance(data, bytes) for _, data in cut_run(1, places, joined))
    assert all(entry.seq > 0 for entry in Run(1, len(parts), len(joined), places).entries())
