"""A lineage's items on a user's bench: what tests of the inventory's users share."""

from __future__ import annotations

from typing import Any

from user_bench import UserBench

from actors.domains.domain_types import (
    EquipSlot,
    GrantSource,
    HostileDefeat,
    ItemCategory,
    ItemGrant,
    ItemMods,
    Rarity,
    RewardBundle,
    RuntimeItemDefinition,
)
from actors.domains.gameplay.inventory import ContainerKind, InventorySlot
from actors.domains.gameplay.inventory_calls import Consume, Grant
from actors.domains.messages import SettleReward

LINEAGE = "rs_1"
HERB = "core_healing_herb"
COIN = "core_coin"

VALE_BLADE = RuntimeItemDefinition(
    "vale_blade",
    "Vale Blade",
    "From the mill.",
    ItemCategory.WEAPON,
    Rarity.UNCOMMON,
    1,
    EquipSlot.WEAPON,
    ItemMods(5, 0, 0, 0, 0),
    None,
    90,
    tradeable=True,
    tags=["weapon"],
)
VALE_LETTER = RuntimeItemDefinition(
    "vale_letter",
    "Letter",
    "Sealed.",
    ItemCategory.QUEST,
    Rarity.COMMON,
    99,
    None,
    ItemMods(0, 0, 0, 0, 0),
    None,
    0,
    tradeable=False,
    tags=[],
)


def mutate(bench: UserBench, mutation: object, reference: str = "", lineage: str = LINEAGE) -> Any:
    reference = reference or f"mutation-{bench.written}"
    # A union of structs knows its variant by the value's class.
    return bench.serve("apply_inventory_mutation", lineage, mutation, reference)


def grant(bench: UserBench, item_id: str, quantity: int, lineage: str = LINEAGE) -> Any:
    return mutate(bench, Grant(ItemGrant(item_id, quantity)), lineage=lineage)


def consume(bench: UserBench, item_id: str, quantity: int) -> Any:
    return mutate(bench, Consume(ItemGrant(item_id, quantity)))


def container(bench: UserBench, kind: ContainerKind, lineage: str = LINEAGE) -> list[Any]:
    rows = [
        row
        for row in bench.rows(InventorySlot)
        if row.container is kind and row.runtime_session_id == lineage
    ]
    return sorted(rows, key=lambda row: row.slot_index)


def backpack(bench: UserBench, lineage: str = LINEAGE) -> list[tuple[int, str, int]]:
    rows = container(bench, ContainerKind.BACKPACK, lineage)
    return [(row.slot_index, row.item_id, row.quantity) for row in rows]


def reward(
    reference: str,
    *,
    source: GrantSource = GrantSource.QUEST,
    chapter_id: str | None = None,
    quest_xp: int = 0,
    defeats: list[HostileDefeat] | None = None,
    flat_xp: int = 0,
    items: list[ItemGrant] | None = None,
    consumed: list[ItemGrant] | None = None,
    wallet: int = 0,
    definitions: list[RuntimeItemDefinition] | None = None,
    locked_by: str | None = None,
) -> SettleReward:
    bundle = RewardBundle(
        source,
        reference,
        chapter_id,
        quest_xp,
        defeats or [],
        flat_xp,
        items or [],
        consumed or [],
        [],
        wallet,
    )
    return SettleReward("st_1", LINEAGE, bundle, locked_by, definitions or [])
