"""Agent messages: what user and assistant say to each other in a session (domain 7.1, 7.4)."""

from __future__ import annotations

from typing import Final, NamedTuple

from actors import ReducerContext, ReducerError, Timestamp, replace, table, u32
from actors.domains.custom_world.agent.session import CustomWorldAgentSession, session_of
from actors.domains.custom_world.limits import MESSAGES_MAX
from actors.domains.domain_types import MessageKind, MessageRole, MessageStatus, TextSource
from actors.domains.kinds import AGENT
from actors.domains.rules.ids import derived_id, local_id
from actors.domains.rules.text import check_id
from actors.module import DatabaseReader

__all__ = [
    "CLIENT_KEY_RESERVED",
    "CustomWorldAgentMessage",
    "NewMessage",
    "add_message",
    "answer_to",
    "find_message",
    "last_assistant",
    "message_of_client",
    "messages_of",
    "write_message",
]

CLIENT_KEY_RESERVED: Final = "seq:"
"""How keys of messages begin that no client has sent; a client's own id may not."""


@table(
    public=True,
    primary_key="message_id",
    unique=["client_key"],
    index=["agent_session_id", "seq", "reply_to"],
    actor=AGENT,
)
class CustomWorldAgentMessage:
    """One message; ``seq`` counts from 1 without gaps."""

    message_id: str
    agent_session_id: str
    user_id: str
    seq: u32
    role: MessageRole
    kind: MessageKind
    text: str
    status: MessageStatus
    reply_to: str | None
    operation_id: str | None
    ai_task_id: str | None
    attempt: u32
    chunk_count: u32
    text_source: TextSource
    error_code: str | None
    client_key: str
    created_at: Timestamp
    updated_at: Timestamp


class NewMessage(NamedTuple):
    """What a message is made from."""

    role: MessageRole
    text: str
    source: TextSource
    kind: MessageKind = MessageKind.CHAT
    status: MessageStatus = MessageStatus.COMPLETE
    reply_to: str | None = None
    client_message_id: str | None = None


def add_message(ctx: ReducerContext, new: NewMessage) -> CustomWorldAgentMessage:
    """Insert a message behind the others; raises ``limit.quota_exceeded``."""
    session = session_of(ctx.db)
    seq = session.message_count + 1
    if seq > MESSAGES_MAX:
        raise ReducerError(
            "limit.quota_exceeded", "the session has too many messages", limit=MESSAGES_MAX
        )
    own_key = new.client_message_id or f"{CLIENT_KEY_RESERVED}{seq}"
    message = ctx.db[CustomWorldAgentMessage].insert(
        CustomWorldAgentMessage(
            message_id=local_id(session.agent_session_id, ctx.new_id("msg_")),
            agent_session_id=session.agent_session_id,
            user_id=session.user_id,
            seq=seq,
            role=new.role,
            kind=new.kind,
            text=new.text,
            status=new.status,
            reply_to=new.reply_to,
            operation_id=None,
            ai_task_id=None,
            attempt=1,
            chunk_count=0,
            text_source=new.source,
            error_code=None,
            client_key=derived_id(session.agent_session_id, own_key),
            created_at=ctx.timestamp,
            updated_at=ctx.timestamp,
        )
    )
    ctx.db[CustomWorldAgentSession].update(replace(session, message_count=seq))
    return message


def write_message(ctx: ReducerContext, message: CustomWorldAgentMessage) -> CustomWorldAgentMessage:
    """Write a changed message, updated now."""
    return ctx.db[CustomWorldAgentMessage].update(replace(message, updated_at=ctx.timestamp))


def find_message(db: DatabaseReader, message_id: str) -> CustomWorldAgentMessage:
    """A message of the session; raises ``agent.message_not_found``."""
    message = db[CustomWorldAgentMessage].find(check_id(message_id))
    if message is None:
        raise ReducerError("agent.message_not_found", "the session has no such message")
    return message


def message_of_client(
    db: DatabaseReader, agent_session_id: str, client_message_id: str
) -> CustomWorldAgentMessage | None:
    """The message that a client has sent before under the same id."""
    key = derived_id(agent_session_id, client_message_id)
    return db[CustomWorldAgentMessage].first(client_key=key)


def messages_of(db: DatabaseReader) -> list[CustomWorldAgentMessage]:
    """All messages, in order."""
    return list(db[CustomWorldAgentMessage].range("seq"))


def answer_to(db: DatabaseReader, message: CustomWorldAgentMessage) -> CustomWorldAgentMessage:
    """The message that answers a user's one; it comes with it."""
    answer = db[CustomWorldAgentMessage].first(reply_to=message.message_id)
    assert answer is not None, "every message of a user is answered"
    return answer


def last_assistant(db: DatabaseReader) -> CustomWorldAgentMessage | None:
    """The last thing that the assistant has said, or is about to say."""
    messages = reversed(messages_of(db))
    return next((row for row in messages if row.role is MessageRole.ASSISTANT), None)
