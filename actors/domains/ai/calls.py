"""AI calls: how effect workers report, and how owners call a task off (domain 8.2).

A task's id names the actor that has it, so every call finds its way by the id alone.
"""

from __future__ import annotations

from actors import ReducerContext, ReducerError, reducer, struct, u32
from actors.domains.ai.course import (
    StageResult,
    cancel_task,
    complete_stage,
    complete_task,
    fail_task,
    receive_chunk,
    start_task,
)
from actors.domains.ai.reads import AiTaskSnapshot, snapshot_of, visible_task
from actors.domains.ai.references import AiReferenceKind, AiResultReference, attach_reference
from actors.domains.ai.stages import (
    AiStageKind,
    AiTaskStage,
    add_stages,
    check_attempt,
    find_stage,
    running_stage,
    start_stage,
)
from actors.domains.ai.tasks import (
    AiScope,
    AiTask,
    AiTaskKind,
    NewTask,
    find_task,
    new_task,
    scope_of,
)
from actors.domains.custom_world.agent.follow import follow_agent_stage, follow_agent_task
from actors.domains.custom_world.agent.session import session_of as agent_session_of
from actors.domains.domain_types import TextSource
from actors.domains.gameplay.live_narration import follow_task
from actors.domains.gameplay.story import session_of
from actors.domains.kinds import AI_SCOPES

__all__ = [
    "AiTaskCall",
    "AppendAiTextChunk",
    "AttachAiResultReference",
    "CompleteAiStage",
    "CompleteAiTask",
    "CreateAiTask",
    "FailAiTask",
    "StartAiTask",
    "StartAiTaskStage",
    "append_ai_text_chunk",
    "attach_ai_result_reference",
    "cancel_ai_task",
    "complete_ai_stage",
    "complete_ai_task",
    "create_ai_task",
    "fail_ai_task",
    "start_ai_task",
    "start_ai_task_stage",
]

_SERVICE = frozenset({"service"})


@struct
class CreateAiTask:
    """Input of ``create_ai_task``; the scope's id is that of its actor."""

    scope_kind: AiScope
    scope_id: str
    task_kind: AiTaskKind
    label: str
    payload_json: str
    stages: list[AiStageKind]
    source_entity_id: str | None
    request_id: str


@struct
class StartAiTask:
    """Input of ``start_ai_task``."""

    scope_kind: AiScope
    scope_id: str
    task_id: str
    request_id: str


@struct
class StartAiTaskStage:
    """Input of ``start_ai_task_stage``."""

    task_id: str
    stage_order: u32
    request_id: str


@struct
class AppendAiTextChunk:
    """Input of ``append_ai_text_chunk``."""

    task_id: str
    stage_order: u32
    attempt: u32
    sequence: u32
    delta_text: str
    request_id: str


@struct
class CompleteAiStage:
    """Input of ``complete_ai_stage``; without a text, the stage's chunks are its text."""

    task_id: str
    stage_order: u32
    expected_attempt: u32 | None
    text_output: str | None
    structured_json: str | None
    warnings: list[str]
    request_id: str


@struct
class AttachAiResultReference:
    """Input of ``attach_ai_result_reference``."""

    task_id: str
    kind: AiReferenceKind
    target_id: str
    label: str
    request_id: str


@struct
class CompleteAiTask:
    """Input of ``complete_ai_task``; without a structure, the latest stage's one stays."""

    task_id: str
    structured_json: str | None
    source: TextSource
    request_id: str


@struct
class FailAiTask:
    """Input of ``fail_ai_task``."""

    task_id: str
    expected_attempt: u32 | None
    code: str
    message: str
    request_id: str


@struct
class AiTaskCall:
    """Input of ``cancel_ai_task``."""

    task_id: str
    request_id: str


@reducer(actor=AI_SCOPES, roles=_SERVICE)
def create_ai_task(ctx: ReducerContext, input: CreateAiTask) -> AiTaskSnapshot:
    """Make a pending task with pending stages.

    Raises ``ai.invalid_scope``, ``ai.invalid_stages``, ``story.not_found``,
    ``agent.session_not_found``, and the refusals of texts, ids and JSON.
    """
    if input.scope_kind is not scope_of(ctx) or input.scope_id != ctx.key:
        raise ReducerError("ai.invalid_scope", "the scope is of another kind")
    owner = _owner_of(ctx, input.scope_kind)
    new = NewTask(owner, input.task_kind, input.label, input.payload_json, input.source_entity_id)
    task = new_task(ctx, new)
    add_stages(ctx, task, input.stages)
    return snapshot_of(ctx.db, task)


