"""Chapter plans: the pseudo level curve and the experience it stands for (domain 3.4)."""

from __future__ import annotations

from typing import Final

from actors.domains.domain_types import ChapterProgressionPlan, PaceBand
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import CHAPTERS_MAX, LEVEL_MAX, START_LEVEL_MAX
from actors.domains.rules.progression.levels import (
    TOTAL_XP_MAX,
    benchmark,
    xp_floor,
    xp_to_next,
)

__all__ = ["check_plan", "plan_chapter", "pseudo_level", "xp_at"]

_QUEST_SHARE_PERMILLE: Final = {
    PaceBand.OPENING: 700,
    PaceBand.STEADY: 600,
    PaceBand.PRESSURE: 520,
    PaceBand.FINALE: 450,
}


def pseudo_level(total_chapters: int, chapter_index: int, start_level: int) -> int:
    """Level in millis at the end of a chapter; index 0 is the start. Early chapters rise faster."""
    count = total_chapters
    end_level = min(LEVEL_MAX, start_level + 3 * count)
    span = 1000 * (end_level - start_level)
    rise = span * chapter_index * (3 * count - chapter_index) // (2 * count * count)
    return 1000 * start_level + rise


def xp_at(pseudo_level_millis: int) -> int:
    """Total experience of a level in millis."""
    level, part = divmod(pseudo_level_millis, 1000)
    if level >= LEVEL_MAX:
        return TOTAL_XP_MAX
    return xp_floor(level) + xp_to_next(level) * part // 1000


def plan_chapter(
    total_chapters: int, chapter_index: int, start_level: int = 1
) -> ChapterProgressionPlan:
    """The plan of one chapter, before its blueprint is compiled into it.

    Args:
        total_chapters: 1..24.
        chapter_index: 1..total_chapters.
        start_level: 1..30, of the world.

    Raises:
        RuleError: ``progression.invalid_plan`` naming the argument out of bounds.
    """
    _bound("total_chapters", total_chapters, 1, CHAPTERS_MAX)
    _bound("chapter_index", chapter_index, 1, total_chapters)
    _bound("start_level", start_level, 1, START_LEVEL_MAX)
    entry = pseudo_level(total_chapters, chapter_index - 1, start_level)
    leave = pseudo_level(total_chapters, chapter_index, start_level)
    band = _pace_band(total_chapters, chapter_index)
    total_xp = xp_at(leave) - xp_at(entry)
    quest_xp = total_xp * _QUEST_SHARE_PERMILLE[band] // 1000
    hostile_xp = total_xp - quest_xp
    kill_xp = benchmark((entry + leave) // 2 // 1000).base_hostile_xp
    return ChapterProgressionPlan(
        chapter_index=chapter_index,
        total_chapters=total_chapters,
        entry_pseudo_level_millis=entry,
        exit_pseudo_level_millis=leave,
        entry_level=entry // 1000,
        exit_level=leave // 1000,
        planned_total_xp=total_xp,
        planned_quest_xp=quest_xp,
        planned_hostile_xp=hostile_xp,
        expected_hostile_defeat_count=min(max(-(-hostile_xp // kill_xp), 3), 60),
        pace_band=band,
        quest_rewards=[],
        authored_fixed_defeats=0,
    )


def check_plan(plan: ChapterProgressionPlan) -> ChapterProgressionPlan:
    """The plan itself.

    Raises:
        RuleError: ``progression.invalid_plan`` naming the first field that contradicts another.
    """
    _bound("total_chapters", plan.total_chapters, 1, CHAPTERS_MAX)
    _bound("chapter_index", plan.chapter_index, 1, plan.total_chapters)
    entry, leave = plan.entry_pseudo_level_millis, plan.exit_pseudo_level_millis
    _bound("entry_pseudo_level_millis", entry, 1000, 1000 * LEVEL_MAX)
    _bound("exit_pseudo_level_millis", leave, entry + 1, 1000 * LEVEL_MAX)
    _bound("entry_level", plan.entry_level, entry // 1000, entry // 1000)
    _bound("exit_level", plan.exit_level, leave // 1000, leave // 1000)
    parts = plan.planned_quest_xp + plan.planned_hostile_xp
    _bound("planned_total_xp", plan.planned_total_xp, parts, parts)
    return plan


def _pace_band(total_chapters: int, chapter_index: int) -> PaceBand:
    if chapter_index == 1:
        return PaceBand.OPENING
    if chapter_index == total_chapters and total_chapters >= 3:
        return PaceBand.FINALE
    if 1000 * chapter_index // total_chapters >= 700:
        return PaceBand.PRESSURE
    return PaceBand.STEADY


def _bound(field: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise RuleError("progression.invalid_plan", f"{field} must be {low} to {high}", field=field)
