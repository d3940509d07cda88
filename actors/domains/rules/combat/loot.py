"""What a victory pays: defeats, loot and coins (domain 4.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from actors.domains.domain_types import HostileDefeat, HostileRank, ItemGrant, LootEntry
from actors.domains.rules.combat.state import Battle, BattleSide, Combatant
from actors.domains.rules.items import (
    GEAR_TIERS,
    HEALING_HERB,
    MANA_DROP,
    gear_item_id,
    gear_tier,
)
from actors.domains.rules.progression.hostile import hostile_xp
from actors.rng import SplitMix64

__all__ = ["coins_of", "defeated_hostiles", "defeats_of", "merge_grants", "roll_loot", "roll_table"]

_COINS_PER_LEVEL: Final = {
    HostileRank.MINION: 2,
    HostileRank.STANDARD: 4,
    HostileRank.ELITE: 10,
    HostileRank.BOSS: 40,
}


def defeated_hostiles(battle: Battle) -> list[Combatant]:
    """The hostiles that are down, by seq."""
    return [row for row in battle.combatants if row.side is BattleSide.HOSTILE and not row.alive]


def defeats_of(hostiles: Iterable[Combatant]) -> list[HostileDefeat]:
    """Defeats with kill experience, in the same order, for the settlement."""
    return [
        HostileDefeat(row.entity_key, row.rank, row.level, hostile_xp(row.level, row.rank))
        for row in hostiles
    ]


def coins_of(hostiles: Iterable[Combatant]) -> int:
    """Coins for each player; no draw."""
    return sum(row.level * _COINS_PER_LEVEL[row.rank] for row in hostiles)


def roll_loot(
    rng: SplitMix64,
    hostiles: Iterable[Combatant],
    tables: Mapping[str, Sequence[LootEntry]],
) -> list[ItemGrant]:
    """Roll the loot of one player: hostiles in the order given, then their tables' entries.

    Call it once for each player in join order, after the killing blow, on the battle's stream.

    Args:
        rng: the battle's stream; its state moves on.
        hostiles: who was defeated.
        tables: authored tables by hostile key; a missing or empty one means the rank's default.

    Returns:
        One grant for each item, in the order in which the items first dropped.
    """
    grants: list[ItemGrant] = []
    for row in hostiles:
        table = tables.get(row.entity_key)
        grants += roll_table(rng, table) if table else _roll_default(rng, row.rank, row.level)
    return merge_grants(grants)


def roll_table(rng: SplitMix64, table: Iterable[LootEntry]) -> list[ItemGrant]:
    """Roll an authored table: one draw each, and one for the quantity where it varies."""
    return [
        ItemGrant(entry.item_id, quantity)
        for entry in table
        if (quantity := _roll(rng, entry.chance_permille, entry.min, entry.max))
    ]


def merge_grants(grants: Iterable[ItemGrant]) -> list[ItemGrant]:
    """One grant for each item, in order of first appearance."""
    quantities: dict[str, int] = {}
    for grant in grants:
        quantities[grant.item_id] = quantities.get(grant.item_id, 0) + grant.quantity
    return [ItemGrant(item_id, quantity) for item_id, quantity in quantities.items()]


def _roll(rng: SplitMix64, chance_permille: int, low: int, high: int) -> int:
    if rng.permille() >= chance_permille:
        return 0
    return low + rng.below(high - low + 1) if high > low else low


def _roll_default(rng: SplitMix64, rank: HostileRank, level: int) -> list[ItemGrant]:
    match rank:
        case HostileRank.MINION:
            entries = [(HEALING_HERB, 200, 1)]
        case HostileRank.STANDARD:
            entries = [(HEALING_HERB, 350, 1)]
        case HostileRank.ELITE:
            return [
                *_roll_gear(rng, gear_tier(level)),
                *roll_table(rng, [LootEntry(MANA_DROP, 500, 1, 1)]),
            ]
        case HostileRank.BOSS:
            return [
                *_roll_gear(rng, min(gear_tier(level) + 1, GEAR_TIERS)),
                *roll_table(rng, [LootEntry(HEALING_HERB, 1000, 3, 3)]),
            ]
    return roll_table(rng, [LootEntry(*entry, entry[2]) for entry in entries])


def _roll_gear(rng: SplitMix64, tier: int) -> list[ItemGrant]:
    """Certain gear: the entry's draw, then one for its kind, as in treasures (domain 5.8)."""
    rng.permille()
    return [ItemGrant(gear_item_id(rng.below(3), tier), 1)]
