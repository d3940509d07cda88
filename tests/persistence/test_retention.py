from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_words import record

from persistence import Retention, RetentionPolicy, parse_retention
from persistence.limits import RETAINED_AGE_SECONDS_DEFAULT, RETAINED_BYTES_DEFAULT
from persistence.retention import FULL_HISTORY, Bounds, count_excess

DAY = 86_400
amounts = st.none() | st.integers(0, 1 << 50)
limits = st.builds(Retention, amounts, amounts, amounts)
kinds = st.text("abc_é-", min_size=1, max_size=3)


def test_a_policy_is_read():
    policy = parse_retention("records=1000,bytes=1MiB,age=7d;story:full;user:records=0")
    assert policy.of("agent/1") == Retention(1_000, 1 << 20, 7 * DAY)
    assert policy.of("story/1") == policy.of("story") == policy.of("story/a/b") == FULL_HISTORY
    assert policy.of("user/1") == Retention(0, 1 << 20, 7 * DAY)
    assert policy.of("users/1") == policy.default


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("records=5", Retention(5)),
        ("full", FULL_HISTORY),
        ("records=any , bytes = any,age=any", FULL_HISTORY),
        ("bytes=100", Retention(bytes_max=100)),
        ("bytes=3KiB", Retention(bytes_max=3_072)),
        ("bytes=2GiB,age=0s", Retention(bytes_max=1 << 31, age_seconds_max=0)),
        ("age=90m", Retention(age_seconds_max=5_400)),
        ("user:full", Retention()),
    ],
)
def test_what_is_not_said_is_as_it_was(text, expected):
    assert parse_retention(text).default == expected


def test_kinds_go_on_from_the_default_part_wherever_it_stands():
    policy = parse_retention(" user:records=3 ; full; story:age=2h")
    assert policy.default == FULL_HISTORY
    assert policy.of("user/1") == Retention(3, None, None)
    assert policy.of("story/1") == Retention(None, None, 7_200)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no limit"),
        ("records", "'records' is no limit; limits are records=N, bytes=N, age=N, or full"),
        ("rows=3", "'rows=3' is no limit"),
        ("full,records=1", "'full' is no limit"),
        ("records=-1", "records=-1: an amount is a whole number, or any"),
        ("records=1k", "records=1k: an amount is a whole number, or any"),
        ("records=", "records=: an amount"),
        ("age=7", r"age=7: an amount is a whole number and a unit \(s, m, h, d\), or any"),
        ("bytes=1MB", r"bytes=1MB: .* unit \(B, KiB, MiB, GiB\), or any"),
        ("bytes=1.5MiB", "an amount is"),
        ("bytes=99999999999GiB", "better said as any"),
        ("records=1,records=2", "records is said twice"),
        ("full;records=1", "the default is said twice"),
        ("a:full;a:full", "a is said twice"),
        (":full", "'' is no kind of actors"),
        ("a/1:full", "'a/1' is no kind of actors"),
        ("a:b:full", "'a:b' is no kind of actors"),
        ("full;", "the default is said twice"),
        ("user:full;", "'' is no limit"),
    ],
)
def test_what_cannot_be_understood_is_said(text, message):
    with pytest.raises(ValueError, match=message):
        parse_retention(text)


@given(st.builds(RetentionPolicy, limits, st.dictionaries(kinds, limits)))
def test_a_policy_is_spelt_as_it_is_read(policy):
    assert parse_retention(str(policy)) == policy


def test_amounts_are_spelt_with_their_largest_unit():
    assert str(parse_retention("records=60,bytes=2048,age=24h")) == "records=60,bytes=2KiB,age=1d"
    assert str(Retention(0, 0, 0)) == "records=0,bytes=0,age=0s"
    assert str(Retention(0, 1_025, 61)) == "records=0,bytes=1025B,age=61s"
    assert str(parse_retention("full;a:records=any")) == "full;a:full"


def test_history_is_kept_when_nothing_is_said():
    default = RetentionPolicy().of("user/1")
    assert default.records_max is not None
    assert default.records_max > 0
    assert default.bytes_max == RETAINED_BYTES_DEFAULT
    assert default.age_seconds_max == RETAINED_AGE_SECONDS_DEFAULT


def test_bounds_are_of_a_moment_and_none_is_before_the_clock_began():
    assert Retention(1, 2, 3).bounds(5_000_000) == Bounds(1, 2, 2_000_000)
    assert Retention(1, 2, 3).bounds(1_000_000) == Bounds(1, 2, 0)
    assert FULL_HISTORY.bounds(1) == Bounds(None, None, None)


def test_only_what_goes_and_one_record_more_is_looked_at():
    looked_at = []

    def oldest_first():
        for seq in range(1, 100):
            looked_at.append(seq)
            yield record(seq, time=seq)

    size = len(record(1))
    bounds = Bounds(None, None, 5)
    assert count_excess(bounds, oldest_first(), 99, 99 * size) == (4, 4 * size)
    assert looked_at == [1, 2, 3, 4, 5]


def test_an_old_record_behind_a_young_one_waits_for_it():
    records = [record(seq, time=time) for seq, time in enumerate([1, 9, 2], 1)]
    size = len(records[0])
    assert count_excess(Bounds(None, None, 5), records, 3, 3 * size) == (1, size)
    assert count_excess(Bounds(1, None, 5), records, 3, 3 * size) == (3, 3 * size)
