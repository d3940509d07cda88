"""Trade: players buy from npcs, sell to them and give them presents (domain 5.5)."""

from __future__ import annotations

from enum import IntEnum

from actors import ReducerContext, ReducerError, reducer, replace, struct, u32
from actors.domains.domain_types import ItemGrant, ParticipantRole
from actors.domains.gameplay.combat import loadouts_of, running_battle
from actors.domains.gameplay.limits import TRADE_QUANTITY_MAX
from actors.domains.gameplay.npc import NpcState, write_npc
from actors.domains.gameplay.npc_exchange import (
    ExchangeKind,
    NpcExchangeRecord,
    record_exchange,
    request_exchange,
)
from actors.domains.gameplay.play_time import count_play
from actors.domains.gameplay.relations import check_willing, find_npc_here
from actors.domains.gameplay.stock import set_aside
from actors.domains.gameplay.story import StorySession, live_session, participant_of
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY
from actors.domains.rules.items import item_definition
from actors.domains.rules.text import check_slug
from actors.domains.rules.trade import buy_price, gift_points, sell_price
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader

__all__ = ["GiftNpc", "TradeKind", "TradeWithNpc", "gift_npc", "trade_with_npc"]

_BIG_TRADE_COINS = 100


class TradeKind(IntEnum):
    """Which way the goods go."""

    BUY = 0
    SELL = 1


@struct
class TradeWithNpc:
    """Input of ``trade_with_npc``."""

    story_session_id: str
    npc_key: str
    kind: TradeKind
    item_id: str
    quantity: u32
    expected_unit_price: u32
    request_id: str


@struct
class GiftNpc:
    """Input of ``gift_npc``."""

    story_session_id: str
    npc_key: str
    item_id: str
    request_id: str


@reducer(actor=STORY)
def trade_with_npc(ctx: ReducerContext, input: TradeWithNpc) -> NpcExchangeRecord:
    """Buy from an npc of the scene or sell to it; the answer waits for the player's own actor.

    Raises ``npc.not_found``, ``npc.not_in_scene_state``, ``npc.refuses_state``,
    ``inventory.item_unknown``, ``npc.out_of_stock``, ``npc.requirements_not_met``,
    ``npc.price_changed_conflict``, ``inventory.quantity_out_of_range``, and
    ``inventory.locked_state`` for what a running battle keeps on the player's belt.
    """
    if input.kind is TradeKind.SELL:
        _check_belt(ctx.db, ctx.user_id, input.item_id)
    session, world, npc = _met(ctx, input.npc_key)
    if not 1 <= input.quantity <= TRADE_QUANTITY_MAX:
        raise ReducerError(
            "inventory.quantity_out_of_range", f"quantity must be 1 to {TRADE_QUANTITY_MAX}"
        )
    item = item_definition(world.items, check_slug(input.item_id))
    goods = ItemGrant(item.item_id, input.quantity)
    if input.kind is TradeKind.BUY:
        entry = next((row for row in npc.trade_stock if row.item_id == item.item_id), None)
        if entry is None or entry.quantity < input.quantity:
            raise ReducerError("npc.out_of_stock", "the npc does not have so many")
        price = buy_price(item.value_coins, npc.affinity)
    else:
        if not item.tradeable:
            raise ReducerError("npc.requirements_not_met", "the item is not for sale")
        price = sell_price(item.value_coins, npc.affinity)
    if price != input.expected_unit_price:
        raise ReducerError("npc.price_changed_conflict", "the price is another now", current=price)
    total = price * input.quantity
    delta = 1 if total >= _BIG_TRADE_COINS else 0
    kind = ExchangeKind.BUY if input.kind is TradeKind.BUY else ExchangeKind.SELL
    row = record_exchange(ctx, session, ctx.user_id, npc.npc_key, kind, goods, price, delta)
    if input.kind is TradeKind.BUY:
        set_aside(ctx, npc, row.exchange_id, goods)
    request_exchange(ctx, session, world, row)
    count_play(ctx, session, ctx.user_id)
    return row


@reducer(actor=STORY)
def gift_npc(ctx: ReducerContext, input: GiftNpc) -> NpcExchangeRecord:
    """Give an item to an npc of the scene; its affinity changes when the item is handed over.

    Raises ``npc.not_found``, ``npc.not_in_scene_state``, ``npc.refuses_state``,
    ``inventory.item_unknown``, ``npc.requirements_not_met`` for what cannot be given away, or
    ``inventory.locked_state`` for what a running battle keeps on the player's belt.
    """
    _check_belt(ctx.db, ctx.user_id, input.item_id)
    session, world, npc = _met(ctx, input.npc_key)
    item = item_definition(world.items, check_slug(input.item_id))
    if not item.tradeable:
        raise ReducerError("npc.requirements_not_met", "the item is no gift")
    authored = world.npcs[npc.npc_key]
    points = gift_points(item, authored.liked_tags, authored.disliked_tags, npc.gifts_given)
    npc = write_npc(ctx, replace(npc, gifts_given=npc.gifts_given + 1))
    goods = ItemGrant(item.item_id, 1)
    kind = ExchangeKind.GIFT
    row = record_exchange(ctx, session, ctx.user_id, npc.npc_key, kind, goods, 0, points)
    request_exchange(ctx, session, world, row)
    count_play(ctx, session, ctx.user_id)
    return row


def _check_belt(db: DatabaseReader, user_id: str, item_id: str) -> None:
    battle = running_battle(db)
    loadouts = [] if battle is None else loadouts_of(db, battle.battle_state_id)
    belts = (loadout.belt for loadout in loadouts if loadout.user_id == user_id)
    if any(grant.item_id == item_id for belt in belts for grant in belt):
        raise ReducerError("inventory.locked_state", "a battle has locked the items")


def _met(ctx: ReducerContext, npc_key: str) -> tuple[StorySession, WorldDocument, NpcState]:
    """The session of a player who stands before a willing npc."""
    participant = participant_of(ctx.db, ctx.user_id)
    if participant is None:
        raise ReducerError("story.not_found", "there is no such story session")
    if participant.role is ParticipantRole.SPECTATOR:
        raise ReducerError("auth.forbidden", "spectators only watch")
    session = live_session(ctx.db)
    npc = find_npc_here(ctx.db, session, check_slug(npc_key))
    check_willing(npc)
    return session, world_of(ctx.db, session), npc
