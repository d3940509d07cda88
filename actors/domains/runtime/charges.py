"""Charges: what operations of creation sessions cost, and what likes earn (domain 2.5, 7.5)."""

from __future__ import annotations

from typing import Final

from actors.domains.kinds import AGENT, USER
from actors.domains.limits import CREATOR_BONUS, CREATOR_BONUSES_PER_DAY
from actors.domains.rules.ids import derived_id
from actors.domains.runtime.wallet import (
    LedgerReason,
    append_entry,
    entry_for,
)
from actors.domains.world_messages import Charge, Charged, ChargeRejected, CreatorBonus, Refund
from actors.errors import ReducerError
from actors.module.context import ReducerContext
from actors.module.functions import message
from actors.module.tables import table
from actors.module.types import u32

__all__ = ["CreatorBonusDay", "charge", "creator_bonus", "refund"]

_DAY_MICROS: Final = 86_400_000_000


@table(primary_key="user_id", actor=USER)
class CreatorBonusDay:
    """How many likes the user was paid for on the last day of UTC with any."""

    user_id: str
    day: u32
    bonus_count: u32


@message(USER)
def charge(ctx: ReducerContext, payload: Charge) -> None:
    """Take the price of an operation, once; the session learns whether the user could pay."""
    session = AGENT.key(payload.agent_session_id)
    source_ref = derived_id("op", payload.operation_id, "charge")
    if payload.amount:
        reason = LedgerReason.AGENT_OPERATION_CHARGE
        try:
            append_entry(ctx, -payload.amount, reason, source_ref, "Creation")
        except ReducerError as refusal:
            rejected = ChargeRejected(payload.operation_id, refusal.code, refusal.message)
            ctx.send(session, rejected, idempotency_key=source_ref)
            return
    charged = Charged(payload.operation_id, payload.amount)
    ctx.send(session, charged, idempotency_key=source_ref)


@message(USER)
def refund(ctx: ReducerContext, payload: Refund) -> None:
    """Give back what an operation was charged, once; whatever the message says beyond that."""
    charged = entry_for(ctx.db, derived_id(ctx.key, "op", payload.operation_id, "charge"))
    if charged is not None:
        source_ref = derived_id("op", payload.operation_id, "refund")
        reason = LedgerReason.AGENT_OPERATION_REFUND
        append_entry(ctx, -charged.amount_delta, reason, source_ref, "Creation refunded")


@message(USER)
def creator_bonus(ctx: ReducerContext, payload: CreatorBonus) -> None:
    """Pay the author for a first like, within what a day may bring."""
    source_ref = derived_id("like", payload.work_id, payload.liker_user_id)
    if entry_for(ctx.db, derived_id(ctx.key, source_ref)) is not None:
        return
    today = ctx.timestamp // _DAY_MICROS
    days = ctx.db[CreatorBonusDay]
    known = days.find(ctx.key)
    paid = known.bonus_count if known is not None and known.day == today else 0
    if paid < CREATOR_BONUSES_PER_DAY:
        append_entry(ctx, CREATOR_BONUS, LedgerReason.CREATOR_LIKE_BONUS, source_ref, "Liked")
        days.upsert(CreatorBonusDay(ctx.key, today, paid + 1))
