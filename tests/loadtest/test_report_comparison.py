from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_loads import report

from loadtest.errors import ReportError
from loadtest.reports.comparison import ALL_CALLS, Judgement, compare
from loadtest.reports.noise import ratio_bounds, share_bounds

values = st.lists(st.floats(1, 1e6), min_size=4, max_size=20)


def change(comparison, kind, figure):
    (found,) = [each for each in comparison.changes if (each.kind, each.figure) == (kind, figure)]
    return found


def test_a_load_is_as_good_as_itself() -> None:
    load = report(errors=1)
    comparison = compare(load, load, 1.05)
    assert {each.ratio for each in comparison.changes} == {1.0}
    assert comparison.regressions == []
    assert comparison.differences == []


def test_slower_is_worse_and_the_other_way_round_better() -> None:
    before, after = report(seed=1), report(seed=2, slower=1.5)
    comparison = compare(before, after, 1.2)
    found = change(comparison, "choose", "p50")
    assert found.judgement is Judgement.WORSE
    low, high = found.bounds
    assert low < found.ratio < high
    assert low < 1.5 < high
    assert found in comparison.regressions
    back = compare(after, before, 1.2)
    assert change(back, "choose", "p50").judgement is Judgement.BETTER
    assert back.regressions == []


def test_below_the_threshold_is_the_same() -> None:
    found = compare(report(seed=1), report(seed=2, slower=1.1), 1.3)
    assert change(found, "choose", "p50").judgement is Judgement.SAME
    assert found.regressions == []


def test_what_chance_may_have_done_is_no_regression() -> None:
    before, after = report(seed=1, noise=1.5), report(seed=2, noise=1.5, slower=1.3)
    found = compare(before, after, 1.05)
    judged = [each for each in found.changes if each.kind == "choose" and each.figure == "p50"]
    assert [each.judgement for each in judged] == [Judgement.UNSURE]
    assert "may be chance: longer loads tell" in found.summary


def test_loads_too_short_for_bounds_are_judged_by_their_ratio() -> None:
    found = compare(report(seconds=3), report(seconds=3, slower=2.0), 1.2)
    judged = change(found, "choose", "p50")
    assert (judged.bounds, judged.judgement) == (None, Judgement.WORSE)


def test_the_slowest_call_and_percentiles_of_a_handful_are_only_shown() -> None:
    found = compare(report(seconds=20), report(seconds=20, slower=3.0), 1.1)
    assert change(found, ALL_CALLS, "max").judgement is Judgement.SHOWN
    assert change(found, "begin_story", "p99.9").judgement is Judgement.SHOWN
    assert change(found, "begin_story", "p90").judgement is Judgement.WORSE


def test_throughput_is_worse_when_it_falls() -> None:
    found = compare(report(calls=200), report(calls=100), 1.1)
    judged = change(found, ALL_CALLS, "rate")
    assert (judged.judgement, judged.ratio) == (Judgement.WORSE, 0.5)
    back = compare(report(calls=100), report(calls=200), 1.1)
    assert change(back, ALL_CALLS, "rate").judgement is Judgement.BETTER


def test_errors_count_when_there_are_more_than_chance_makes() -> None:
    many = compare(report(), report(errors=2), 1.1)
    assert change(many, ALL_CALLS, "errors").judgement is Judgement.WORSE
    same = compare(report(errors=2), report(errors=2, seed=3), 1.1)
    assert change(same, ALL_CALLS, "errors").judgement is Judgement.SAME
    assert not [
        each for each in compare(report(), report(), 1.1).changes if each.figure == "errors"
    ]


def test_processor_time_of_a_call_is_compared() -> None:
    found = change(compare(report(), report(seed=4), 1.1), ALL_CALLS, "server CPU of a call")
    assert found.ratio == pytest.approx(1.0)
    assert found.judgement is Judgement.SAME


def test_what_else_was_not_the_same_is_said() -> None:
    before = report(options={"users": 10, "rate": 5, "run": "aa"})
    after = report(options={"users": 20, "rate": 5, "run": "bb"}, saturated=["one core was full"])
    machine = after.machine.model_copy(update={"cores": 64})
    after = after.model_copy(update={"machine": machine, "calls": {"choose": after.total}})
    found = compare(before, after, 1.1).differences
    assert "option users: 10, later 20" in found
    assert "cores: 2, later 64" in found
    assert "calls of begin_story: only earlier" in found
    assert "the later load generator was saturated: one core was full" in found
    assert not [line for line in found if line.startswith(("option rate", "option run"))]


def test_other_scenarios_cannot_be_compared() -> None:
    with pytest.raises(ReportError, match="story and bank"):
        compare(report(), report().model_copy(update={"scenario": "bank"}), 1.1)


@given(st.floats(0.01, 100), values, values)
def test_bounds_hold_the_ratio_and_turn_round_with_it(ratio, before, after) -> None:
    low, high = ratio_bounds(ratio, before, after)
    assert low <= ratio <= high
    back_low, back_high = ratio_bounds(1 / ratio, after, before)
    assert back_low == pytest.approx(1 / high)
    assert back_high == pytest.approx(1 / low)


@given(values, values, st.floats(0.5, 1e3))
def test_bounds_do_not_depend_on_the_unit(before, after, unit) -> None:
    scaled = ratio_bounds(2.0, [each * unit for each in before], [each * unit for each in after])
    assert scaled == pytest.approx(ratio_bounds(2.0, before, after), rel=1e-6)


def test_too_few_parts_have_no_bounds() -> None:
    assert ratio_bounds(1.0, [1.0, 2.0, 3.0], [1.0] * 9) is None
    assert ratio_bounds(1.0, [0.0] * 9, [1.0] * 9) is None


def test_bounds_miss_the_truth_as_rarely_as_they_say() -> None:
    chance, missed, times = random.Random(5), 0, 1_000
    for _ in range(times):
        loads = [[chance.lognormvariate(0, 0.4) for _ in range(8)] for _ in range(2)]
        means = [sum(map(math.log, load)) / len(load) for load in loads]
        low, high = ratio_bounds(math.exp(means[1] - means[0]), *loads)
        missed += not low <= 1.0 <= high
    assert missed / times == pytest.approx(0.01, abs=0.008)


def test_more_errors_are_known_better() -> None:
    few, many = share_bounds(2.0, 2, 4), share_bounds(2.0, 200, 400)
    assert few[0] < 1 < many[0] < 2.0 < many[1] < few[1]
