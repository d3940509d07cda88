import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import HostileGroup, HostileRank, PaceBand, QuestXpReward, Severity
from actors.domains.rules.progression import (
    Encounter,
    EncounterKind,
    compile_chapter,
    distribute_quest_xp,
    fit_threat_budget,
    plan_chapter,
)

MINION, STANDARD, ELITE, BOSS = HostileRank
POINTS = {MINION: 1, STANDARD: 2, ELITE: 4, BOSS: 6}
BUDGETS = dict(zip(PaceBand, (6, 7, 8, 10), strict=True))


def encounter(*groups, kind=EncounterKind.FIXED):
    rows = tuple(HostileGroup(key, rank, count) for key, rank, count in groups)
    return Encounter("pack", "mill", kind, rows)


def compiled(*encounters):
    return compile_chapter("one", plan_chapter(5, 1), encounters, ("main", 500), [("side", 100)])


def test_the_quest_experience_of_the_example():
    rewards = distribute_quest_xp(656, ("main", 500), [("meet", 150), ("help", 100)])
    assert rewards == [
        QuestXpReward("main", 438),
        QuestXpReward("meet", 131),
        QuestXpReward("help", 87),
    ]


@given(st.integers(0, 30_000), st.lists(st.integers(50, 300), max_size=8))
def test_quest_experience_is_shared_whole(planned, weights):
    sides = [(f"side_{index}", weight) for index, weight in enumerate(weights)]
    rewards = distribute_quest_xp(planned, ("main", 500), sides)
    assert sum(reward.xp for reward in rewards) == planned
    assert all(rewards[0].xp >= reward.xp for reward in rewards)


@pytest.mark.parametrize(
    ("band", "groups", "expected"),
    [
        (PaceBand.OPENING, [("s", MINION, 2), ("w", STANDARD, 1)], None),
        (PaceBand.OPENING, [("b", BOSS, 1)], None),
        (PaceBand.OPENING, [("b", BOSS, 1), ("s", MINION, 1)], [("b", BOSS, 1)]),
        (PaceBand.STEADY, [("b", BOSS, 1), ("s", MINION, 1)], None),
        (PaceBand.OPENING, [("w", STANDARD, 3), ("s", MINION, 2)], [("w", STANDARD, 3)]),
        (PaceBand.PRESSURE, [("e", ELITE, 3)], [("e", ELITE, 2)]),
        (
            PaceBand.FINALE,
            [("s", MINION, 3), ("t", MINION, 3), ("w", STANDARD, 2)],
            [("s", MINION, 3), ("t", MINION, 3)],
        ),
    ],
)
def test_excess_hostiles_are_cut_from_the_end(band, groups, expected):
    before = encounter(*groups)
    assert fit_threat_budget(before, band) == encounter(*(expected or groups))


@given(
    st.sampled_from(PaceBand),
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(HostileRank), st.integers(1, 3)),
        min_size=1,
        max_size=3,
    ),
)
def test_an_encounter_keeps_someone_and_its_budget(band, groups):
    groups_left = fit_threat_budget(encounter(*groups), band).groups
    assert 1 <= sum(group.count for group in groups_left) <= 6
    assert sum(group.count * POINTS[group.rank] for group in groups_left) <= BUDGETS[band]


def test_a_compiled_plan_counts_fixed_defeats_only():
    result = compiled(
        encounter(("s", MINION, 2), ("w", STANDARD, 1)),
        encounter(("w", STANDARD, 1), kind=EncounterKind.REPEATABLE),
    )
    assert result.plan.authored_fixed_defeats == 3
    assert result.plan.quest_rewards == [QuestXpReward("main", 547), QuestXpReward("side", 109)]
    assert result.findings == ()


@pytest.mark.parametrize(
    ("encounters", "code", "severity"),
    [
        ([], "BLK_CHAPTER_NO_ENCOUNTER", Severity.BLOCKER),
        ([encounter(("s", MINION, 3))], "WRN_ENCOUNTER_UNDER_BUDGET", Severity.WARNING),
        ([encounter(("s", MINION, 3), ("t", MINION, 3))] * 2, None, None),
        (
            [encounter(("s", MINION, 3), ("t", MINION, 3))] * 4,
            "WRN_ENCOUNTER_OVER_BUDGET",
            Severity.WARNING,
        ),
        ([encounter(("b", BOSS, 1), ("s", MINION, 1))] * 6, "INF_STAT_NORMALISED", Severity.INFO),
    ],
)
def test_findings(encounters, code, severity):
    # The chapter expects 10 defeats: fewer than 6 without a repeatable, or more than 20, is odd.
    findings = compiled(*encounters).findings
    assert {(one.code, one.severity) for one in findings} == ({(code, severity)} if code else set())


@pytest.mark.parametrize(
    ("fixed", "repeatable", "code"),
    [
        (5, False, "WRN_ENCOUNTER_UNDER_BUDGET"),
        (5, True, None),
        (6, False, None),
        (20, False, None),
        (21, False, "WRN_ENCOUNTER_OVER_BUDGET"),
        (21, True, "WRN_ENCOUNTER_OVER_BUDGET"),
        (0, True, None),
    ],
)
def test_the_bounds_of_what_fixed_encounters_hold(fixed, repeatable, code):
    # Of the 10 defeats that the chapter expects, 60 and 200 percent are still fine.
    encounters = [encounter(("s", MINION, 1))] * fixed
    encounters += [encounter(("s", MINION, 1), kind=EncounterKind.REPEATABLE)] * repeatable
    result = compiled(*encounters)
    assert result.plan.authored_fixed_defeats == fixed
    assert [finding.code for finding in result.findings] == ([code] if code else [])
