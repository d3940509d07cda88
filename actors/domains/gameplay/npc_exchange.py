"""Npc exchanges: goods that change hands only when the player's own actor agrees (domain 5.5)."""

from __future__ import annotations

from enum import IntEnum

from actors import ReducerContext, Timestamp, i32, message, replace, table, u32
from actors.domains.domain_types import ItemGrant, ObjectiveKind
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.limits import EXCHANGES_CLOSED_MAX
from actors.domains.gameplay.narration import narrator_of
from actors.domains.gameplay.npc import find_npc, write_npc
from actors.domains.gameplay.quest import Signal, signal
from actors.domains.gameplay.relations import change_affinity
from actors.domains.gameplay.rewards import SettlementStatus
from actors.domains.gameplay.stock import forget_aside, put_back
from actors.domains.gameplay.story import (
    StoryEventKind,
    StoryParticipant,
    StorySession,
    participant_of,
    session_of,
    tell,
    touch,
)
from actors.domains.gameplay.world import authored_items, world_of
from actors.domains.kinds import STORY, USER
from actors.domains.messages import ExchangeRejected, ExchangeSettled, SettleExchange
from actors.domains.rules.world import WorldDocument

__all__ = [
    "ExchangeKind",
    "NpcExchangeRecord",
    "exchange_rejected",
    "exchange_settled",
    "record_exchange",
    "request_exchange",
]


class ExchangeKind(IntEnum):
    """What is exchanged for what."""

    BUY = 0
    SELL = 1
    GIFT = 2
    USE_ITEM = 3


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


def record_exchange(
    ctx: ReducerContext,
    session: StorySession,
    user_id: str,
    npc_key: str,
    kind: ExchangeKind,
    goods: ItemGrant,
    unit_price: int = 0,
    affinity_delta: int = 0,
    *,
    error_code: str | None = None,
) -> NpcExchangeRecord:
    """Show an exchange as pending, or as rejected with a code; the oldest one may go for it."""
    _forget_oldest(ctx)
    is_refused = error_code is not None
    return ctx.db[NpcExchangeRecord].insert(
        NpcExchangeRecord(
            exchange_id=ctx.new_id("ex_"),
            story_session_id=session.story_session_id,
            user_id=user_id,
            npc_key=npc_key,
            kind=kind,
            item_id=goods.item_id,
            quantity=goods.quantity,
            unit_price=unit_price,
            total_price=unit_price * goods.quantity,
            affinity_delta=affinity_delta,
            status=SettlementStatus.REJECTED if is_refused else SettlementStatus.PENDING,
            error_code=error_code,
            created_at=ctx.timestamp,
            updated_at=ctx.timestamp,
        )
    )


def request_exchange(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, row: NpcExchangeRecord
) -> None:
    """Ask the player's own actor to swap coins and goods of a pending exchange."""
    goods = ItemGrant(row.item_id, row.quantity)
    is_bought = row.kind is ExchangeKind.BUY
    ctx.send(
        USER.key(row.user_id),
        SettleExchange(
            exchange_id=row.exchange_id,
            runtime_session_id=session.runtime_session_id,
            coins=-row.total_price if is_bought else row.total_price,
            gained=[goods] if is_bought else [],
            given=[] if is_bought else [goods],
            definitions=authored_items(world, [goods]),
        ),
        idempotency_key=row.exchange_id,
    )


@message(STORY)
def exchange_settled(ctx: ReducerContext, payload: ExchangeSettled) -> None:
    """The player's own actor has swapped coins and goods: the story goes on from there."""
    records = ctx.db[NpcExchangeRecord]
    row = records.find(payload.exchange_id)
    if row is None or row.status is not SettlementStatus.PENDING:
        return
    records.update(replace(row, status=SettlementStatus.SETTLED, updated_at=ctx.timestamp))
    session = session_of(ctx.db)
    world = world_of(ctx.db, session)
    narrator = narrator_of(ctx.db, session, world)
    slots = {"item": narrator.amount(world.items[row.item_id], row.quantity)}
    kind = StoryEventKind.TRADE
    if row.kind is ExchangeKind.USE_ITEM:
        kind = StoryEventKind.SYSTEM
        _recover(ctx, world, row)
    else:
        npc = find_npc(ctx.db, session, row.npc_key)
        slots["npc"] = npc.npc_name
        if row.affinity_delta:
            change_affinity(ctx, session, world, npc, row.affinity_delta)
    if row.kind is ExchangeKind.GIFT:
        kind = StoryEventKind.GIFT
        signal(ctx, session, Signal(ObjectiveKind.GIVE_GIFT, row.npc_key))
    if row.kind is ExchangeKind.BUY:
        forget_aside(ctx, row.exchange_id)
        if row.user_id == session.host_user_id:
            signal(ctx, session, Signal(ObjectiveKind.OBTAIN_ITEM, row.item_id, row.quantity))
    text = narrator.text(row.kind.name.lower(), **slots)
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
    if row.kind is ExchangeKind.BUY:
        npc = find_npc(ctx.db, session_of(ctx.db), row.npc_key)
        put_back(ctx, npc, row.exchange_id, ItemGrant(row.item_id, row.quantity))
    elif row.kind is ExchangeKind.GIFT:
        npc = find_npc(ctx.db, session_of(ctx.db), row.npc_key)
        write_npc(ctx, replace(npc, gifts_given=npc.gifts_given - 1))


def _forget_oldest(ctx: ReducerContext) -> None:
    records = ctx.db[NpcExchangeRecord]
    if len(records) < EXCHANGES_CLOSED_MAX:
        return
    closed = [row for row in records if row.status is not SettlementStatus.PENDING]
    if len(closed) >= EXCHANGES_CLOSED_MAX:
        oldest = min(closed, key=lambda row: (row.updated_at, row.exchange_id))
        records.delete(oldest.exchange_id)


def _recover(ctx: ReducerContext, world: WorldDocument, row: NpcExchangeRecord) -> None:
    """Give hit points; mana and lasting effects end with every battle anyway."""
    player, effect = participant_of(ctx.db, row.user_id), world.items[row.item_id].use_effect
    if player is not None and effect is not None:
        hp = min(player.max_hp, player.hp + player.max_hp * effect.heal_permille // 1000)
        ctx.db[StoryParticipant].update(replace(player, hp=hp, updated_at=ctx.timestamp))
