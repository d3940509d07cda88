"""Stats: of players and companions by level, and of hostiles in a pack (domain 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from actors.domains.domain_types import (
    CombatStats,
    EntityLevelKind,
    HostileRank,
    ItemMods,
    RuntimeEntityLevelProfile,
)
from actors.domains.rules.progression.hostile import profile_at_level
from actors.domains.rules.progression.levels import benchmark
from actors.module.types import replace

__all__ = ["clamp_stats", "companion_profile", "group_pressure", "player_stats"]

_PRESSURE_PERMILLE: Final = (1000, 850, 700, 600)


def clamp_stats(stats: CombatStats) -> CombatStats:
    """The stats within the bounds that every combatant keeps."""
    return replace(
        stats,
        max_hp=min(max(stats.max_hp, 1), 9999),
        attack=min(max(stats.attack, 1), 999),
        defense=min(max(stats.defense, 0), 999),
        speed=min(max(stats.speed, 50), 300),
        crit_permille=min(max(stats.crit_permille, 0), 400),
    )


def player_stats(effective_level: int, equipment: Iterable[ItemMods] = ()) -> CombatStats:
    """A player's stats at an effective level with gear worn."""
    base = benchmark(effective_level)
    stats = CombatStats(
        max_hp=base.base_hp * 2200 // 1000,
        max_mana=30 + 3 * (effective_level - 1),
        attack=base.base_attack * 1500 // 1000,
        defense=base.base_defense,
        speed=base.base_speed,
        crit_permille=50,
    )
    for mods in equipment:
        stats = replace(
            stats,
            max_hp=stats.max_hp + mods.max_hp,
            attack=stats.attack + mods.attack,
            defense=stats.defense + mods.defense,
            speed=stats.speed + mods.speed,
            crit_permille=stats.crit_permille + mods.crit_permille,
        )
    return clamp_stats(stats)


def companion_profile(npc_key: str, host_effective_level: int) -> RuntimeEntityLevelProfile:
    """A companion's profile: a standard npc one level below the host that hits harder."""
    level = max(1, host_effective_level - 1)
    profile = profile_at_level(npc_key, HostileRank.STANDARD, level, EntityLevelKind.COMPANION)
    attack = profile.stats.attack * 1200 // 1000
    return replace(profile, stats=replace(profile.stats, attack=attack))


def group_pressure(stats: Sequence[CombatStats], allies: int) -> list[CombatStats]:
    """The hostiles' stats with attacks lowered, so that a pack does not multiply its threat."""
    outnumbered_by = max(1, len(stats) - allies + 1)
    permille = _PRESSURE_PERMILLE[min(outnumbered_by, len(_PRESSURE_PERMILLE)) - 1]
    return [replace(each, attack=max(1, each.attack * permille // 1000)) for each in stats]
