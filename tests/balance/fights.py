"""Fights: battles straight on the rules, many for each setup, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from tactics import TACTICS

from actors.domains.domain_types import HostileRank, ItemMods
from actors.domains.rules.combat import (
    STARTER_SKILLS,
    BattleMode,
    BattleStatus,
    CombatantKind,
    CombatOutcome,
    apply_action,
    companion_combatant,
    hostile_combatant,
    player_combatant,
    prepare_battle,
    start_battle,
    with_loadout,
)
from actors.domains.rules.items import CORE_ITEMS, GEAR_TIERS, gear_item_id
from actors.domains.rules.progression import hostile_profile
from actors.rng import SplitMix64

__all__ = [
    "KINDS",
    "LEVELS",
    "PACK",
    "PARTY_LEVELS",
    "Fights",
    "Setup",
    "fight",
    "highest_tier",
    "party_setups",
    "solo_setups",
    "tactic_setups",
]

_MINION, _STANDARD, _ELITE, _BOSS = HostileRank

KINDS: Final = {
    "3 minions": (_MINION,) * 3,
    "standard": (_STANDARD,),
    "3 standards": (_STANDARD,) * 3,
    "elite": (_ELITE,),
    "boss": (_BOSS,),
}
"""Encounters by name: ranks of the hostiles, whose levels follow the player's (domain 3.6)."""

PACK: Final = (_MINION, _MINION, _STANDARD)
"""The pack of the tuning table (domain 4.2)."""

LEVELS: Final = (1, 2, 3, 5, 8, 10, 16, 20, 30, 40, 50)
PARTY_LEVELS: Final = (1, 5, 10, 20, 40)

_ACTIONS_MAX: Final = 300
_FULL_HP: Final = 9999


class Setup(NamedTuple):
    """Who fights whom. Tier 0 wears nothing; other tiers wear blade, mail and charm."""

    level: int
    ranks: tuple[HostileRank, ...]
    tactic: str = "policy P"
    tier: int = 0
    players: int = 1
    companion: bool = False


class Fights(NamedTuple):
    """What became of a setup's fights; ``rounds`` has one number for each of them."""

    setup: Setup
    wins: int
    rounds: tuple[int, ...]
    hp_permille: int

    @property
    def fought(self) -> int:
        """How many fights there were."""
        return len(self.rounds)

    @property
    def win_permille(self) -> int:
        """Share of the fights that were won."""
        return self.wins * 1000 // self.fought

    @property
    def median_rounds(self) -> int:
        """Length of the middle fight."""
        return sorted(self.rounds)[self.fought // 2]


def highest_tier(level: int) -> int:
    """The best gear that a level may wear: tier t from level 8(t - 1) + 1 on (domain 5.4)."""
    return min((level + 7) // 8, GEAR_TIERS)


def solo_setups() -> list[Setup]:
    """One player by policy P, at every level, in every gear that it may wear."""
    return [
        Setup(level, ranks, tier=tier)
        for level in LEVELS
        for ranks in KINDS.values()
        for tier in range(highest_tier(level) + 1)
    ]


def tactic_setups() -> list[Setup]:
    """One player without gear by the other tactics."""
    return [
        Setup(level, ranks, tactic)
        for tactic in TACTICS
        if tactic != "policy P"
        for level in LEVELS
        for ranks in KINDS.values()
    ]


def party_setups() -> list[Setup]:
    """Parties by policy P without gear, with and without a companion."""
    return [
        Setup(level, ranks, players=players, companion=companion)
        for players in (1, 2, 4)
        for companion in (False, True)
        for level in PARTY_LEVELS
        for ranks in KINDS.values()
        if players > 1 or companion
    ]


def fight(setup: Setup, fights: int, seed: int) -> Fights:
    """Fight a setup again and again; equal seeds give equal fights.

    ``hp_permille`` is the share of their hit points that the players are left with on average,
    lost fights included.
    """
    seeds = SplitMix64(seed)
    played = [_play(setup, seeds.next_u64()) for _ in range(fights)]
    return Fights(
        setup,
        wins=sum(won for won, _, _ in played),
        rounds=tuple(rounds for _, rounds, _ in played),
        hp_permille=sum(hp for _, _, hp in played) // fights,
    )


def _play(setup: Setup, seed: int) -> tuple[bool, int, int]:
    """One fight: whether it was won, its rounds, and the permille of hp that are left."""
    choose = TACTICS[setup.tactic]
    users = [f"u_{number}" for number in range(1, setup.players + 1)]
    allies = [
        player_combatant(user, "wanderer", user, setup.level, _FULL_HP, STARTER_SKILLS)
        for user in users
    ]
    if setup.companion:
        allies.append(companion_combatant("scout", "Scout", setup.level))
    hostiles = [
        hostile_combatant(hostile_profile(rank.name.lower(), rank, setup.level), rank.name)
        for rank in setup.ranks
    ]
    battle = prepare_battle(BattleMode.FIGHT, allies, hostiles, seed)
    for user in users:
        battle = with_loadout(battle, user, setup.level, _FULL_HP, _worn(setup.tier), [])
    battle, _ = start_battle(battle)
    for _ in range(_ACTIONS_MAX):
        if battle.status is BattleStatus.ENDED:
            break
        battle, _ = apply_action(battle, choose(battle), CORE_ITEMS)
    players = [row for row in battle.combatants if row.kind is CombatantKind.PLAYER]
    left = sum(row.hp for row in players) * 1000 // sum(row.stats.max_hp for row in players)
    return battle.outcome is CombatOutcome.VICTORY, battle.round, left


def _worn(tier: int) -> Iterable[ItemMods]:
    if tier == 0:
        return []
    return [CORE_ITEMS[gear_item_id(kind, tier)].mods for kind in range(3)]
