"""Agent edits: what a user does to cards by hand, each within the call that asks for it (7.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from actors import ReducerContext, ReducerError, replace
from actors.domains.custom_world.agent.cards import (
    CustomWorldDraftCard,
    NewDraftCard,
    add_card,
    cards_of,
    change_card,
    find_card,
    payload_of,
    write_card,
)
from actors.domains.custom_world.agent.images import sync_images
from actors.domains.custom_world.agent.payload import AgentPayload
from actors.domains.custom_world.agent.results import malformed
from actors.domains.custom_world.limits import CARDS_MAX
from actors.domains.domain_types import AgentAction, CardStatus, EntityKind, TextSource
from actors.domains.rules.compile import KEY_FIELD, check_card

__all__ = ["EDITS", "Edit"]

Edit = Callable[[ReducerContext, AgentPayload], dict[str, object]]
"""Carries an action out and answers its report; raises ``agent.payload_malformed`` and others."""


def _update_card(ctx: ReducerContext, payload: AgentPayload) -> dict[str, object]:
    """Merge a patch into a card's payload.

    Raises ``agent.card_not_found``, ``agent.stale_version`` or ``agent.card_locked_state``.
    """
    patch = payload.mapping("patch")
    expected = payload.number("expectedCardRevision")
    card = find_card(ctx.db, payload.identifier("cardId"))
    if expected is not None and expected != card.revision:
        raise ReducerError(
            "agent.stale_version", "the card has changed meanwhile", revision=card.revision
        )
    if card.status is CardStatus.LOCKED:
        raise ReducerError("agent.card_locked_state", "the card is locked")
    merged = _merged(payload_of(card), patch)
    field = KEY_FIELD.get(card.kind)
    if field is not None and merged.get(field) != card.entity_key:
        raise malformed(f"{card.kind.name.lower()}.{field}", "a card keeps its key")
    return _told(change_card(ctx, card, check_card(card.kind, merged)))


def _create_card(ctx: ReducerContext, payload: AgentPayload) -> dict[str, object]:
    """Add a card; raises ``agent.world_card_conflict`` or ``limit.quota_exceeded``."""
    kind = payload.member("kind", EntityKind)
    entry = check_card(kind, payload.mapping("payload"))
    return _told(add_card(ctx, NewDraftCard(kind, entry, CardStatus.ACCEPTED, TextSource.USER)))


def _set_status(ctx: ReducerContext, payload: AgentPayload) -> dict[str, object]:
    """Accept, lock or remove a card; raises ``agent.card_not_found``."""
    status = payload.member("status", CardStatus)
    if status is CardStatus.PROPOSED:
        raise malformed("status", "must be accepted, locked or removed")
    card = find_card(ctx.db, payload.identifier("cardId"))
    return _told(write_card(ctx, replace(card, status=status)))


def _reorder(ctx: ReducerContext, payload: AgentPayload) -> dict[str, object]:
    """Put cards of a kind first, in this order; raises ``agent.card_not_found``."""
    kind = payload.member("kind", EntityKind)
    named = [find_card(ctx.db, one) for one in payload.identifiers("cardIds", CARDS_MAX)]
    if any(card.kind is not kind for card in named):
        raise malformed("cardIds", "must be cards of the kind")
    others = [card for card in cards_of(ctx.db) if card.kind is kind and card not in named]
    for index, card in enumerate([*named, *others]):
        write_card(ctx, replace(card, order_index=index))
    return {"cardIds": [card.card_id for card in [*named, *others]]}


def _sync_roles(ctx: ReducerContext, payload: AgentPayload) -> dict[str, object]:
    """Give roles and npcs the portraits that are bound to them."""
    del payload
    return sync_images(ctx, (EntityKind.ROLE, EntityKind.NPC))


def _sync_scenes(ctx: ReducerContext, payload: AgentPayload) -> dict[str, object]:
    """Give landmarks the images that are bound to them."""
    del payload
    return sync_images(ctx, (EntityKind.LANDMARK,))


EDITS: Final[Mapping[AgentAction, Edit]] = MappingProxyType(
    {
        AgentAction.UPDATE_DRAFT_CARD: _update_card,
        AgentAction.CREATE_DRAFT_CARD: _create_card,
        AgentAction.SET_CARD_STATUS: _set_status,
        AgentAction.REORDER_CARDS: _reorder,
        AgentAction.SYNC_ROLE_ASSETS: _sync_roles,
        AgentAction.SYNC_SCENE_ASSETS: _sync_scenes,
    }
)
"""Actions that are done as soon as they are asked for."""


def _merged(value: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch applied (RFC 7396): null takes a field away, objects are merged."""
    merged = dict(value)
    for key, change in patch.items():
        if change is None:
            merged.pop(key, None)
        elif isinstance(change, dict):
            known = merged.get(key)
            merged[key] = _merged(known if isinstance(known, dict) else {}, change)
        else:
            merged[key] = change
    return merged


def _told(card: CustomWorldDraftCard) -> dict[str, object]:
    return {
        "cardId": card.card_id,
        "key": card.entity_key,
        "kind": card.kind.name.lower(),
        "revision": card.revision,
    }
