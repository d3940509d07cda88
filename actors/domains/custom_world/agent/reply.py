"""Agent reply: how a message of the assistant comes to its text (domain 7.4).

The text streams in as chunks of the operation's task and is written into the message now and then.
What ends with some text keeps it; what ends with none gets the reply of the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actors import ReducerContext, ReducerError, replace
from actors.domains.ai.chunks import received_chars, received_text
from actors.domains.ai.stages import AiStageKind, AiTaskStage, is_over, stages_of
from actors.domains.ai.tasks import AiTask
from actors.domains.custom_world.agent.cards import CustomWorldDraftCard, NewDraftCard, add_card
from actors.domains.custom_world.agent.messages import (
    CustomWorldAgentMessage,
    NewMessage,
    add_message,
    find_message,
    write_message,
)
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation
from actors.domains.custom_world.agent.results import (
    CardEntry,
    malformed,
    read_anchors,
    read_new_cards,
    texts_of,
)
from actors.domains.custom_world.agent.session import CustomWorldAgentSession, session_of
from actors.domains.custom_world.limits import (
    PROPOSED_CARDS_MAX,
    REPLY_CHARS_MAX,
    SUGGESTED_REPLIES_MAX,
    SUGGESTED_REPLY_CHARS_MAX,
    TEXT_FLUSH_CHARS,
)
from actors.domains.data.agent_books import agent_book, agent_books
from actors.domains.domain_types import (
    AgentAction,
    CardStatus,
    MessageRole,
    MessageStatus,
    OperationStatus,
    TextSource,
)
from actors.domains.rules.agent import extract_anchors, fallback_reply, merge_anchors
from actors.domains.rules.text import cut_text

__all__ = [
    "add_placeholder",
    "begin_reply",
    "fallback_turn",
    "finish_reply",
    "has_text",
    "name_operation",
    "receive_text",
    "restart_text",
    "stop_reply",
]


def add_placeholder(
    ctx: ReducerContext, user_message: CustomWorldAgentMessage
) -> CustomWorldAgentMessage:
    """The assistant's message that will answer a user's one."""
    return add_message(
        ctx,
        NewMessage(
            role=MessageRole.ASSISTANT,
            text="",
            source=TextSource.LLM,
            status=MessageStatus.PENDING,
            reply_to=user_message.message_id,
        ),
    )


def name_operation(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """Say in a message which operation and task its text comes from."""
    named = replace(
        _message_of(ctx, operation),
        operation_id=operation.operation_id,
        ai_task_id=operation.ai_task_id,
    )
    write_message(ctx, named)


def begin_reply(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """A message begins to be written; what a worker wrote who was lost is still a part of it."""
    message = replace(_message_of(ctx, operation), status=MessageStatus.STREAMING, error_code=None)
    if operation.action is AgentAction.RETRY_REPLY and operation.attempt == 1:
        message = replace(message, attempt=message.attempt + 1, chunk_count=0)
    write_message(ctx, message)


def restart_text(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """Another attempt at a message's text begins; what was received stays until its first chunk."""
    message = _message_of(ctx, operation)
    if message.chunk_count:
        text = _received(ctx, operation)
        again = replace(message, text=text, attempt=message.attempt + 1, chunk_count=0)
        write_message(ctx, again)


def receive_text(ctx: ReducerContext, operation: CustomWorldAgentOperation, task: AiTask) -> None:
    """Bring a message up to what its task has received; its text only now and then."""
    stage = _asking(ctx, task)
    message = _message_of(ctx, operation)
    if stage is None or stage.chunk_count == 0:
        return
    is_new = stage.chunk_count == 1 or stage.chunk_count < message.chunk_count
    grown = received_chars(ctx.db, stage) - len(message.text)
    is_due = is_new or is_over(stage) or grown >= TEXT_FLUSH_CHARS
    text = _text(ctx, stage) if is_due else message.text
    if (stage.chunk_count, text) != (message.chunk_count, message.text):
        write_message(ctx, replace(message, text=text, chunk_count=stage.chunk_count))


