"""Structs and enums of levels, chapters and their deviation (domain 3.1 to 3.8)."""

from __future__ import annotations

from enum import IntEnum

from actors.domains.domain_types.combat import CombatStats
from actors.domains.domain_types.shared import GrantSource, HostileRank, PaceBand
from actors.module.types import Timestamp, struct, u32

__all__ = [
    "ChapterProgressionPlan",
    "ChapterProgressionSnapshot",
    "EntityLevelKind",
    "LevelBenchmark",
    "LevelRating",
    "LevelSource",
    "PaceAdvice",
    "PlayerProgressionSnapshot",
    "QuestXpReward",
    "RuntimeEntityLevelProfile",
    "XpRating",
]


class EntityLevelKind(IntEnum):
    """Whose level a profile describes (domain 3.6)."""

    HOSTILE = 0
    NPC = 1
    COMPANION = 2


class LevelSource(IntEnum):
    """Which rule gave an entity its level (domain 3.6)."""

    CHAPTER_PLAN = 0
    AUTHORED = 1
    FALLBACK = 2


class XpRating(IntEnum):
    """Experience of a chapter against its plan (domain 3.8)."""

    STARVED = 0
    UNDER = 1
    ON_TRACK = 2
    OVER = 3
    FLOODED = 4


class LevelRating(IntEnum):
    """The player's level against the chapter's exit level (domain 3.8)."""

    BEHIND = 0
    ALIGNED = 1
    AHEAD = 2


class PaceAdvice(IntEnum):
    """What the next chapter does about the deviation (domain 3.8)."""

    EASE = 0
    HOLD = 1
    TIGHTEN = 2


@struct
class LevelBenchmark:
    """What one level costs and how strong it is (domain 3.2)."""

    level: u32
    xp_floor: u32
    xp_to_next: u32
    reference_strength: u32
    base_hp: u32
    base_attack: u32
    base_defense: u32
    base_speed: u32
    base_hostile_xp: u32


@struct
class PlayerProgressionSnapshot:
    """A player's level and experience; the columns of ``player_progression`` (domain 3.1)."""

    user_id: str
    level: u32
    current_level_xp: u32
    total_xp: u32
    xp_to_next_level: u32
    pending_level_ups: u32
    last_granted_source: GrantSource | None
    created_at: Timestamp
    updated_at: Timestamp


@struct
class ChapterProgressionSnapshot:
    """Plan and ledger of one chapter; the columns of ``chapter_progression`` (domain 3.1)."""

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


@struct
class QuestXpReward:
    """The share of a chapter's quest experience that one quest pays."""

    quest_key: str
    xp: u32


@struct
class ChapterProgressionPlan:
    """What a chapter is meant to give (domain 3.4, 3.5).

    The first eleven fields are the plan columns of ``chapter_progression``; the rest is filled when
    the plan is compiled from a blueprint.
    """

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
    pace_band: PaceBand
    quest_rewards: list[QuestXpReward]
    authored_fixed_defeats: u32


@struct
class RuntimeEntityLevelProfile:
    """An entity's level and the numbers that follow from it (domain 3.6)."""

    entity_key: str
    entity_kind: EntityLevelKind
    rank: HostileRank
    level: u32
    pseudo_level_millis: u32
    reference_strength: u32
    stats: CombatStats
    kill_xp: u32
    source: LevelSource
