"""Trade: players buy from npcs, sell to them and give them presents (domain 5.5)."""

from __future__ import annotations

from enum import IntEnum

from actors import (
    ReducerContext,
    ReducerError,
    Timestamp,
    i32,
    message,
    reducer,
    replace,
    struct,
    table,
    u32,
)
from actors.domains.domain_types import ItemGrant, ObjectiveKind, ParticipantRole
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.limits import TRADE_QUANTITY_MAX
from actors.domains.gameplay.narration import narrator_of
from actors.domains.gameplay.npc import NpcState, find_npc, write_npc
from actors.domains.gameplay.play_time import count_play
from actors.domains.gameplay.quest import Signal, signal
from actors.domains.gameplay.relations import change_affinity, check_willing, find_npc_here
from actors.domains.gameplay.rewards import SettlementStatus
from actors.domains.gameplay.stock import with_quantity
from actors.domains.gameplay.story import (
    StoryEventKind,
    StorySession,
    live_session,
    participant_of,
    session_of,
    tell,
    touch,
)
from actors.domains.gameplay.world import authored_items, world_of
from actors.domains.kinds import STORY, USER
from actors.domains.messages import ExchangeRejected, ExchangeSettled, SettleExchange
from actors.domains.rules.items import item_definition
from actors.domains.rules.text import check_slug
from actors.domains.rules.trade import buy_price, gift_points, sell_price
from actors.domains.rules.world import WorldDocument

__all__ = [
    "ExchangeKind",
    "GiftNpc",
    "NpcExchangeRecord",
    "TradeKind",
    "TradeWithNpc",
    "gift_npc",
    "trade_with_npc",
]

_BIG_TRADE_COINS = 100


class ExchangeKind(IntEnum):
    """What is exchanged for what."""

    BUY = 0
    SELL = 1
    GIFT = 2
    USE_ITEM = 3


class TradeKind(IntEnum):
    """Which way the goods go."""

    BUY = 0
    SELL = 1


@table(public=True, primary_key="exchange_id", index=["story_session_id"], actor=STORY)
class NpcExchangeRecord:
    """One exchange with an npc, from pending to settled or rejected."""

    exchange_id: str
    story_session_id: str
    user_id: str
    npc_key: str
    kind: ExchangeKind
    item_id: str
    quantity: u32
    unit_price: u32
    total_price: u32
    affinity_delta: i32
    status: SettlementStatus
    error_code: str | None
    created_at: Timestamp
    updated_at: Timestamp


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
    ``npc.price_changed_conflict``, ``inventory.quantity_out_of_range``.
    """
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
    if input.kind is TradeKind.BUY:
        write_npc(ctx, with_quantity(npc, item.item_id, -input.quantity))
    delta = 1 if total >= _BIG_TRADE_COINS else 0
    kind = ExchangeKind.BUY if input.kind is TradeKind.BUY else ExchangeKind.SELL
    return _request(ctx, session, world, npc, kind, goods, price, delta)


@reducer(actor=STORY)
def gift_npc(ctx: ReducerContext, input: GiftNpc) -> NpcExchangeRecord:
    """Give an item to an npc of the scene; its affinity changes when the item is handed over.

    Raises ``npc.not_found``, ``npc.not_in_scene_state``, ``npc.refuses_state``,
    ``inventory.item_unknown`` or ``npc.requirements_not_met`` for what cannot be given away.
    """
    session, world, npc = _met(ctx, input.npc_key)
    item = item_definition(world.items, check_slug(input.item_id))
    if not item.tradeable:
        raise ReducerError("npc.requirements_not_met", "the item is no gift")
    authored = world.npcs[npc.npc_key]
    points = gift_points(item, authored.liked_tags, authored.disliked_tags, npc.gifts_given)
    npc = write_npc(ctx, replace(npc, gifts_given=npc.gifts_given + 1))
    goods = ItemGrant(item.item_id, 1)
    return _request(ctx, session, world, npc, ExchangeKind.GIFT, goods, 0, points)


@message(STORY)
def exchange_settled(ctx: ReducerContext, payload: ExchangeSettled) -> None:
    """The player's own actor has swapped coins and items: the npc reacts."""
    records = ctx.db[NpcExchangeRecord]
    row = records.find(payload.exchange_id)
    if row is None or row.status is not SettlementStatus.PENDING:
        return
    records.update(replace(row, status=SettlementStatus.SETTLED, updated_at=ctx.timestamp))
    session = session_of(ctx.db)
    world = world_of(ctx.db, session)
    npc = find_npc(ctx.db, session, row.npc_key)
    if row.affinity_delta:
        change_affinity(ctx, session, world, npc, row.affinity_delta)
    if row.kind is ExchangeKind.GIFT:
        signal(ctx, session, Signal(ObjectiveKind.GIVE_GIFT, row.npc_key))
    if row.kind is ExchangeKind.BUY and row.user_id == session.host_user_id:
        signal(ctx, session, Signal(ObjectiveKind.OBTAIN_ITEM, row.item_id, row.quantity))
    is_gift = row.kind is ExchangeKind.GIFT
    kind = StoryEventKind.GIFT if is_gift else StoryEventKind.TRADE
    goods = f"{row.quantity} {world.items[row.item_id].name}"
    template = row.kind.name.lower()
    text = narrator_of(ctx.db, session, world).text(template, npc=npc.npc_name, item=goods)
    session = touch(ctx, tell(ctx, session, kind, text, actor_user_id=row.user_id))
    refresh_choices(ctx, session, world)


