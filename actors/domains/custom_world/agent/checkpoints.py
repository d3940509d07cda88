"""Agent checkpoints: what a session's anchors and cards were, to go back to (domain 7.1, 7.5)."""

from __future__ import annotations

import json
from typing import Any, Final

from actors import ReducerContext, ReducerError, Timestamp, replace, table, u32
from actors.domains.custom_world.agent.cards import (
    CustomWorldDraftCard,
    cards_of,
    payload_of,
    with_payload,
)
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentSession,
    note_change,
    session_of,
)
from actors.domains.custom_world.limits import CHECKPOINT_BYTES_MAX, CHECKPOINTS_MAX
from actors.domains.domain_types import AgentAnchor, CheckpointTrigger
from actors.domains.kinds import AGENT
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.ids import local_id
from actors.domains.rules.struct_json import struct_from_json, struct_to_json
from actors.domains.rules.text import check_id
from actors.module import DatabaseReader

__all__ = [
    "CustomWorldAgentCheckpoint",
    "CustomWorldAgentCheckpointBlob",
    "find_checkpoint",
    "make_checkpoint",
    "revert_to",
]

_FOLLOWING: Final = ("payloadJson", "summary", "title")
"""Fields of a card that its payload gives."""


@table(public=True, primary_key="checkpoint_id", index=["agent_session_id"], actor=AGENT)
class CustomWorldAgentCheckpoint:
    """A moment of the session that can be gone back to."""

    checkpoint_id: str
    agent_session_id: str
    user_id: str
    label: str
    trigger: CheckpointTrigger
    revision: u32
    card_count: u32
    quality_score: u32
    created_at: Timestamp


@table(primary_key="checkpoint_id", actor=AGENT)
class CustomWorldAgentCheckpointBlob:
    """What anchors and cards were at a checkpoint."""

    checkpoint_id: str
    payload_json: str


def make_checkpoint(
    ctx: ReducerContext, trigger: CheckpointTrigger, label: str
) -> CustomWorldAgentCheckpoint:
    """Keep what anchors and cards are now; the oldest checkpoint may go for it."""
    session = session_of(ctx.db)
    cards = cards_of(ctx.db)
    checkpoint = ctx.db[CustomWorldAgentCheckpoint].insert(
        CustomWorldAgentCheckpoint(
            checkpoint_id=local_id(session.agent_session_id, ctx.new_id("chk_")),
            agent_session_id=session.agent_session_id,
            user_id=session.user_id,
            label=label,
            trigger=trigger,
            revision=session.revision,
            card_count=len(cards),
            quality_score=session.quality_score,
            created_at=ctx.timestamp,
        )
    )
    content: dict[str, object] = {
        "anchors": [struct_to_json(anchor) for anchor in session.anchors],
        "cards": [_card_to_json(card) for card in cards],
    }
    payload = write_json(content)
    assert len(payload.encode()) <= CHECKPOINT_BYTES_MAX, "cards are bounded to fit"
    ctx.db[CustomWorldAgentCheckpointBlob].insert(
        CustomWorldAgentCheckpointBlob(checkpoint.checkpoint_id, payload)
    )
    _forget_oldest(ctx)
    return checkpoint


def find_checkpoint(db: DatabaseReader, checkpoint_id: str) -> CustomWorldAgentCheckpoint:
    """A checkpoint of the session; raises ``agent.checkpoint_not_found``."""
    checkpoint = db[CustomWorldAgentCheckpoint].find(check_id(checkpoint_id))
    if checkpoint is None:
        raise ReducerError("agent.checkpoint_not_found", "the session has no such checkpoint")
    return checkpoint


def revert_to(ctx: ReducerContext, checkpoint_id: str) -> CustomWorldAgentCheckpoint:
    """Make anchors and cards what they were; cards that were otherwise are a revision later.

    Answers the checkpoint of what they are now. Raises ``agent.checkpoint_not_found``.
    """
    label = find_checkpoint(ctx.db, checkpoint_id).label
    payload = ctx.db[CustomWorldAgentCheckpointBlob].get(checkpoint_id).payload_json
    kept_now = make_checkpoint(ctx, CheckpointTrigger.BEFORE_REVERT, label)
    content: dict[str, Any] = json.loads(payload)
    anchors = [struct_from_json(AgentAnchor, anchor) for anchor in content["anchors"]]
    wanted = [_card_from_json(card) for card in content["cards"]]
    cards = ctx.db[CustomWorldDraftCard]
    kept = {card.card_id for card in wanted}
    for card in cards_of(ctx.db):
        if card.card_id not in kept:
            cards.delete(card.card_id)
    for card in wanted:
        known = cards.find(card.card_id)
        if known is None:
            cards.insert(replace(card, revision=card.revision + 1, updated_at=ctx.timestamp))
        elif not _equal(known, card):
            revision = known.revision + 1
            cards.update(replace(card, revision=revision, updated_at=ctx.timestamp))
    ctx.db[CustomWorldAgentSession].update(replace(session_of(ctx.db), anchors=anchors))
    note_change(ctx)
    return kept_now


def _card_to_json(card: CustomWorldDraftCard) -> dict[str, object]:
    """A card without what follows from its payload."""
    entry = struct_to_json(card)
    for name in _FOLLOWING:
        del entry[name]
    return {**entry, "payload": payload_of(card)}


def _card_from_json(entry: dict[str, Any]) -> CustomWorldDraftCard:
    payload = entry.pop("payload")
    bare = struct_from_json(CustomWorldDraftCard, {**entry, **dict.fromkeys(_FOLLOWING, "")})
    return with_payload(bare, payload)


def _equal(one: CustomWorldDraftCard, other: CustomWorldDraftCard) -> bool:
    """Whether two states of a card say the same."""
    return one == replace(
        other,
        revision=one.revision,
        finding_count=one.finding_count,
        updated_at=one.updated_at,
    )


def _forget_oldest(ctx: ReducerContext) -> None:
    checkpoints = ctx.db[CustomWorldAgentCheckpoint]
    while len(checkpoints) > CHECKPOINTS_MAX:
        oldest = min(checkpoints, key=lambda row: (row.created_at, row.checkpoint_id))
        checkpoints.delete(oldest.checkpoint_id)
        ctx.db[CustomWorldAgentCheckpointBlob].delete(oldest.checkpoint_id)
