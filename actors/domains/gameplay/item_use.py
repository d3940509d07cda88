"""Item use: a player uses up an item between battles and recovers by it (domain 5.4, 5.5)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, message, reducer, struct, u32
from actors.domains.domain_types import ItemGrant, ParticipantRole, SessionKind
from actors.domains.gameplay.inventory import ContainerKind, known_items, slot_at
from actors.domains.gameplay.npc_exchange import (
    ExchangeKind,
    record_exchange,
    request_exchange,
)
from actors.domains.gameplay.story import StoryStatus, find_session, participant_of
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY, USER
from actors.domains.messages import UseItem
from actors.domains.rules.limits import BACKPACK_SLOTS_MAX
from actors.domains.rules.text import check_id
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry
from actors.keys import ActorKey

__all__ = ["UseInventoryItem", "use_inventory_item", "use_item"]


@struct
class UseInventoryItem:
    """Input of ``use_inventory_item``."""

    runtime_session_id: str
    slot_index: u32
    request_id: str


@reducer(actor=USER)
def use_inventory_item(ctx: ReducerContext, input: UseInventoryItem) -> None:
    """Use one item of a backpack slot in the lineage's running story.

    The story answers by an exchange record: the item goes when the story has taken note.

    Raises ``inventory.slot_out_of_range``, ``inventory.slot_empty``, ``inventory.locked_state``,
    ``inventory.requirements_not_met`` for what cannot be used between battles, and
    ``story.not_active_state``.
    """
    lineage = check_id(input.runtime_session_id)
    if input.slot_index >= BACKPACK_SLOTS_MAX:
        raise ReducerError("inventory.slot_out_of_range", "there is no such slot")
    stack = slot_at(ctx, lineage, ContainerKind.BACKPACK, input.slot_index)
    if stack is None:
        raise ReducerError("inventory.slot_empty", "the slot is empty")
    if stack.locked_by is not None:
        raise ReducerError("inventory.locked_state", "a battle has locked the stack")
    effect = known_items(ctx.db, lineage)[stack.item_id].use_effect
    if effect is None or not (effect.heal_permille or effect.mana_permille or effect.cure):
        raise ReducerError("inventory.requirements_not_met", "the item is of no use now")
    ctx.send(_running_story(ctx, lineage), UseItem(ctx.key, stack.item_id))


@message(STORY)
def use_item(ctx: ReducerContext, payload: UseItem) -> None:
    """Ask for the item; its effect comes when the user's own actor has given it."""
    session = find_session(ctx.db)
    player = participant_of(ctx.db, payload.user_id)
    if session is None or player is None or player.role is ParticipantRole.SPECTATOR:
        return
    goods, kind = ItemGrant(payload.item_id, 1), ExchangeKind.USE_ITEM
    is_open = session.status in {StoryStatus.ACTIVE, StoryStatus.CHAPTER_BREAK}
    error_code = None if is_open else "story.not_active_state"
    row = record_exchange(ctx, session, payload.user_id, "", kind, goods, error_code=error_code)
    if is_open:
        request_exchange(ctx, session, world_of(ctx.db, session), row)


def _running_story(ctx: ReducerContext, lineage: str) -> ActorKey:
    for entry in ctx.db[SessionDirectoryEntry].filter(kind=SessionKind.STORY):
        if entry.runtime_session_id == lineage and entry.state is DirectoryState.ACTIVE:
            return STORY.key(entry.session_key)
    raise ReducerError("story.not_active_state", "no story of the lineage is running")
