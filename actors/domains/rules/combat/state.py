"""The state of a battle: what the tables of domain 4.1 hold, without ids of rows and times.

The tables' rows have these fields, with the same names and types, and more that rules never touch:
``battle_state`` holds all of ``Battle`` but ``combatants``, ``rng_state`` and ``last_event_seq``;
``battle_combatant`` holds ``Combatant``, ``battle_event`` holds ``BattleEvent``, and the private
``battle_secret`` holds ``rng_state``. ``last_event_seq`` is the number of the newest event.
"""

from __future__ import annotations

from enum import IntEnum

from actors.domains.domain_types import (
    CombatStats,
    HostileRank,
    ItemGrant,
    LevelSource,
    SkillCooldown,
    SkillDef,
    StatusInstance,
)
from actors.module.types import struct, u32, u64

__all__ = [
    "Battle",
    "BattleEvent",
    "BattleEventKind",
    "BattleMode",
    "BattleSide",
    "BattleStatus",
    "CombatAction",
    "CombatOutcome",
    "Combatant",
    "CombatantKind",
]


class BattleMode(IntEnum):
    """Whether it is to the death."""

    FIGHT = 0
    SPAR = 1


class BattleStatus(IntEnum):
    """Where a battle stands (domain 4.5)."""

    PREPARING = 0
    ACTIVE = 1
    ENDED = 2


class CombatOutcome(IntEnum):
    """How a battle ended, or that it has not."""

    ONGOING = 0
    VICTORY = 1
    DEFEAT = 2
    ESCAPED = 3
    SPAR_COMPLETE = 4
    ABORTED = 5


class BattleSide(IntEnum):
    """Whose side a combatant is on."""

    ALLY = 0
    HOSTILE = 1


class CombatantKind(IntEnum):
    """Who decides for a combatant: users for players, the rules for everyone else."""

    PLAYER = 0
    COMPANION = 1
    HOSTILE = 2
    SPAR_PARTNER = 3


class BattleEventKind(IntEnum):
    """What happened in a battle."""

    ROUND_STARTED = 0
    ACTION_USED = 1
    HIT = 2
    CRIT = 3
    MISS = 4
    HEAL = 5
    SHIELD = 6
    STATUS_APPLIED = 7
    STATUS_EXPIRED = 8
    DOT_TICK = 9
    ITEM_USED = 10
    GUARDED = 11
    STUNNED = 12
    DEFEATED = 13
    ESCAPE_FAILED = 14
    ESCAPED = 15
    YIELDED = 16
    TIMEOUT_GUARD = 17
    ENDED = 18


class CombatAction(IntEnum):
    """What a player can do with a turn (domain 4.6)."""

    BASIC_ATTACK = 0
    SKILL = 1
    GUARD = 2
    USE_ITEM = 3
    ESCAPE = 4
    YIELD = 5


@struct
class Combatant:
    """One fighter. ``stats`` include equipment and group pressure, not lasting effects."""

    seq: u32
    side: BattleSide
    kind: CombatantKind
    user_id: str | None
    entity_key: str
    display_name: str
    rank: HostileRank
    level: u32
    level_source: LevelSource
    hp: u32
    mana: u32
    shield: u32
    stats: CombatStats
    skills: list[SkillDef]
    cooldowns: list[SkillCooldown]
    statuses: list[StatusInstance]
    belt: list[ItemGrant]
    alive: bool


@struct
class Battle:
    """A whole battle. Combatants stand in order of ``seq``, which counts from 1."""

    battle_mode: BattleMode
    status: BattleStatus
    outcome: CombatOutcome
    round: u32
    turn_index: u32
    active_seq: u32
    turn_order: list[u32]
    escape_attempts: u32
    escape_blocked: bool
    version: u32
    rng_state: u64
    last_event_seq: u32
    combatants: list[Combatant]


@struct
class BattleEvent:
    """One thing that happened. A seq of 0 means nobody.

    ``amount`` is hit or shield points; mana paid of ``action_used``, turns of ``status_applied``.
    ``detail_key`` names the cause: a skill, an item, a status, ``basic_attack``, or the outcome.
    """

    seq: u32
    round: u32
    kind: BattleEventKind
    actor_seq: u32
    target_seq: u32
    amount: u32
    detail_key: str
