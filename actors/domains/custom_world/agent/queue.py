"""Agent queue: which operation runs, what it costs, and how it ends (domain 7.5, 7.6).

Operations that change much run one at a time, in the order in which they came. The head of the
queue pays before it begins, and gets its price back when no live model did what it paid for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from actors import ImageModel, ReducerContext, ReducerError, TextModel, replace
from actors.domains.ai.tasks import AiTask, is_final
from actors.domains.custom_world.agent.operations import (
    CustomWorldAgentOperation,
    active_operation,
    drop_lease,
    find_operation,
    grant_lease,
    input_of,
    new_operation,
    queue_of,
    write_operation,
)
from actors.domains.custom_world.agent.reply import fallback_turn, has_text, name_operation
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentSession,
    CustomWorldAgentState,
    session_of,
    state_of,
)
from actors.domains.custom_world.agent.steps import Needs, begin, finish, stop
from actors.domains.custom_world.agent.tasks import REPLY_ACTIONS, end_task, open_task
from actors.domains.custom_world.limits import (
    ERROR_CHARS_MAX,
    OPERATION_REPORT_BYTES_MAX,
    QUEUED_OPERATIONS_MAX,
)
from actors.domains.domain_types import AgentAction, AgentStage, OperationStatus, TextSource
from actors.domains.kinds import USER
from actors.domains.rules.agent import ACTION_RULES, PaidWork
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.ids import derived_id
from actors.domains.rules.text import cut_text
from actors.domains.world_messages import Charge, Refund

__all__ = [
    "accept",
    "advance",
    "call_off",
    "fail",
    "finish_work",
    "paid",
    "requeue",
    "succeed",
    "unpaid",
]

_DONE: Final = "done"
_WHOLE: Final = 1_000
_PORTS: Final = {PaidWork.TEXT: TextModel, PaidWork.IMAGE: ImageModel}


def accept(
    ctx: ReducerContext,
    action: AgentAction,
    payload: dict[str, object],
    *,
    message_id: str | None = None,
) -> CustomWorldAgentOperation:
    """Queue an operation, and begin it when nothing is in its way.

    Raises:
        ReducerError: ``limit.quota_exceeded`` or ``input.payload_too_large``.
    """
    if len(queue_of(ctx.db)) >= QUEUED_OPERATIONS_MAX:
        raise ReducerError(
            "limit.quota_exceeded", "too many operations wait", limit=QUEUED_OPERATIONS_MAX
        )
    operation = new_operation(ctx, action, payload, message_id)
    if message_id is not None:
        operation = open_task(ctx, operation)
        name_operation(ctx, operation)
    advance(ctx)
    return find_operation(ctx.db, operation.operation_id)


def advance(ctx: ReducerContext) -> None:
    """Let the head of the queue begin, and those after it that are done at once.

    What waited behind the end of a session's work is called off.
    """
    while active_operation(ctx.db) is None:
        queue = queue_of(ctx.db)
        if not queue:
            return
        is_archived = session_of(ctx.db).stage is AgentStage.ARCHIVED
        if is_archived and queue[0].action is not AgentAction.RESTORE_SESSION:
            call_off(ctx, queue[0])
        elif _is_paid(ctx, queue[0]):
            _begin(ctx, queue[0])
        else:
            return


def finish_work(
    ctx: ReducerContext,
    operation: CustomWorldAgentOperation,
    result: Mapping[str, Any],
    source: TextSource,
) -> CustomWorldAgentOperation:
    """Apply what a worker hands in, and end the operation if nothing else is to come.

    Raises what ``finish`` raises.
    """
    report = finish(ctx, operation, result, source)
    operation = find_operation(ctx.db, operation.operation_id)
    if report is None:
        return write_operation(ctx, drop_lease(ctx, replace(operation, result_source=source)))
    return succeed(ctx, operation, report, source)


def succeed(
    ctx: ReducerContext,
    operation: CustomWorldAgentOperation,
    report: dict[str, object],
    source: TextSource | None = None,
) -> CustomWorldAgentOperation:
    """End an operation well; what fell back to the rules costs nothing."""
    session = replace(session_of(ctx.db), last_error_code=None)
    ctx.db[CustomWorldAgentSession].update(session)
    text = write_json(report)
    assert len(text.encode()) <= OPERATION_REPORT_BYTES_MAX, "reports are bounded"
    return _end(
        ctx,
        replace(
            operation,
            status=OperationStatus.SUCCEEDED,
            phase_label=_DONE,
            progress_permille=_WHOLE,
            result_json=text,
            result_source=operation.result_source if source is None else source,
        ),
    )


def fail(
    ctx: ReducerContext, operation: CustomWorldAgentOperation, code: str, message: str
) -> CustomWorldAgentOperation:
    """End an operation badly. A reply that has no text yet gets that of the rules instead."""
    is_running = operation.status is OperationStatus.RUNNING
    if is_running and operation.action in REPLY_ACTIONS and not has_text(ctx, operation):
        turn = fallback_turn(ctx, operation)
        return finish_work(ctx, operation, turn, TextSource.FALLBACK)
    failed = replace(
        operation,
        status=OperationStatus.FAILED,
        error_code=code,
        error_message=cut_text(message, ERROR_CHARS_MAX),
    )
    session = replace(session_of(ctx.db), last_error_code=code)
    ctx.db[CustomWorldAgentSession].update(session)
    stop(ctx, failed)
    return _end(ctx, failed)


def call_off(
    ctx: ReducerContext, operation: CustomWorldAgentOperation
) -> CustomWorldAgentOperation:
    """End an operation because its user wants it; what there is of its text stays."""
    cancelled = replace(
        operation,
        status=OperationStatus.CANCELLED,
        cancel_requested=True,
        error_code="agent.cancelled",
    )
    stop(ctx, cancelled)
    return _end(ctx, cancelled)


def requeue(
    ctx: ReducerContext, operation: CustomWorldAgentOperation, code: str, message: str
) -> CustomWorldAgentOperation:
    """Try an operation again whose worker is lost, or fail it after the last attempt."""
    if operation.attempt >= operation.max_attempts:
        return fail(ctx, operation, code, message)
    write_operation(ctx, drop_lease(ctx, replace(operation, status=OperationStatus.QUEUED)))
    advance(ctx)
    return find_operation(ctx.db, operation.operation_id)


def paid(ctx: ReducerContext, operation: CustomWorldAgentOperation, amount: int) -> None:
    """An operation's price was taken: it may begin. One that has ended meanwhile is refunded."""
    operation = write_operation(ctx, replace(operation, charged_spark=amount))
    _stop_charging(ctx, operation)
    if operation.status is not OperationStatus.QUEUED:
        write_operation(ctx, _refunded(ctx, operation))
    advance(ctx)


