"""Creation sessions over HTTP: messages, streams, actions, operations and cards (domain 11.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from actors import ProcedureContext, Route, ServerEvent, ViewContext, struct, u32
from actors.domains.custom_world.agent.actions import (
    ExecuteCustomWorldAgentAction,
    cancel_custom_world_agent_operation,
    execute_custom_world_agent_action_and_return,
)
from actors.domains.custom_world.agent.messages import CustomWorldAgentMessage
from actors.domains.custom_world.agent.opening import create_custom_world_agent_session_and_return
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation, is_final
from actors.domains.custom_world.agent.reads import (
    AgentSessionSnapshot,
    get_custom_world_agent_card,
    get_custom_world_agent_operation,
    get_custom_world_agent_session,
)
from actors.domains.custom_world.agent.session import CustomWorldAgentSession, own_session
from actors.domains.custom_world.agent.submit import (
    SubmitCustomWorldAgentMessage,
    submit_custom_world_agent_message,
)
from actors.domains.custom_world.headers import CustomWorldSession
from actors.domains.facade.agent_stream import Place, follow_message, message_events
from actors.domains.facade.limits import PAGE_ROWS_DEFAULT
from actors.domains.facade.pages import Mark, cut_page, mark_of
from actors.domains.kinds import AGENT, USER

__all__ = ["ROUTES"]

_SESSIONS: Final = "/api/runtime/custom-world/agent/sessions"
_SESSION: Final = f"{_SESSIONS}/{{agent_session_id}}"
_OPERATION: Final = f"{_SESSION}/operations/{{operation_id}}"


@struct
class BegunAnswer:
    """A session that has just begun."""

    session: CustomWorldAgentSession
    messages: list[CustomWorldAgentMessage]
    operations: list[CustomWorldAgentOperation]


@struct
class ListSessions:
    """Which page of the caller's sessions."""

    cursor: str | None = None
    limit: u32 = PAGE_ROWS_DEFAULT


@struct
class HeaderPage:
    """Headers of sessions, the last updated first; archived ones say so."""

    items: list[CustomWorldSession]
    next_cursor: str | None


@struct
class ActionBody:
    """What a session is asked to do."""

    agent_session_id: str
    action: str
    expected_revision: u32 | None
    request_id: str
    payload_json: str = "{}"


@struct
class ActionAnswer:
    """What was begun or done, and the session after it."""

    operation: CustomWorldAgentOperation
    session: CustomWorldAgentSession


@struct
class OperationAnswer:
    """An operation as it stands."""

    operation: CustomWorldAgentOperation


def begun(snapshot: AgentSessionSnapshot) -> BegunAnswer:
    """What a new session has: nothing has come of it yet."""
    return BegunAnswer(snapshot.session, snapshot.messages, snapshot.operations)


async def list_sessions(ctx: ProcedureContext, input: ListSessions) -> HeaderPage:
    """A page of the caller's sessions."""
    after = mark_of(input.cursor)

    def look(view: ViewContext) -> HeaderPage:
        last = None if after is None else after[0]
        newest_first = list(view.db[CustomWorldSession].range("updated_at", None, last))[::-1]
        return HeaderPage(*cut_page(newest_first, input.limit, after, _mark))

    return await ctx.read(USER.key(ctx.user_id), look)


async def say_and_follow(
    ctx: ProcedureContext, input: SubmitCustomWorldAgentMessage
) -> AsyncIterator[ServerEvent]:
    """Say something, and tell the reply as it is written; who stops listening stops nothing."""
    turn = await ctx.call(submit_custom_world_agent_message, input)
    async for event in message_events(ctx, turn.assistant_message, Place()):
        yield event


async def execute(ctx: ProcedureContext, input: ActionBody) -> ActionAnswer:
    """Do what the registry lists."""
    asked = ExecuteCustomWorldAgentAction(
        agent_session_id=input.agent_session_id,
        action=input.action,
        payload_json=input.payload_json,
        expected_revision=input.expected_revision,
        request_id=input.request_id,
    )
    operation = await execute_custom_world_agent_action_and_return(ctx, asked)
    session = await ctx.read(
        AGENT.key(input.agent_session_id),
        lambda view: own_session(view, input.agent_session_id),
    )
    return ActionAnswer(operation, session)


def status_of(answer: ActionAnswer) -> int:
    """Whether the action is done."""
    return 200 if is_final(answer.operation) else 202


def _mark(row: CustomWorldSession) -> Mark:
    return row.updated_at, row.custom_world_session_id


ROUTES = (
    Route("POST", _SESSIONS, create_custom_world_agent_session_and_return, begun, status=201),
    Route("GET", _SESSIONS, list_sessions),
    Route("GET", _SESSION, get_custom_world_agent_session),
    Route("POST", f"{_SESSION}/messages", submit_custom_world_agent_message, status=202),
    Route("POST", f"{_SESSION}/messages/stream", say_and_follow),
    Route("GET", f"{_SESSION}/messages/stream", follow_message),
    Route("POST", f"{_SESSION}/actions", execute, status=status_of),
    Route("GET", _OPERATION, get_custom_world_agent_operation, OperationAnswer),
    Route("POST", f"{_OPERATION}/cancel", cancel_custom_world_agent_operation, OperationAnswer),
    Route("GET", f"{_SESSION}/cards/{{card_id}}", get_custom_world_agent_card),
)
