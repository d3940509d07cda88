"""Making a battle: combatants from players, companions and profiles (domain 4.2, 4.5, 4.6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from actors.domains.domain_types import (
    CombatStats,
    HostileRank,
    ItemGrant,
    ItemMods,
    LevelSource,
    RuntimeEntityLevelProfile,
    SkillDef,
)
from actors.domains.rules.combat.state import (
    Battle,
    BattleMode,
    BattleSide,
    BattleStatus,
    Combatant,
    CombatantKind,
    CombatOutcome,
)
from actors.domains.rules.combat.stats import companion_profile, group_pressure, player_stats
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import BATTLE_HOSTILES_MAX, BELT_STACKS_MAX
from actors.module.types import replace

__all__ = [
    "companion_combatant",
    "hostile_combatant",
    "player_combatant",
    "prepare_battle",
    "with_loadout",
]


def player_combatant(
    user_id: str,
    role_key: str,
    display_name: str,
    effective_level: int,
    hp: int,
    skills: Sequence[SkillDef],
) -> Combatant:
    """A player with bare stats and an empty belt; ``prepare_battle`` gives the seq.

    Args:
        user_id: who decides for the combatant.
        role_key: the role the user plays.
        display_name: shown to everyone.
        effective_level: level inside the chapter.
        hp: what the participant has; at most the maximum and at least 1 enter the battle.
        skills: of the role, normalised.
    """
    stats = player_stats(effective_level)
    return _combatant(
        BattleSide.ALLY,
        CombatantKind.PLAYER,
        role_key,
        display_name,
        effective_level,
        stats,
        skills,
        user_id=user_id,
        hp=hp,
    )


def companion_combatant(
    npc_key: str, display_name: str, host_effective_level: int, skills: Sequence[SkillDef] = ()
) -> Combatant:
    """A recruited npc who fights at the host's side; ``prepare_battle`` gives the seq."""
    profile = companion_profile(npc_key, host_effective_level)
    return _combatant(
        BattleSide.ALLY,
        CombatantKind.COMPANION,
        npc_key,
        display_name,
        profile.level,
        profile.stats,
        skills,
    )


def hostile_combatant(
    profile: RuntimeEntityLevelProfile,
    display_name: str,
    skills: Sequence[SkillDef] = (),
    kind: CombatantKind = CombatantKind.HOSTILE,
) -> Combatant:
    """A hostile or a spar partner by its profile; ``prepare_battle`` gives the seq."""
    return _combatant(
        BattleSide.HOSTILE,
        kind,
        profile.entity_key,
        display_name,
        profile.level,
        profile.stats,
        skills,
        rank=profile.rank,
        level_source=profile.source,
    )


def prepare_battle(
    mode: BattleMode, allies: Sequence[Combatant], hostiles: Sequence[Combatant], seed: int
) -> Battle:
    """A battle that waits for its players' loadouts, with group pressure applied.

    Args:
        mode: fight or spar.
        allies: players in join order, then companions.
        hostiles: in the order of the encounter.
        seed: of the battle's private stream.

    Raises:
        RuleError: ``combat.too_many_hostiles``: not 1 to 6.
    """
    if not 1 <= len(hostiles) <= BATTLE_HOSTILES_MAX:
        raise RuleError(
            "combat.too_many_hostiles",
            f"a battle has 1 to {BATTLE_HOSTILES_MAX} hostiles",
            hostiles=len(hostiles),
        )
    pressed = group_pressure([hostile.stats for hostile in hostiles], len(allies))
    everyone = [
        *allies,
        *(replace(one, stats=stats) for one, stats in zip(hostiles, pressed, strict=True)),
    ]
    return Battle(
        battle_mode=mode,
        status=BattleStatus.PREPARING,
        outcome=CombatOutcome.ONGOING,
        round=0,
        turn_index=0,
        active_seq=0,
        turn_order=[],
        escape_attempts=0,
        escape_blocked=any(hostile.rank is HostileRank.BOSS for hostile in hostiles),
        version=0,
        rng_state=seed,
        last_event_seq=0,
        combatants=[replace(one, seq=seq) for seq, one in enumerate(everyone, start=1)],
    )


def with_loadout(
    battle: Battle,
    user_id: str,
    effective_level: int,
    hp: int,
    equipment: Iterable[ItemMods],
    belt: Sequence[ItemGrant],
) -> Battle:
    """A preparing battle with one player's level, gear and consumables.

    Unknown users change nothing.
    """
    assert battle.status is BattleStatus.PREPARING
    assert len(belt) <= BELT_STACKS_MAX
    combatants = list(battle.combatants)
    for index, combatant in enumerate(combatants):
        if combatant.kind is CombatantKind.PLAYER and combatant.user_id == user_id:
            stats = player_stats(effective_level, equipment)
            combatants[index] = replace(
                combatant,
                level=effective_level,
                mana=stats.max_mana,
                hp=min(max(hp, 1), stats.max_hp),
                stats=stats,
                belt=list(belt),
            )
            break
    return replace(battle, combatants=combatants)


def _combatant(
    side: BattleSide,
    kind: CombatantKind,
    entity_key: str,
    display_name: str,
    level: int,
    stats: CombatStats,
    skills: Sequence[SkillDef],
    *,
    user_id: str | None = None,
    hp: int | None = None,
    rank: HostileRank = HostileRank.STANDARD,
    level_source: LevelSource = LevelSource.FALLBACK,
) -> Combatant:
    return Combatant(
        seq=0,
        side=side,
        kind=kind,
        user_id=user_id,
        entity_key=entity_key,
        display_name=display_name,
        rank=rank,
        level=level,
        level_source=level_source,
        hp=stats.max_hp if hp is None else min(max(hp, 1), stats.max_hp),
        mana=stats.max_mana,
        shield=0,
        stats=stats,
        skills=list(skills),
        cooldowns=[],
        statuses=[],
        belt=[],
        alive=True,
    )