def unpaid(
    ctx: ReducerContext, operation: CustomWorldAgentOperation, code: str, message: str
) -> None:
    """An operation's price could not be taken: it fails, and nothing is run."""
    _stop_charging(ctx, operation)
    if operation.status is OperationStatus.QUEUED:
        fail(ctx, operation, code, message)
    advance(ctx)


def _begin(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    operation = write_operation(
        ctx,
        replace(
            operation,
            status=OperationStatus.RUNNING,
            attempt=operation.attempt + 1,
            started_at=operation.started_at or ctx.timestamp,
        ),
    )
    try:
        begun = begin(ctx, operation)
    except ReducerError as refusal:
        fail(ctx, operation, refusal.code, refusal.message)
        return
    operation = find_operation(ctx.db, operation.operation_id)
    if begun.needs is Needs.NOTHING:
        succeed(ctx, operation, begun.report)
    elif begun.needs is Needs.WORKER:
        grant_lease(ctx, _with_task(ctx, operation))


def _with_task(
    ctx: ReducerContext, operation: CustomWorldAgentOperation
) -> CustomWorldAgentOperation:
    """An operation with a task that its worker can report to."""
    task = None if operation.ai_task_id is None else ctx.db[AiTask].find(operation.ai_task_id)
    return open_task(ctx, operation) if task is None or is_final(task) else operation


def _end(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> CustomWorldAgentOperation:
    """Write an operation that has ended, end its task with it, and let the next one begin."""
    ended = replace(drop_lease(ctx, operation), finished_at=ctx.timestamp)
    is_worth_it = ended.status is OperationStatus.SUCCEEDED and (
        ended.result_source is not TextSource.FALLBACK
    )
    ended = write_operation(ctx, ended if is_worth_it else _refunded(ctx, ended))
    end_task(ctx, ended)
    advance(ctx)
    return ended


def _refunded(
    ctx: ReducerContext, operation: CustomWorldAgentOperation
) -> CustomWorldAgentOperation:
    """The operation with its price given back, once."""
    if not operation.charged_spark or operation.refunded:
        return operation
    ctx.send(
        USER.key(operation.user_id),
        Refund(
            agent_session_id=operation.agent_session_id,
            operation_id=operation.operation_id,
            amount=operation.charged_spark,
        ),
        idempotency_key=derived_id("op", operation.operation_id, "refund"),
    )
    return replace(operation, refunded=True)


def _is_paid(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> bool:
    """Whether the head of the queue may begin; if it has to pay first, its price is asked for."""
    amount = _price_of(ctx, operation)
    if operation.attempt or operation.charged_spark or not amount:
        return True
    state = state_of(ctx.db)
    if state.charging_operation_id != operation.operation_id:
        charging = replace(state, charging_operation_id=operation.operation_id)
        ctx.db[CustomWorldAgentState].update(charging)
        ctx.send(
            USER.key(operation.user_id),
            Charge(
                agent_session_id=operation.agent_session_id,
                operation_id=operation.operation_id,
                amount=amount,
            ),
            idempotency_key=derived_id("op", operation.operation_id, "charge"),
        )
    return False


def _stop_charging(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    state = state_of(ctx.db)
    if state.charging_operation_id == operation.operation_id:
        ctx.db[CustomWorldAgentState].update(replace(state, charging_operation_id=None))


def _price_of(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> int:
    """What an operation costs here: work that no live model does is free (domain 7.5)."""
    rule = ACTION_RULES.get(operation.action)
    if rule is None or rule.work is None or not ctx.provides(_PORTS[rule.work]):
        return 0
    images = len(input_of(operation).get("cardIds", [])) if rule.work is PaidWork.IMAGE else 1
    return rule.cost_spark * images
