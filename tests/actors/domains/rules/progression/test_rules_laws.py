"""Laws of domain 3 that hold for every input, against the slowest way to say the same."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from actors.domains.domain_types import GrantSource, HostileDefeat, HostileRank, PaceAdvice
from actors.domains.rules.progression import (
    TOTAL_XP_MAX,
    advice_shift,
    benchmark,
    decayed_xp,
    default_progression,
    effective_level,
    grant,
    hostile_profile,
    level_difference_permille,
    plan_chapter,
    repeat_permille,
    settle_hostiles,
    xp_to_next,
)

FRESH = default_progression("u_1")

chapters = st.integers(1, 24).flatmap(
    lambda count: st.tuples(st.just(count), st.integers(1, count), st.integers(1, 30))
)
kills = st.builds(
    HostileDefeat,
    st.sampled_from(["slime", "wolf", "brute"]),
    st.sampled_from(HostileRank),
    st.integers(1, 50),
    st.integers(1, 3000),
)


def climbed(total):
    """Level and experience in it, by paying for one level after the other."""
    level = 1
    while level < 50 and total >= xp_to_next(level):
        total -= xp_to_next(level)
        level += 1
    return level, total


def drip_fed(raw, before, planned):
    """The bands of domain 3.7, one raw point of experience after the other."""
    granted = 0
    bounds = [(planned, 1000), (planned * 3 // 2, 500), (planned * 2, 200), (None, 50)]
    for upper, permille in bounds:
        spent = here = 0
        while raw and (upper is None or before + granted < upper):
            raw, spent = raw - 1, spent + permille
            granted += spent // 1000 - here
            here = spent // 1000
    return granted


@given(st.integers(0, TOTAL_XP_MAX), st.integers(0, 1_000_000))
def test_the_level_is_the_curve_of_the_total(total, amount):
    after = grant(grant(FRESH, total, GrantSource.ADMIN).after, amount, GrantSource.QUEST).after
    level, inside = climbed(after.total_xp)
    assert (after.level, after.current_level_xp) == (level, inside)
    assert after.xp_to_next_level == xp_to_next(level)
    assert after.current_level_xp < after.xp_to_next_level or after.level == 50
    assert after.level < 50 or after.current_level_xp == after.xp_to_next_level == 0


def test_everything_grows_with_the_level():
    for lower, upper in pairwise(benchmark(level) for level in range(1, 51)):
        assert all(low < high for low, high in zip(lower[3:8], upper[3:8], strict=True))
        assert lower.base_hostile_xp <= upper.base_hostile_xp
        assert lower.xp_floor + lower.xp_to_next == upper.xp_floor


@given(st.integers(0, 15_000), st.integers(0, 6000), st.integers(0, 3000))
def test_bands_split_like_one_point_after_the_other(raw, before, planned):
    assert decayed_xp(raw, before, planned) == drip_fed(raw, before, planned)


@given(st.lists(kills, max_size=12), st.integers(1, 50), st.integers(0, 2000), st.integers(0, 900))
def test_factors_come_in_their_order_and_each_is_floored(defeats, level, before, planned):
    tallies, total, expected = {"wolf": 2}, before, []
    for key, _rank, hostile_level, base_xp in defeats:
        tallies[key] = tallies.get(key, 0) + 1
        raw = base_xp * level_difference_permille(hostile_level, level) // 1000
        raw = max(1, raw * repeat_permille(tallies[key]) // 1000)
        expected.append(drip_fed(raw, total, planned))
        total += expected[-1]
    settled = settle_hostiles(
        defeats, level, planned=planned, granted_before=before, tallies={"wolf": 2}
    )
    assert list(settled.granted) == expected
    assert settled.total == total - before
    fought = {defeat.hostile_key for defeat in defeats}
    assert settled.tallies == {key: tallies[key] for key in fought}


@given(
    st.lists(kills, max_size=8),
    st.permutations([("slime", 4), ("wolf", 2), ("brute", 9), ("rat", 1)]),
)
def test_the_order_of_tallies_means_nothing(defeats, tallies):
    assert settle_hostiles(defeats, 5, planned=500, tallies=dict(tallies)) == settle_hostiles(
        defeats, 5, planned=500, tallies=dict(sorted(tallies))
    )


@given(st.lists(kills, min_size=1, max_size=12), st.integers(1, 50), st.integers(0, 12))
def test_a_settlement_may_be_cut_anywhere(defeats, level, cut):
    whole = settle_hostiles(defeats, level, planned=400)
    first = settle_hostiles(defeats[:cut], level, planned=400)
    rest = settle_hostiles(
        defeats[cut:], level, planned=400, granted_before=first.total, tallies=first.tallies
    )
    assert whole.granted == first.granted + rest.granted
    assert whole.tallies == first.tallies | rest.tallies


@given(
    chapters,
    st.sampled_from(HostileRank),
    st.integers(0, 80),
    st.integers(1, 50),
)
def test_advice_moves_hostiles_the_way_it_says(chapter, rank, defeats, level):
    count, index, start = chapter
    plan = plan_chapter(count, index, start)
    ease, hold, tighten = (
        hostile_profile(
            "wolf", rank, level, plan=plan, defeats=defeats, shift_millis=advice_shift(advice)
        ).pseudo_level_millis
        for advice in PaceAdvice
    )
    assert ease <= hold <= tighten <= ease + 600


@given(chapters, st.sampled_from(HostileRank), st.integers(1, 50), st.integers(0, 79))
def test_hostiles_never_grow_weaker_with_progress_or_with_the_player(chapter, rank, level, seen):
    count, index, start = chapter
    plan = plan_chapter(count, index, start)

    def millis(defeats, player):
        profile = hostile_profile("wolf", rank, player, plan=plan, defeats=defeats)
        return profile.pseudo_level_millis

    assert millis(seen, level) <= millis(seen + 1, level)
    assume(level < 50)
    assert millis(seen, level) <= millis(seen, level + 1)


@pytest.mark.parametrize("start", [1, 10, 30])
@pytest.mark.parametrize("count", [1, 2, 5, 12, 24])
def test_a_player_who_keeps_to_the_plan_is_where_the_plan_is(count, start):
    state = grant(FRESH, benchmark(start).xp_floor, GrantSource.ADMIN).after
    for index in range(1, count + 1):
        plan = plan_chapter(count, index, start)
        assert state.level == plan.entry_level == effective_level(state.level, plan.exit_level)
        state = grant(state, plan.planned_total_xp, GrantSource.QUEST).after
        assert state.level == plan.exit_level
