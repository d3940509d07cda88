"""Inventory: a user's items of one lineage as rows, and as the value that rules work with."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from actors.domains.domain_types import (
    ItemCategory,
    ItemGrant,
    Rarity,
    RuntimeItemDefinition,
)
from actors.domains.kinds import USER
from actors.domains.rules.ids import derived_id
from actors.domains.rules.inventory import Inventory, Slot
from actors.domains.rules.items import CORE_ITEMS
from actors.module.context import DatabaseReader, ReducerContext
from actors.module.tables import table
from actors.module.types import Timestamp, replace, u32

__all__ = [
    "ContainerKind",
    "InventoryItem",
    "InventoryReceipt",
    "InventorySlot",
    "inventory_of",
    "known_items",
    "learn_items",
    "put_stack",
    "save_inventory",
    "slot_at",
    "slots_of",
]


class ContainerKind(IntEnum):
    """Where a stack lies (domain 5.4)."""

    BACKPACK = 0
    EQUIPMENT = 1
    OVERFLOW = 2


@table(public=True, primary_key="slot_id", index=["user_id", "runtime_session_id"], actor=USER)
class InventorySlot:
    """A stack. Rows of different lineages never mix; an empty slot has no row.

    In the equipment container ``slot_index`` is the ``EquipSlot``.
    """

    slot_id: str
    user_id: str
    runtime_session_id: str
    container: ContainerKind
    slot_index: u32
    item_id: str
    name: str
    category: ItemCategory
    rarity: Rarity
    quantity: u32
    stack_limit: u32
    locked_by: str | None
    acquired_source: str
    created_at: Timestamp
    updated_at: Timestamp


@table(primary_key="inventory_item_id", index=["runtime_session_id"], actor=USER)
class InventoryItem:
    """An authored item of a lineage's world that the user has had; core items need no row."""

    inventory_item_id: str
    runtime_session_id: str
    definition: RuntimeItemDefinition


@table(primary_key="receipt_id", actor=USER)
class InventoryReceipt:
    """A change that was made for a business key; kept for ever, so that it is never made twice."""

    receipt_id: str
    created_at: Timestamp


def slot_at(
    ctx: ReducerContext, runtime_session_id: str, container: ContainerKind, slot_index: int
) -> InventorySlot | None:
    """The stack in a slot, or None when it is empty."""
    slot_id = _slot_id(ctx.key, runtime_session_id, container, slot_index)
    return ctx.db[InventorySlot].find(slot_id)


def slots_of(
    db: DatabaseReader, runtime_session_id: str, container: ContainerKind
) -> list[InventorySlot]:
    """The stacks of a container by slot index."""
    rows = db[InventorySlot].filter(runtime_session_id=runtime_session_id, container=container)
    return sorted(rows, key=lambda row: row.slot_index)


def inventory_of(db: DatabaseReader, runtime_session_id: str) -> Inventory:
    """Backpack and overflow of a lineage, as the rules see them."""
    return Inventory(
        _rule_slots(slots_of(db, runtime_session_id, ContainerKind.BACKPACK)),
        _rule_slots(slots_of(db, runtime_session_id, ContainerKind.OVERFLOW)),
    )


def known_items(db: DatabaseReader, runtime_session_id: str) -> dict[str, RuntimeItemDefinition]:
    """The definitions of every item that a lineage's inventory may hold, by id."""
    authored = db[InventoryItem].filter(runtime_session_id=runtime_session_id)
    return {**{row.definition.item_id: row.definition for row in authored}, **CORE_ITEMS}


def learn_items(
    ctx: ReducerContext,
    runtime_session_id: str,
    definitions: Iterable[RuntimeItemDefinition],
    held: Iterable[ItemGrant],
) -> None:
    """Keep the definitions of authored items that the user now holds."""
    held_ids = {grant.item_id for grant in held} - CORE_ITEMS.keys()
    for definition in definitions:
        if definition.item_id in held_ids:
            item_id = derived_id(runtime_session_id, definition.item_id)
            ctx.db[InventoryItem].upsert(InventoryItem(item_id, runtime_session_id, definition))


def save_inventory(
    ctx: ReducerContext,
    runtime_session_id: str,
    after: Inventory,
    items: dict[str, RuntimeItemDefinition],
    acquired_source: str,
) -> None:
    """Write the slots in which an inventory differs from the rows.

    Args:
        ctx: the running turn, in the user's actor.
        runtime_session_id: the lineage.
        after: backpack and overflow as they shall be.
        items: a definition for each new stack.
        acquired_source: kept with stacks that are new; the source of the grant.
    """
    for container, slots in (
        (ContainerKind.BACKPACK, after.backpack),
        (ContainerKind.OVERFLOW, after.overflow),
    ):
        rows = ctx.db[InventorySlot]
        known = {row.slot_index: row for row in slots_of(ctx.db, runtime_session_id, container)}
        for slot in slots:
            row = known.pop(slot.slot_index, None)
            if row is not None and row.item_id == slot.item_id:
                if (row.quantity, row.locked_by) != (slot.quantity, slot.locked_by):
                    rows.update(
                        replace(
                            row,
                            quantity=slot.quantity,
                            locked_by=slot.locked_by,
                            updated_at=ctx.timestamp,
                        )
                    )
                continue
            definition = items[slot.item_id]
            rows.upsert(
                InventorySlot(
                    slot_id=_slot_id(ctx.key, runtime_session_id, container, slot.slot_index),
                    user_id=ctx.key,
                    runtime_session_id=runtime_session_id,
                    container=container,
                    slot_index=slot.slot_index,
                    item_id=slot.item_id,
                    name=definition.name,
                    category=definition.category,
                    rarity=definition.rarity,
                    quantity=slot.quantity,
                    stack_limit=definition.stack_limit,
                    locked_by=slot.locked_by,
                    acquired_source=acquired_source,
                    created_at=ctx.timestamp,
                    updated_at=ctx.timestamp,
                )
            )
        for row in known.values():
            rows.delete(row.slot_id)


def put_stack(
    ctx: ReducerContext, stack: InventorySlot, container: ContainerKind, slot_index: int
) -> None:
    """Put a stack, kept from before with its history, into a slot."""
    ctx.db[InventorySlot].upsert(
        replace(
            stack,
            slot_id=_slot_id(ctx.key, stack.runtime_session_id, container, slot_index),
            container=container,
            slot_index=slot_index,
            updated_at=ctx.timestamp,
        )
    )


def _rule_slots(rows: Iterable[InventorySlot]) -> tuple[Slot, ...]:
    return tuple(
        Slot(row.slot_index, row.item_id, row.quantity, row.stack_limit, row.locked_by)
        for row in rows
    )


def _slot_id(
    user_id: str, runtime_session_id: str, container: ContainerKind, slot_index: int
) -> str:
    return derived_id(runtime_session_id, user_id, container.name.lower(), slot_index)
