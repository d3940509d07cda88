"""Settlement: a reward bundle is paid to a user once, in one transaction (domain 5.7, 12.2)."""

from __future__ import annotations

from typing import NamedTuple

from actors.domains.domain_types import (
    ChapterProgressionSnapshot,
    RewardBundle,
    SettlementResult,
)
from actors.domains.gameplay.chapter import (
    ChapterLedgerEntry,
    add_defeats,
    add_to_ledger,
    chapter_of,
    defeat_tallies,
)
from actors.domains.gameplay.inventory import (
    inventory_of,
    known_items,
    learn_items,
    save_inventory,
)
from actors.domains.gameplay.progression import grant_experience, progression_of
from actors.domains.kinds import USER
from actors.domains.messages import Settled, SettlementRejected, SettleReward
from actors.domains.rules.errors import RuleError
from actors.domains.rules.ids import derived_id
from actors.domains.rules.inventory import GrantOutcome, consume_items, grant_items
from actors.domains.rules.progression import (
    HostileSettlement,
    settle_hostiles,
)
from actors.domains.runtime.wallet import LedgerReason, append_entry, balance_of
from actors.module.context import ReducerContext
from actors.module.functions import message
from actors.module.tables import table
from actors.module.types import Timestamp, replace

__all__ = ["RewardReceipt", "settle_reward"]


@table(primary_key="receipt_id", actor=USER)
class RewardReceipt:
    """A bundle that was paid, with what came of it; kept for ever."""

    receipt_id: str
    user_id: str
    source_ref: str
    result: SettlementResult
    created_at: Timestamp


class _Experience(NamedTuple):
    granted: int
    level_before: int
    level_after: int


@message(USER)
def settle_reward(ctx: ReducerContext, payload: SettleReward) -> None:
    """Pay a bundle unless it was paid before, and answer the sender with the result.

    Whatever can refuse the bundle is computed before the first row is written.
    """
    bundle = payload.bundle
    receipt_id = derived_id(ctx.key, bundle.source_ref)
    receipt = ctx.db[RewardReceipt].find(receipt_id)
    if receipt is not None:
        _answer(ctx, payload, replace(receipt.result, replayed=True))
        return
    try:
        items = _settled_items(ctx, payload)
    except RuleError as refusal:
        _reject(ctx, payload, refusal.code, refusal.message)
        return
    if balance_of(ctx.db) + bundle.wallet_delta < 0:
        _reject(ctx, payload, "wallet.insufficient_balance", "there are not enough sparks")
        return
    experience = _pay_experience(ctx, bundle)
    _store_items(ctx, payload, items)
    wallet_balance = None
    if bundle.wallet_delta:
        entry = append_entry(
            ctx, bundle.wallet_delta, _ledger_reason(ctx), bundle.source_ref, "Reward"
        )
        wallet_balance = entry.balance_after
    result = SettlementResult(
        replayed=False,
        xp_granted=experience.granted,
        level_before=experience.level_before,
        level_after=experience.level_after,
        levels_gained=experience.level_after - experience.level_before,
        items_granted=items.granted,
        items_overflowed=items.overflowed,
        wallet_balance=wallet_balance,
    )
    ctx.db[RewardReceipt].insert(
        RewardReceipt(receipt_id, ctx.key, bundle.source_ref, result, ctx.timestamp)
    )
    _answer(ctx, payload, result)


def _settled_items(ctx: ReducerContext, payload: SettleReward) -> GrantOutcome:
    """The inventory after consuming and granting; raises RuleError when one is not possible."""
    before = inventory_of(ctx.db, payload.runtime_session_id)
    bundle = payload.bundle
    consumed = consume_items(before, bundle.consume_items, payload.locked_by)
    known = known_items(ctx.db, payload.runtime_session_id)
    authored = {definition.item_id: definition for definition in payload.definitions}
    return grant_items(consumed, bundle.items, {**authored, **known})


def _store_items(ctx: ReducerContext, payload: SettleReward, outcome: GrantOutcome) -> None:
    bundle, lineage = payload.bundle, payload.runtime_session_id
    if not bundle.items and not bundle.consume_items:
        return
    learn_items(ctx, lineage, payload.definitions, bundle.items)
    source = bundle.source.name.lower()
    save_inventory(ctx, lineage, outcome.inventory, known_items(ctx.db, lineage), source)


def _pay_experience(ctx: ReducerContext, bundle: RewardBundle) -> _Experience:
    """Steps 4 to 6 of domain 12.2: hostile experience, the grant, the chapter's ledger."""
    before = progression_of(ctx.db, ctx.key)
    chapter = None
    if bundle.chapter_id is not None:
        chapter = chapter_of(ctx.db, ctx.key, bundle.chapter_id)
    hostile = _settle_hostiles(ctx, bundle, chapter, before.level)
    amount = bundle.quest_xp + hostile.total + bundle.flat_xp
    granted, level_after = 0, before.level
    if amount > 0:
        source_ref = derived_id(bundle.source_ref, "xp")
        grant = grant_experience(ctx, amount, bundle.source, source_ref, bundle.chapter_id)
        granted, level_after = grant.granted, grant.after.level
    if chapter is not None and (bundle.quest_xp or bundle.hostile_defeats):
        add_defeats(ctx, chapter, hostile.tallies)
        entry = ChapterLedgerEntry(
            entry_id=derived_id(ctx.key, bundle.source_ref),
            chapter_id=chapter.chapter_id,
            quest_xp=bundle.quest_xp,
            hostile_xp=hostile.total,
            defeats=len(bundle.hostile_defeats),
            created_at=ctx.timestamp,
        )
        add_to_ledger(ctx, chapter, entry)
    return _Experience(granted, before.level, level_after)


def _settle_hostiles(
    ctx: ReducerContext,
    bundle: RewardBundle,
    chapter: ChapterProgressionSnapshot | None,
    level: int,
) -> HostileSettlement:
    if chapter is None:
        return settle_hostiles(bundle.hostile_defeats, level)
    return settle_hostiles(
        bundle.hostile_defeats,
        level,
        planned=chapter.planned_hostile_xp,
        granted_before=chapter.actual_hostile_xp,
        tallies=defeat_tallies(ctx, chapter.chapter_id),
    )


def _ledger_reason(ctx: ReducerContext) -> LedgerReason:
    """Sparks in a bundle come from the ends of games; which game, its session tells."""
    kind = "" if ctx.source is None else ctx.source.partition("/")[0]
    reasons = {"bigfish": LedgerReason.BIG_FISH_WIN, "puzzle": LedgerReason.PUZZLE_CLEAR}
    return reasons.get(kind, LedgerReason.CHAPTER_CLEAR_BONUS)


def _answer(ctx: ReducerContext, payload: SettleReward, result: SettlementResult) -> None:
    assert ctx.source is not None
    bundle = payload.bundle
    progression = progression_of(ctx.db, ctx.key)
    chapter = None
    if bundle.chapter_id is not None:
        chapter = chapter_of(ctx.db, ctx.key, bundle.chapter_id)
    ctx.send(
        ctx.source,
        Settled(
            settlement_id=payload.settlement_id,
            user_id=ctx.key,
            source_ref=bundle.source_ref,
            result=result,
            progression=progression,
            chapter=chapter,
        ),
    )


def _reject(ctx: ReducerContext, payload: SettleReward, code: str, message: str) -> None:
    assert ctx.source is not None
    source_ref = payload.bundle.source_ref
    ctx.send(
        ctx.source,
        SettlementRejected(payload.settlement_id, ctx.key, source_ref, code, message),
    )
