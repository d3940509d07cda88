"""Chapter calls: what services may do to a user's chapters (domain 3.9)."""

from __future__ import annotations

from actors.domains.domain_types import (
    ChapterProgressionPlan,
    ChapterProgressionSnapshot,
    PaceBand,
)
from actors.domains.gameplay.chapter import (
    ChapterLedgerEntry,
    add_to_ledger,
    chapter_of,
    put_plan,
)
from actors.domains.kinds import USER
from actors.domains.limits import SOURCE_REF_CHARS_MAX
from actors.domains.rules.ids import derived_id
from actors.domains.rules.limits import LEVEL_MAX
from actors.domains.rules.progression import check_plan
from actors.domains.rules.text import check_id
from actors.errors import ReducerError
from actors.module.context import ReducerContext
from actors.module.functions import reducer
from actors.module.types import struct, u32

__all__ = ["apply_chapter_progression_ledger_entry", "upsert_chapter_progression"]


@struct
class ChapterProgressionPlanInput:
    """Input of ``upsert_chapter_progression``."""

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
    expected_hostile_defeat_count: u32
    level_at_entry: u32
    pace_band: PaceBand
    preserve_actuals: bool
    request_id: str


@struct
class ChapterProgressionLedgerInput:
    """Input of ``apply_chapter_progression_ledger_entry``."""

    user_id: str
    chapter_id: str
    quest_xp_delta: u32
    hostile_xp_delta: u32
    hostile_defeat_delta: u32
    level_at_exit: u32 | None
    entry_key: str
    request_id: str


@reducer(actor=USER, roles={"service"})
def upsert_chapter_progression(
    ctx: ReducerContext, input: ChapterProgressionPlanInput
) -> ChapterProgressionSnapshot:
    """Plan a chapter, or plan it anew.

    Raises ``progression.invalid_plan`` naming the field, and the refusals of ids.
    """
    chapter_id = check_id(input.chapter_id, SOURCE_REF_CHARS_MAX)
    plan = check_plan(
        ChapterProgressionPlan(
            chapter_index=input.chapter_index,
            total_chapters=input.total_chapters,
            entry_pseudo_level_millis=input.entry_pseudo_level_millis,
            exit_pseudo_level_millis=input.exit_pseudo_level_millis,
            entry_level=input.entry_level,
            exit_level=input.exit_level,
            planned_total_xp=input.planned_total_xp,
            planned_quest_xp=input.planned_quest_xp,
            planned_hostile_xp=input.planned_hostile_xp,
            expected_hostile_defeat_count=input.expected_hostile_defeat_count,
            pace_band=input.pace_band,
            quest_rewards=[],
            authored_fixed_defeats=0,
        )
    )
    if plan.expected_hostile_defeat_count == 0:
        raise _invalid("expected_hostile_defeat_count")
    if not 1 <= input.level_at_entry <= LEVEL_MAX:
        raise _invalid("level_at_entry")
    return put_plan(
        ctx, chapter_id, plan, input.level_at_entry, preserve_actuals=input.preserve_actuals
    )


@reducer(actor=USER, roles={"service"})
def apply_chapter_progression_ledger_entry(
    ctx: ReducerContext, input: ChapterProgressionLedgerInput
) -> ChapterProgressionSnapshot:
    """Add to a chapter's actuals, once for each entry key.

    Raises ``progression.chapter_not_found``, ``progression.level_out_of_range`` and the refusals
    of ids.
    """
    entry_key = check_id(input.entry_key, SOURCE_REF_CHARS_MAX)
    chapter = chapter_of(ctx.db, ctx.key, check_id(input.chapter_id))
    if chapter is None:
        raise ReducerError("progression.chapter_not_found", "the chapter was never planned")
    if input.level_at_exit is not None and input.level_at_exit > LEVEL_MAX:
        raise ReducerError(
            "progression.level_out_of_range", f"level_at_exit must be at most {LEVEL_MAX}"
        )
    entry = ChapterLedgerEntry(
        entry_id=derived_id(ctx.key, entry_key),
        chapter_id=input.chapter_id,
        quest_xp=input.quest_xp_delta,
        hostile_xp=input.hostile_xp_delta,
        defeats=input.hostile_defeat_delta,
        created_at=ctx.timestamp,
    )
    return add_to_ledger(ctx, chapter, entry, input.level_at_exit)


def _invalid(field: str) -> ReducerError:
    return ReducerError("progression.invalid_plan", f"{field} is out of bounds", field=field)
