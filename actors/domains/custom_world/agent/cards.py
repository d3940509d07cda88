"""Draft cards: the parts of a world that its author and the assistant work at (domain 7.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from actors import ReducerContext, ReducerError, Timestamp, replace, table, u32
from actors.domains.custom_world.agent.session import note_change, session_of
from actors.domains.custom_world.limits import (
    CARD_PAYLOAD_BYTES_MAX,
    CARD_SUMMARY_CHARS_MAX,
    CARD_TITLE_CHARS_MAX,
    CARDS_BYTES_MAX,
    CARDS_MAX,
)
from actors.domains.domain_types import (
    AssetSlot,
    AssetStatus,
    CardStatus,
    EntityKind,
    TextSource,
)
from actors.domains.kinds import AGENT
from actors.domains.rules.agent import slug_of
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.compile import KEY_FIELD
from actors.domains.rules.ids import derived_id, local_id
from actors.domains.rules.text import check_id, cut_text
from actors.module import DatabaseReader

__all__ = [
    "IMAGE_SLOTS",
    "WORLD_KEY",
    "CustomWorldDraftCard",
    "NewDraftCard",
    "add_card",
    "cards_of",
    "change_card",
    "delete_card",
    "find_card",
    "is_compiled",
    "payload_of",
    "with_payload",
    "write_card",
]

WORLD_KEY: Final = "world"
"""The key of the one card that has no key of its own."""

IMAGE_SLOTS: Final = {
    EntityKind.WORLD: AssetSlot.COVER,
    EntityKind.ROLE: AssetSlot.PORTRAIT,
    EntityKind.NPC: AssetSlot.PORTRAIT,
    EntityKind.LANDMARK: AssetSlot.SCENE,
    EntityKind.ITEM: AssetSlot.ICON,
}
"""What a card's image is to its entity (domain 8.6); other cards have none."""

_SUMMARIES: Final = ("summary", "description", "goal", "synopsis", "premise")


@table(
    public=True,
    primary_key="card_id",
    unique=["entity_ref"],
    index=["agent_session_id", "kind"],
    actor=AGENT,
)
class CustomWorldDraftCard:
    """One entity of the world; its payload is the section entry of the world document (6.2)."""

    card_id: str
    agent_session_id: str
    user_id: str
    kind: EntityKind
    entity_key: str
    entity_ref: str
    title: str
    summary: str
    payload_json: str
    status: CardStatus
    source: TextSource
    asset_status: AssetStatus
    image_src: str | None
    finding_count: u32
    revision: u32
    order_index: u32
    created_at: Timestamp
    updated_at: Timestamp


class NewDraftCard(NamedTuple):
    """What a card is made from; the payload is checked, and its key may be taken."""

    kind: EntityKind
    payload: Mapping[str, Any]
    status: CardStatus
    source: TextSource


def add_card(ctx: ReducerContext, new: NewDraftCard) -> CustomWorldDraftCard:
    """Insert a card behind those of its kind; a key that is taken gets a number.

    Raises:
        ReducerError: nothing has changed then; ``agent.world_card_conflict``: there is a world's
            card already; ``limit.quota_exceeded``: too many cards, or too much in them;
            ``input.payload_too_large``.
    """
    session = session_of(ctx.db)
    if len(ctx.db[CustomWorldDraftCard]) >= CARDS_MAX:
        raise ReducerError("limit.quota_exceeded", "too many cards", limit=CARDS_MAX)
    payload, key = _with_free_key(ctx.db, session.agent_session_id, new)
    kin = ctx.db[CustomWorldDraftCard].filter(kind=new.kind)
    card = CustomWorldDraftCard(
        card_id=local_id(session.agent_session_id, ctx.new_id("card_")),
        agent_session_id=session.agent_session_id,
        user_id=session.user_id,
        kind=new.kind,
        entity_key=key,
        entity_ref=_entity_ref(session.agent_session_id, new.kind, key),
        title="",
        summary="",
        payload_json="",
        status=new.status,
        source=new.source,
        asset_status=AssetStatus.NONE,
        image_src=None,
        finding_count=0,
        revision=1,
        order_index=max((row.order_index + 1 for row in kin), default=0),
        created_at=ctx.timestamp,
        updated_at=ctx.timestamp,
    )
    card = with_payload(card, payload)
    _check_room(ctx.db, card)
    ctx.db[CustomWorldDraftCard].insert(card)
    note_change(ctx)
    return card


