"""Relations: what changes an npc's affinity, and the talks, help and company it allows (5.5)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, replace
from actors.domains.domain_types import ObjectiveKind
from actors.domains.gameplay.limits import PARTY_COMPANIONS_MAX
from actors.domains.gameplay.npc import (
    NpcState,
    RelationStage,
    companions_of,
    find_npc,
    with_affinity,
    write_npc,
)
from actors.domains.gameplay.quest import Signal, signal
from actors.domains.gameplay.stock import priced
from actors.domains.gameplay.story import StoryParticipant, StorySession, players_of
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader

__all__ = [
    "change_affinity",
    "check_willing",
    "dismiss",
    "find_npc_here",
    "help_party",
    "recruit",
    "talk",
]

_RECRUIT_AFFINITY = 60
_DISMISS_AFFINITY = -5
_FACT_AFFINITY = 15


def find_npc_here(db: DatabaseReader, session: StorySession, npc_key: str) -> NpcState:
    """An npc in the party's scene.

    Raises:
        ReducerError: ``npc.not_found`` or ``npc.not_in_scene_state``.
    """
    row = find_npc(db, session, npc_key)
    if row.scene_key != session.current_scene_key:
        raise ReducerError("npc.not_in_scene_state", "the npc is not in this scene")
    return row


def check_willing(row: NpcState) -> None:
    """Let only those through who deal with the party.

    Raises:
        ReducerError: ``npc.refuses_state``: hostile and wary npcs.
    """
    if row.relation_stage <= RelationStage.WARY:
        raise ReducerError("npc.refuses_state", "the npc wants nothing to do with the party")


def change_affinity(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    row: NpcState,
    delta: int,
) -> NpcState:
    """Change an npc's affinity and its prices, together with what else is new in the row given."""
    row = write_npc(ctx, priced(world, with_affinity(row, delta)))
    signal(ctx, session, Signal(ObjectiveKind.REACH_AFFINITY, row.npc_key, row.affinity))
    return row


def talk(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, npc_key: str
) -> tuple[NpcState, list[str]]:
    """Talk: affinity grows less with every talk of a visit, and facts come out with it.

    Returns:
        The npc, and the facts that it revealed.

    Raises:
        ReducerError: ``npc.not_found`` or ``npc.not_in_scene_state``.
    """
    row = find_npc_here(ctx.db, session, npc_key)
    gain = max(0, 3 - row.talk_count_this_visit)
    row = with_affinity(row, gain)
    facts = {
        f"fact_{number}": text
        for number, text in enumerate(world.npcs[npc_key].facts, start=1)
        if row.affinity >= _FACT_AFFINITY * number
    }
    news = [key for key in facts if key not in row.revealed_facts]
    row = replace(
        row,
        talk_count=row.talk_count + 1,
        talk_count_this_visit=row.talk_count_this_visit + 1,
        revealed_facts=[*row.revealed_facts, *news],
    )
    row = change_affinity(ctx, session, world, row, 0)
    signal(ctx, session, Signal(ObjectiveKind.TALK_NPC, npc_key))
    return row, [facts[key] for key in news]


def help_party(ctx: ReducerContext, session: StorySession, npc_key: str) -> NpcState:
    """Let a friend tend to every player, once in a chapter.

    Raises:
        ReducerError: as ``find_npc_here``, or ``npc.requirements_not_met``.
    """
    row = find_npc_here(ctx.db, session, npc_key)
    if row.relation_stage < RelationStage.FRIENDLY:
        raise ReducerError("npc.requirements_not_met", "only friends help")
    if row.help_used_chapter == session.chapter_index:
        raise ReducerError("npc.requirements_not_met", "the npc helped in this chapter before")
    for player in players_of(ctx.db):
        hp = min(player.max_hp, player.hp + player.max_hp * 300 // 1000)
        ctx.db[StoryParticipant].update(replace(player, hp=hp, updated_at=ctx.timestamp))
    return write_npc(ctx, replace(row, help_used_chapter=session.chapter_index))


def recruit(ctx: ReducerContext, session: StorySession, npc_key: str) -> NpcState:
    """Let an npc join the party.

    Raises:
        ReducerError: as ``find_npc_here`` and ``check_willing``, or ``npc.already_recruited``,
            ``npc.requirements_not_met``, ``npc.party_full_state``.
    """
    row = find_npc_here(ctx.db, session, npc_key)
    if row.recruited:
        raise ReducerError("npc.already_recruited", "the npc is in the party")
    check_willing(row)
    if not row.recruitable or row.affinity < _RECRUIT_AFFINITY:
        raise ReducerError(
            "npc.requirements_not_met", "the npc does not join", affinity=_RECRUIT_AFFINITY
        )
    if len(companions_of(ctx.db)) >= PARTY_COMPANIONS_MAX:
        raise ReducerError("npc.party_full_state", "the party is full")
    return write_npc(ctx, replace(row, recruited=True))


def dismiss(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, npc_key: str
) -> NpcState:
    """Send a companion home.

    Raises:
        ReducerError: ``npc.not_found`` or ``npc.requirements_not_met``.
    """
    row = find_npc(ctx.db, session, npc_key)
    if not row.recruited:
        raise ReducerError("npc.requirements_not_met", "the npc is not in the party")
    home = world.npcs[npc_key].home_scene_key
    row = replace(row, recruited=False, scene_key=home)
    return change_affinity(ctx, session, world, row, _DISMISS_AFFINITY)
