"""Agent inputs: what each queued action takes, checked when it is asked for (domain 7.5)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError
from actors.domains.custom_world.agent.cards import (
    WORLD_KEY,
    CustomWorldDraftCard,
    find_card,
    is_compiled,
)
from actors.domains.custom_world.agent.checkpoints import find_checkpoint
from actors.domains.custom_world.agent.messages import find_message, last_assistant
from actors.domains.custom_world.agent.payload import AgentPayload
from actors.domains.custom_world.agent.results import malformed
from actors.domains.custom_world.limits import (
    CHECKPOINT_LABEL_CHARS_MAX,
    HINT_CHARS_MAX,
    IMAGES_MAX,
)
from actors.domains.domain_types import AgentAction, EntityKind, MessageStatus
from actors.domains.rules.agent import ENTITY_KINDS

__all__ = ["read_input", "read_retry"]

_PICTURED = {
    AgentAction.GENERATE_ROLE_ASSETS: (EntityKind.ROLE, EntityKind.NPC),
    AgentAction.GENERATE_SCENE_ASSETS: (EntityKind.LANDMARK,),
    AgentAction.GENERATE_COVER: (EntityKind.WORLD,),
}


def read_input(
    ctx: ReducerContext, action: AgentAction, payload: AgentPayload
) -> dict[str, object]:
    """What an operation is asked, as its worker and its steps read it.

    Raises:
        ReducerError: ``agent.payload_malformed``, ``agent.card_not_found``,
            ``agent.checkpoint_not_found``.
    """
    match action:
        case AgentAction.DRAFT_FOUNDATION:
            return {"replace": payload.flag("replace")}
        case AgentAction.GENERATE_ENTITY:
            kind = payload.member("kind", EntityKind)
            if kind not in ENTITY_KINDS:
                raise malformed("kind", "must be a kind that can be generated")
            scene_key = _scene_key(ctx, payload)
            return {"hint": _hint(payload), "kind": kind.name.lower(), "sceneKey": scene_key}
        case AgentAction.GENERATE_SCENE_NPC:
            scene_key = _scene_key(ctx, payload)
            if scene_key is None:
                raise malformed("sceneKey", "must be a landmark's key")
            return {"hint": _hint(payload), "sceneKey": scene_key}
        case AgentAction.EXPAND_CHAPTER:
            return {"hint": _hint(payload)}
        case (
            AgentAction.GENERATE_ROLE_ASSETS
            | AgentAction.GENERATE_SCENE_ASSETS
            | AgentAction.GENERATE_COVER
        ):
            return {"cardIds": _pictured(ctx, action, payload)}
        case AgentAction.CREATE_CHECKPOINT:
            return {"label": payload.text("label", CHECKPOINT_LABEL_CHARS_MAX)}
        case AgentAction.REVERT_CHECKPOINT:
            checkpoint_id = payload.identifier("checkpointId")
            return {"checkpointId": find_checkpoint(ctx.db, checkpoint_id).checkpoint_id}
    return {}


def read_retry(ctx: ReducerContext, payload: AgentPayload) -> tuple[str, dict[str, object]]:
    """The message that is to be tried again, and the operation's input.

    Raises:
        ReducerError: ``agent.message_not_found``, ``agent.payload_malformed``;
            ``agent.action_disabled_state``: it is not the last one, or nothing is wrong with it.
    """
    last = last_assistant(ctx.db)
    named = payload.optional_identifier("messageId")
    message = last if named is None else find_message(ctx.db, named)
    is_last = message is not None and last is not None and message.message_id == last.message_id
    if message is None or not is_last or message.status not in _BROKEN:
        raise ReducerError(
            "agent.action_disabled_state",
            "there is nothing to try again",
            reasonCode="nothing_to_retry",
        )
    asked: dict[str, object] = {
        "messageId": message.message_id,
        "userMessageId": message.reply_to or "",
    }
    return message.message_id, asked


_BROKEN = frozenset({MessageStatus.PARTIAL, MessageStatus.FAILED})


def _hint(payload: AgentPayload) -> str:
    return payload.text("hint", HINT_CHARS_MAX)


def _scene_key(ctx: ReducerContext, payload: AgentPayload) -> str | None:
    """The key of a landmark, or None when the payload names none."""
    key = payload.slug("sceneKey")
    if key is None:
        return None
    found = ctx.db[CustomWorldDraftCard].filter(kind=EntityKind.LANDMARK)
    if not any(card.entity_key == key and is_compiled(card) for card in found):
        raise malformed("sceneKey", "must be a landmark's key")
    return key


def _pictured(ctx: ReducerContext, action: AgentAction, payload: AgentPayload) -> list[str]:
    """The cards that get images; the cover's one need not be named."""
    if action is AgentAction.GENERATE_COVER:
        worlds = ctx.db[CustomWorldDraftCard].filter(kind=EntityKind.WORLD)
        return [card.card_id for card in worlds if card.entity_key == WORLD_KEY]
    cards = [find_card(ctx.db, one) for one in payload.identifiers("cardIds", IMAGES_MAX)]
    if any(card.kind not in _PICTURED[action] for card in cards):
        raise malformed("cardIds", "must be cards that such images are made for")
    return [card.card_id for card in cards]
