"""Reward settlements: bundles that a story owes its players, pending to settled (5.7)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from actors import ReducerContext, Timestamp, replace, table
from actors.domains.domain_types import (
    GrantSource,
    HostileDefeat,
    ItemGrant,
    RewardBundle,
    SettlementResult,
)
from actors.domains.gameplay.limits import SETTLEMENTS_CLOSED_MAX
from actors.domains.gameplay.story import StoryParticipant, StorySession, is_test_play
from actors.domains.gameplay.world import authored_items
from actors.domains.kinds import STORY, USER
from actors.domains.messages import Settled, SettlementRejected, SettleReward
from actors.domains.rules.ids import chapter_id, derived_id
from actors.domains.rules.world import WorldDocument

__all__ = [
    "RewardSettlement",
    "SettlementStatus",
    "bundle_of",
    "grant_starting_items",
    "mark_rejected",
    "mark_settled",
    "request_settlement",
]


class SettlementStatus(IntEnum):
    """Whether a user's own actor has answered."""

    PENDING = 0
    SETTLED = 1
    REJECTED = 2


@table(
    public=True,
    primary_key="settlement_id",
    index=["story_session_id", "user_id"],
    actor=STORY,
)
class RewardSettlement:
    """One bundle for one user; what a client shows as "+24 XP"."""

    settlement_id: str
    story_session_id: str
    user_id: str
    source: GrantSource
    source_ref: str
    status: SettlementStatus
    preview: RewardBundle
    result: SettlementResult | None
    error_code: str | None
    created_at: Timestamp
    updated_at: Timestamp


def bundle_of(
    session: StorySession,
    source: GrantSource,
    source_ref: str,
    *,
    quest_xp: int = 0,
    hostile_defeats: Iterable[HostileDefeat] = (),
    flat_xp: int = 0,
    items: Iterable[ItemGrant] = (),
    consume_items: Iterable[ItemGrant] = (),
) -> RewardBundle:
    """A bundle of the session's running chapter; trying an own draft out earns items only (6.7)."""
    if is_test_play(session):
        quest_xp, hostile_defeats, flat_xp = 0, (), 0
    return RewardBundle(
        source=source,
        source_ref=source_ref,
        chapter_id=chapter_id(session.profile_id, session.chapter_index),
        quest_xp=quest_xp,
        hostile_defeats=list(hostile_defeats),
        flat_xp=flat_xp,
        items=[item for item in items if item.quantity],
        consume_items=list(consume_items),
        affinity=[],
        wallet_delta=0,
    )


def request_settlement(
    ctx: ReducerContext,
    session: StorySession,
    participant: StoryParticipant,
    bundle: RewardBundle,
    world: WorldDocument,
    *,
    locked_by: str | None = None,
) -> RewardSettlement:
    """Ask a player's own actor to apply a bundle, and show it as pending until it answers.

    A bundle that was refused before is asked again under the same row.
    """
    settlements = ctx.db[RewardSettlement]
    earlier = next(
        (
            row
            for row in settlements.filter(user_id=participant.user_id)
            if row.source_ref == bundle.source_ref
        ),
        None,
    )
    row = RewardSettlement(
        settlement_id=earlier.settlement_id if earlier else ctx.new_id("st_"),
        story_session_id=session.story_session_id,
        user_id=participant.user_id,
        source=bundle.source,
        source_ref=bundle.source_ref,
        status=SettlementStatus.PENDING,
        preview=bundle,
        result=None,
        error_code=None,
        created_at=earlier.created_at if earlier else ctx.timestamp,
        updated_at=ctx.timestamp,
    )
    settlements.upsert(row)
    _forget_oldest(ctx)
    ctx.send(
        USER.key(participant.user_id),
        SettleReward(
            settlement_id=row.settlement_id,
            runtime_session_id=session.runtime_session_id,
            bundle=bundle,
            locked_by=locked_by,
            definitions=authored_items(world, [*bundle.items, *bundle.consume_items]),
        ),
        idempotency_key=bundle.source_ref,
    )
    return row


def _forget_oldest(ctx: ReducerContext) -> None:
    settlements = ctx.db[RewardSettlement]
    if len(settlements) <= SETTLEMENTS_CLOSED_MAX:
        return
    closed = [row for row in settlements if row.status is not SettlementStatus.PENDING]
    if len(closed) > SETTLEMENTS_CLOSED_MAX:
        oldest = min(closed, key=lambda row: (row.updated_at, row.settlement_id))
        settlements.delete(oldest.settlement_id)


def grant_starting_items(
    ctx: ReducerContext, session: StorySession, player: StoryParticipant, world: WorldDocument
) -> None:
    """Owe a player what its role begins with, once in a lineage (domain 12.6)."""
    items = world.roles[player.role_key].starting_items
    if items:
        source_ref = derived_id(session.runtime_session_id, "start")
        bundle = bundle_of(session, GrantSource.STORY_MILESTONE, source_ref, items=items)
        request_settlement(ctx, session, player, bundle, world)


def mark_settled(ctx: ReducerContext, answer: Settled) -> RewardSettlement | None:
    """Write the answer into its row; None when the row is not waiting for one."""
    row = ctx.db[RewardSettlement].find(answer.settlement_id)
    if row is None or row.status is not SettlementStatus.PENDING:
        return None
    return ctx.db[RewardSettlement].update(
        replace(
            row,
            status=SettlementStatus.SETTLED,
            result=answer.result,
            updated_at=ctx.timestamp,
        )
    )


def mark_rejected(ctx: ReducerContext, answer: SettlementRejected) -> RewardSettlement | None:
    """Write the refusal into its row; None when the row is not waiting for one."""
    row = ctx.db[RewardSettlement].find(answer.settlement_id)
    if row is None or row.status is not SettlementStatus.PENDING:
        return None
    return ctx.db[RewardSettlement].update(
        replace(
            row,
            status=SettlementStatus.REJECTED,
            error_code=answer.code,
            updated_at=ctx.timestamp,
        )
    )
