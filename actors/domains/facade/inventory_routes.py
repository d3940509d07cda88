"""Inventory over HTTP: a lineage's items, and what their owner does with them (domain 11.3)."""

from __future__ import annotations

from actors import ProcedureContext, Route, ViewContext, struct
from actors.domains.gameplay.inventory import ContainerKind, InventorySlot, slots_of
from actors.domains.gameplay.inventory_calls import (
    ClaimOverflowItem,
    DiscardInventoryItem,
    EquipItem,
    MoveInventorySlot,
    SplitInventoryStack,
    UnequipItem,
    claim_overflow_item,
    discard_inventory_item,
    equip_item,
    move_inventory_slot,
    split_inventory_stack,
    unequip_item,
)
from actors.domains.gameplay.item_use import UseInventoryItem, use_inventory_item
from actors.domains.kinds import USER
from actors.domains.rules.text import check_id

__all__ = ["ROUTES", "InventoryAnswer", "InventoryStacks"]

_PATH = "/api/runtime/inventory"


@struct
class GetInventory:
    """Which lineage's inventory."""

    runtime_session_id: str


@struct
class InventoryStacks:
    """All stacks of a lineage: backpack, equipment and overflow, each by slot index."""

    runtime_session_id: str
    slots: list[InventorySlot]


@struct
class InventoryAnswer:
    """An inventory as it stands after the call."""

    inventory: InventoryStacks


async def get_inventory(ctx: ProcedureContext, input: GetInventory) -> InventoryAnswer:
    """The caller's items of a lineage; none where there is no such lineage."""
    return await _inventory(ctx, check_id(input.runtime_session_id))


async def equip(ctx: ProcedureContext, input: EquipItem) -> InventoryAnswer:
    """Wear gear."""
    await ctx.call(equip_item, input)
    return await _inventory(ctx, input.runtime_session_id)


async def unequip(ctx: ProcedureContext, input: UnequipItem) -> InventoryAnswer:
    """Take gear off."""
    await ctx.call(unequip_item, input)
    return await _inventory(ctx, input.runtime_session_id)


async def move(ctx: ProcedureContext, input: MoveInventorySlot) -> InventoryAnswer:
    """Move a stack to another slot."""
    await ctx.call(move_inventory_slot, input)
    return await _inventory(ctx, input.runtime_session_id)


async def split(ctx: ProcedureContext, input: SplitInventoryStack) -> InventoryAnswer:
    """Take a part of a stack into a free slot."""
    await ctx.call(split_inventory_stack, input)
    return await _inventory(ctx, input.runtime_session_id)


async def discard(ctx: ProcedureContext, input: DiscardInventoryItem) -> InventoryAnswer:
    """Throw items away."""
    await ctx.call(discard_inventory_item, input)
    return await _inventory(ctx, input.runtime_session_id)


async def use(ctx: ProcedureContext, input: UseInventoryItem) -> InventoryAnswer:
    """Use an item; it goes when its story has taken note, which the answer may precede."""
    await ctx.call(use_inventory_item, input)
    return await _inventory(ctx, input.runtime_session_id)


async def claim(ctx: ProcedureContext, input: ClaimOverflowItem) -> InventoryAnswer:
    """Take a stack out of the overflow."""
    await ctx.call(claim_overflow_item, input)
    return await _inventory(ctx, input.runtime_session_id)


async def _inventory(ctx: ProcedureContext, lineage: str) -> InventoryAnswer:
    def look(view: ViewContext) -> list[InventorySlot]:
        return [row for kind in ContainerKind for row in slots_of(view.db, lineage, kind)]

    slots = await ctx.read(USER.key(ctx.user_id), look)
    return InventoryAnswer(InventoryStacks(lineage, slots))


ROUTES = (
    Route("GET", _PATH, get_inventory),
    Route("POST", f"{_PATH}/equip", equip),
    Route("POST", f"{_PATH}/unequip", unequip),
    Route("POST", f"{_PATH}/move", move),
    Route("POST", f"{_PATH}/split", split),
    Route("POST", f"{_PATH}/discard", discard),
    Route("POST", f"{_PATH}/use", use),
    Route("POST", f"{_PATH}/claim-overflow", claim),
)
