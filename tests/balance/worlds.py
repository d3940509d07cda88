"""Worlds: plans of other lengths and start levels, and how far kills fill their budgets."""

from __future__ import annotations

from typing import Final, NamedTuple

from actors.domains.domain_types import (
    ChapterProgressionPlan,
    GrantSource,
    HostileDefeat,
    HostileRank,
)
from actors.domains.rules.limits import CHAPTERS_MAX
from actors.domains.rules.progression import (
    default_progression,
    grant,
    hostile_profile,
    plan_chapter,
    settle_hostiles,
    xp_at,
)

__all__ = ["KEYS", "STARTS", "World", "chart", "filled_permille", "plans_of"]

KEYS: Final = (1, 2, 3, 4, 6)
"""How many kinds of hostiles a chapter has, for the fill of its budget."""

STARTS: Final = (1, 10, 20, 30)
_COUNTS: Final = (1, 2, 3, 5, 8, 12, 18, CHAPTERS_MAX)


class World(NamedTuple):
    """A world as its plans alone tell.

    ``filled`` is the average share of hostile budgets that the expected defeats pay, by how many
    kinds of standard hostiles the chapters have. ``clamped`` are chapters whose expected defeats
    would be fewer than 3 or more than 60.
    """

    chapters: int
    start_level: int
    end_level: int
    planned_xp: int
    defeats: int
    clamped: int
    filled: dict[int, int]


def plans_of(chapters: int, start_level: int) -> list[ChapterProgressionPlan]:
    """All plans of a world, in order."""
    return [plan_chapter(chapters, index, start_level) for index in range(1, chapters + 1)]


def chart() -> list[World]:
    """Worlds of many lengths and start levels."""
    return [_world(count, start) for start in STARTS for count in _COUNTS]


def filled_permille(plan: ChapterProgressionPlan, keys: int, kills: int) -> int:
    """Share of a chapter's hostile budget that kills of standard hostiles pay.

    Args:
        plan: of the chapter. The player enters it as planned and gains quest experience as the
            fights go on.
        keys: kinds of hostiles that take turns.
        kills: how many are defeated.
    """
    state = grant(
        default_progression("u"), xp_at(plan.entry_pseudo_level_millis), GrantSource.ADMIN
    ).after
    tallies: dict[str, int] = {}
    total = quest = 0
    for number in range(kills):
        key = f"hostile_{number % keys}"
        profile = hostile_profile(key, HostileRank.STANDARD, state.level, plan=plan, defeats=number)
        defeat = HostileDefeat(key, HostileRank.STANDARD, profile.level, profile.kill_xp)
        paid = settle_hostiles(
            [defeat],
            state.level,
            planned=plan.planned_hostile_xp,
            granted_before=total,
            tallies=tallies,
        )
        tallies |= paid.tallies
        total += paid.total
        due = plan.planned_quest_xp * (number + 1) // kills
        state = grant(state, paid.total + due - quest, GrantSource.QUEST).after
        quest = due
    return total * 1000 // plan.planned_hostile_xp


def _world(chapters: int, start_level: int) -> World:
    plans = plans_of(chapters, start_level)
    expected = [plan.expected_hostile_defeat_count for plan in plans]
    return World(
        chapters,
        start_level,
        end_level=plans[-1].exit_level,
        planned_xp=sum(plan.planned_total_xp for plan in plans),
        defeats=sum(expected),
        clamped=sum(count in {3, 60} for count in expected),
        filled={
            keys: sum(
                filled_permille(plan, keys, plan.expected_hostile_defeat_count) for plan in plans
            )
            // chapters
            for keys in KEYS
        },
    )
