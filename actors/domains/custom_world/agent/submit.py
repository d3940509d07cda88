"""Agent submit: what a user says in a session, and the reply that it begins (domain 7.3, 7.4)."""

from __future__ import annotations

from typing import Final

from actors import Rate, ReducerContext, ReducerError, reducer, struct
from actors.domains.custom_world.agent.messages import (
    CLIENT_KEY_RESERVED,
    CustomWorldAgentMessage,
    NewMessage,
    add_message,
    answer_to,
    find_message,
    message_of_client,
)
from actors.domains.custom_world.agent.operations import (
    CustomWorldAgentOperation,
    find_operation,
    open_operations,
)
from actors.domains.custom_world.agent.queue import accept
from actors.domains.custom_world.agent.reply import add_placeholder
from actors.domains.custom_world.agent.session import live_session
from actors.domains.custom_world.agent.settle import settle
from actors.domains.custom_world.agent.tasks import REPLY_ACTIONS
from actors.domains.custom_world.limits import (
    CLIENT_MESSAGE_ID_CHARS_MAX,
    MESSAGE_CHARS_MAX,
)
from actors.domains.domain_types import AgentAction, MessageRole, TextSource
from actors.domains.kinds import AGENT
from actors.domains.rules.text import check_id, clean_text

__all__ = [
    "AgentTurnBegun",
    "SubmitCustomWorldAgentMessage",
    "say",
    "submit_custom_world_agent_message",
]

_SUBMITTING: Final = Rate("agent_message", per_minute=10, burst=5)


@struct
class SubmitCustomWorldAgentMessage:
    """Input of ``submit_custom_world_agent_message``."""

    agent_session_id: str
    text: str
    client_message_id: str
    request_id: str


@struct
class AgentTurnBegun:
    """What a user said, the message that will answer it, and the operation that writes that."""

    user_message: CustomWorldAgentMessage
    assistant_message: CustomWorldAgentMessage
    operation: CustomWorldAgentOperation


@reducer(actor=AGENT, rate=_SUBMITTING)
def submit_custom_world_agent_message(
    ctx: ReducerContext, input: SubmitCustomWorldAgentMessage
) -> AgentTurnBegun:
    """Say something, which begins a reply; the same client's id again answers what it began.

    Raises ``agent.session_not_found``, ``agent.archived_state``,
    ``agent.reply_in_progress_state``, ``limit.quota_exceeded``, and the refusals of texts and ids.
    """
    session = live_session(ctx, input.agent_session_id)
    client_id = check_id(input.client_message_id, CLIENT_MESSAGE_ID_CHARS_MAX)
    if client_id.startswith(CLIENT_KEY_RESERVED):
        raise ReducerError("input.invalid_id", "a client's id may not begin like that")
    known = message_of_client(ctx.db, session.agent_session_id, client_id)
    if known is not None:
        return _begun(ctx, known)
    user_message = say(ctx, input.text, client_id)
    settle(ctx)
    return _begun(ctx, user_message)


def say(ctx: ReducerContext, text: str, client_id: str | None) -> CustomWorldAgentMessage:
    """Add a user's message, and the operation that answers it.

    Raises:
        ReducerError: ``input.text_empty``, ``input.text_too_long``,
            ``agent.reply_in_progress_state``, ``limit.quota_exceeded``.
    """
    words = clean_text(text, MESSAGE_CHARS_MAX, required=True)
    if any(row.action in REPLY_ACTIONS for row in open_operations(ctx.db)):
        raise ReducerError("agent.reply_in_progress_state", "the last message is being answered")
    new = NewMessage(MessageRole.USER, words, TextSource.USER, client_message_id=client_id)
    user_message = add_message(ctx, new)
    answer = add_placeholder(ctx, user_message)
    payload: dict[str, object] = {
        "messageId": answer.message_id,
        "userMessageId": user_message.message_id,
    }
    accept(ctx, AgentAction.AGENT_REPLY, payload, message_id=answer.message_id)
    return user_message


def _begun(ctx: ReducerContext, user_message: CustomWorldAgentMessage) -> AgentTurnBegun:
    answer = answer_to(ctx.db, user_message)
    assert answer.operation_id is not None
    return AgentTurnBegun(
        find_message(ctx.db, user_message.message_id),
        answer,
        find_operation(ctx.db, answer.operation_id),
    )
