"""Agent tasks: the AI task that an operation's worker reports to, beside the operation (8.1, 8.3).

An operation and its task end together, in one transaction, whichever of them is told first.
"""

from __future__ import annotations

from typing import Final

from actors import ReducerContext, replace
from actors.domains.ai.course import cancel_task, complete_task, fail_task, skip_rest
from actors.domains.ai.stages import AiStageKind, add_stages
from actors.domains.ai.tasks import AiTask, AiTaskKind, NewTask, is_final, new_task
from actors.domains.custom_world.agent.operations import (
    CustomWorldAgentOperation,
    open_operations,
    write_operation,
)
from actors.domains.domain_types import AgentAction, OperationStatus, TextSource
from actors.domains.rules.canonical_json import write_json
from actors.module import DatabaseReader

__all__ = ["REPLY_ACTIONS", "end_task", "open_task", "operation_of"]

REPLY_ACTIONS: Final = frozenset({AgentAction.AGENT_REPLY, AgentAction.RETRY_REPLY})
"""Actions that bring the text of a message."""

_KINDS: Final = {
    AgentAction.AGENT_REPLY: AiTaskKind.AGENT_REPLY,
    AgentAction.RETRY_REPLY: AiTaskKind.AGENT_REPLY,
    AgentAction.DRAFT_FOUNDATION: AiTaskKind.DRAFT_FOUNDATION,
    AgentAction.GENERATE_ENTITY: AiTaskKind.ENTITY_GENERATION,
    AgentAction.EXPAND_CHAPTER: AiTaskKind.ENTITY_GENERATION,
    AgentAction.GENERATE_SCENE_NPC: AiTaskKind.SCENE_NPC,
    AgentAction.GENERATE_ROLE_ASSETS: AiTaskKind.ROLE_IMAGE,
    AgentAction.GENERATE_SCENE_ASSETS: AiTaskKind.SCENE_IMAGE,
    AgentAction.GENERATE_COVER: AiTaskKind.COVER_IMAGE,
    AgentAction.PUBLISH_WORLD: AiTaskKind.COVER_IMAGE,
}
_IMAGES: Final = frozenset({AiTaskKind.ROLE_IMAGE, AiTaskKind.SCENE_IMAGE, AiTaskKind.COVER_IMAGE})
_TEXT_STAGES: Final = (
    AiStageKind.PREPARE_PROMPT,
    AiStageKind.REQUEST_MODEL,
    AiStageKind.NORMALIZE_RESULT,
    AiStageKind.REPAIR_RESPONSE,
    AiStageKind.REPAIR_RESPONSE,
    AiStageKind.PERSIST_RESULT,
)
_IMAGE_STAGES: Final = (
    AiStageKind.PREPARE_PROMPT,
    AiStageKind.REQUEST_MODEL,
    AiStageKind.PERSIST_RESULT,
)


def open_task(
    ctx: ReducerContext, operation: CustomWorldAgentOperation
) -> CustomWorldAgentOperation:
    """Give an operation a pending task; a message's task is named after its message."""
    kind = _KINDS[operation.action]
    request = {"action": operation.action.name.lower(), "operationId": operation.operation_id}
    new = NewTask(
        owner_user_id=operation.user_id,
        kind=kind,
        label=operation.action.name.lower(),
        payload_json=write_json(request),
        source_entity_id=operation.message_id or operation.operation_id,
    )
    task = new_task(ctx, new)
    add_stages(ctx, task, _IMAGE_STAGES if kind in _IMAGES else _TEXT_STAGES)
    return write_operation(ctx, replace(operation, ai_task_id=task.ai_task_id))


def end_task(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """End the task of an operation that has ended, as the operation did."""
    task = None if operation.ai_task_id is None else ctx.db[AiTask].find(operation.ai_task_id)
    if task is None or is_final(task):
        return
    match operation.status:
        case OperationStatus.SUCCEEDED:
            source = operation.result_source
            complete_task(
                ctx, skip_rest(ctx, task), None, TextSource.FALLBACK if source is None else source
            )
        case OperationStatus.CANCELLED:
            cancel_task(ctx, task)
        case _:
            code = operation.error_code or "internal.error"
            fail_task(ctx, task, code, operation.error_message or "")


def operation_of(db: DatabaseReader, task: AiTask) -> CustomWorldAgentOperation | None:
    """The operation that a task belongs to, unless it has ended."""
    return next((row for row in open_operations(db) if row.ai_task_id == task.ai_task_id), None)