@message(STORY)
def exchange_rejected(ctx: ReducerContext, payload: ExchangeRejected) -> None:
    """The player lacks what the exchange takes: what was set aside for it comes back."""
    records = ctx.db[NpcExchangeRecord]
    row = records.find(payload.exchange_id)
    if row is None or row.status is not SettlementStatus.PENDING:
        return
    records.update(
        replace(
            row,
            status=SettlementStatus.REJECTED,
            error_code=payload.code,
            updated_at=ctx.timestamp,
        )
    )
    npc = find_npc(ctx.db, session_of(ctx.db), row.npc_key)
    if row.kind is ExchangeKind.BUY:
        write_npc(ctx, with_quantity(npc, row.item_id, row.quantity))
    elif row.kind is ExchangeKind.GIFT:
        write_npc(ctx, replace(npc, gifts_given=npc.gifts_given - 1))


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


def _request(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    npc: NpcState,
    kind: ExchangeKind,
    goods: ItemGrant,
    unit_price: int,
    affinity_delta: int,
) -> NpcExchangeRecord:
    total = unit_price * goods.quantity
    row = ctx.db[NpcExchangeRecord].insert(
        NpcExchangeRecord(
            exchange_id=ctx.new_id("ex_"),
            story_session_id=session.story_session_id,
            user_id=ctx.user_id,
            npc_key=npc.npc_key,
            kind=kind,
            item_id=goods.item_id,
            quantity=goods.quantity,
            unit_price=unit_price,
            total_price=total,
            affinity_delta=affinity_delta,
            status=SettlementStatus.PENDING,
            error_code=None,
            created_at=ctx.timestamp,
            updated_at=ctx.timestamp,
        )
    )
    is_bought = kind is ExchangeKind.BUY
    ctx.send(
        USER.key(ctx.user_id),
        SettleExchange(
            exchange_id=row.exchange_id,
            runtime_session_id=session.runtime_session_id,
            coins=-total if is_bought else total,
            gained=[goods] if is_bought else [],
            given=[] if is_bought else [goods],
            definitions=authored_items(world, [goods]),
        ),
        idempotency_key=row.exchange_id,
    )
    count_play(ctx, session, ctx.user_id)
    return row
