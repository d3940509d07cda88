"""The deviation report: how a chapter went against its plan and what follows (domain 3.8)."""

from __future__ import annotations

from typing import NamedTuple

from actors.domains.domain_types import (
    ChapterProgressionSnapshot,
    LevelRating,
    PaceAdvice,
    XpRating,
)

__all__ = ["Deviation", "deviation"]


class Deviation(NamedTuple):
    """The report's own columns, in the order of ``chapter_deviation_report`` (domain 3.1)."""

    planned_total_xp: int
    actual_total_xp: int
    deviation_permille: int
    xp_rating: XpRating
    level_gap: int
    level_rating: LevelRating
    advice: PaceAdvice
    final: bool


def deviation(chapter: ChapterProgressionSnapshot, level: int) -> Deviation:
    """The report of a chapter for a player who has this level now."""
    planned = chapter.planned_total_xp
    actual = chapter.actual_quest_xp + chapter.actual_hostile_xp
    difference = (actual - planned) * 1000
    permille = abs(difference) // planned if planned else 0
    permille = permille if difference >= 0 else -permille
    left_at = chapter.level_at_exit
    gap = (level if left_at is None else left_at) - chapter.exit_level
    xp_rating, level_rating = _xp_rating(permille), _level_rating(gap)
    return Deviation(
        planned_total_xp=planned,
        actual_total_xp=actual,
        deviation_permille=permille,
        xp_rating=xp_rating,
        level_gap=gap,
        level_rating=level_rating,
        advice=_advice(xp_rating, level_rating),
        final=left_at is not None,
    )


def _xp_rating(permille: int) -> XpRating:
    if permille <= -400:
        return XpRating.STARVED
    if permille <= -151:
        return XpRating.UNDER
    if permille <= 150:
        return XpRating.ON_TRACK
    return XpRating.OVER if permille < 400 else XpRating.FLOODED


def _level_rating(gap: int) -> LevelRating:
    if gap <= -2:
        return LevelRating.BEHIND
    return LevelRating.ALIGNED if gap <= 1 else LevelRating.AHEAD


def _advice(xp_rating: XpRating, level_rating: LevelRating) -> PaceAdvice:
    low = xp_rating <= XpRating.UNDER or level_rating is LevelRating.BEHIND
    high = xp_rating >= XpRating.OVER or level_rating is LevelRating.AHEAD
    if low == high:
        return PaceAdvice.HOLD
    return PaceAdvice.EASE if low else PaceAdvice.TIGHTEN