def write_card(ctx: ReducerContext, card: CustomWorldDraftCard) -> CustomWorldDraftCard:
    """Write a changed card, one revision later; one that is as it was stays as it is."""
    cards = ctx.db[CustomWorldDraftCard]
    if cards.get(card.card_id) == card:
        return card
    card = cards.update(replace(card, revision=card.revision + 1, updated_at=ctx.timestamp))
    note_change(ctx)
    return card


def change_card(
    ctx: ReducerContext, card: CustomWorldDraftCard, payload: Mapping[str, Any]
) -> CustomWorldDraftCard:
    """Give a card another payload, which is checked and has the card's key, by its user's hand.

    Raises:
        ReducerError: ``limit.quota_exceeded`` or ``input.payload_too_large``.
    """
    card = replace(with_payload(card, payload), source=TextSource.USER)
    _check_room(ctx.db, card)
    return write_card(ctx, card)


def delete_card(ctx: ReducerContext, card: CustomWorldDraftCard) -> None:
    """Take a card away, as if it had never been."""
    ctx.db[CustomWorldDraftCard].delete(card.card_id)
    note_change(ctx)


def find_card(db: DatabaseReader, card_id: str) -> CustomWorldDraftCard:
    """A card of the session; raises ``agent.card_not_found``."""
    card = db[CustomWorldDraftCard].find(check_id(card_id))
    if card is None:
        raise ReducerError("agent.card_not_found", "the session has no such card")
    return card


def cards_of(db: DatabaseReader) -> list[CustomWorldDraftCard]:
    """All cards, in the document's order."""
    return sorted(
        db[CustomWorldDraftCard], key=lambda row: (row.kind, row.order_index, row.card_id)
    )


def is_compiled(card: CustomWorldDraftCard) -> bool:
    """Whether a card is part of the world, and not only proposed or removed."""
    return card.status in {CardStatus.ACCEPTED, CardStatus.LOCKED}


def payload_of(card: CustomWorldDraftCard) -> dict[str, Any]:
    """A card's section entry."""
    return cast("dict[str, Any]", json.loads(card.payload_json))


def _with_free_key(
    db: DatabaseReader, agent_session_id: str, new: NewDraftCard
) -> tuple[dict[str, Any], str]:
    payload = dict(new.payload)
    field = KEY_FIELD.get(new.kind)
    wanted = WORLD_KEY if field is None else _wanted_key(payload, field, new.kind)
    key, number = wanted, 1
    while db[CustomWorldDraftCard].first(entity_ref=_entity_ref(agent_session_id, new.kind, key)):
        if field is None:
            raise ReducerError("agent.world_card_conflict", "the world has its card already")
        number += 1
        key = f"{wanted[: 47 - len(str(number))]}_{number}"
    if field is not None:
        payload[field] = key
    return payload, key


def _wanted_key(payload: Mapping[str, Any], field: str, kind: EntityKind) -> str:
    """The key that a payload has, else one that is made of its name."""
    if payload.get(field):
        return str(payload[field]).lower()
    return slug_of(_name_of(payload)) or kind.name.lower()


def _name_of(payload: Mapping[str, Any]) -> str:
    return str(payload.get("name") or payload.get("title") or "")


def with_payload(card: CustomWorldDraftCard, payload: Mapping[str, Any]) -> CustomWorldDraftCard:
    """A card with a payload, and what follows from it; raises ``input.payload_too_large``."""
    text = write_json(dict(payload))
    if len(text.encode()) > CARD_PAYLOAD_BYTES_MAX:
        raise ReducerError(
            "input.payload_too_large", "a card's payload is too large", limit=CARD_PAYLOAD_BYTES_MAX
        )
    summary = next((payload[name] for name in _SUMMARIES if payload.get(name)), "")
    return replace(
        card,
        payload_json=text,
        title=cut_text(_name_of(payload), CARD_TITLE_CHARS_MAX),
        summary=cut_text(str(summary), CARD_SUMMARY_CHARS_MAX),
    )


def _check_room(db: DatabaseReader, card: CustomWorldDraftCard) -> None:
    """Refuse a card, new or changed, that does not fit beside the others."""
    others = (row for row in db[CustomWorldDraftCard] if row.card_id != card.card_id)
    total = sum(len(row.payload_json.encode()) for row in (card, *others))
    if total > CARDS_BYTES_MAX:
        raise ReducerError("limit.quota_exceeded", "the cards hold too much", limit=CARDS_BYTES_MAX)


def _entity_ref(agent_session_id: str, kind: EntityKind, key: str) -> str:
    return derived_id(agent_session_id, kind.name.lower(), key)
