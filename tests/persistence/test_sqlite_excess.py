from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from store_words import record

from persistence import sqlite_excess
from persistence.retention import Bounds, count_excess
from persistence.runs import Run, join_runs
from persistence.sqlite_excess import Excess

bounds = st.builds(
    Bounds,
    st.none() | st.integers(0, 40),
    st.none() | st.integers(0, 3_000),
    st.none() | st.integers(0, 60),
)


def runs_between(stored, cuts, after, through):
    """The runs of a journal that was filed at these records, as the file answers a look."""
    marks = sorted({1, *cuts, len(stored) + 1})
    for first, end in itertools.pairwise(marks):
        for seq, count, places, joined in join_runs(first, stored[first - 1 : end - 1]):
            run = Run(seq, seq + count - 1, len(joined), places or joined[9:17])
            if run.last > after and run.seq <= through:
                yield run


@given(
    bounds,
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 80)), min_size=1, max_size=60),
    st.data(),
)
def test_it_counts_what_a_store_in_memory_counts(allowed, turns, data):
    stored = [
        record(seq, time=time)[:-4] + bytes(size) for seq, (time, size) in enumerate(turns, 1)
    ]
    through = data.draw(st.integers(0, len(stored)))
    base_seq = data.draw(st.integers(0, through))
    trimmed = data.draw(st.integers(0, base_seq))
    cuts = data.draw(st.lists(st.integers(1, len(stored)), max_size=6))
    kept = sum(map(len, stored[trimmed:base_seq]))
    known = data.draw(st.sampled_from((kept, None)))
    look = data.draw(st.sampled_from((1, 3, 100)))
    history = stored[trimmed:through]
    size = sum(map(len, history))
    gone, gone_bytes = count_excess(allowed, history, len(history), size)

    excess = Excess(7, allowed, base_seq, trimmed, known, through)
    looked = sqlite_excess.RUNS_LOOK_RECORDS
    sqlite_excess.RUNS_LOOK_RECORDS = look
    try:
        while looks := excess.looks():
            assert {actor_id for actor_id, _, _ in looks} == {7}
            found = {
                run.seq: run
                for _, after, until in looks
                for run in runs_between(stored, cuts, after, until)
            }
            excess.look_at([found[seq] for seq in sorted(found)])
    finally:
        sqlite_excess.RUNS_LOOK_RECORDS = looked
    assert excess.trim == trimmed + gone
    if allowed.bytes_max is not None:
        assert excess.kept_bytes == size - gone_bytes
