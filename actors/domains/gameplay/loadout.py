"""Loadout: what a player brings into a battle, locked until the battle is over (domain 4.5)."""

from __future__ import annotations

from actors.domains.domain_types import ItemGrant
from actors.domains.gameplay.chapter import chapter_of
from actors.domains.gameplay.inventory import (
    ContainerKind,
    InventorySlot,
    inventory_of,
    known_items,
    save_inventory,
    slots_of,
)
from actors.domains.gameplay.progression import progression_of
from actors.domains.kinds import STORY, USER
from actors.domains.messages import Loadout, ReleaseLoadout, RequestLoadout
from actors.domains.rules.ids import owner_of
from actors.domains.rules.inventory import consume_items
from actors.domains.rules.limits import BELT_STACKS_MAX
from actors.domains.rules.progression import effective_level
from actors.module.context import ReducerContext
from actors.module.functions import message
from actors.module.types import replace

__all__ = ["release_loadout", "request_loadout"]


@message(USER)
def request_loadout(ctx: ReducerContext, payload: RequestLoadout) -> None:
    """Lock the belt for the battle and answer with it, the worn gear and the level.

    The belt is the first stacks of consumables by slot index; a repeated request finds the same.
    """
    lineage = payload.runtime_session_id
    level = progression_of(ctx.db, ctx.key).level
    chapter = None
    if payload.chapter_id is not None:
        chapter = chapter_of(ctx.db, ctx.key, payload.chapter_id)
    exit_level = None if chapter is None else chapter.exit_level
    belt = _lock_belt(ctx, payload)
    items = known_items(ctx.db, lineage)
    worn = slots_of(ctx.db, lineage, ContainerKind.EQUIPMENT)
    ctx.send(
        STORY.key(owner_of(payload.battle_state_id)),
        Loadout(
            battle_state_id=payload.battle_state_id,
            user_id=ctx.key,
            level=level,
            effective_level=effective_level(level, exit_level),
            equipment=[items[row.item_id].mods for row in worn],
            belt=belt,
        ),
    )


@message(USER)
def release_loadout(ctx: ReducerContext, payload: ReleaseLoadout) -> None:
    """Take what the battle used up and unlock the rest; nothing when it was released before."""
    lineage, battle_id = payload.runtime_session_id, payload.battle_state_id
    before = inventory_of(ctx.db, lineage)
    if all(slot.locked_by != battle_id for slot in before.backpack):
        return
    # A battle uses up only what it locked, so there is always enough.
    after = consume_items(before, payload.consumed, battle_id)
    unlocked = tuple(
        slot._replace(locked_by=None) if slot.locked_by == battle_id else slot
        for slot in after.backpack
    )
    save_inventory(
        ctx, lineage, after._replace(backpack=unlocked), known_items(ctx.db, lineage), ""
    )


def _lock_belt(ctx: ReducerContext, payload: RequestLoadout) -> list[ItemGrant]:
    """Lock the belt's stacks and answer what they hold, one grant for each item."""
    battle_id = payload.battle_state_id
    items = known_items(ctx.db, payload.runtime_session_id)
    usable = [
        row
        for row in slots_of(ctx.db, payload.runtime_session_id, ContainerKind.BACKPACK)
        if row.locked_by in {None, battle_id} and items[row.item_id].use_effect is not None
    ]
    quantities: dict[str, int] = {}
    for row in usable[:BELT_STACKS_MAX]:
        quantities[row.item_id] = quantities.get(row.item_id, 0) + row.quantity
        if row.locked_by is None:
            ctx.db[InventorySlot].update(
                replace(row, locked_by=battle_id, updated_at=ctx.timestamp)
            )
    return [ItemGrant(item_id, quantity) for item_id, quantity in quantities.items()]
