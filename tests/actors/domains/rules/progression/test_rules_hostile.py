import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import (
    CombatStats,
    EntityLevelKind,
    HostileRank,
    LevelSource,
    PaceAdvice,
)
from actors.domains.rules.progression import (
    advice_shift,
    hostile_profile,
    hostile_xp,
    plan_chapter,
    profile_at_level,
)

MINION, STANDARD, ELITE, BOSS = HostileRank
FIRST, SECOND = plan_chapter(5, 1), plan_chapter(5, 2)


@pytest.mark.parametrize(
    ("plan", "rank", "defeats", "player_level", "millis"),
    [
        (FIRST, MINION, 0, 1, 1000),
        (FIRST, STANDARD, 3, 1, 1760),
        (FIRST, STANDARD, 5, 9, 3600),
        (FIRST, BOSS, 10, 5, 6200),
        (FIRST, ELITE, 0, 1, 1400),
        (FIRST, STANDARD, 99, 5, 5100),
        (SECOND, STANDARD, 2, 5, 5399),
        (SECOND, STANDARD, 2, 6, 5898),
    ],
)
def test_levels_in_a_chapter(plan, rank, defeats, player_level, millis):
    profile = hostile_profile("x", rank, player_level, plan=plan, defeats=defeats)
    assert profile.pseudo_level_millis == millis
    assert profile.level == millis // 1000
    assert profile.source is LevelSource.CHAPTER_PLAN


def test_the_previous_chapter_eases_the_next():
    shift = advice_shift(PaceAdvice.EASE)
    profile = hostile_profile("x", STANDARD, 4, plan=SECOND, shift_millis=shift)
    assert (profile.pseudo_level_millis, profile.level) == (4450, 4)
    assert [advice_shift(advice) for advice in (None, *PaceAdvice)] == [0, -300, 0, 300]


def test_a_plan_wins_over_a_hint_and_a_hint_over_nothing():
    planned = hostile_profile("x", STANDARD, 1, plan=FIRST, level_hint=20)
    authored = hostile_profile("x", ELITE, 1, level_hint=20)
    fallback = hostile_profile("x", ELITE, 3, entity_kind=EntityLevelKind.NPC)
    assert (planned.level, planned.source) == (1, LevelSource.CHAPTER_PLAN)
    assert (authored.level, authored.source) == (20, LevelSource.AUTHORED)
    assert (fallback.pseudo_level_millis, fallback.source) == (3800, LevelSource.FALLBACK)
    assert fallback.entity_kind is EntityLevelKind.NPC
    assert hostile_profile("x", MINION, 1).level == 1
    assert hostile_profile("x", BOSS, 50).level == 50


@pytest.mark.parametrize(
    ("rank", "level", "hp", "attack", "defense", "speed", "crit", "xp"),
    [
        (MINION, 1, 48, 9, 4, 100, 30, 6),
        (STANDARD, 1, 80, 12, 6, 100, 30, 12),
        (ELITE, 3, 169, 18, 8, 107, 50, 63),
        (BOSS, 5, 340, 25, 12, 104, 50, 324),
        (STANDARD, 10, 228, 34, 17, 109, 30, 150),
    ],
)
def test_stats(rank, level, hp, attack, defense, speed, crit, xp):
    profile = profile_at_level("x", rank, level, EntityLevelKind.HOSTILE)
    assert profile.stats == CombatStats(hp, 0, attack, defense, speed, crit)
    assert profile.kill_xp == xp == hostile_xp(level, rank)


def test_strength_follows_the_rank():
    assert profile_at_level("x", BOSS, 5, EntityLevelKind.HOSTILE).reference_strength == 510


@given(
    st.integers(1, 24).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))),
    st.integers(1, 30),
    st.sampled_from(HostileRank),
    st.integers(0, 100),
    st.integers(1, 50),
    st.sampled_from([-300, 0, 300]),
)
def test_levels_stay_near_the_chapter(chapter, start, rank, defeats, level, shift):
    plan = plan_chapter(*chapter, start)
    profile = hostile_profile("x", rank, level, plan=plan, defeats=defeats, shift_millis=shift)
    low = max(1000, plan.entry_pseudo_level_millis - 1000)
    high = min(50_000, plan.exit_pseudo_level_millis + 2000)
    assert low <= profile.pseudo_level_millis <= high
    assert profile.level == profile.pseudo_level_millis // 1000
