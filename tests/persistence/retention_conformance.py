"""Conformance kit of stores, retention: what every store keeps of what it has folded."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from checkpoint_conformance import CheckpointConformance
from hypothesis import given, settings
from hypothesis import strategies as st
from store_words import (
    Append,
    State,
    append,
    checkpoint,
    keeping,
    load,
    one,
    opened,
    put,
    record,
    replay,
    state_of,
)

from persistence import (
    FencedError,
    Retention,
    RetentionPolicy,
    SequenceConflictError,
    StoreWriteError,
    decode_record,
)
from persistence.retention import FULL_HISTORY

SECOND = 1_000_000


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now=0):
        self.now = now

    def __call__(self):
        return self.now


def sized(seq, size_bytes, time=None):
    """A record of so many bytes."""
    empty = len(record(seq, put(1, b"")))
    return record(seq, put(1, b"", bytes(size_bytes - empty)), time=time)


async def write(store, actor, records, first=1):
    batch = [Append(actor, seq, data, None) for seq, data in enumerate(records, first)]
    assert await append(store, *batch) is None


async def kept(store, actor):
    """Sequence numbers of an actor's history."""
    return [decode_record(data).seq for data in await store.history(actor, 0, 9_999)]


def newest_allowed(limits: Retention, now, folded):
    """What may stay of folded records: the model, which looks at all of them."""
    stays = list(folded)
    while stays and (
        (limits.records_max is not None and len(stays) > limits.records_max)
        or (limits.bytes_max is not None and sum(map(len, stays)) > limits.bytes_max)
        or (
            limits.age_seconds_max is not None
            and decode_record(stays[0]).time < now - limits.age_seconds_max * SECOND
        )
    ):
        stays.pop(0)
    return stays


limits = st.one_of(
    st.just(FULL_HISTORY),
    st.builds(
        Retention,
        st.none() | st.integers(0, 6),
        st.none() | st.integers(0, 400),
        st.none() | st.integers(0, 8),
    ),
)
policies = st.builds(RetentionPolicy, limits, st.dictionaries(st.sampled_from("ab"), limits))
names = st.sampled_from(["a/1", "b/1", "c"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), names, st.lists(st.integers(0, 90), max_size=5)),
        st.tuples(st.just("checkpoint"), names, st.integers(0, 5)),
        st.tuples(st.just("fold"), names, st.integers(0, 5)),
        st.tuples(st.just("wait"), st.none(), st.integers(1, 6)),
        st.tuples(st.just("trim"), st.none(), st.integers(1, 4)),
        st.tuples(st.just("reopen"), st.none(), st.none() | policies),
    ),
    max_size=16,
)


