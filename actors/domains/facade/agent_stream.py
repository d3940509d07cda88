"""Agent stream: an assistant's message as it is written, as server-sent events (domain 11.4).

What a reader is told follows from the rows alone, so every reader of a message is told the same,
whenever it comes and however many commits it misses. A look at the rows answers what is new for a
reader; the session's commits cause the next look.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Final, NamedTuple

from actors import ProcedureContext, ReducerError, ServerEvent, ViewContext, replace, struct, u32
from actors.domains.ai.chunks import AiTextChunk, chunks_of
from actors.domains.ai.stages import AiStageKind, stages_of
from actors.domains.custom_world.agent.cards import cards_of
from actors.domains.custom_world.agent.messages import CustomWorldAgentMessage
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation, is_final
from actors.domains.custom_world.agent.session import CustomWorldAgentSession, own_session
from actors.domains.domain_types import (
    AgentAnchor,
    AgentStage,
    CardStatus,
    EntityKind,
    MessageRole,
    MessageStatus,
    OperationStatus,
    SupportedAction,
    TextSource,
)
from actors.domains.facade.limits import PIECE_CHARS_MAX, STREAM_WAIT_SECONDS
from actors.domains.kinds import AGENT
from actors.domains.rules.ids import derived_id
from actors.domains.rules.text import check_id
from actors.module import DatabaseReader

__all__ = ["FollowMessage", "Look", "Place", "follow_message", "look_at", "message_events"]

_UNWRITTEN: Final = frozenset({MessageStatus.PENDING, MessageStatus.STREAMING})


@struct
class FollowMessage:
    """Which message, and behind which delta to go on; without a message, the last one."""

    agent_session_id: str
    message_id: str | None = None
    last_event_id: str | None = None


@struct
class MessageNews:
    """A whole message."""

    message: CustomWorldAgentMessage


@struct
class OperationNews:
    """An operation as its status changed; nothing of its worker is said while it runs."""

    operation: CustomWorldAgentOperation


@struct
class MessageStart:
    """Deltas of an attempt follow."""

    message_id: str
    seq: u32
    attempt: u32


@struct
class Delta:
    """A piece of an attempt's text."""

    message_id: str
    attempt: u32
    sequence: u32
    text: str


@struct
class Restart:
    """The text so far is void: an attempt begins from the first piece."""

    message_id: str
    attempt: u32


@struct
class SessionNews:
    """What a reply has changed of its session."""

    stage: AgentStage
    anchors: list[AgentAnchor]
    anchor_coverage_permille: u32
    progress_permille: u32
    supported_actions: list[SupportedAction]
    suggested_replies: list[str]


@struct
class ChangedCard:
    """A card that a reply proposes."""

    card_id: str
    kind: EntityKind
    revision: u32
    status: CardStatus


@struct
class CardsNews:
    """The cards that a reply proposes."""

    changed: list[ChangedCard]


@struct
class Failure:
    """Why a message ends early."""

    code: str
    message: str
    partial: bool
    retryable: bool


@struct
class MessageEnd:
    """How a message ended; its text is the authoritative one."""

    message_id: str
    status: MessageStatus
    text: str
    chunk_count: u32
    text_source: TextSource


@struct
class Done:
    """Nothing follows."""

    operation_id: str | None
    operation_status: OperationStatus


class Place(NamedTuple):
    """How far a reader has come.

    Attributes:
        is_begun: the user's message and the queued operation were told.
        is_running: the running operation was told.
        attempt: whose deltas were told last; 0 before the first.
        sequence: of that attempt's next delta.
    """

    is_begun: bool = False
    is_running: bool = False
    attempt: int = 0
    sequence: int = 0


class Look(NamedTuple):
    """What is new for a reader, and how far it has come with that."""

    events: list[ServerEvent]
    place: Place
    is_over: bool


class _Piece(NamedTuple):
    attempt: int
    sequence: int
    text: str


async def follow_message(ctx: ProcedureContext, input: FollowMessage) -> AsyncIterator[ServerEvent]:
    """Tell a message of the caller's session, from its beginning or behind a delta, to its end.

    Raises ``agent.session_not_found``, ``agent.message_not_found`` or ``input.invalid_id``.
    """
    actor = AGENT.key(check_id(input.agent_session_id))
    message_id, place = _beginning(input)
    message = await ctx.read(
        actor, lambda view: _find_message(view, input.agent_session_id, message_id)
    )
    async for event in message_events(ctx, message, place):
        yield event


