"""Blueprint compilation: a chapter's encounters and quests fitted to its plan (domain 3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from actors.domains.domain_types import (
    ChapterProgressionPlan,
    EntityKind,
    Finding,
    HostileGroup,
    HostileRank,
    PaceBand,
    QuestXpReward,
    Severity,
)
from actors.domains.rules.limits import BATTLE_HOSTILES_MAX
from actors.module.types import replace

__all__ = [
    "CompiledChapter",
    "Encounter",
    "EncounterKind",
    "compile_chapter",
    "distribute_quest_xp",
    "fit_threat_budget",
]

_THREAT_POINTS: Final = {
    HostileRank.MINION: 1,
    HostileRank.STANDARD: 2,
    HostileRank.ELITE: 4,
    HostileRank.BOSS: 6,
}
_THREAT_POINTS_MAX: Final = {
    PaceBand.OPENING: 6,
    PaceBand.STEADY: 7,
    PaceBand.PRESSURE: 8,
    PaceBand.FINALE: 10,
}


class EncounterKind(IntEnum):
    """Whether an encounter can be fought once or again and again."""

    FIXED = 0
    REPEATABLE = 1


class Encounter(NamedTuple):
    """A fight that a scene offers."""

    encounter_key: str
    scene_key: str
    kind: EncounterKind
    groups: tuple[HostileGroup, ...]


class CompiledChapter(NamedTuple):
    """A chapter's full plan, its encounters within the budget, and what the compile remarks."""

    plan: ChapterProgressionPlan
    encounters: tuple[Encounter, ...]
    findings: tuple[Finding, ...]


def distribute_quest_xp(
    planned_quest_xp: int, main: tuple[str, int], sides: Sequence[tuple[str, int]]
) -> list[QuestXpReward]:
    """Share a chapter's quest experience by weight; the main quest also takes the remainder.

    Args:
        planned_quest_xp: what is shared; the result's sum is exactly this.
        main: key and weight of the main quest.
        sides: keys and weights of the side quests.

    Returns:
        The main quest's reward, then the side quests' in their order.
    """
    weights = main[1] + sum(weight for _, weight in sides)
    rewards = [QuestXpReward(key, planned_quest_xp * weight // weights) for key, weight in sides]
    rest = planned_quest_xp - sum(reward.xp for reward in rewards)
    return [QuestXpReward(main[0], rest), *rewards]


def fit_threat_budget(encounter: Encounter, band: PaceBand) -> Encounter:
    """The encounter within the band's hostiles and threat points; excess is cut from the end."""
    points_max = _THREAT_POINTS_MAX[band]
    groups = list(encounter.groups)
    hostiles = sum(group.count for group in groups)
    points = sum(group.count * _THREAT_POINTS[group.rank] for group in groups)
    while hostiles > BATTLE_HOSTILES_MAX or points > points_max:
        last = groups.pop()
        hostiles -= 1
        points -= _THREAT_POINTS[last.rank]
        if last.count > 1:
            groups.append(replace(last, count=last.count - 1))
    return encounter._replace(groups=tuple(groups))


def compile_chapter(
    chapter_key: str,
    plan: ChapterProgressionPlan,
    encounters: Sequence[Encounter],
    main: tuple[str, int],
    sides: Sequence[tuple[str, int]],
) -> CompiledChapter:
    """Complete a chapter's plan from its blueprint.

    Args:
        chapter_key: named by findings.
        plan: from ``plan_chapter``.
        encounters: as authored.
        main: key and weight of the main quest.
        sides: keys and weights of the side quests.
    """
    fitted = tuple(fit_threat_budget(encounter, plan.pace_band) for encounter in encounters)
    fixed = sum(
        group.count
        for encounter in fitted
        if encounter.kind is EncounterKind.FIXED
        for group in encounter.groups
    )
    findings = [
        Finding(
            "INF_STAT_NORMALISED",
            Severity.INFO,
            EntityKind.CHAPTER,
            chapter_key,
            "encounters",
            f"encounter {before.encounter_key} was cut to its threat budget",
        )
        for before, after in zip(encounters, fitted, strict=True)
        if before != after
    ]
    findings += _budget_findings(chapter_key, fitted, fixed, plan.expected_hostile_defeat_count)
    complete = replace(
        plan,
        quest_rewards=distribute_quest_xp(plan.planned_quest_xp, main, sides),
        authored_fixed_defeats=fixed,
    )
    return CompiledChapter(complete, fitted, tuple(findings))


def _budget_findings(
    chapter_key: str, encounters: Sequence[Encounter], fixed: int, expected: int
) -> list[Finding]:
    if not encounters:
        code, severity = "BLK_CHAPTER_NO_ENCOUNTER", Severity.BLOCKER
        message = "the chapter has no encounter"
    elif fixed * 100 > expected * 200:
        code, severity = "WRN_ENCOUNTER_OVER_BUDGET", Severity.WARNING
        message = f"fixed encounters hold {fixed} hostiles where {expected} are expected"
    elif fixed * 100 < expected * 60 and all(
        encounter.kind is EncounterKind.FIXED for encounter in encounters
    ):
        code, severity = "WRN_ENCOUNTER_UNDER_BUDGET", Severity.WARNING
        message = f"only {fixed} hostiles where {expected} are expected, and none can be repeated"
    else:
        return []
    return [Finding(code, severity, EntityKind.CHAPTER, chapter_key, "encounters", message)]
