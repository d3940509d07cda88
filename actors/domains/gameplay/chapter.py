"""Chapter: a user's plan and ledger of each chapter, and their deviation (domain 3.1, 3.8)."""

from __future__ import annotations

from typing import Any, Final, cast

from actors.domains.domain_types import (
    ChapterProgressionPlan,
    ChapterProgressionSnapshot,
    LevelRating,
    PaceAdvice,
    PaceBand,
    XpRating,
)
from actors.domains.gameplay.progression import progression_of
from actors.domains.kinds import USER
from actors.domains.rules.ids import derived_id
from actors.domains.rules.progression import deviation
from actors.domains.rules.text import check_id
from actors.errors import ReducerError
from actors.module.context import DatabaseReader, ReducerContext, ViewContext
from actors.module.functions import procedure, view
from actors.module.tables import table
from actors.module.types import Timestamp, i32, replace, struct, u32

__all__ = [
    "ChapterDeviationReport",
    "ChapterHostileTally",
    "ChapterLedgerEntry",
    "ChapterProgression",
    "add_defeats",
    "add_to_ledger",
    "chapter_of",
    "defeat_tallies",
    "get_chapter_deviation_report",
    "get_chapter_progression",
    "list_chapter_progression",
    "my_chapter_progression",
    "put_plan",
    "refresh_report",
    "save_chapter",
]

_U32_MAX: Final = 0xFFFF_FFFF
_I32_MAX: Final = 0x7FFF_FFFF


@table(primary_key="chapter_progression_id", index=["user_id", "chapter_id"], actor=USER)
class ChapterProgression:
    """Plan and ledger of a chapter; shown through ``my_chapter_progression``."""

    chapter_progression_id: str
    user_id: str
    chapter_id: str
    chapter_index: u32
    total_chapters: u32
    entry_pseudo_level_millis: u32
    exit_pseudo_level_millis: u32
    entry_level: u32
    exit_level: u32
    planned_total_xp: u32
    planned_quest_xp: u32
    planned_hostile_xp: u32
    actual_quest_xp: u32
    actual_hostile_xp: u32
    expected_hostile_defeat_count: u32
    actual_hostile_defeat_count: u32
    level_at_entry: u32
    level_at_exit: u32 | None
    pace_band: PaceBand
    created_at: Timestamp
    updated_at: Timestamp


@table(primary_key="tally_id", index=["chapter_id"], actor=USER)
class ChapterHostileTally:
    """How often the user defeated a hostile in a chapter."""

    tally_id: str
    user_id: str
    chapter_id: str
    hostile_key: str
    defeat_count: u32
    updated_at: Timestamp


@table(primary_key="entry_id", actor=USER)
class ChapterLedgerEntry:
    """What one source added to a chapter; it is never added twice."""

    entry_id: str
    chapter_id: str
    quest_xp: u32
    hostile_xp: u32
    defeats: u32
    created_at: Timestamp


@table(public=True, primary_key="chapter_progression_id", actor=USER)
class ChapterDeviationReport:
    """How a chapter goes against its plan; ``final`` once it was left."""

    chapter_progression_id: str
    user_id: str
    chapter_id: str
    planned_total_xp: u32
    actual_total_xp: u32
    deviation_permille: i32
    xp_rating: XpRating
    level_gap: i32
    level_rating: LevelRating
    advice: PaceAdvice
    final: bool
    updated_at: Timestamp


@struct
class GetChapter:
    """Input of the procedures of one chapter; another user needs the service role."""

    user_id: str | None
    chapter_id: str


@struct
class ListChapterProgression:
    """Input of ``list_chapter_progression``: all chapters of a world."""

    user_id: str | None
    profile_id: str


@view(actor=USER)
def my_chapter_progression(ctx: ViewContext) -> list[ChapterProgressionSnapshot]:
    """The caller's chapters."""
    return [_snapshot(row) for row in ctx.db[ChapterProgression]]


