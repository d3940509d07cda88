from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from persistence import group_commit
from persistence.group_commit import (
    AppendJob,
    Barrier,
    BarrierJob,
    FailedCheckpoints,
    FoldJob,
    MetaJob,
    gather,
    weigh,
    weigh_changes,
)
from persistence.limits import (
    APPEND_OVERHEAD_BYTES,
    CHANGE_OVERHEAD_BYTES,
    FOLD_GROUP_MAX,
    GROUP_BYTES_MAX,
)
from persistence.record import RowChange
from persistence.store import Append


def ignore(_):
    pass


def append_job(weight_bytes):
    return AppendJob((), ignore, weight_bytes, None)


def fold_job(actor, weight_bytes):
    return FoldJob(actor, 1, ignore, None, (), 1, weight_bytes)


jobs = st.lists(
    st.one_of(
        st.integers(0, GROUP_BYTES_MAX * 2).map(append_job),
        st.builds(fold_job, st.sampled_from("abc"), st.integers(0, GROUP_BYTES_MAX * 2)),
        st.just(MetaJob("key", b"", ignore)),
        st.sampled_from(Barrier).map(lambda kind: BarrierJob(kind, ignore)),
    ),
    max_size=30,
)


def taken(group):
    barrier = [] if group.barrier is None else [group.barrier]
    return [*group.appends, *group.metas, *group.folds, *barrier]


@given(jobs)
def test_every_job_is_taken_once_and_its_kind_keeps_its_order(jobs):
    waiting = deque(jobs)
    gathered = []
    while waiting:
        before = len(waiting)
        group = gather(waiting)
        assert len(taken(group)) == before - len(waiting) > 0
        gathered += taken(group)
    for kind in (AppendJob, FoldJob, MetaJob, BarrierJob):
        expected = [id(job) for job in jobs if isinstance(job, kind)]
        assert [id(job) for job in gathered if isinstance(job, kind)] == expected


@given(jobs)
def test_a_group_keeps_its_limits(jobs):
    waiting = deque(jobs)
    while waiting:
        group = gather(waiting)
        weight_bytes = sum(job.weight_bytes for job in group.appends)
        assert weight_bytes <= GROUP_BYTES_MAX or len(group.appends) == 1
        fold_bytes = sum(job.weight_bytes for job in group.folds)
        assert fold_bytes <= GROUP_BYTES_MAX or len(group.folds) == 1
        actors = [job.actor for job in group.folds]
        assert len(actors) == len(set(actors))


@given(jobs)
def test_nothing_passes_a_barrier(jobs):
    waiting = deque(jobs)
    group = gather(waiting)
    rest = jobs[: len(jobs) - len(waiting)]
    assert all(not isinstance(job, BarrierJob) for job in rest[:-1])
    if group.barrier is not None:
        assert rest[-1] is group.barrier


def test_checkpoints_of_a_group_are_bounded():
    waiting = deque(FoldJob(str(n), 1, ignore, None) for n in range(FOLD_GROUP_MAX + 1))
    assert len(gather(waiting).folds) == FOLD_GROUP_MAX
    assert len(waiting) == 1


def test_a_batch_weighs_its_records_and_their_care():
    batch = [Append("a", 1, bytes(10), None), Append("b", 1, bytes(5), 3)]
    assert weigh(batch) == 15 + 2 * APPEND_OVERHEAD_BYTES
    assert weigh([]) == 0


def test_changes_weigh_their_bytes_and_their_care():
    changes = [RowChange(1, bytes(3), bytes(10)), RowChange(1, bytes(4), None)]
    assert weigh_changes(changes) == 17 + 2 * CHANGE_OVERHEAD_BYTES
    assert weigh_changes([]) == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=12))
def test_changes_count_again_above_the_farthest_failure(steps):
    failed, farthest = FailedCheckpoints(), 0
    for fails, seq in steps:
        if fails:
            failed.note("a", seq)
            farthest = max(farthest, seq)
        else:
            assert failed.allow_changes("a", seq) == (seq >= farthest)
            farthest = 0 if seq >= farthest else farthest
        assert failed.allow_changes("other", 0)


def test_too_many_failures_end_all_belief(monkeypatch):
    monkeypatch.setattr(group_commit, "FAILED_CHECKPOINTS_MAX", 2)
    failed = FailedCheckpoints()
    for actor in "ab":
        failed.note(actor, 1)
    assert failed.allow_changes("c", 0)
    failed.note("c", 1)
    assert not any(failed.allow_changes(actor, 99) for actor in "abcd")
