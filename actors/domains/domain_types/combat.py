"""Structs and enums of stats, skills and lasting effects (domain 4.1, 4.3)."""

from __future__ import annotations

from enum import IntEnum

from actors.domains.domain_types.shared import HostileRank
from actors.module.types import struct, u32

__all__ = [
    "CombatStats",
    "HostileGroup",
    "SkillCooldown",
    "SkillDef",
    "SkillStatus",
    "SkillTarget",
    "StatusInstance",
    "StatusKind",
]


class SkillTarget(IntEnum):
    """Whom a skill is aimed at (domain 4.3)."""

    ENEMY = 0
    ALL_ENEMIES = 1
    SELF = 2
    ALLY = 3


class StatusKind(IntEnum):
    """A lasting effect on a combatant (domain 4.3). STUN_IMMUNE follows every stun."""

    BURN = 0
    POISON = 1
    BLEED = 2
    REGEN = 3
    STUN = 4
    WEAKEN = 5
    FORTIFY = 6
    HASTE = 7
    SLOW = 8
    MARK = 9
    GUARD = 10
    STUN_IMMUNE = 11


@struct
class CombatStats:
    """A combatant's numbers before lasting effects (domain 4.1)."""

    max_hp: u32
    max_mana: u32
    attack: u32
    defense: u32
    speed: u32
    crit_permille: u32


@struct
class SkillStatus:
    """The lasting effect a skill or an item brings, and how surely."""

    kind: StatusKind
    turns: u32
    potency: u32
    chance_permille: u32


@struct
class SkillDef:
    """A skill as the rules use it, already normalised (domain 4.3)."""

    skill_id: str
    name: str
    target: SkillTarget
    power_permille: u32
    heal_permille: u32
    shield_permille: u32
    mana_cost: u32
    cooldown_turns: u32
    status: SkillStatus | None


@struct
class SkillCooldown:
    """Own turns until a skill is ready again."""

    skill_id: str
    turns_left: u32


@struct
class StatusInstance:
    """A lasting effect on a combatant; ``source_seq`` is who put it there."""

    kind: StatusKind
    turns_left: u32
    potency: u32
    source_seq: u32


@struct
class HostileGroup:
    """So many of one hostile in an encounter (domain 3.5, 4.6)."""

    hostile_key: str
    rank: HostileRank
    count: u32