@procedure(actor=USER)
def get_chapter_progression(ctx: ViewContext, input: GetChapter) -> ChapterProgressionSnapshot:
    """Plan and ledger of a chapter. Raises ``progression.chapter_not_found``."""
    return _required(ctx, check_id(input.chapter_id))


@procedure(actor=USER)
def list_chapter_progression(
    ctx: ViewContext, input: ListChapterProgression
) -> list[ChapterProgressionSnapshot]:
    """The user's chapters of a world, by index; an empty list for a world never played."""
    prefix = f"{check_id(input.profile_id)}:c"
    rows = [row for row in ctx.db[ChapterProgression] if row.chapter_id.startswith(prefix)]
    return [_snapshot(row) for row in sorted(rows, key=lambda row: row.chapter_index)]


@procedure(actor=USER)
def get_chapter_deviation_report(ctx: ViewContext, input: GetChapter) -> ChapterDeviationReport:
    """The stored report, or one computed now. Raises ``progression.chapter_not_found``."""
    chapter = _required(ctx, check_id(input.chapter_id))
    stored = ctx.db[ChapterDeviationReport].find(chapter.chapter_progression_id)
    return stored or _report(chapter, progression_of(ctx.db, ctx.key).level, Timestamp(0))


def chapter_of(
    db: DatabaseReader, user_id: str, chapter_id: str
) -> ChapterProgressionSnapshot | None:
    """Plan and ledger of a chapter of the actor's user."""
    row = db[ChapterProgression].find(derived_id(user_id, chapter_id))
    return None if row is None else _snapshot(row)


def save_chapter(
    ctx: ReducerContext, chapter: ChapterProgressionSnapshot
) -> ChapterProgressionSnapshot:
    """Store a changed chapter; answers it with its new time."""
    after = replace(chapter, updated_at=ctx.timestamp)
    ctx.db[ChapterProgression].upsert(ChapterProgression(*cast("tuple[Any, ...]", after)))
    return after


def put_plan(
    ctx: ReducerContext,
    chapter_id: str,
    plan: ChapterProgressionPlan,
    level_at_entry: int,
    *,
    preserve_actuals: bool,
) -> ChapterProgressionSnapshot:
    """Insert a chapter or replace its plan (domain 3.9).

    Unless the actuals are preserved, an overwritten chapter starts again: ledger and exit are
    cleared and its tallies deleted. What was paid stays paid: ledger entries remain.
    """
    known = chapter_of(ctx.db, ctx.key, chapter_id)
    kept = known if preserve_actuals else None
    chapter = save_chapter(
        ctx,
        ChapterProgressionSnapshot(
            chapter_progression_id=derived_id(ctx.key, chapter_id),
            user_id=ctx.key,
            chapter_id=chapter_id,
            chapter_index=plan.chapter_index,
            total_chapters=plan.total_chapters,
            entry_pseudo_level_millis=plan.entry_pseudo_level_millis,
            exit_pseudo_level_millis=plan.exit_pseudo_level_millis,
            entry_level=plan.entry_level,
            exit_level=plan.exit_level,
            planned_total_xp=plan.planned_total_xp,
            planned_quest_xp=plan.planned_quest_xp,
            planned_hostile_xp=plan.planned_hostile_xp,
            actual_quest_xp=0 if kept is None else kept.actual_quest_xp,
            actual_hostile_xp=0 if kept is None else kept.actual_hostile_xp,
            expected_hostile_defeat_count=plan.expected_hostile_defeat_count,
            actual_hostile_defeat_count=0 if kept is None else kept.actual_hostile_defeat_count,
            level_at_entry=level_at_entry if kept is None else kept.level_at_entry,
            level_at_exit=None if kept is None else kept.level_at_exit,
            pace_band=plan.pace_band,
            created_at=ctx.timestamp if known is None else known.created_at,
            updated_at=ctx.timestamp,
        ),
    )
    if known is not None and not preserve_actuals:
        tallies = ctx.db[ChapterHostileTally]
        for tally in tallies.filter(chapter_id=chapter_id):
            tallies.delete(tally.tally_id)
    if ctx.db[ChapterDeviationReport].find(chapter.chapter_progression_id) is not None:
        refresh_report(ctx, chapter)
    return chapter