class RetentionConformance(CheckpointConformance):
    async def test_the_newest_records_stay(self, medium):
        async with opened(medium, retention=keeping(records=3)) as store:
            await append(store, *[one("a", seq) for seq in range(1, 9)])
            for through, expected in ((2, 1), (4, 2), (5, 3), (8, 6)):
                assert await checkpoint(store, "a", through) is None
                assert await kept(store, "a") == list(range(expected, 9))
            assert await store.history("a", 7, 1) == [record(8)]

    async def test_no_more_bytes_stay_than_allowed(self, medium):
        async with opened(medium, retention=keeping(size=1_000)) as store:
            sizes = [400, 300, 300, 301, 900, 100, 100, 1_001, 100]
            await write(store, "a", [sized(seq, size) for seq, size in enumerate(sizes, 1)])
            expected = {1: 1, 2: 1, 3: 1, 4: 2, 5: 5, 6: 5, 7: 6, 8: 9}
            for through, oldest in expected.items():
                assert await checkpoint(store, "a", through) is None
                assert await kept(store, "a") == list(range(oldest, 10))
        async with opened(medium, retention=keeping(size=1_000)) as store:
            assert await checkpoint(store, "a", 9) is None
            assert await kept(store, "a") == [9]

    async def test_old_records_go_with_a_checkpoint(self, medium):
        clock = Clock(100 * SECOND)
        async with opened(medium, retention=keeping(age=10), clock=clock) as store:
            times = [80, 89, 90, 91, 99, 100]
            records = [record(s, time=t * SECOND) for s, t in enumerate(times, 1)]
            await write(store, "a", records)
            assert await checkpoint(store, "a", 3, [], 90 * SECOND) is None
            assert await kept(store, "a") == [3, 4, 5, 6]
            clock.now += 2 * SECOND
            assert await checkpoint(store, "a", 5, [], 99 * SECOND) is None
            assert await kept(store, "a") == [5, 6]
            clock.now += 2**53 // 4
            assert await checkpoint(store, "a", 6, [], 100 * SECOND) is None
            assert await kept(store, "a") == []

    async def test_the_tail_stays_however_large_and_old(self, medium):
        clock = Clock(10**6 * SECOND)
        policy = keeping(records=0, size=0, age=0)
        async with opened(medium, retention=policy, clock=clock) as store:
            await append(store, *[one("a", seq) for seq in range(1, 6)])
            assert await checkpoint(store, "a", 2) is None
            assert await store.trim("", 9) == ""
            assert await kept(store, "a") == [3, 4, 5]
            assert len((await load(store, "a")).tail) == 3

    async def test_full_history_stays_full(self, medium):
        clock = Clock(10**9 * SECOND)
        policy = RetentionPolicy(FULL_HISTORY)
        async with opened(medium, retention=policy, clock=clock) as store:
            await append(store, *[one("a", seq) for seq in range(1, 201)])
            for through in (1, 150, 200):
                assert await checkpoint(store, "a", through) is None
            assert await store.trim("", 9) == ""
            assert await kept(store, "a") == list(range(1, 201))

    async def test_kinds_have_limits_of_their_own(self, medium):
        none, two = (Retention(number, None, None) for number in (0, 2))
        policy = keeping(records=1, full=FULL_HISTORY, none=none, two=two)
        expected = {"full/1": 3, "none/1": 0, "two": 2, "two/1": 2, "twos/1": 1, "other": 1}
        async with opened(medium, retention=policy) as store:
            await append(store, *[one(name, seq) for name in expected for seq in (1, 2, 3)])
            assert {await checkpoint(store, name, 3) for name in expected} == {None}
            found = {name: len(await kept(store, name)) for name in expected}
            assert found == expected

    @pytest.mark.parametrize(
        ("policy", "oldest"),
        [
            (keeping(4, 10_000, 1_000), 5),
            (keeping(7, 300, 1_000), 6),
            (keeping(7, 10_000, 1), 7),
            (keeping(0, 10_000, 1_000), 9),
        ],
        ids=["records", "bytes", "age", "nothing"],
    )
    async def test_the_tightest_limit_counts(self, medium, policy, oldest):
        clock = Clock(8 * SECOND)
        async with opened(medium, retention=policy, clock=clock) as store:
            await write(store, "a", [sized(s, 100, time=s * SECOND) for s in range(1, 9)])
            for through in (4, 8):
                assert await checkpoint(store, "a", through, [], through * SECOND) is None
            assert await kept(store, "a") == list(range(oldest, 9))

    async def test_what_went_by_one_limit_does_not_count_for_the_others(self, medium):
        clock = Clock()
        async with opened(medium, retention=keeping(3, 350, 60), clock=clock) as store:
            await write(store, "a", [sized(seq, 100) for seq in range(1, 31)])
            for through in range(1, 30):
                assert await checkpoint(store, "a", through) is None
                oldest = max(1, through - 2)
                assert await kept(store, "a") == list(range(oldest, 31))
            clock.now = 61 * SECOND
            assert await store.trim("", 9) == ""
            late = [sized(seq, 100, time=clock.now) for seq in (31, 32, 33)]
            await write(store, "a", late, 31)
            assert await checkpoint(store, "a", 33) is None
            assert await kept(store, "a") == [31, 32, 33]

    async def test_a_policy_that_gets_tighter_applies_to_what_is_there(self, medium):
        async with opened(medium, retention=RetentionPolicy(FULL_HISTORY)) as store:
            await write(store, "a", [sized(seq, 100) for seq in range(1, 201)])
            assert await checkpoint(store, "a", 199) is None
            assert len(await kept(store, "a")) == 200
        async with opened(medium, retention=keeping(size=1_000)) as store:
            assert await checkpoint(store, "a", 200) is None
            assert await kept(store, "a") == list(range(191, 201))
        async with opened(medium, retention=RetentionPolicy(FULL_HISTORY)) as store:
            await write(store, "a", [sized(seq, 100) for seq in range(201, 221)], 201)
            assert await checkpoint(store, "a", 220) is None
        async with opened(medium, retention=keeping(size=1_500)) as store:
            assert await store.trim("", 9) == ""
            assert await kept(store, "a") == list(range(206, 221))

    async def test_who_sleeps_is_trimmed_in_steps_through_all_names(self, medium):
        clock = Clock()
        sleepers = [f"sleeper/{number}" for number in range(5)]
        async with opened(medium, retention=keeping(age=60), clock=clock) as store:
            await append(store, *[one(name, seq) for name in sleepers for seq in (1, 2)])
            for name in sleepers:
                assert await checkpoint(store, name, 2) is None
            before = await store.load(sleepers)
            clock.now = 61 * SECOND
            assert await store.trim("", 2) == "sleeper/1"
            assert [len(await kept(store, name)) for name in sleepers] == [0, 0, 2, 2, 2]
            assert await store.trim("sleeper/1", 2) == "sleeper/3"
            assert await store.trim("sleeper/3", 2) == ""
            assert [len(await kept(store, name)) for name in sleepers] == [0] * 5
            assert await store.load(sleepers) == before
            assert await store.trim("sleeper/4", 2) == ""
            assert await append(store, one("sleeper/0", 3)) is None

    async def test_the_highest_sequence_number_survives_all_trims(self, medium):
        clock = Clock()
        async with opened(medium, retention=keeping(age=1), clock=clock) as store:
            await append(store, *[one("a", seq, wake=7) for seq in range(1, 6)])
            assert await checkpoint(store, "a", 5) is None
            clock.now = 9 * SECOND
            assert await store.trim("", 9) == ""
        async with opened(medium) as store:
            assert await store.history("a", 0, 9) == []
            assert isinstance(await append(store, one("a", 5)), SequenceConflictError)
            await store.reset()
            assert await append(store, one("a", 6)) is None
            assert await kept(store, "a") == [6]
            assert await store.due(9, 9) == [("a", 7)]

    async def test_a_fenced_owner_trims_nothing(self, medium):
        clock = Clock()
        async with opened(medium, retention=keeping(age=1), clock=clock) as older:
            await append(older, one("a", 1), one("a", 2))
            assert await checkpoint(older, "a", 1) is None
            clock.now = 9 * SECOND
            async with opened(medium, retention=keeping(age=1)) as newer:
                with pytest.raises(FencedError):
                    await older.trim("", 9)
                assert isinstance(await checkpoint(older, "a", 2), FencedError)
                assert await kept(newer, "a") == [1, 2]
                assert await newer.trim("", 9) == ""
                with pytest.raises(FencedError):
                    await older.trim("", 9)

    async def test_a_checkpoint_that_fails_trims_nothing(self, medium):
        async with opened(medium, retention=keeping(records=1)) as store:
            await append(store, *[one("a", seq) for seq in (1, 2, 3)])
            assert await checkpoint(store, "a", 1) is None
            await medium.replace_record("a", 2, b"damaged")
            error = await checkpoint(store, "a", 3)
            assert error is not None
            assert not isinstance(error, StoreWriteError)
            await medium.replace_record("a", 2, record(2))
            assert await kept(store, "a") == [1, 2, 3]

    def test_history_is_the_newest_suffix_that_is_allowed(self):
        @settings(max_examples=self.examples, deadline=None, database=None)
        @given(policies, steps)
        def law(policy, sequence):
            asyncio.run(self._retention_law(policy, sequence))

        law()

    async def _retention_law(self, policy, sequence):
        clock = Clock(50 * SECOND)
        written: dict[str, list[bytes]] = {name: [] for name in ("a/1", "b/1", "c")}
        stays: dict[str, list[bytes]] = {name: [] for name in written}
        bases = dict.fromkeys(written, 0)
        with self.make_medium() as medium:
            store = medium.store(retention=policy, clock=clock)
            await store.open()
            for step, actor, argument in sequence:
                trimmed = []
                if step == "append":
                    journal = written[actor]
                    more = [
                        record(seq, put(1, b"k%d" % (seq % 3), bytes(size)), time=clock.now)
                        for seq, size in zip(count(len(journal) + 1), argument, strict=False)
                    ]
                    await write(store, actor, more, len(journal) + 1)
                    journal += more
                elif step in {"checkpoint", "fold"}:
                    base = bases[actor]
                    through = min(base + argument, len(written[actor]))
                    folded = written[actor][base:through]
                    rows = [row for data in folded for row in decode_record(data).changes]
                    given_rows = rows if step == "checkpoint" else None
                    assert await checkpoint(store, actor, through, given_rows) is None
                    if through > base:
                        bases[actor] = through
                        stays[actor] += folded
                        trimmed = [actor]
                elif step == "wait":
                    clock.now += argument * SECOND
                elif step == "trim":
                    after = ""
                    while after := await store.trim(after, argument):
                        pass
                    trimmed = list(written)
                else:
                    await store.close()
                    policy = argument or policy
                    store = medium.store(retention=policy, clock=clock)
                    await store.open()
                for name in trimmed:
                    stays[name] = newest_allowed(policy.of(name), clock.now, stays[name])
                await self._check_kept(store, written, bases, stays)
            await store.close()

    async def _check_kept(self, store, written, bases, stays):
        for name, journal in written.items():
            tail = journal[bases[name] :]
            snapshot = await load(store, name)
            assert (snapshot.base_seq, snapshot.tail) == (bases[name], tail)
            expected: State = {}
            for data in journal:
                replay(expected, decode_record(data).changes)
            assert state_of(snapshot) == expected
            assert await store.history(name, 0, 9_999) == stays[name] + tail
