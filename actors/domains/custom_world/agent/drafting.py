"""Agent drafting: operations whose result is cards (domain 7.5, 7.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actors import ReducerContext, replace
from actors.domains.custom_world.agent.cards import (
    CustomWorldDraftCard,
    NewDraftCard,
    add_card,
    cards_of,
    delete_card,
)
from actors.domains.custom_world.agent.checkpoints import make_checkpoint
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation, input_of
from actors.domains.custom_world.agent.results import CardEntry, malformed, read_new_cards
from actors.domains.custom_world.agent.session import CustomWorldAgentState, state_of
from actors.domains.domain_types import (
    AgentAction,
    CardStatus,
    CheckpointTrigger,
    EntityKind,
    TextSource,
)

__all__ = ["begin_drafting", "finish_cards"]


def begin_drafting(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """Keep what there is before a foundation is drafted for the first time in the operation."""
    if operation.attempt == 1:
        make_checkpoint(ctx, CheckpointTrigger.BEFORE_ACTION, operation.action.name.lower())


def finish_cards(
    ctx: ReducerContext,
    operation: CustomWorldAgentOperation,
    result: Mapping[str, Any],
    source: TextSource,
) -> dict[str, object]:
    """Add the cards that a worker has made, all in this transaction.

    A foundation that replaces takes the cards away that are not locked.

    Raises:
        ReducerError: ``agent.payload_malformed``, and the refusals of ``add_card``.
    """
    entries = read_new_cards(result.get("cards"))
    if not entries:
        raise malformed("cards", "must not be empty")
    if operation.action is AgentAction.DRAFT_FOUNDATION:
        if input_of(operation)["replace"]:
            for card in cards_of(ctx.db):
                if card.status is not CardStatus.LOCKED:
                    delete_card(ctx, card)
        ctx.db[CustomWorldAgentState].update(replace(state_of(ctx.db), is_drafted=True))
    return {"cards": [_told(card) for card in _add(ctx, entries, source)]}


def _add(
    ctx: ReducerContext, entries: Iterable[CardEntry], source: TextSource
) -> list[CustomWorldDraftCard]:
    """The new cards; a world that has its card keeps it."""
    has_world = bool(ctx.db[CustomWorldDraftCard].filter(kind=EntityKind.WORLD))
    return [
        add_card(ctx, NewDraftCard(entry.kind, entry.payload, entry.status, source))
        for entry in entries
        if not (has_world and entry.kind is EntityKind.WORLD)
    ]


def _told(card: CustomWorldDraftCard) -> dict[str, object]:
    return {"cardId": card.card_id, "key": card.entity_key, "kind": card.kind.name.lower()}