async def message_events(
    ctx: ProcedureContext, message: CustomWorldAgentMessage, place: Place
) -> AsyncIterator[ServerEvent]:
    """Tell a message of the caller's session from a place on, to its end."""
    actor, is_over = AGENT.key(message.agent_session_id), False
    while not is_over:
        looking = partial(_news_for, message, place)
        look = await ctx.until(actor, looking, STREAM_WAIT_SECONDS)
        if look is not None:
            for event in look.events:
                yield event
            place, is_over = look.place, look.is_over


def look_at(db: DatabaseReader, message_id: str, place: Place) -> Look:
    """What a reader of a message has not been told.

    Args:
        db: the rows of the message's session.
        message_id: an assistant's message.
        place: how far the reader has come.
    """
    message = db[CustomWorldAgentMessage].get(message_id)
    operation = db[CustomWorldAgentOperation].find(message.operation_id or "")
    news: list[ServerEvent] = []
    if not place.is_begun:
        news += _first_events(db, message, operation)
        place = place._replace(is_begun=True)
    if not place.is_running and operation is not None and operation.started_at is not None:
        news.append(_operation_event(operation, OperationStatus.RUNNING))
        place = place._replace(is_running=True)
    is_ended = message.status not in _UNWRITTEN and (operation is None or is_final(operation))
    pieces = _untold_pieces(db, message, place, is_ended=is_ended)
    place = _look_at_text(message, pieces, place, news)
    if is_ended:
        news += _last_events(db, message, operation)
    return Look(news, place, is_ended)


def _beginning(input: FollowMessage) -> tuple[str | None, Place]:
    """The message and the place in it that a request names."""
    if input.last_event_id is None:
        return input.message_id, Place()
    rest, _, sequence = input.last_event_id.rpartition(":")
    message_id, _, attempt = rest.rpartition(":")
    is_of_message = input.message_id in {None, message_id}
    if not (is_of_message and sequence.isdecimal() and attempt.isdecimal()):
        raise ReducerError("input.invalid_id", "no delta of the message has such an id")
    place = Place(True, True, int(attempt), int(sequence) + 1)
    return message_id, place


def _find_message(
    view: ViewContext, agent_session_id: str, message_id: str | None
) -> CustomWorldAgentMessage:
    """The assistant's message that an id names, that answers it, or that is the last one."""
    own_session(view, agent_session_id)
    messages = view.db[CustomWorldAgentMessage]
    if message_id is None:
        found = list(messages.filter(role=MessageRole.ASSISTANT))[-1:]
    else:
        check_id(message_id)
        found = [row for row in messages if message_id in {row.message_id, row.reply_to}]
    said = [row for row in found if row.role is MessageRole.ASSISTANT]
    if not said:
        raise ReducerError("agent.message_not_found", "the session has no such message")
    return said[-1]


def _news_for(message: CustomWorldAgentMessage, place: Place, view: ViewContext) -> Look | None:
    own_session(view, message.agent_session_id)
    look = look_at(view.db, message.message_id, place)
    return look if look.events or look.is_over else None


def _first_events(
    db: DatabaseReader,
    message: CustomWorldAgentMessage,
    operation: CustomWorldAgentOperation | None,
) -> list[ServerEvent]:
    asked = db[CustomWorldAgentMessage].find(message.reply_to or "")
    events = [] if asked is None else [ServerEvent("user_message", MessageNews(asked))]
    if operation is not None:
        events.append(_operation_event(operation, OperationStatus.QUEUED))
    return events


def _operation_event(operation: CustomWorldAgentOperation, status: OperationStatus) -> ServerEvent:
    """An operation as it was when its status became this one."""
    if status < OperationStatus.SUCCEEDED:
        is_running = status is OperationStatus.RUNNING
        operation = replace(
            operation,
            status=status,
            phase_label="",
            phase_detail="",
            progress_permille=0,
            attempt=1 if is_running else 0,
            cancel_requested=False,
            result_json=None,
            result_source=None,
            charged_spark=0,
            refunded=False,
            error_code=None,
            error_message=None,
            started_at=operation.started_at if is_running else None,
            finished_at=None,
            updated_at=operation.created_at,
        )
    operation = replace(operation, lease_epoch=0, lease_expires_at=None)
    return ServerEvent("operation", OperationNews(operation))


