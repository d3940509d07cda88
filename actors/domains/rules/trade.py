"""Trade and gifts: prices, what a gift is worth, and what an npc has to sell (domain 5.5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from actors.domains.domain_types import ItemCategory, ItemGrant, Rarity, RuntimeItemDefinition
from actors.domains.rules.items import CORE_ITEMS, gear_item_id, gear_tier
from actors.rng import SplitMix64

__all__ = ["buy_price", "gift_points", "roll_stock", "sell_price"]

_GIFT_POINTS: Final = {
    Rarity.COMMON: 2,
    Rarity.UNCOMMON: 4,
    Rarity.RARE: 7,
    Rarity.EPIC: 11,
    Rarity.LEGENDARY: 16,
}
_FALLBACK: Final = (
    "core_healing_herb",
    "core_mana_drop",
    "core_antidote",
    "core_throwing_knife",
)
_GEAR: Final = frozenset({ItemCategory.WEAPON, ItemCategory.ARMOR, ItemCategory.CHARM})


def buy_price(value_coins: int, affinity: int) -> int:
    """What an npc asks for an item; never less than its value."""
    return -(-value_coins * (1300 - 3 * _bounded(affinity)) // 1000)


def sell_price(value_coins: int, affinity: int) -> int:
    """What an npc pays for an item; never more than its value."""
    return value_coins * (400 + 2 * _bounded(affinity)) // 1000


def gift_points(
    item: RuntimeItemDefinition,
    liked_tags: Collection[str],
    disliked_tags: Collection[str],
    gifts_given: int,
) -> int:
    """How much a gift changes an npc's affinity.

    An item that is both liked and disliked counts as neutral. Every gift before makes the next one
    count less, down to a fifth.
    """
    tags = set(item.tags)
    is_liked, is_disliked = not tags.isdisjoint(liked_tags), not tags.isdisjoint(disliked_tags)
    taste = 1000
    if is_liked != is_disliked:
        taste = 1500 if is_liked else -500
    product = _GIFT_POINTS[item.rarity] * taste * max(200, 1000 - 150 * gifts_given)
    if product > 0:
        return max(1, product // 1_000_000)
    return -(-product // 1_000_000)


def roll_stock(
    rng: SplitMix64,
    items: Mapping[str, RuntimeItemDefinition],
    trade_tags: Collection[str],
    exit_level: int,
) -> list[ItemGrant]:
    """What an npc has to sell.

    Draws: how many kinds, a shuffle of what there is to choose from, a quantity for each kind.

    Args:
        rng: a stream of the npc's own.
        items: every item of the world.
        trade_tags: tags of what the npc deals in; the common goods when nothing has them.
        exit_level: of the running chapter; core gear is of its tier only.
    """
    tier = gear_tier(exit_level)
    fitting = {gear_item_id(kind, tier) for kind in range(3)}
    wares = sorted(
        item.item_id
        for item in items.values()
        if item.tradeable
        and not set(trade_tags).isdisjoint(item.tags)
        and (item.item_id in fitting or not _is_core_gear(item))
    )
    wares = wares or [*_FALLBACK, gear_item_id(0, tier), gear_item_id(1, tier)]
    kinds = 3 + rng.below(4)
    rng.shuffle(wares)
    return [ItemGrant(item_id, 1 + rng.below(3)) for item_id in wares[:kinds]]


def _is_core_gear(item: RuntimeItemDefinition) -> bool:
    return item.item_id in CORE_ITEMS and item.category in _GEAR


def _bounded(affinity: int) -> int:
    return min(max(affinity, -50), 100)
