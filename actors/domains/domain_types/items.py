"""Structs and enums of items, loot, quests and treasures (domain 5.4, 5.6, 5.8)."""

from __future__ import annotations

from enum import IntEnum

from actors.domains.domain_types.combat import SkillStatus
from actors.module.types import i32, struct, u32

__all__ = [
    "EquipSlot",
    "ItemCategory",
    "ItemGrant",
    "ItemMods",
    "ItemUseEffect",
    "LootEntry",
    "ObjectiveKind",
    "QuestKind",
    "Rarity",
    "RuntimeItemDefinition",
    "TreasureLock",
]


class ItemCategory(IntEnum):
    """What an item is for (domain 5.4)."""

    WEAPON = 0
    ARMOR = 1
    CHARM = 2
    CONSUMABLE = 3
    MATERIAL = 4
    QUEST = 5
    CURRENCY = 6
    KEY = 7


class Rarity(IntEnum):
    """How rare an item is; sets its gear budget (domain 5.4)."""

    COMMON = 0
    UNCOMMON = 1
    RARE = 2
    EPIC = 3
    LEGENDARY = 4


class EquipSlot(IntEnum):
    """Where gear is worn; also its index in the equipment container (domain 5.4)."""

    WEAPON = 0
    ARMOR = 1
    CHARM = 2


class QuestKind(IntEnum):
    """Whether a quest carries its chapter (domain 5.6)."""

    MAIN = 0
    SIDE = 1


class ObjectiveKind(IntEnum):
    """What a quest objective counts (domain 5.6)."""

    DEFEAT_HOSTILE = 0
    TALK_NPC = 1
    ENTER_SCENE = 2
    OBTAIN_ITEM = 3
    OPEN_TREASURE = 4
    WIN_SPAR = 5
    GIVE_GIFT = 6
    REACH_AFFINITY = 7
    RESOLVE_CHOICE = 8


class TreasureLock(IntEnum):
    """What keeps a treasure shut (domain 5.8)."""

    NONE = 0
    KEY_ITEM = 1
    DANGER = 2


@struct
class ItemGrant:
    """So many of one item."""

    item_id: str
    quantity: u32


@struct
class LootEntry:
    """One line of a loot table: with this chance, between ``min`` and ``max`` of an item."""

    item_id: str
    chance_permille: u32
    min: u32
    max: u32


@struct
class ItemMods:
    """Flat changes of stats while gear is worn."""

    attack: i32
    defense: i32
    max_hp: i32
    speed: i32
    crit_permille: i32


@struct
class ItemUseEffect:
    """What using up one item does."""

    heal_permille: u32
    mana_permille: u32
    cure: bool
    status: SkillStatus | None
    damage_power: u32
    escape: bool


@struct
class RuntimeItemDefinition:
    """An item as the rules use it, already normalised (domain 5.4)."""

    item_id: str
    name: str
    description: str
    category: ItemCategory
    rarity: Rarity
    stack_limit: u32
    equip_slot: EquipSlot | None
    mods: ItemMods
    use_effect: ItemUseEffect | None
    value_coins: u32
    tradeable: bool
    tags: list[str]
