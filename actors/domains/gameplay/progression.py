"""Progression: a user's level and experience, and every grant that led there (domain 3.1, 3.9)."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from actors.domains.domain_types import GrantSource, PlayerProgressionSnapshot
from actors.domains.kinds import USER
from actors.domains.limits import SOURCE_REF_CHARS_MAX
from actors.domains.rules.ids import derived_id
from actors.domains.rules.progression import acknowledge, check_amount, default_progression, grant
from actors.domains.rules.text import check_id
from actors.domains.runtime.profile import dashboard_of, save_dashboard
from actors.module.context import DatabaseReader, ReducerContext, ViewContext
from actors.module.functions import procedure, reducer, view
from actors.module.tables import table
from actors.module.types import Timestamp, replace, struct, u32

__all__ = [
    "GrantedExperience",
    "PlayerProgression",
    "ProgressionGrantLog",
    "acknowledge_level_ups",
    "get_player_progression_or_default",
    "grant_experience",
    "grant_player_progression_experience",
    "my_player_progression",
    "progression_of",
]


@table(primary_key="user_id", actor=USER)
class PlayerProgression:
    """Level and experience of the user; shown through ``my_player_progression``."""

    user_id: str
    level: u32
    current_level_xp: u32
    total_xp: u32
    xp_to_next_level: u32
    pending_level_ups: u32
    last_granted_source: GrantSource | None
    created_at: Timestamp
    updated_at: Timestamp


@table(public=True, primary_key="grant_id", unique=["dedupe_key"], index=["user_id"], actor=USER)
class ProgressionGrantLog:
    """One grant of experience; rows never change."""

    grant_id: str
    user_id: str
    dedupe_key: str
    source: GrantSource
    source_ref: str
    chapter_id: str | None
    amount_requested: u32
    amount_granted: u32
    amount_discarded: u32
    level_before: u32
    level_after: u32
    created_at: Timestamp


@struct
class GetPlayerProgression:
    """Input of ``get_player_progression_or_default``; another user needs the service role."""

    user_id: str | None


@struct
class PlayerProgressionGrantInput:
    """Input of ``grant_player_progression_experience``."""

    user_id: str
    amount: u32
    source: GrantSource
    source_ref: str
    chapter_id: str | None
    request_id: str


@struct
class AcknowledgeLevelUps:
    """Input of ``acknowledge_level_ups``."""

    count: u32
    request_id: str


class GrantedExperience(NamedTuple):
    """What a grant came to; ``granted`` is 0 when its source had been paid before."""

    granted: int
    level_before: int
    after: PlayerProgressionSnapshot


@view(actor=USER)
def my_player_progression(ctx: ViewContext) -> list[PlayerProgressionSnapshot]:
    """The caller's progression; no row before the first grant."""
    return [_snapshot(row) for row in ctx.db[PlayerProgression]]


@procedure(actor=USER)
def get_player_progression_or_default(
    ctx: ViewContext, input: GetPlayerProgression
) -> PlayerProgressionSnapshot:
    """The user's progression, or level 1 with nothing in it; nothing is written."""
    del input  # It only names the actor.
    return progression_of(ctx.db, ctx.key)


@reducer(actor=USER, roles={"service"})
def grant_player_progression_experience(
    ctx: ReducerContext, input: PlayerProgressionGrantInput
) -> PlayerProgressionSnapshot:
    """Grant experience once for each source reference.

    Raises ``progression.amount_out_of_range`` and the refusals of ids.
    """
    amount = check_amount(input.amount)
    source_ref = check_id(input.source_ref, SOURCE_REF_CHARS_MAX)
    if input.chapter_id is not None:
        check_id(input.chapter_id)
    return grant_experience(ctx, amount, input.source, source_ref, input.chapter_id).after


@reducer(actor=USER)
def acknowledge_level_ups(ctx: ReducerContext, input: AcknowledgeLevelUps) -> None:
    """Count level-ups as seen. Raises ``progression.count_out_of_range``."""
    before = progression_of(ctx.db, ctx.key)
    after = acknowledge(before, input.count)
    if after != before:
        _save(ctx, after)


def progression_of(db: DatabaseReader, user_id: str) -> PlayerProgressionSnapshot:
    """The progression of the actor's user, stored or default."""
    row = db[PlayerProgression].find(user_id)
    return default_progression(user_id) if row is None else _snapshot(row)


def grant_experience(
    ctx: ReducerContext, amount: int, source: GrantSource, source_ref: str, chapter_id: str | None
) -> GrantedExperience:
    """Grant experience to this actor's user, once for each source reference (domain 3.3)."""
    before = progression_of(ctx.db, ctx.key)
    log = ctx.db[ProgressionGrantLog]
    dedupe_key = derived_id(ctx.key, source_ref)
    if log.first(dedupe_key=dedupe_key) is not None:
        return GrantedExperience(0, before.level, before)
    result = grant(before, amount, source)
    after = _save(ctx, result.after)
    log.insert(
        ProgressionGrantLog(
            grant_id=ctx.new_id("xp_"),
            user_id=ctx.key,
            dedupe_key=dedupe_key,
            source=source,
            source_ref=source_ref,
            chapter_id=chapter_id,
            amount_requested=amount,
            amount_granted=result.granted,
            amount_discarded=result.discarded,
            level_before=before.level,
            level_after=after.level,
            created_at=ctx.timestamp,
        )
    )
    dashboard = dashboard_of(ctx)
    if after.level > dashboard.highest_level:
        save_dashboard(ctx, replace(dashboard, highest_level=after.level))
    return GrantedExperience(result.granted, before.level, after)


def _save(ctx: ReducerContext, changed: PlayerProgressionSnapshot) -> PlayerProgressionSnapshot:
    rows = ctx.db[PlayerProgression]
    known = rows.find(ctx.key)
    created_at = ctx.timestamp if known is None else known.created_at
    after = replace(changed, created_at=created_at, updated_at=ctx.timestamp)
    rows.upsert(PlayerProgression(*cast("tuple[Any, ...]", after)))
    return after


def _snapshot(row: PlayerProgression) -> PlayerProgressionSnapshot:
    """The same columns as the struct that clients and messages carry."""
    return PlayerProgressionSnapshot(*cast("tuple[Any, ...]", row))
