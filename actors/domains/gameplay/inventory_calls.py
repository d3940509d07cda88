"""Inventory calls: what owners and services may do to a lineage's items (domain 5.4)."""

from __future__ import annotations

from typing import Annotated

from actors.domains.domain_types import EquipSlot, ItemGrant
from actors.domains.gameplay import inventory_moves
from actors.domains.gameplay.inventory import (
    InventoryReceipt,
    inventory_of,
    known_items,
    save_inventory,
)
from actors.domains.kinds import USER
from actors.domains.limits import MUTATION_QUANTITY_MAX, SOURCE_REF_CHARS_MAX
from actors.domains.rules.inventory import consume_items, grant_items
from actors.domains.rules.text import check_id
from actors.errors import ReducerError
from actors.module.context import ReducerContext
from actors.module.functions import reducer
from actors.module.types import struct, u32

__all__ = [
    "apply_inventory_mutation",
    "claim_overflow_item",
    "discard_inventory_item",
    "equip_item",
    "move_inventory_slot",
    "split_inventory_stack",
    "unequip_item",
]


@struct
class Grant:
    """Add items."""

    item: ItemGrant


@struct
class Consume:
    """Take items away."""

    item: ItemGrant


@struct
class Equip:
    """Wear the gear in a backpack slot."""

    slot_index: u32


@struct
class Unequip:
    """Take worn gear off."""

    equip_slot: EquipSlot


@struct
class Move:
    """Move a stack to another backpack slot."""

    from_slot: u32
    to_slot: u32


@struct
class Split:
    """Take a part of a stack into a free slot."""

    from_slot: u32
    quantity: u32


@struct
class Discard:
    """Throw items away."""

    slot: u32
    quantity: u32


@struct
class ClaimOverflow:
    """Take a stack of the overflow into the backpack."""

    slot_index: u32


InventoryMutation = Annotated[
    Grant | Consume | Equip | Unequip | Move | Split | Discard | ClaimOverflow,
    "InventoryMutation",
]


@struct
class ApplyInventoryMutation:
    """Input of ``apply_inventory_mutation``."""

    user_id: str
    runtime_session_id: str
    mutation: InventoryMutation
    source_ref: str
    request_id: str


@struct
class InventoryOutcome:
    """What a mutation added; both lists are empty unless it was a grant."""

    items_granted: list[ItemGrant]
    items_overflowed: list[ItemGrant]


@struct
class EquipItem:
    """Input of ``equip_item``."""

    runtime_session_id: str
    slot_index: u32
    request_id: str


@struct
class UnequipItem:
    """Input of ``unequip_item``."""

    runtime_session_id: str
    equip_slot: EquipSlot
    request_id: str


@struct
class MoveInventorySlot:
    """Input of ``move_inventory_slot``."""

    runtime_session_id: str
    from_slot: u32
    to_slot: u32
    request_id: str


@struct
class SplitInventoryStack:
    """Input of ``split_inventory_stack``."""

    runtime_session_id: str
    from_slot: u32
    quantity: u32
    request_id: str


@struct
class DiscardInventoryItem:
    """Input of ``discard_inventory_item``."""

    runtime_session_id: str
    slot_index: u32
    quantity: u32
    request_id: str


@struct
class ClaimOverflowItem:
    """Input of ``claim_overflow_item``."""

    runtime_session_id: str
    slot_index: u32
    request_id: str


@reducer(actor=USER)
def equip_item(ctx: ReducerContext, input: EquipItem) -> None:
    """Wear gear; see ``inventory_moves.equip`` for what is refused."""
    lineage = check_id(input.runtime_session_id)
    inventory_moves.equip(ctx, lineage, input.slot_index)


@reducer(actor=USER)
def unequip_item(ctx: ReducerContext, input: UnequipItem) -> None:
    """Take gear off; see ``inventory_moves.unequip`` for what is refused."""
    lineage = check_id(input.runtime_session_id)
    inventory_moves.unequip(ctx, lineage, input.equip_slot)


