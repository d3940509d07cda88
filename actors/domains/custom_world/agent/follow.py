"""Agent following: an operation moves with the AI task that its worker reports to (8.1, 7.4)."""

from __future__ import annotations

from actors import ReducerContext
from actors.domains.ai.stages import AiStageKind, AiTaskStage
from actors.domains.ai.tasks import AiScope, AiTask, AiTaskStatus
from actors.domains.custom_world.agent.operations import find_operation, renew_lease
from actors.domains.custom_world.agent.queue import call_off, fail
from actors.domains.custom_world.agent.reply import receive_text, restart_text
from actors.domains.custom_world.agent.settle import settle
from actors.domains.custom_world.agent.tasks import REPLY_ACTIONS, operation_of
from actors.domains.custom_world.limits import LEASE_RENEWED_MICROS

__all__ = ["follow_agent_stage", "follow_agent_task"]


def follow_agent_stage(ctx: ReducerContext, task: AiTask, stage: AiTaskStage) -> None:
    """Begin the text of a message anew with the stage that brings it."""
    if task.scope_kind is not AiScope.AGENT or stage.stage_kind is not AiStageKind.REQUEST_MODEL:
        return
    operation = operation_of(ctx.db, task)
    if operation is not None and operation.action in REPLY_ACTIONS:
        restart_text(ctx, operation)


def follow_agent_task(ctx: ReducerContext, task: AiTask) -> None:
    """Bring the operation of a task, and the message that it writes, up to the task.

    A task that fails or is called off takes its operation with it. One that is completed leaves it
    alone: the operation's result is handed in by itself.
    """
    if task.scope_kind is not AiScope.AGENT:
        return
    operation = operation_of(ctx.db, task)
    if operation is None:
        return
    if operation.action in REPLY_ACTIONS:
        receive_text(ctx, operation, task)
    if task.status is AiTaskStatus.FAILED:
        fail(ctx, operation, task.failure_code or "internal.error", task.failure_message or "")
        settle(ctx)
    elif task.status is AiTaskStatus.CANCELLED:
        call_off(ctx, operation)
        settle(ctx)
    elif operation.lease_expires_at is not None and (
        operation.lease_expires_at - ctx.timestamp < LEASE_RENEWED_MICROS
    ):
        renew_lease(ctx, find_operation(ctx.db, operation.operation_id))