@reducer(actor=AI_SCOPES, roles=_SERVICE)
def start_ai_task(ctx: ReducerContext, input: StartAiTask) -> AiTask:
    """Begin a task; a running one stays as it is. Raises what ``start_task`` raises."""
    task = find_task(ctx.db, input.task_id)
    if (task.scope_kind, task.scope_id) != (input.scope_kind, input.scope_id):
        raise ReducerError("ai.task_not_found", "the scope has no such task")
    return start_task(ctx, task)


@reducer(actor=AI_SCOPES, roles=_SERVICE)
def start_ai_task_stage(ctx: ReducerContext, input: StartAiTaskStage) -> AiTaskStage:
    """Begin a stage, or take a running one over; raises what ``start_stage`` raises."""
    task = find_task(ctx.db, input.task_id)
    stage = start_stage(ctx, task, input.stage_order)
    follow_agent_stage(ctx, task, stage)
    return stage


@reducer(actor=AI_SCOPES, roles=_SERVICE)
def append_ai_text_chunk(ctx: ReducerContext, input: AppendAiTextChunk) -> AiTaskStage:
    """Add a piece of text; raises what ``receive_chunk`` raises."""
    task = find_task(ctx.db, input.task_id)
    stage = find_stage(ctx.db, task, input.stage_order)
    stage = receive_chunk(ctx, task, stage, input.attempt, input.sequence, input.delta_text)
    _follow(ctx, task)
    return stage


@reducer(actor=AI_SCOPES, roles=_SERVICE)
def complete_ai_stage(ctx: ReducerContext, input: CompleteAiStage) -> AiTaskStage:
    """End a stage well; raises what ``complete_stage`` raises."""
    task = find_task(ctx.db, input.task_id)
    stage = find_stage(ctx.db, task, input.stage_order)
    result = StageResult(input.text_output, input.structured_json, input.warnings)
    stage = complete_stage(ctx, task, stage, input.expected_attempt, result)
    follow_agent_task(ctx, task)
    return stage


@reducer(actor=AI_SCOPES, roles=_SERVICE)
def attach_ai_result_reference(
    ctx: ReducerContext, input: AttachAiResultReference
) -> AiResultReference:
    """Say what a result has become; raises what ``attach_reference`` raises."""
    task = find_task(ctx.db, input.task_id)
    return attach_reference(ctx, task, input.kind, input.target_id, input.label)


@reducer(actor=AI_SCOPES, roles=_SERVICE)
def complete_ai_task(ctx: ReducerContext, input: CompleteAiTask) -> AiTask:
    """End a task well; raises what ``complete_task`` raises."""
    task = find_task(ctx.db, input.task_id)
    task = complete_task(ctx, task, input.structured_json, input.source)
    _follow(ctx, task)
    return task


@reducer(actor=AI_SCOPES, roles=_SERVICE)
def fail_ai_task(ctx: ReducerContext, input: FailAiTask) -> AiTask:
    """End a task badly; raises what ``fail_task`` and ``check_attempt`` raise."""
    task = find_task(ctx.db, input.task_id)
    stage = running_stage(ctx.db, task)
    if stage is not None:
        check_attempt(stage, input.expected_attempt)
    task = fail_task(ctx, task, input.code, input.message)
    _follow(ctx, task)
    return task


@reducer(actor=AI_SCOPES)
def cancel_ai_task(ctx: ReducerContext, input: AiTaskCall) -> AiTask:
    """Call a task off; its owner may.

    Raises ``ai.task_not_found``, ``auth.forbidden`` or ``ai.task_final_state``.
    """
    task = visible_task(ctx, input.task_id)
    if task.owner_user_id != ctx.user_id and not ctx.has_role("service"):
        raise ReducerError("auth.forbidden", "only its owner calls a task off")
    task = cancel_task(ctx, task)
    _follow(ctx, task)
    return task


def _follow(ctx: ReducerContext, task: AiTask) -> None:
    """Bring up to the task what it writes: the event of a story, or a session's operation."""
    follow_task(ctx, task)
    follow_agent_task(ctx, task)


def _owner_of(ctx: ReducerContext, scope: AiScope) -> str:
    """Whose task it is: that of the actor's user, host or author."""
    match scope:
        case AiScope.STORY:
            return session_of(ctx.db).host_user_id
        case AiScope.AGENT:
            return agent_session_of(ctx.db).user_id
        case AiScope.USER:
            return ctx.key