@reducer(actor=USER)
def move_inventory_slot(ctx: ReducerContext, input: MoveInventorySlot) -> None:
    """Move a stack; see ``inventory_moves.move`` for what is refused."""
    lineage = check_id(input.runtime_session_id)
    inventory_moves.move(ctx, lineage, input.from_slot, input.to_slot)


@reducer(actor=USER)
def split_inventory_stack(ctx: ReducerContext, input: SplitInventoryStack) -> None:
    """Split a stack; see ``inventory_moves.split`` for what is refused."""
    lineage = check_id(input.runtime_session_id)
    inventory_moves.split(ctx, lineage, input.from_slot, input.quantity)


@reducer(actor=USER)
def discard_inventory_item(ctx: ReducerContext, input: DiscardInventoryItem) -> None:
    """Throw items away; see ``inventory_moves.discard`` for what is refused."""
    lineage = check_id(input.runtime_session_id)
    inventory_moves.discard(ctx, lineage, input.slot_index, input.quantity)


@reducer(actor=USER)
def claim_overflow_item(ctx: ReducerContext, input: ClaimOverflowItem) -> None:
    """Take a stack out of the overflow; see ``inventory_moves.claim`` for what is refused."""
    lineage = check_id(input.runtime_session_id)
    inventory_moves.claim(ctx, lineage, input.slot_index)


@reducer(actor=USER, roles={"service"})
def apply_inventory_mutation(
    ctx: ReducerContext, input: ApplyInventoryMutation
) -> InventoryOutcome:
    """Change an inventory, once for each source reference; a repeated one adds nothing.

    Raises ``inventory.item_unknown``, ``inventory.insufficient_items``,
    ``inventory.quantity_out_of_range`` and what the single moves raise.
    """
    source_ref = check_id(input.source_ref, SOURCE_REF_CHARS_MAX)
    lineage = check_id(input.runtime_session_id)
    receipts = ctx.db[InventoryReceipt]
    if receipts.find(source_ref) is not None:
        return InventoryOutcome([], [])
    receipts.insert(InventoryReceipt(source_ref, ctx.timestamp))
    mutation = input.mutation
    if isinstance(mutation, Grant | Consume):
        return _add_or_take(ctx, lineage, mutation, source_ref)
    if isinstance(mutation, Equip):
        inventory_moves.equip(ctx, lineage, mutation.slot_index)
    elif isinstance(mutation, Unequip):
        inventory_moves.unequip(ctx, lineage, mutation.equip_slot)
    elif isinstance(mutation, Move):
        inventory_moves.move(ctx, lineage, mutation.from_slot, mutation.to_slot)
    elif isinstance(mutation, Split):
        inventory_moves.split(ctx, lineage, mutation.from_slot, mutation.quantity)
    elif isinstance(mutation, Discard):
        inventory_moves.discard(ctx, lineage, mutation.slot, mutation.quantity)
    else:
        inventory_moves.claim(ctx, lineage, mutation.slot_index)
    return InventoryOutcome([], [])


def _add_or_take(
    ctx: ReducerContext, lineage: str, mutation: Grant | Consume, source_ref: str
) -> InventoryOutcome:
    if not 1 <= mutation.item.quantity <= MUTATION_QUANTITY_MAX:
        raise ReducerError(
            "inventory.quantity_out_of_range", f"quantity must be 1 to {MUTATION_QUANTITY_MAX}"
        )
    items = known_items(ctx.db, lineage)
    before = inventory_of(ctx.db, lineage)
    if isinstance(mutation, Consume):
        after = consume_items(before, [mutation.item])
        save_inventory(ctx, lineage, after, items, source_ref)
        return InventoryOutcome([], [])
    outcome = grant_items(before, [mutation.item], items)
    save_inventory(ctx, lineage, outcome.inventory, items, source_ref)
    return InventoryOutcome(outcome.granted, outcome.overflowed)
