"""Exchange: coins and items of a user change hands together or not at all (domain 5.5)."""

from __future__ import annotations

from actors.domains.domain_types import ItemGrant
from actors.domains.gameplay.inventory import (
    InventoryReceipt,
    inventory_of,
    known_items,
    learn_items,
    save_inventory,
)
from actors.domains.kinds import USER
from actors.domains.messages import ExchangeRejected, ExchangeSettled, SettleExchange
from actors.domains.rules.errors import RuleError
from actors.domains.rules.inventory import Inventory, consume_items, grant_items, quantity_of
from actors.domains.rules.items import COIN
from actors.module.context import ReducerContext
from actors.module.functions import message

__all__ = ["settle_exchange"]


@message(USER)
def settle_exchange(ctx: ReducerContext, payload: SettleExchange) -> None:
    """Take what the user gives, then grant what the user gains; answer either way."""
    assert ctx.source is not None
    receipts = ctx.db[InventoryReceipt]
    if receipts.find(payload.exchange_id) is None:
        try:
            _swap(ctx, payload)
        except RuleError as refusal:
            ctx.send(
                ctx.source,
                ExchangeRejected(payload.exchange_id, ctx.key, refusal.code, refusal.message),
            )
            return
        receipts.insert(InventoryReceipt(payload.exchange_id, ctx.timestamp))
    ctx.send(ctx.source, ExchangeSettled(payload.exchange_id, ctx.key))


def _swap(ctx: ReducerContext, payload: SettleExchange) -> None:
    """Raises RuleError before the first row is written."""
    lineage = payload.runtime_session_id
    given, gained = list(payload.given), list(payload.gained)
    if payload.coins:
        (gained if payload.coins > 0 else given).append(ItemGrant(COIN, abs(payload.coins)))
    authored = {definition.item_id: definition for definition in payload.definitions}
    items = {**authored, **known_items(ctx.db, lineage)}
    before = inventory_of(ctx.db, lineage)
    _check_locks(before, given)
    consumed = consume_items(before, given)
    after = grant_items(consumed, gained, items)
    learn_items(ctx, lineage, payload.definitions, gained)
    save_inventory(ctx, lineage, after.inventory, items, "exchange")


def _check_locks(inventory: Inventory, given: list[ItemGrant]) -> None:
    """Refuse what the user has, but has locked in a battle's belt (domain 5.9)."""
    for grant in given:
        held = sum(slot.quantity for slot in inventory.backpack if slot.item_id == grant.item_id)
        if quantity_of(inventory, grant.item_id) < grant.quantity <= held:
            raise RuleError(
                "inventory.locked_state", "a battle has locked the items", item_id=grant.item_id
            )