def add_to_ledger(
    ctx: ReducerContext,
    chapter: ChapterProgressionSnapshot,
    entry: ChapterLedgerEntry,
    level_at_exit: int | None = None,
) -> ChapterProgressionSnapshot:
    """Add an entry to a chapter's actuals, once for its id, and renew the report.

    Raises:
        ReducerError: ``progression.level_out_of_range``: the exit is below the entry.
    """
    entries = ctx.db[ChapterLedgerEntry]
    if entries.find(entry.entry_id) is not None:
        return chapter
    if level_at_exit is not None and level_at_exit < chapter.level_at_entry:
        raise ReducerError(
            "progression.level_out_of_range",
            "a chapter is not left at a lower level than it was entered at",
            level_at_entry=chapter.level_at_entry,
        )
    entries.insert(entry)
    defeats = chapter.actual_hostile_defeat_count + entry.defeats
    after = save_chapter(
        ctx,
        replace(
            chapter,
            actual_quest_xp=min(chapter.actual_quest_xp + entry.quest_xp, _U32_MAX),
            actual_hostile_xp=min(chapter.actual_hostile_xp + entry.hostile_xp, _U32_MAX),
            actual_hostile_defeat_count=min(defeats, _U32_MAX),
            level_at_exit=chapter.level_at_exit if level_at_exit is None else level_at_exit,
        ),
    )
    refresh_report(ctx, after)
    return after


def refresh_report(
    ctx: ReducerContext, chapter: ChapterProgressionSnapshot
) -> ChapterDeviationReport:
    """Compute and store a chapter's report (domain 3.8)."""
    level = progression_of(ctx.db, ctx.key).level
    return ctx.db[ChapterDeviationReport].upsert(_report(chapter, level, ctx.timestamp))


def defeat_tallies(ctx: ReducerContext, chapter_id: str) -> dict[str, int]:
    """Defeats of each hostile in a chapter so far."""
    rows = ctx.db[ChapterHostileTally].filter(chapter_id=chapter_id)
    return {row.hostile_key: row.defeat_count for row in rows}


def add_defeats(
    ctx: ReducerContext, chapter: ChapterProgressionSnapshot, tallies: dict[str, int]
) -> None:
    """Store the tallies that defeats changed."""
    for hostile_key, defeats in tallies.items():
        ctx.db[ChapterHostileTally].upsert(
            ChapterHostileTally(
                tally_id=derived_id(chapter.chapter_progression_id, hostile_key),
                user_id=ctx.key,
                chapter_id=chapter.chapter_id,
                hostile_key=hostile_key,
                defeat_count=defeats,
                updated_at=ctx.timestamp,
            )
        )


def _required(ctx: ViewContext, chapter_id: str) -> ChapterProgressionSnapshot:
    chapter = chapter_of(ctx.db, ctx.key, chapter_id)
    if chapter is None:
        raise ReducerError("progression.chapter_not_found", "the chapter was never planned")
    return chapter


def _report(
    chapter: ChapterProgressionSnapshot, level: int, now: Timestamp
) -> ChapterDeviationReport:
    computed = deviation(chapter, level)
    return ChapterDeviationReport(
        chapter_progression_id=chapter.chapter_progression_id,
        user_id=chapter.user_id,
        chapter_id=chapter.chapter_id,
        planned_total_xp=computed.planned_total_xp,
        # Ledger entries of services may be as large as their columns; the report's are no larger.
        actual_total_xp=min(computed.actual_total_xp, _U32_MAX),
        deviation_permille=min(computed.deviation_permille, _I32_MAX),
        xp_rating=computed.xp_rating,
        level_gap=computed.level_gap,
        level_rating=computed.level_rating,
        advice=computed.advice,
        final=computed.final,
        updated_at=now,
    )


def _snapshot(row: ChapterProgression) -> ChapterProgressionSnapshot:
    """The same columns as the struct that clients and messages carry."""
    return ChapterProgressionSnapshot(*cast("tuple[Any, ...]", row))
