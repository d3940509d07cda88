"""Items: the core catalogue, gear budgets and tiers (domain 5.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from actors.domains.domain_types import (
    EquipSlot,
    ItemCategory,
    ItemMods,
    ItemUseEffect,
    Rarity,
    RuntimeItemDefinition,
)
from actors.domains.rules.effects import normalise_status
from actors.domains.rules.errors import RuleError
from actors.module.types import replace

__all__ = [
    "COIN",
    "CORE_ITEMS",
    "GEAR_TIERS",
    "HEALING_HERB",
    "MANA_DROP",
    "gear_item_id",
    "gear_tier",
    "item_definition",
    "normalise_item",
]

COIN: Final = "core_coin"
HEALING_HERB: Final = "core_healing_herb"
MANA_DROP: Final = "core_mana_drop"

GEAR_TIERS: Final = 5
"""Core gear comes in tiers 1 to 5, as rare as its tier."""

_GEAR_BUDGET: Final = {
    Rarity.COMMON: 20,
    Rarity.UNCOMMON: 45,
    Rarity.RARE: 90,
    Rarity.EPIC: 150,
    Rarity.LEGENDARY: 220,
}
_STACK_LIMIT: Final = {
    ItemCategory.WEAPON: 1,
    ItemCategory.ARMOR: 1,
    ItemCategory.CHARM: 1,
    ItemCategory.CONSUMABLE: 20,
    ItemCategory.MATERIAL: 99,
    ItemCategory.QUEST: 99,
    ItemCategory.CURRENCY: 9999,
    ItemCategory.KEY: 1,
}
_GEAR_SLOT: Final = {
    ItemCategory.WEAPON: EquipSlot.WEAPON,
    ItemCategory.ARMOR: EquipSlot.ARMOR,
    ItemCategory.CHARM: EquipSlot.CHARM,
}
_GEAR_KINDS: Final = ("blade", "mail", "charm")
_NO_MODS: Final = ItemMods(0, 0, 0, 0, 0)
_NO_EFFECT: Final = ItemUseEffect(0, 0, cure=False, status=None, damage_power=0, escape=False)


def gear_tier(level: int) -> int:
    """The tier of gear that belongs to a level."""
    return min(max(-(-level // 10), 1), GEAR_TIERS)


def gear_item_id(kind: int, tier: int) -> str:
    """The core gear of a kind (0 blade, 1 mail, 2 charm) and a tier (1..5)."""
    return f"core_{_GEAR_KINDS[kind]}_t{tier}"


def normalise_item(item: RuntimeItemDefinition) -> RuntimeItemDefinition:
    """An authored item within bounds: stack limit and slot by category, gear within its budget.

    Only gear has mods and only consumables have an effect. Over budget, every positive mod shrinks
    by the same factor.
    """
    slot = _GEAR_SLOT.get(item.category)
    effect = item.use_effect if item.category is ItemCategory.CONSUMABLE else None
    return replace(
        item,
        stack_limit=_STACK_LIMIT[item.category],
        equip_slot=slot,
        mods=_NO_MODS if slot is None else _within_budget(item.mods, item.rarity),
        use_effect=effect and replace(effect, status=normalise_status(effect.status)),
    )


def item_definition(
    items: Mapping[str, RuntimeItemDefinition], item_id: str
) -> RuntimeItemDefinition:
    """The definition of an item.

    Raises:
        RuleError: ``inventory.item_unknown``.
    """
    definition = items.get(item_id)
    if definition is None:
        raise RuleError("inventory.item_unknown", "there is no such item", item_id=item_id)
    return definition


def _within_budget(mods: ItemMods, rarity: Rarity) -> ItemMods:
    attack, defense, max_hp, speed, crit = (max(0, mod) for mod in _fields(mods))
    score = 4 * attack + 5 * defense + max_hp + 3 * speed + 2 * crit
    budget = _GEAR_BUDGET[rarity]
    if score <= budget:
        return mods
    permille = budget * 1000 // score
    return ItemMods(*(mod * permille // 1000 if mod > 0 else mod for mod in _fields(mods)))


def _fields(mods: ItemMods) -> tuple[int, int, int, int, int]:
    return (mods.attack, mods.defense, mods.max_hp, mods.speed, mods.crit_permille)


def _item(
    item_id: str,
    name: str,
    description: str,
    category: ItemCategory,
    value_coins: int,
    tags: list[str],
    *,
    rarity: Rarity = Rarity.COMMON,
    mods: ItemMods = _NO_MODS,
    use_effect: ItemUseEffect | None = None,
) -> RuntimeItemDefinition:
    return RuntimeItemDefinition(
        item_id=item_id,
        name=name,
        description=description,
        category=category,
        rarity=rarity,
        stack_limit=_STACK_LIMIT[category],
        equip_slot=_GEAR_SLOT.get(category),
        mods=mods,
        use_effect=use_effect,
        value_coins=value_coins,
        tradeable=category is not ItemCategory.CURRENCY,
        tags=tags,
    )


def _gear(tier: int) -> list[RuntimeItemDefinition]:
    index, rarity = tier - 1, Rarity(tier - 1)
    value = (40, 120, 300, 700, 1500)[index]
    attack = (3, 7, 12, 18, 25)[index]
    defense, mail_hp = (2, 5, 9, 14, 20)[index], (10, 25, 45, 70, 100)[index]
    charm_hp, crit = (15, 35, 60, 90, 125)[index], 10 * tier
    return [
        _item(
            gear_item_id(0, tier),
            f"Blade {tier}",
            "A blade that holds its edge.",
            ItemCategory.WEAPON,
            value,
            ["weapon", "metal"],
            rarity=rarity,
            mods=replace(_NO_MODS, attack=attack),
        ),
        _item(
            gear_item_id(1, tier),
            f"Mail {tier}",
            "Rings of metal that turn a blow.",
            ItemCategory.ARMOR,
            value,
            ["armor", "metal"],
            rarity=rarity,
            mods=replace(_NO_MODS, defense=defense, max_hp=mail_hp),
        ),
        _item(
            gear_item_id(2, tier),
            f"Charm {tier}",
            "A small thing that brings luck.",
            ItemCategory.CHARM,
            value,
            ["charm"],
            rarity=rarity,
            mods=replace(_NO_MODS, max_hp=charm_hp, crit_permille=crit),
        ),
    ]


def _catalogue() -> dict[str, RuntimeItemDefinition]:
    consumable = ItemCategory.CONSUMABLE
    items = [
        _item(COIN, "Coin", "What everyone takes.", ItemCategory.CURRENCY, 1, []),
        _item(
            HEALING_HERB,
            "Healing Herb",
            "Closes wounds.",
            consumable,
            12,
            ["herb", "medicine"],
            use_effect=replace(_NO_EFFECT, heal_permille=250),
        ),
        _item(
            MANA_DROP,
            "Mana Drop",
            "Clears the mind.",
            consumable,
            12,
            ["medicine"],
            use_effect=replace(_NO_EFFECT, mana_permille=400),
        ),
        _item(
            "core_antidote",
            "Antidote",
            "Takes every harmful effect away.",
            consumable,
            10,
            ["medicine"],
            use_effect=replace(_NO_EFFECT, cure=True),
        ),
        _item(
            "core_smoke_bomb",
            "Smoke Bomb",
            "Covers a retreat.",
            consumable,
            30,
            ["trick"],
            use_effect=replace(_NO_EFFECT, escape=True),
        ),
        _item(
            "core_throwing_knife",
            "Throwing Knife",
            "Flies straight.",
            consumable,
            8,
            ["weapon", "metal"],
            use_effect=replace(_NO_EFFECT, damage_power=900),
        ),
    ]
    for tier in range(1, GEAR_TIERS + 1):
        items += _gear(tier)
    return {item.item_id: item for item in items}


CORE_ITEMS: Final = _catalogue()
"""The items that every world has, by id."""
