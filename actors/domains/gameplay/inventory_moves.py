"""Inventory moves: what may be done to single stacks of a lineage (domain 5.4)."""

from __future__ import annotations

from actors.domains.domain_types import EquipSlot, ItemCategory, ItemGrant
from actors.domains.gameplay.inventory import (
    ContainerKind,
    InventorySlot,
    inventory_of,
    known_items,
    put_stack,
    save_inventory,
    slot_at,
    slots_of,
)
from actors.domains.gameplay.progression import progression_of
from actors.domains.rules.inventory import Inventory, grant_items
from actors.domains.rules.limits import BACKPACK_SLOTS_MAX
from actors.errors import ReducerError
from actors.module.context import ReducerContext
from actors.module.types import replace

__all__ = ["claim", "discard", "equip", "move", "split", "unequip"]

_KEPT = frozenset({ItemCategory.QUEST, ItemCategory.KEY})


def equip(ctx: ReducerContext, lineage: str, slot_index: int) -> None:
    """Wear gear from the backpack; what was worn takes its slot.

    Raises:
        ReducerError: ``inventory.not_equippable``, ``inventory.requirements_not_met`` (gear of
            tier t needs level 8(t-1)+1), and the refusals of a slot.
    """
    stack = _unlocked(ctx, lineage, slot_index)
    definition = known_items(ctx.db, lineage)[stack.item_id]
    if definition.equip_slot is None:
        raise ReducerError("inventory.not_equippable", "only gear can be worn")
    # Gear is as rare as its tier, so the rarity counts tiers from 0.
    level_needed = 8 * definition.rarity + 1
    if progression_of(ctx.db, ctx.key).level < level_needed:
        raise ReducerError(
            "inventory.requirements_not_met", "the level is too low", level=level_needed
        )
    worn = slot_at(ctx, lineage, ContainerKind.EQUIPMENT, definition.equip_slot)
    put_stack(ctx, stack, ContainerKind.EQUIPMENT, definition.equip_slot)
    if worn is None:
        ctx.db[InventorySlot].delete(stack.slot_id)
    else:
        put_stack(ctx, worn, ContainerKind.BACKPACK, slot_index)


def unequip(ctx: ReducerContext, lineage: str, equip_slot: EquipSlot) -> None:
    """Put worn gear into the lowest free backpack slot.

    Raises:
        ReducerError: ``inventory.slot_empty``, ``inventory.full_state``.
    """
    worn = slot_at(ctx, lineage, ContainerKind.EQUIPMENT, equip_slot)
    if worn is None:
        raise ReducerError("inventory.slot_empty", "nothing is worn there")
    put_stack(ctx, worn, ContainerKind.BACKPACK, _free_slot(ctx, lineage))
    ctx.db[InventorySlot].delete(worn.slot_id)


def move(ctx: ReducerContext, lineage: str, from_slot: int, to_slot: int) -> None:
    """Move a stack: to a free slot, onto a stack of the same item, or swap it with another.

    Raises the refusals of a slot.
    """
    stack = _unlocked(ctx, lineage, from_slot)
    _check_index(to_slot)
    if from_slot == to_slot:
        return
    rows = ctx.db[InventorySlot]
    other = slot_at(ctx, lineage, ContainerKind.BACKPACK, to_slot)
    if other is None:
        put_stack(ctx, stack, ContainerKind.BACKPACK, to_slot)
        rows.delete(stack.slot_id)
        return
    _check_lock(other)
    if other.item_id != stack.item_id:
        put_stack(ctx, stack, ContainerKind.BACKPACK, to_slot)
        put_stack(ctx, other, ContainerKind.BACKPACK, from_slot)
        return
    moved = min(stack.quantity, other.stack_limit - other.quantity)
    if moved:
        _set_quantity(ctx, other, other.quantity + moved)
        _set_quantity(ctx, stack, stack.quantity - moved)


