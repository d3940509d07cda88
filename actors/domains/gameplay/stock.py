"""Stock: what npcs sell, renewed with chapters and time, priced by affinity (domain 5.5)."""

from __future__ import annotations

from actors import ReducerContext, replace
from actors.domains.domain_types import ItemGrant
from actors.domains.gameplay.limits import STOCK_TURNS
from actors.domains.gameplay.npc import NpcState, StockEntry, npcs_here, write_npc
from actors.domains.gameplay.story import StoryMark, StorySecret, StorySession, put_mark
from actors.domains.rules.ids import derived_id, seed_of_text
from actors.domains.rules.trade import buy_price, roll_stock
from actors.domains.rules.world import WorldDocument
from actors.rng import SplitMix64

__all__ = ["forget_aside", "priced", "put_back", "restock_all", "restock_here", "set_aside"]

_SET_ASIDE = "aside"
"""Mark of goods that wait for their buyer, by exchange; its turn is that of their stock."""


def restock_all(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> None:
    """Renew every npc's stock, as a chapter begins."""
    for row in ctx.db[NpcState]:
        write_npc(ctx, _restocked(ctx, session, world, row))


def restock_here(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> None:
    """Renew the stock of those in the party's scene whose goods are old."""
    for row in npcs_here(ctx.db, session):
        if session.turn - row.stock_turn >= STOCK_TURNS:
            write_npc(ctx, _restocked(ctx, session, world, row))


def priced(world: WorldDocument, row: NpcState) -> NpcState:
    """The npc with prices that follow its affinity."""
    stock = [
        replace(entry, unit_price=buy_price(world.items[entry.item_id].value_coins, row.affinity))
        for entry in row.trade_stock
    ]
    return replace(row, trade_stock=stock)


def set_aside(ctx: ReducerContext, row: NpcState, exchange_id: str, goods: ItemGrant) -> None:
    """Take goods out of an npc's stock until their exchange is answered; sold out is shown as 0."""
    put_mark(ctx, row.stock_turn, _SET_ASIDE, exchange_id)
    write_npc(ctx, _with_quantity(row, goods.item_id, -goods.quantity))


def forget_aside(ctx: ReducerContext, exchange_id: str) -> None:
    """The buyer has what was set aside."""
    ctx.db[StoryMark].delete(derived_id(_SET_ASIDE, exchange_id))


def put_back(ctx: ReducerContext, row: NpcState, exchange_id: str, goods: ItemGrant) -> None:
    """Put goods that nobody bought back, unless the stock that they were of has been renewed."""
    mark = ctx.db[StoryMark].get(derived_id(_SET_ASIDE, exchange_id))
    if mark.turn == row.stock_turn:
        write_npc(ctx, _with_quantity(row, goods.item_id, goods.quantity))
    forget_aside(ctx, exchange_id)


def _restocked(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, row: NpcState
) -> NpcState:
    secret = ctx.db[StorySecret].get(session.story_session_id)
    text = derived_id(secret.stock_seed, row.npc_key, session.chapter_index, session.turn)
    exit_level = world.chapter(session.chapter_index).plan.exit_level
    tags = world.npcs[row.npc_key].trade_tags
    stock = roll_stock(SplitMix64(seed_of_text(text)), world.items, tags, exit_level)
    entries = [StockEntry(grant.item_id, grant.quantity, 0) for grant in stock]
    return priced(world, replace(row, trade_stock=entries, stock_turn=session.turn))


def _with_quantity(row: NpcState, item_id: str, change: int) -> NpcState:
    stock = [
        replace(entry, quantity=entry.quantity + change) if entry.item_id == item_id else entry
        for entry in row.trade_stock
    ]
    return replace(row, trade_stock=stock)
