"""Npcs: their rows in a session, where they are and what they think of the party (domain 5.5)."""

from __future__ import annotations

from enum import IntEnum

from actors import ReducerContext, ReducerError, Timestamp, i32, replace, struct, table, u32
from actors.domains.domain_types import EntityLevelKind, RuntimeEntityLevelProfile
from actors.domains.gameplay.limits import AFFINITY_MAX, AFFINITY_MIN
from actors.domains.gameplay.story import StorySession, host_of, pace_of
from actors.domains.kinds import STORY
from actors.domains.rules.ids import local_id
from actors.domains.rules.progression import advice_shift, hostile_profile
from actors.domains.rules.world import WorldDocument
from actors.domains.rules.world_sections import Npc
from actors.module import DatabaseReader

__all__ = [
    "NpcState",
    "RelationStage",
    "StockEntry",
    "companions_of",
    "create_npcs",
    "enter_scene",
    "find_npc",
    "is_present",
    "npcs_here",
    "refresh_profiles",
    "relation_stage",
    "with_affinity",
    "write_npc",
]


class RelationStage(IntEnum):
    """What an affinity means."""

    HOSTILE = 0
    WARY = 1
    NEUTRAL = 2
    FRIENDLY = 3
    TRUSTED = 4
    BONDED = 5


_STAGE_UP_TO = (
    (-40, RelationStage.HOSTILE),
    (-10, RelationStage.WARY),
    (19, RelationStage.NEUTRAL),
    (49, RelationStage.FRIENDLY),
    (79, RelationStage.TRUSTED),
)


@struct
class StockEntry:
    """So many of one item that an npc sells at a price."""

    item_id: str
    quantity: u32
    unit_price: u32


@table(public=True, primary_key="npc_state_id", index=["story_session_id"], actor=STORY)
class NpcState:
    """An npc as this playthrough knows it."""

    npc_state_id: str
    story_session_id: str
    npc_key: str
    npc_name: str
    scene_key: str
    affinity: i32
    relation_stage: RelationStage
    talk_count: u32
    talk_count_this_visit: u32
    gifts_given: u32
    help_used_chapter: u32
    recruitable: bool
    recruited: bool
    spar_wins: u32
    revealed_facts: list[str]
    trade_stock: list[StockEntry]
    stock_turn: u32
    level_profile: RuntimeEntityLevelProfile
    version: u32
    created_at: Timestamp
    updated_at: Timestamp


def relation_stage(affinity: int) -> RelationStage:
    """The stage of an affinity."""
    for upper, stage in _STAGE_UP_TO:
        if affinity <= upper:
            return stage
    return RelationStage.BONDED


def create_npcs(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> None:
    """Put every npc of the world at home."""
    for npc in world.npcs.values():
        ctx.db[NpcState].insert(
            NpcState(
                npc_state_id=local_id(session.story_session_id, "n", npc.key),
                story_session_id=session.story_session_id,
                npc_key=npc.key,
                npc_name=npc.name,
                scene_key=npc.home_scene_key,
                affinity=npc.initial_affinity,
                relation_stage=relation_stage(npc.initial_affinity),
                talk_count=0,
                talk_count_this_visit=0,
                gifts_given=0,
                help_used_chapter=0,
                recruitable=npc.recruitable,
                recruited=False,
                spar_wins=0,
                revealed_facts=[],
                trade_stock=[],
                stock_turn=0,
                level_profile=_profile(ctx.db, session, world, npc),
                version=1,
                created_at=ctx.timestamp,
                updated_at=ctx.timestamp,
            )
        )


def refresh_profiles(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> None:
    """Level every npc with the running chapter, as it stands now."""
    for row in ctx.db[NpcState]:
        profile = _profile(ctx.db, session, world, world.npcs[row.npc_key])
        if profile != row.level_profile:
            write_npc(ctx, replace(row, level_profile=profile))


def enter_scene(ctx: ReducerContext, session: StorySession) -> None:
    """A new visit: recruited npcs follow, and talks of the visit count from zero."""
    for row in ctx.db[NpcState]:
        scene = session.current_scene_key if row.recruited else row.scene_key
        changed = replace(row, scene_key=scene, talk_count_this_visit=0)
        if changed != row:
            write_npc(ctx, changed)


def find_npc(db: DatabaseReader, session: StorySession, npc_key: str) -> NpcState:
    """An npc of the session.

    Raises:
        ReducerError: ``npc.not_found``.
    """
    row = db[NpcState].find(local_id(session.story_session_id, "n", npc_key))
    if row is None:
        raise ReducerError("npc.not_found", "there is no such npc")
    return row


def npcs_here(db: DatabaseReader, session: StorySession) -> list[NpcState]:
    """Who is in the party's scene, by key."""
    return [row for row in db[NpcState] if row.scene_key == session.current_scene_key]


def is_present(db: DatabaseReader, session: StorySession, npc_key: str) -> bool:
    """Whether an npc is in the party's scene."""
    return any(row.npc_key == npc_key for row in npcs_here(db, session))


def companions_of(db: DatabaseReader) -> list[NpcState]:
    """Recruited npcs, by key."""
    return [row for row in db[NpcState] if row.recruited]


def with_affinity(row: NpcState, delta: int) -> NpcState:
    """The npc after a change of affinity, within its bounds."""
    affinity = min(max(row.affinity + delta, AFFINITY_MIN), AFFINITY_MAX)
    return replace(row, affinity=affinity, relation_stage=relation_stage(affinity))


def write_npc(ctx: ReducerContext, row: NpcState) -> NpcState:
    """Write a changed npc, one version later."""
    return ctx.db[NpcState].update(replace(row, version=row.version + 1, updated_at=ctx.timestamp))


def _profile(
    db: DatabaseReader, session: StorySession, world: WorldDocument, npc: Npc
) -> RuntimeEntityLevelProfile:
    pace = pace_of(db, host_of(db))
    return hostile_profile(
        npc.key,
        npc.rank,
        pace.level,
        plan=world.chapter(session.chapter_index).plan,
        defeats=pace.defeats,
        shift_millis=advice_shift(pace.advice),
        entity_kind=EntityLevelKind.NPC,
    )
