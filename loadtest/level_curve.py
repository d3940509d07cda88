"""Level curve: what a client knows about levels and chapter plans (domain 3.2, 3.4).

Written from the specification alone, so that it finds where a server counts otherwise.
"""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from loadtest.limits import LEVEL_MAX

__all__ = ["ChapterPlan", "chapter_plan", "level_of", "xp_floor", "xp_to_next"]

_OPENING, _STEADY, _PRESSURE, _FINALE = 700, 600, 520, 450
_LATE_PERMILLE = 700


def xp_to_next(level: int) -> int:
    """Experience from a level to the next; 0 at the highest."""
    return 8 * level * level + 40 * level + 52 if level < LEVEL_MAX else 0


_FLOORS = [0, 0, *accumulate(xp_to_next(level) for level in range(1, LEVEL_MAX))]


def xp_floor(level: int) -> int:
    """All experience that a level takes, from level 1 on."""
    return _FLOORS[level]


def level_of(total_xp: int) -> int:
    """The level that so much experience makes."""
    return max(level for level in range(1, LEVEL_MAX + 1) if xp_floor(level) <= total_xp)


class ChapterPlan(NamedTuple):
    """Plan columns of ``my_chapter_progression``, by their names."""

    entry_pseudo_level_millis: int
    exit_pseudo_level_millis: int
    entry_level: int
    exit_level: int
    planned_total_xp: int
    planned_quest_xp: int
    planned_hostile_xp: int


def chapter_plan(index: int, chapters: int, start_level: int) -> ChapterPlan:
    """What a world of so many chapters plans for one of them, counted from 1."""
    enter, leave = (_millis(number, chapters, start_level) for number in (index - 1, index))
    total = _xp_at(leave) - _xp_at(enter)
    quest = total * _quest_share(index, chapters) // 1000
    return ChapterPlan(enter, leave, enter // 1000, leave // 1000, total, quest, total - quest)


def _millis(index: int, chapters: int, start_level: int) -> int:
    span = 1000 * (min(LEVEL_MAX, start_level + 3 * chapters) - start_level)
    return 1000 * start_level + span * index * (3 * chapters - index) // (2 * chapters * chapters)


def _xp_at(millis: int) -> int:
    level, part = divmod(millis, 1000)
    return xp_floor(level) + xp_to_next(level) * part // 1000


def _quest_share(index: int, chapters: int) -> int:
    if index == 1:
        return _OPENING
    if index == chapters >= 3:
        return _FINALE
    return _PRESSURE if 1000 * index // chapters >= _LATE_PERMILLE else _STEADY
