"""Agent actions: what a user asks a session to do, and takes back (domain 7.3, 7.5, 7.6)."""

from __future__ import annotations

from typing import Final

from actors import (
    ProcedureContext,
    Rate,
    ReducerContext,
    ReducerError,
    ViewContext,
    procedure,
    reducer,
    replace,
    struct,
    u32,
)
from actors.domains.custom_world.agent.compile import compile_session, publish_facts
from actors.domains.custom_world.agent.edits import EDITS
from actors.domains.custom_world.agent.inputs import read_input, read_retry
from actors.domains.custom_world.agent.operations import (
    CustomWorldAgentOperation,
    find_operation,
    is_final,
    new_operation,
    open_operations,
    write_operation,
)
from actors.domains.custom_world.agent.payload import AgentPayload
from actors.domains.custom_world.agent.publish import send_profile
from actors.domains.custom_world.agent.queue import accept, call_off, succeed
from actors.domains.custom_world.agent.session import (
    live_session,
    own_session,
)
from actors.domains.custom_world.agent.settle import session_facts, settle
from actors.domains.custom_world.limits import OPERATION_BEGIN_SECONDS_MAX
from actors.domains.domain_types import AgentAction, OperationStatus
from actors.domains.kinds import AGENT
from actors.domains.rules.agent import ACTION_RULES, refusal_of
from actors.domains.rules.compile import failed_checks, publish_gate
from actors.domains.rules.ids import owner_of

__all__ = [
    "AgentOperationCall",
    "ExecuteCustomWorldAgentAction",
    "PublishWorld",
    "cancel_custom_world_agent_operation",
    "execute_custom_world_agent_action",
    "execute_custom_world_agent_action_and_return",
    "publish_world",
    "publish_world_and_return",
]

_ACTING: Final = Rate("agent_action", per_minute=20, burst=10)


@struct
class ExecuteCustomWorldAgentAction:
    """Input of ``execute_custom_world_agent_action``; the action is named in snake case."""

    agent_session_id: str
    action: str
    payload_json: str
    expected_revision: u32 | None
    request_id: str


@struct
class AgentOperationCall:
    """Input of ``cancel_custom_world_agent_operation``."""

    agent_session_id: str
    operation_id: str
    request_id: str


@struct
class PublishWorld:
    """Input of ``publish_world``."""

    agent_session_id: str
    request_id: str


@reducer(actor=AGENT, rate=_ACTING)
def execute_custom_world_agent_action(
    ctx: ReducerContext, input: ExecuteCustomWorldAgentAction
) -> CustomWorldAgentOperation:
    """Do what the registry lists; what takes longer is queued.

    Raises ``agent.session_not_found``, ``agent.action_unknown``, ``agent.action_disabled_state``
    (with ``reasonCode``), ``agent.payload_malformed``, ``agent.stale_version``,
    ``limit.quota_exceeded``, and what the action itself refuses.
    """
    session = own_session(ctx, input.agent_session_id)
    action = _action(input.action)
    reason = refusal_of(action, session_facts(ctx, session))
    if reason is not None:
        raise ReducerError(
            "agent.action_disabled_state", "the action is not possible now", reasonCode=reason
        )
    payload = AgentPayload(input.payload_json)
    if input.expected_revision is not None and input.expected_revision != session.revision:
        raise ReducerError(
            "agent.stale_version", "the session has changed meanwhile", revision=session.revision
        )
    operation = _carry_out(ctx, action, payload)
    settle(ctx)
    return find_operation(ctx.db, operation.operation_id)


@procedure(actor=AGENT)
async def execute_custom_world_agent_action_and_return(
    ctx: ProcedureContext, input: ExecuteCustomWorldAgentAction
) -> CustomWorldAgentOperation:
    """Do what the registry lists, and wait for the library's answer where one is needed.

    What a worker does is not waited for. Raises what ``execute_custom_world_agent_action`` raises.
    """
    operation = await ctx.call(execute_custom_world_agent_action, input)
    if operation.action is AgentAction.SYNC_RESULT_PROFILE:
        return await _ended(ctx, operation)
    return operation