def has_text(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> bool:
    """Whether the running attempt has brought any text."""
    return _message_of(ctx, operation).chunk_count > 0


def finish_reply(
    ctx: ReducerContext,
    operation: CustomWorldAgentOperation,
    result: Mapping[str, Any],
    source: TextSource,
) -> dict[str, object]:
    """Complete a message, and apply what comes with it: anchors, suggestions, proposed cards.

    The text is what was streamed; only a reply that was not streamed brings its own.

    Raises:
        ReducerError: ``agent.payload_malformed``.
    """
    message = _message_of(ctx, operation)
    text = _received(ctx, operation) or _told(result)
    write_message(
        ctx,
        replace(message, text=text, status=MessageStatus.COMPLETE, text_source=source),
    )
    session = session_of(ctx.db)
    anchors = merge_anchors(session.anchors, read_anchors(result.get("anchors"), source))
    suggested = texts_of(result.get("suggestedReplies"), SUGGESTED_REPLY_CHARS_MAX)
    ctx.db[CustomWorldAgentSession].update(
        replace(session, anchors=anchors, suggested_replies=suggested[:SUGGESTED_REPLIES_MAX])
    )
    proposed = read_new_cards(result.get("proposedCards"), are_dropped=True)
    cards = _propose(ctx, proposed[:PROPOSED_CARDS_MAX], source)
    return {"cards": [card.card_id for card in cards], "messageId": message.message_id}


def fallback_turn(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> dict[str, object]:
    """What the rules say to the user's message: the result of a reply that no model gave."""
    session = session_of(ctx.db)
    words = _words(ctx, operation)
    anchors = extract_anchors(words, session.anchors, agent_books(session.locale))
    reply = fallback_reply(anchors, agent_book(session.locale))
    return {
        "reply": reply.text,
        "suggestedReplies": list(reply.suggested),
        "anchors": [
            {"key": anchor.key, "value": anchor.value, "confidence": anchor.confidence_permille}
            for anchor in anchors
            if anchor.value
        ],
        "proposedCards": [],
    }


def stop_reply(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """Leave a message as it is when its operation fails or is called off.

    With some text it is partial, and what the user said is noted by the rules; without any it has
    failed.
    """
    message = _message_of(ctx, operation)
    code = operation.error_code
    if operation.status is OperationStatus.CANCELLED:
        code = "agent.cancelled"
    is_partial = message.chunk_count > 0
    text = _received(ctx, operation) if is_partial else message.text
    status = MessageStatus.PARTIAL if text else MessageStatus.FAILED
    write_message(ctx, replace(message, text=text, status=status, error_code=code))
    if is_partial:
        session = session_of(ctx.db)
        words = _words(ctx, operation)
        anchors = extract_anchors(words, session.anchors, agent_books(session.locale))
        ctx.db[CustomWorldAgentSession].update(replace(session, anchors=anchors))


def _told(result: Mapping[str, Any]) -> str:
    """The text that a reply brings itself; raises ``agent.payload_malformed`` without one."""
    told = result.get("reply")
    text = cut_text(told, REPLY_CHARS_MAX) if isinstance(told, str) else ""
    if not text:
        raise malformed("reply", "must be a text")
    return text


def _propose(
    ctx: ReducerContext, entries: Iterable[CardEntry], source: TextSource
) -> list[CustomWorldDraftCard]:
    """Add what a reply proposes; a card that there is no place for is left out."""
    cards = []
    for entry in entries:
        new = NewDraftCard(entry.kind, entry.payload, CardStatus.PROPOSED, source)
        try:
            cards.append(add_card(ctx, new))
        except ReducerError:
            continue
    return cards


def _message_of(
    ctx: ReducerContext, operation: CustomWorldAgentOperation
) -> CustomWorldAgentMessage:
    assert operation.message_id is not None
    return find_message(ctx.db, operation.message_id)


def _words(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> str:
    """What the user said."""
    answered = _message_of(ctx, operation).reply_to
    return "" if answered is None else find_message(ctx.db, answered).text


def _received(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> str:
    """The text that the running attempt has brought."""
    if not has_text(ctx, operation):
        return ""
    task = None if operation.ai_task_id is None else ctx.db[AiTask].find(operation.ai_task_id)
    stage = None if task is None else _asking(ctx, task)
    return "" if stage is None else _text(ctx, stage)


def _asking(ctx: ReducerContext, task: AiTask) -> AiTaskStage | None:
    """The stage of a task that brings text."""
    stages = stages_of(ctx.db, task.ai_task_id)
    return next((row for row in stages if row.stage_kind is AiStageKind.REQUEST_MODEL), None)


def _text(ctx: ReducerContext, stage: AiTaskStage) -> str:
    """As it was streamed, to the letter."""
    return received_text(ctx.db, stage)[:REPLY_CHARS_MAX]
