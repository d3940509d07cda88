"""Level profiles of hostiles and npcs: from a chapter's plan or without one (domain 3.6)."""

from __future__ import annotations

from typing import Final, NamedTuple

from actors.domains.domain_types import (
    ChapterProgressionPlan,
    ChapterProgressionSnapshot,
    CombatStats,
    EntityLevelKind,
    HostileRank,
    LevelSource,
    PaceAdvice,
    RuntimeEntityLevelProfile,
)
from actors.domains.rules.limits import LEVEL_MAX
from actors.domains.rules.progression.levels import benchmark

__all__ = [
    "RANK_FACTORS",
    "RankFactors",
    "advice_shift",
    "hostile_profile",
    "hostile_xp",
    "profile_at_level",
]

_ADVICE_SHIFT_MILLIS: Final = {PaceAdvice.EASE: -300, PaceAdvice.HOLD: 0, PaceAdvice.TIGHTEN: 300}


class RankFactors(NamedTuple):
    """What a rank does to a level (millis) and to its benchmark (permille)."""

    offset_millis: int
    hp: int
    attack: int
    defense: int
    speed: int
    xp: int
    crit: int


RANK_FACTORS: Final = {
    HostileRank.MINION: RankFactors(-500, 600, 800, 800, 1000, 500, 30),
    HostileRank.STANDARD: RankFactors(0, 1000, 1000, 1000, 1000, 1000, 30),
    HostileRank.ELITE: RankFactors(800, 1600, 1150, 1100, 1050, 2200, 50),
    HostileRank.BOSS: RankFactors(1500, 2500, 1250, 1200, 1000, 6000, 50),
}


def advice_shift(advice: PaceAdvice | None) -> int:
    """Millis that the previous chapter's advice moves hostiles by; 0 without a report."""
    return 0 if advice is None else _ADVICE_SHIFT_MILLIS[advice]


def hostile_xp(level: int, rank: HostileRank) -> int:
    """Kill experience of a rank at a level, before any factor of the settlement."""
    return benchmark(level).base_hostile_xp * RANK_FACTORS[rank].xp // 1000


def hostile_profile(
    entity_key: str,
    rank: HostileRank,
    player_level: int,
    *,
    plan: ChapterProgressionPlan | ChapterProgressionSnapshot | None = None,
    defeats: int = 0,
    shift_millis: int = 0,
    level_hint: int | None = None,
    entity_kind: EntityLevelKind = EntityLevelKind.HOSTILE,
) -> RuntimeEntityLevelProfile:
    """The profile of an entity that is created now.

    Args:
        entity_key: the hostile or npc.
        rank: of the entity.
        player_level: the host's level.
        plan: the running chapter's plan; the level follows its progress and meets the player
            half way, by at most half a level.
        defeats: hostiles already defeated in the chapter.
        shift_millis: from the previous chapter's advice.
        level_hint: authored level, used only without a plan.
        entity_kind: whose profile it is.
    """
    offset = RANK_FACTORS[rank].offset_millis
    source = LevelSource.CHAPTER_PLAN
    if plan is not None:
        entry, leave = plan.entry_pseudo_level_millis, plan.exit_pseudo_level_millis
        progress = min(1000, defeats * 1000 // plan.expected_hostile_defeat_count)
        millis = entry + (leave - entry) * progress // 1000 + offset + shift_millis
        gap = min(max(1000 * player_level - millis, -1000), 1000)
        millis += abs(gap) // 2 if gap >= 0 else -(abs(gap) // 2)
        millis = min(max(millis, entry - 1000), leave + 2000)
    elif level_hint is not None:
        source, millis = LevelSource.AUTHORED, 1000 * level_hint
    else:
        source, millis = LevelSource.FALLBACK, 1000 * player_level + offset
    millis = min(max(millis, 1000), 1000 * LEVEL_MAX)
    return _profile(entity_key, entity_kind, rank, millis, source)


def profile_at_level(
    entity_key: str, rank: HostileRank, level: int, entity_kind: EntityLevelKind
) -> RuntimeEntityLevelProfile:
    """The profile of an entity whose level another rule gives, e.g. a companion's (domain 4.2)."""
    return _profile(entity_key, entity_kind, rank, 1000 * level, LevelSource.FALLBACK)


def _profile(
    entity_key: str,
    entity_kind: EntityLevelKind,
    rank: HostileRank,
    millis: int,
    source: LevelSource,
) -> RuntimeEntityLevelProfile:
    level = millis // 1000
    base, factors = benchmark(level), RANK_FACTORS[rank]
    return RuntimeEntityLevelProfile(
        entity_key=entity_key,
        entity_kind=entity_kind,
        rank=rank,
        level=level,
        pseudo_level_millis=millis,
        reference_strength=base.reference_strength * factors.hp // 1000,
        stats=CombatStats(
            max_hp=base.base_hp * factors.hp // 1000,
            max_mana=0,
            attack=base.base_attack * factors.attack // 1000,
            defense=base.base_defense * factors.defense // 1000,
            speed=base.base_speed * factors.speed // 1000,
            crit_permille=factors.crit,
        ),
        kill_xp=hostile_xp(level, rank),
        source=source,
    )
