"""Chapter passage: a player enters and leaves the chapters of a story (domain 3.9)."""

from __future__ import annotations

from actors.domains.domain_types import ChapterProgressionPlan, ChapterProgressionSnapshot
from actors.domains.gameplay.chapter import (
    ChapterDeviationReport,
    chapter_of,
    put_plan,
    refresh_report,
    save_chapter,
)
from actors.domains.gameplay.progression import progression_of
from actors.domains.kinds import STORY, USER
from actors.domains.limits import CHAPTER_CLEAR_BONUS
from actors.domains.messages import ChapterEntered, ChapterExited, EnterChapter, ExitChapter
from actors.domains.rules.ids import chapter_id as chapter_id_of
from actors.domains.rules.ids import derived_id
from actors.domains.rules.progression import effective_level
from actors.domains.runtime.wallet import LedgerReason, append_entry
from actors.module.context import ReducerContext
from actors.module.functions import message
from actors.module.types import replace

__all__ = ["enter_chapter", "exit_chapter"]


@message(USER)
def enter_chapter(ctx: ReducerContext, payload: EnterChapter) -> None:
    """Plan the chapter if it is new to the user, keep its ledger if it is not, and answer."""
    progression = progression_of(ctx.db, ctx.key)
    chapter = chapter_of(ctx.db, ctx.key, payload.chapter_id)
    if chapter is None or not _is_planned_so(chapter, payload.plan):
        chapter = put_plan(
            ctx, payload.chapter_id, payload.plan, progression.level, preserve_actuals=True
        )
    previous_id = chapter_id_of(payload.profile_id, payload.plan.chapter_index - 1)
    previous = ctx.db[ChapterDeviationReport].find(derived_id(ctx.key, previous_id))
    ctx.send(
        STORY.key(payload.story_session_id),
        ChapterEntered(
            user_id=ctx.key,
            chapter_id=payload.chapter_id,
            progression=progression,
            chapter=chapter,
            effective_level=effective_level(progression.level, chapter.exit_level),
            previous_advice=None if previous is None else previous.advice,
        ),
    )


@message(USER)
def exit_chapter(ctx: ReducerContext, payload: ExitChapter) -> None:
    """Close the chapter's report and pay the bonus, the first time; answer every time."""
    chapter = chapter_of(ctx.db, ctx.key, payload.chapter_id)
    # A story enters a chapter before it leaves it, on the same ordered path.
    assert chapter is not None
    progression = progression_of(ctx.db, ctx.key)
    if chapter.level_at_exit is None:
        chapter = save_chapter(ctx, replace(chapter, level_at_exit=progression.level))
    report = ctx.db[ChapterDeviationReport].find(chapter.chapter_progression_id)
    if report is None or not report.final:
        report = refresh_report(ctx, chapter)
    if not payload.is_test_play:
        append_entry(
            ctx,
            CHAPTER_CLEAR_BONUS,
            LedgerReason.CHAPTER_CLEAR_BONUS,
            derived_id(payload.chapter_id, "clear"),
            "Chapter cleared",
        )
    ctx.send(
        STORY.key(payload.story_session_id),
        ChapterExited(
            user_id=ctx.key,
            chapter_id=payload.chapter_id,
            progression=progression,
            chapter=chapter,
            advice=report.advice,
        ),
    )


def _is_planned_so(chapter: ChapterProgressionSnapshot, plan: ChapterProgressionPlan) -> bool:
    """Whether the plan columns say the same (domain 3.1: columns 4 to 12, 15 and 19)."""
    return (
        chapter.chapter_index == plan.chapter_index
        and chapter.total_chapters == plan.total_chapters
        and chapter.entry_pseudo_level_millis == plan.entry_pseudo_level_millis
        and chapter.exit_pseudo_level_millis == plan.exit_pseudo_level_millis
        and chapter.entry_level == plan.entry_level
        and chapter.exit_level == plan.exit_level
        and chapter.planned_total_xp == plan.planned_total_xp
        and chapter.planned_quest_xp == plan.planned_quest_xp
        and chapter.planned_hostile_xp == plan.planned_hostile_xp
        and chapter.expected_hostile_defeat_count == plan.expected_hostile_defeat_count
        and chapter.pace_band == plan.pace_band
    )
