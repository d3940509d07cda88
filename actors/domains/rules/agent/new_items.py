"""New items: what the forms of generated items are worth and can do (domain 5.4, 7.7)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from actors.domains.domain_types import (
    ItemCategory,
    ItemMods,
    ItemUseEffect,
    Rarity,
    RuntimeItemDefinition,
)
from actors.domains.rules.items import COIN, CORE_ITEMS, HEALING_HERB, gear_item_id, normalise_item
from actors.domains.rules.struct_json import struct_to_json
from actors.module.types import replace

__all__ = ["STARTING_ITEMS", "item_entry"]

STARTING_ITEMS: Final = (
    MappingProxyType({"itemId": HEALING_HERB, "quantity": 3}),
    MappingProxyType({"itemId": COIN, "quantity": 20}),
)
"""What every role that nobody has authored begins with."""

_GEAR: Final = ("blade", "mail", "charm")

_NO_MODS: Final = ItemMods(0, 0, 0, 0, 0)

_OTHERS: Final[Mapping[str, RuntimeItemDefinition]] = MappingProxyType(
    {
        "draught": RuntimeItemDefinition(
            item_id="",
            name="",
            description="",
            category=ItemCategory.CONSUMABLE,
            rarity=Rarity.UNCOMMON,
            stack_limit=20,
            equip_slot=None,
            mods=_NO_MODS,
            use_effect=ItemUseEffect(300, 0, cure=False, status=None, damage_power=0, escape=False),
            value_coins=20,
            tradeable=True,
            tags=["medicine"],
        ),
        "relic": RuntimeItemDefinition(
            item_id="",
            name="",
            description="",
            category=ItemCategory.QUEST,
            rarity=Rarity.UNCOMMON,
            stack_limit=99,
            equip_slot=None,
            mods=_NO_MODS,
            use_effect=None,
            value_coins=0,
            tradeable=False,
            tags=[],
        ),
    }
)


def item_entry(form: str, name: str, description: str) -> dict[str, Any]:
    """The section entry of an item of a form, without its key; within every budget already."""
    item = CORE_ITEMS[gear_item_id(_GEAR.index(form), 1)] if form in _GEAR else _OTHERS[form]
    item = replace(item, name=name, description=description, rarity=Rarity.UNCOMMON)
    entry = struct_to_json(normalise_item(item))
    del entry["itemId"]
    return entry