def split(ctx: ReducerContext, lineage: str, from_slot: int, quantity: int) -> None:
    """Take a part of a stack into the lowest free backpack slot.

    Raises:
        ReducerError: ``inventory.quantity_out_of_range`` unless something remains,
            ``inventory.full_state``, and the refusals of a slot.
    """
    stack = _unlocked(ctx, lineage, from_slot)
    _check_quantity(quantity, stack.quantity - 1)
    part = replace(stack, quantity=quantity)
    put_stack(ctx, part, ContainerKind.BACKPACK, _free_slot(ctx, lineage))
    _set_quantity(ctx, stack, stack.quantity - quantity)


def discard(ctx: ReducerContext, lineage: str, slot_index: int, quantity: int) -> None:
    """Throw items away.

    Raises:
        ReducerError: ``inventory.not_discardable`` for quest and key items,
            ``inventory.quantity_out_of_range``, and the refusals of a slot.
    """
    stack = _unlocked(ctx, lineage, slot_index)
    if stack.category in _KEPT:
        raise ReducerError("inventory.not_discardable", "the story needs this item")
    _check_quantity(quantity, stack.quantity)
    _set_quantity(ctx, stack, stack.quantity - quantity)


def claim(ctx: ReducerContext, lineage: str, slot_index: int) -> None:
    """Take a stack of the overflow into the backpack, as much of it as fits.

    Raises:
        ReducerError: ``inventory.slot_empty``; ``inventory.full_state`` when nothing fits.
    """
    stack = slot_at(ctx, lineage, ContainerKind.OVERFLOW, slot_index)
    if stack is None:
        raise ReducerError("inventory.slot_empty", "the overflow has nothing there")
    before = inventory_of(ctx.db, lineage)
    items = known_items(ctx.db, lineage)
    stored = grant_items(
        Inventory(before.backpack), [ItemGrant(stack.item_id, stack.quantity)], items
    )
    rest = sum(grant.quantity for grant in stored.overflowed)
    if rest == stack.quantity:
        raise ReducerError("inventory.full_state", "the backpack is full")
    overflow = tuple(
        slot._replace(quantity=rest) if slot.slot_index == slot_index else slot
        for slot in before.overflow
        if rest or slot.slot_index != slot_index
    )
    after = Inventory(stored.inventory.backpack, overflow)
    save_inventory(ctx, lineage, after, items, stack.acquired_source)


def _unlocked(ctx: ReducerContext, lineage: str, slot_index: int) -> InventorySlot:
    """A backpack stack that may be touched.

    Raises ``inventory.slot_out_of_range``, ``inventory.slot_empty`` or ``inventory.locked_state``.
    """
    _check_index(slot_index)
    stack = slot_at(ctx, lineage, ContainerKind.BACKPACK, slot_index)
    if stack is None:
        raise ReducerError("inventory.slot_empty", "the slot is empty")
    _check_lock(stack)
    return stack


def _check_index(slot_index: int) -> None:
    if slot_index >= BACKPACK_SLOTS_MAX:
        raise ReducerError(
            "inventory.slot_out_of_range", f"slots are 0 to {BACKPACK_SLOTS_MAX - 1}"
        )


def _check_lock(stack: InventorySlot) -> None:
    if stack.locked_by is not None:
        raise ReducerError("inventory.locked_state", "a battle has locked the stack")


def _check_quantity(quantity: int, most: int) -> None:
    if not 1 <= quantity <= most:
        raise ReducerError(
            "inventory.quantity_out_of_range", f"quantity must be 1 to {most}", most=most
        )


def _free_slot(ctx: ReducerContext, lineage: str) -> int:
    taken = {row.slot_index for row in slots_of(ctx.db, lineage, ContainerKind.BACKPACK)}
    free = next((index for index in range(BACKPACK_SLOTS_MAX) if index not in taken), None)
    if free is None:
        raise ReducerError("inventory.full_state", "the backpack is full")
    return free


def _set_quantity(ctx: ReducerContext, stack: InventorySlot, quantity: int) -> None:
    rows = ctx.db[InventorySlot]
    if quantity:
        rows.update(replace(stack, quantity=quantity, updated_at=ctx.timestamp))
    else:
        rows.delete(stack.slot_id)