@reducer(actor=AGENT, rate=_ACTING)
def publish_world(ctx: ReducerContext, input: PublishWorld) -> CustomWorldAgentOperation:
    """Publish the session's world, as the action does.

    Raises ``agent.session_not_found``, ``agent.archived_state``, or ``world.gate_blocked`` with
    the checks that failed.
    """
    session = live_session(ctx, input.agent_session_id)
    facts = publish_facts(ctx.db, session, compile_session(ctx.db))
    failed = failed_checks(
        publish_gate(facts._replace(has_live_operation=bool(open_operations(ctx.db))))
    )
    if failed:
        raise ReducerError(
            "world.gate_blocked",
            "the world cannot be published yet",
            failed=[{"checkCode": one.check_code, "message": one.message} for one in failed],
        )
    operation = accept(ctx, AgentAction.PUBLISH_WORLD, {})
    settle(ctx)
    return operation


@procedure(actor=AGENT)
async def publish_world_and_return(
    ctx: ProcedureContext, input: PublishWorld
) -> CustomWorldAgentOperation:
    """Publish the session's world, and wait until the gallery has it; as it is after the deadline.

    Raises what ``publish_world`` raises.
    """
    return await _ended(ctx, await ctx.call(publish_world, input))


@reducer(actor=AGENT)
def cancel_custom_world_agent_operation(
    ctx: ReducerContext, input: AgentOperationCall
) -> CustomWorldAgentOperation:
    """Call an operation off; what has come of its text stays.

    Raises ``agent.session_not_found``, ``agent.operation_not_found``,
    ``agent.operation_final_state``; ``agent.operation_committed_state``: another actor has been
    asked to do its part, which cannot be taken back.
    """
    own_session(ctx, input.agent_session_id)
    operation = find_operation(ctx.db, input.operation_id)
    if is_final(operation):
        raise ReducerError("agent.operation_final_state", "the operation has ended")
    is_running = operation.status is OperationStatus.RUNNING
    if is_running and operation.lease_expires_at is None:
        raise ReducerError("agent.operation_committed_state", "it cannot be taken back any more")
    operation = call_off(ctx, operation)
    settle(ctx)
    return operation


def _action(name: str) -> AgentAction:
    """An action of the registry; replies are begun by messages."""
    found = AgentAction.__members__.get(name.upper()) if name == name.lower() else None
    if found is None or found not in ACTION_RULES:
        raise ReducerError("agent.action_unknown", "there is no such action")
    return found


def _carry_out(
    ctx: ReducerContext, action: AgentAction, payload: AgentPayload
) -> CustomWorldAgentOperation:
    if action is AgentAction.RETRY_REPLY:
        message_id, asked = read_retry(ctx, payload)
        return accept(ctx, action, asked, message_id=message_id)
    if action in ACTION_RULES and ACTION_RULES[action].is_exclusive:
        return accept(ctx, action, read_input(ctx, action, payload))
    operation = new_operation(ctx, action, {})
    operation = write_operation(
        ctx,
        replace(
            operation,
            status=OperationStatus.RUNNING,
            attempt=1,
            started_at=ctx.timestamp,
        ),
    )
    if action is AgentAction.SYNC_RESULT_PROFILE:
        send_profile(ctx, operation)
        return operation
    return succeed(ctx, operation, EDITS[action](ctx, payload))


async def _ended(
    ctx: ProcedureContext, operation: CustomWorldAgentOperation
) -> CustomWorldAgentOperation:
    """An operation once it has ended, or as it is after the deadline."""

    def final(view: ViewContext) -> CustomWorldAgentOperation | None:
        found = find_operation(view.db, operation.operation_id)
        return found if is_final(found) else None

    agent = AGENT.key(owner_of(operation.operation_id))
    ended = await ctx.until(agent, final, OPERATION_BEGIN_SECONDS_MAX)
    return operation if ended is None else ended
