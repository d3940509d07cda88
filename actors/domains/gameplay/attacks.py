"""Attacks: the party turns against an npc, who is gone for good once defeated (domain 5.5, 5.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from actors import ReducerContext, ReducerError, replace
from actors.domains.domain_types import ObjectiveKind, QuestKind
from actors.domains.gameplay.combat import BattleState
from actors.domains.gameplay.npc import NpcState, write_npc
from actors.domains.gameplay.quest import QuestRecord, QuestStatus, fail_quests_of
from actors.domains.gameplay.story import StoryMark, StorySession, has_mark, put_mark
from actors.domains.rules.ids import derived_id, local_id
from actors.domains.rules.world import WorldDocument
from actors.domains.rules.world_sections import Quest
from actors.module import DatabaseReader

__all__ = [
    "ATTACK_AFFINITY",
    "attack_ref_of",
    "attacked_npc",
    "check_attackable",
    "forget_attack",
    "mark_attack",
    "remove_npc",
]

ATTACK_AFFINITY: Final = -60
"""What an attack does to the npc's affinity, however the fight ends."""

_ATTACK: Final = "attack"

_WITH_NPCS: Final = frozenset(
    {
        ObjectiveKind.TALK_NPC,
        ObjectiveKind.WIN_SPAR,
        ObjectiveKind.GIVE_GIFT,
        ObjectiveKind.REACH_AFFINITY,
    }
)
"""What can be done only with an npc who is there."""


def check_attackable(
    db: DatabaseReader, session: StorySession, world: WorldDocument, npc: NpcState
) -> None:
    """Let only those be attacked whose author allows it and whom the story can do without.

    Raises:
        ReducerError: ``npc.requirements_not_met``. Who gives a main quest that is not turned in,
            or is what it is about, is safe: the quest could not end, and with it the story.
    """
    if not world.npcs[npc.npc_key].can_be_fought:
        raise ReducerError("npc.requirements_not_met", "the npc does not fight")
    for quest in world.quests.values():
        if quest.kind is QuestKind.MAIN and npc.npc_key in {quest.giver_npc_key, *_about(quest)}:
            row = db[QuestRecord].find(local_id(session.story_session_id, "q", quest.key))
            if row is None or row.status is not QuestStatus.TURNED_IN:
                raise ReducerError("npc.requirements_not_met", "the story needs the npc")


def _about(quest: Quest) -> Iterator[str]:
    """The npcs without whom a quest cannot be completed."""
    for objective in quest.objectives:
        if objective.kind in _WITH_NPCS and not objective.optional:
            yield objective.target_key


def mark_attack(
    ctx: ReducerContext, session: StorySession, battle: BattleState, npc: NpcState
) -> None:
    """Remember, for as long as a battle runs, that it is an attack on an npc."""
    put_mark(ctx, session.turn, _ATTACK, battle.battle_state_id, npc.npc_key)


def attacked_npc(db: DatabaseReader, battle: BattleState) -> NpcState | None:
    """The npc whom a running battle is an attack on."""
    return next(
        (npc for npc in db[NpcState] if has_mark(db, _ATTACK, battle.battle_state_id, npc.npc_key)),
        None,
    )


def forget_attack(ctx: ReducerContext, battle: BattleState, npc: NpcState) -> None:
    """The battle is over."""
    ctx.db[StoryMark].delete(derived_id(_ATTACK, battle.battle_state_id, npc.npc_key))


def attack_ref_of(session: StorySession, npc: NpcState) -> str:
    """The business key of what a defeated npc pays: once per lineage, as the npc falls once."""
    return derived_id(session.runtime_session_id, "npc", npc.npc_key)


def remove_npc(ctx: ReducerContext, session: StorySession, npc: NpcState) -> None:
    """A defeated npc is in no scene any more, and its quests fail."""
    write_npc(ctx, replace(npc, scene_key=""))
    fail_quests_of(ctx, session, npc.npc_key)
