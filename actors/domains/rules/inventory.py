"""Inventory arithmetic: where granted items go and where consumed ones come from (domain 5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from actors.domains.domain_types import ItemCategory, ItemGrant, RuntimeItemDefinition
from actors.domains.rules.errors import RuleError
from actors.domains.rules.items import COIN, item_definition
from actors.domains.rules.limits import BACKPACK_SLOTS_MAX, OVERFLOW_SLOTS_MAX

__all__ = ["GrantOutcome", "Inventory", "Slot", "consume_items", "grant_items", "quantity_of"]

_KEPT: Final = frozenset({ItemCategory.QUEST, ItemCategory.KEY, ItemCategory.CURRENCY})
"""What is never dropped: it pushes the overflow beyond its limit."""


class Slot(NamedTuple):
    """An occupied slot of a container."""

    slot_index: int
    item_id: str
    quantity: int
    stack_limit: int
    locked_by: str | None = None


class Inventory(NamedTuple):
    """Backpack and overflow of one lineage, each by rising ``slot_index``."""

    backpack: tuple[Slot, ...] = ()
    overflow: tuple[Slot, ...] = ()


class GrantOutcome(NamedTuple):
    """An inventory after grants.

    ``granted`` is what went to the backpack and ``overflowed`` what did not fit there: it lies in
    the overflow, or was turned into coins when that was full too.
    """

    inventory: Inventory
    granted: list[ItemGrant]
    overflowed: list[ItemGrant]


def quantity_of(inventory: Inventory, item_id: str, unlocked_for: str | None = None) -> int:
    """How many of an item can be consumed by the holder of a lock (None: of no lock)."""
    return sum(
        slot.quantity
        for slot in inventory.backpack
        if slot.item_id == item_id and slot.locked_by in {None, unlocked_for}
    )


def grant_items(
    inventory: Inventory,
    grants: Iterable[ItemGrant],
    items: Mapping[str, RuntimeItemDefinition],
) -> GrantOutcome:
    """Grant items one after another.

    Each fills equal unlocked stacks by slot index, then free backpack slots from the lowest, then
    the overflow. What remains becomes coins for half its value; quest items, key items and the
    coins themselves push the overflow beyond its limit instead.

    Raises:
        RuleError: ``inventory.item_unknown``; nothing is granted.
    """
    backpack, overflow = list(inventory.backpack), list(inventory.overflow)
    granted: list[ItemGrant] = []
    overflowed: list[ItemGrant] = []

    def store(definition: RuntimeItemDefinition, quantity: int) -> int:
        rest = _store(backpack, definition, quantity, BACKPACK_SLOTS_MAX)
        if rest < quantity:
            granted.append(ItemGrant(definition.item_id, quantity - rest))
        if rest == 0:
            return 0
        overflowed.append(ItemGrant(definition.item_id, rest))
        slots_max = None if definition.category in _KEPT else OVERFLOW_SLOTS_MAX
        return _store(overflow, definition, rest, slots_max)

    coins = 0
    for grant in grants:
        definition = item_definition(items, grant.item_id)
        coins += store(definition, grant.quantity) * (definition.value_coins // 2)
    if coins:
        store(item_definition(items, COIN), coins)
    return GrantOutcome(Inventory(tuple(backpack), tuple(overflow)), granted, overflowed)


def consume_items(
    inventory: Inventory, wanted: Sequence[ItemGrant], unlocked_for: str | None = None
) -> Inventory:
    """Take items from the backpack, from the highest slot index down.

    Args:
        inventory: before.
        wanted: what to take; the same item may be named twice.
        unlocked_for: a lock whose stacks may be taken as well, e.g. of the battle that ends.

    Raises:
        RuleError: ``inventory.insufficient_items``; nothing is taken.
    """
    backpack = list(inventory.backpack)
    for grant in wanted:
        missing = grant.quantity
        for position in range(len(backpack) - 1, -1, -1):
            slot = backpack[position]
            if missing and slot.item_id == grant.item_id and slot.locked_by in {None, unlocked_for}:
                taken = min(missing, slot.quantity)
                missing -= taken
                backpack[position] = slot._replace(quantity=slot.quantity - taken)
        if missing:
            raise RuleError(
                "inventory.insufficient_items",
                "there are not enough items",
                item_id=grant.item_id,
                missing=missing,
            )
    return inventory._replace(backpack=tuple(slot for slot in backpack if slot.quantity))


def _store(
    slots: list[Slot], definition: RuntimeItemDefinition, quantity: int, slots_max: int | None
) -> int:
    """Put items into a container in place; the quantity that did not fit is returned."""
    for position, slot in enumerate(slots):
        if slot.item_id == definition.item_id and slot.locked_by is None:
            moved = min(quantity, max(0, slot.stack_limit - slot.quantity))
            quantity -= moved
            slots[position] = slot._replace(quantity=slot.quantity + moved)
    taken = {slot.slot_index for slot in slots}
    index = 0
    while quantity and (slots_max is None or index < slots_max):
        if index not in taken:
            moved = min(quantity, definition.stack_limit)
            quantity -= moved
            slots.append(Slot(index, definition.item_id, moved, definition.stack_limit))
        index += 1
    slots.sort(key=lambda slot: slot.slot_index)
    return quantity