def _look_at_text(
    message: CustomWorldAgentMessage,
    pieces: list[_Piece],
    place: Place,
    news: list[ServerEvent],
) -> Place:
    """Pieces that a reader has not been told, and where an attempt begins."""
    message_id = message.message_id
    for piece in pieces:
        if piece.sequence == 0:
            if place.attempt:
                news.append(ServerEvent("restart", Restart(message_id, piece.attempt)))
            start = MessageStart(message_id, message.seq, piece.attempt)
            news.append(ServerEvent("message_start", start))
        event_id = derived_id(message_id, piece.attempt, piece.sequence)
        news.append(ServerEvent("delta", Delta(message_id, *piece), event_id))
        place = place._replace(attempt=piece.attempt, sequence=piece.sequence + 1)
    return place


def _untold_pieces(
    db: DatabaseReader, message: CustomWorldAgentMessage, place: Place, *, is_ended: bool
) -> list[_Piece]:
    attempt = message.attempt
    told = place.sequence if place.attempt == attempt else 0
    if message.chunk_count:
        rows = _chunks(db, message)
        if rows or not is_ended or told >= message.chunk_count:
            return [_Piece(attempt, row.sequence, row.delta_text) for row in rows[told:]]
        # The chunks are forgotten: who has not got all of them gets the whole text.
        return [_Piece(attempt, 0, message.text)]
    if not is_ended:
        return []
    starts = range(0, len(message.text), PIECE_CHARS_MAX)
    texts = [message.text[start : start + PIECE_CHARS_MAX] for start in starts]
    return [_Piece(attempt, index, text) for index, text in enumerate(texts)][told:]


def _chunks(db: DatabaseReader, message: CustomWorldAgentMessage) -> list[AiTextChunk]:
    """The chunks of the message's attempt, as long as they are kept."""
    for stage in stages_of(db, message.ai_task_id or ""):
        if stage.stage_kind is AiStageKind.REQUEST_MODEL:
            return chunks_of(db, stage)
    return []


def _last_events(
    db: DatabaseReader,
    message: CustomWorldAgentMessage,
    operation: CustomWorldAgentOperation | None,
) -> list[ServerEvent]:
    """How a message has ended; what it changed, if its operation succeeded."""
    is_complete = message.status is MessageStatus.COMPLETE
    status = OperationStatus.SUCCEEDED if is_complete else OperationStatus.FAILED
    events = []
    if operation is not None:
        status = operation.status
    if operation is not None and status is OperationStatus.SUCCEEDED:
        events += _changes(db, operation)
    if not is_complete:
        code = message.error_code or (operation and operation.error_code) or "internal.error"
        text = (operation and operation.error_message) or "the reply broke off"
        is_partial = message.status is MessageStatus.PARTIAL
        events.append(ServerEvent("error", Failure(code, text, is_partial, retryable=True)))
    end = MessageEnd(
        message.message_id, message.status, message.text, message.chunk_count, message.text_source
    )
    events.append(ServerEvent("message_end", end))
    if operation is not None:
        events.append(_operation_event(operation, status))
    events.append(ServerEvent("done", Done(message.operation_id, status)))
    return events


def _changes(db: DatabaseReader, operation: CustomWorldAgentOperation) -> list[ServerEvent]:
    """The session as the reply left it, and the cards that it proposes."""
    (session,) = db[CustomWorldAgentSession]
    news = SessionNews(
        session.stage,
        session.anchors,
        session.anchor_coverage_permille,
        session.progress_permille,
        session.supported_actions,
        session.suggested_replies,
    )
    events = [ServerEvent("session", news)]
    # They came with the operation's end, in one transaction.
    made = [card for card in cards_of(db) if card.created_at == operation.finished_at]
    if made:
        changed = [ChangedCard(row.card_id, row.kind, row.revision, row.status) for row in made]
        events.append(ServerEvent("cards", CardsNews(changed)))
    return events
