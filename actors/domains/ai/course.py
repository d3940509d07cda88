"""Course of AI tasks: every step from start to end, with the state table of domain 8.2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from actors import ReducerContext, ReducerError, replace
from actors.domains.ai.chunks import (
    append_chunk,
    expire_chunks,
    forget_chunks,
    received_text,
)
from actors.domains.ai.limits import (
    FAILURE_CHARS_MAX,
    STRUCTURED_BYTES_MAX,
    TASKS_ENDED_MAX,
    TEXT_CHARS_MAX,
    WARNING_CHARS_MAX,
    WARNINGS_MAX,
)
from actors.domains.ai.references import AiResultReference, references_of
from actors.domains.ai.stages import (
    AiStageStatus,
    AiTaskStage,
    check_attempt,
    is_over,
    running_stage,
    stages_of,
)
from actors.domains.ai.tasks import (
    AiTask,
    AiTaskKind,
    AiTaskStatus,
    check_open,
    is_final,
    write_task,
)
from actors.domains.domain_types import TextSource
from actors.domains.rules.canonical_json import read_json, write_json
from actors.domains.rules.text import check_id, clean_text, cut_text

__all__ = [
    "StageResult",
    "cancel_task",
    "complete_stage",
    "complete_task",
    "fail_task",
    "receive_chunk",
    "skip_rest",
    "start_task",
]

_LENGTH: Final = "length"
"""The warning of a stage whose text was cut at the limit."""


class StageResult(NamedTuple):
    """What a stage came to. Without a text, what it received counts."""

    text_output: str | None = None
    structured_json: str | None = None
    warnings: Sequence[str] = ()


def start_task(ctx: ReducerContext, task: AiTask) -> AiTask:
    """Begin a pending task; a running one stays as it is. Raises ``ai.task_final_state``."""
    check_open(task, AiTaskStatus.PENDING, AiTaskStatus.RUNNING)
    if task.status is AiTaskStatus.RUNNING:
        return task
    return write_task(ctx, replace(task, status=AiTaskStatus.RUNNING, started_at=ctx.timestamp))


def receive_chunk(
    ctx: ReducerContext,
    task: AiTask,
    stage: AiTaskStage,
    attempt: int,
    sequence: int,
    delta_text: str,
) -> AiTaskStage:
    """Add a piece of text; at the limit the stage completes with the warning ``length``.

    Raises:
        ReducerError: as ``append_chunk``.
    """
    check_open(task, AiTaskStatus.RUNNING)
    message_id = task.source_entity_id if task.task_kind is AiTaskKind.AGENT_REPLY else None
    stage, is_cut = append_chunk(ctx, stage, attempt, sequence, delta_text, message_id)
    if is_cut:
        stage = complete_stage(ctx, task, stage, attempt, StageResult(warnings=(_LENGTH,)))
    return stage


def complete_stage(
    ctx: ReducerContext,
    task: AiTask,
    stage: AiTaskStage,
    attempt: int | None,
    result: StageResult,
) -> AiTaskStage:
    """End a running stage well; what it has of text and structure becomes the task's latest.

    Raises:
        ReducerError: ``ai.invalid_state``, ``ai.task_final_state``,
            ``ai.stage_not_running_state``, and the refusals of texts and JSON.
    """
    check_open(task, AiTaskStatus.RUNNING)
    check_attempt(stage, attempt)
    if result.text_output is None:
        text = cut_text(received_text(ctx.db, stage), TEXT_CHARS_MAX)
    else:
        text = clean_text(result.text_output, TEXT_CHARS_MAX)
    structured = result.structured_json
    if structured is not None:
        structured = write_json(read_json(structured, STRUCTURED_BYTES_MAX))
    warnings = [cut_text(warning, WARNING_CHARS_MAX) for warning in result.warnings]
    stage = ctx.db[AiTaskStage].update(
        replace(
            stage,
            status=AiStageStatus.COMPLETED,
            text_output=text,
            structured_payload_json=structured,
            warning_messages=warnings[:WARNINGS_MAX],
            completed_at=ctx.timestamp,
        )
    )
    expire_chunks(ctx, stage)
    if text or structured is not None:
        write_task(
            ctx,
            replace(
                task,
                latest_text_output=text or task.latest_text_output,
                latest_structured_payload_json=structured or task.latest_structured_payload_json,
            ),
        )
    return stage


def complete_task(
    ctx: ReducerContext, task: AiTask, structured_json: str | None, source: TextSource
) -> AiTask:
    """End a running task well; the same once more changes nothing.

    Raises:
        ReducerError: ``ai.invalid_state``, ``ai.task_final_state``,
            ``ai.stages_incomplete_state``: a stage is not completed or skipped; the refusals of
            JSON.
    """
    structured = task.latest_structured_payload_json
    if structured_json is not None:
        structured = write_json(read_json(structured_json, STRUCTURED_BYTES_MAX))
    recorded = (task.status, task.result_source, task.latest_structured_payload_json)
    if recorded == (AiTaskStatus.COMPLETED, source, structured):
        return task
    check_open(task, AiTaskStatus.RUNNING)
    done = (AiStageStatus.COMPLETED, AiStageStatus.SKIPPED)
    if any(stage.status not in done for stage in stages_of(ctx.db, task.ai_task_id)):
        raise ReducerError("ai.stages_incomplete_state", "a stage is not completed")
    return _end(
        ctx,
        replace(
            task,
            status=AiTaskStatus.COMPLETED,
            latest_structured_payload_json=structured,
            result_source=source,
        ),
    )


def skip_rest(ctx: ReducerContext, task: AiTask) -> AiTask:
    """Skip the stages that are not over, of a task whose result came without them.

    Raises ``ai.task_final_state``.
    """
    task = start_task(ctx, task)
    for stage in stages_of(ctx.db, task.ai_task_id):
        if not is_over(stage):
            text = cut_text(received_text(ctx.db, stage), TEXT_CHARS_MAX)
            skipped = replace(
                stage,
                status=AiStageStatus.SKIPPED,
                text_output=text,
                completed_at=ctx.timestamp,
            )
            expire_chunks(ctx, ctx.db[AiTaskStage].update(skipped))
    return task


def fail_task(ctx: ReducerContext, task: AiTask, code: str, message: str) -> AiTask:
    """End a task badly; what it received stays. Raises ``ai.task_final_state``."""
    check_open(task, AiTaskStatus.PENDING, AiTaskStatus.RUNNING)
    return _break_off(
        ctx,
        replace(
            task,
            status=AiTaskStatus.FAILED,
            failure_code=check_id(code),
            failure_message=cut_text(message, FAILURE_CHARS_MAX),
        ),
        AiStageStatus.FAILED,
    )


def cancel_task(ctx: ReducerContext, task: AiTask) -> AiTask:
    """Call a task off; what it received stays, and once more changes nothing.

    Raises ``ai.task_final_state``.
    """
    if task.status is AiTaskStatus.CANCELLED:
        return task
    check_open(task, AiTaskStatus.PENDING, AiTaskStatus.RUNNING)
    return _break_off(ctx, replace(task, status=AiTaskStatus.CANCELLED), AiStageStatus.CANCELLED)


def _break_off(ctx: ReducerContext, task: AiTask, status: AiStageStatus) -> AiTask:
    """Write a task that ends early, with the stage that was running."""
    stage = running_stage(ctx.db, task)
    if stage is not None:
        assert not is_over(stage)
        text = cut_text(received_text(ctx.db, stage), TEXT_CHARS_MAX)
        stage = ctx.db[AiTaskStage].update(
            replace(stage, status=status, text_output=text, completed_at=ctx.timestamp)
        )
        expire_chunks(ctx, stage)
        task = replace(task, latest_text_output=text or task.latest_text_output)
    return _end(ctx, task)


def _end(ctx: ReducerContext, task: AiTask) -> AiTask:
    """Write a task that has ended, in whatever way; the oldest one may go for it."""
    tasks = ctx.db[AiTask]
    task = write_task(ctx, replace(task, completed_at=ctx.timestamp))
    if len(tasks) > TASKS_ENDED_MAX:
        ended = [row for row in tasks if is_final(row)]
        if len(ended) > TASKS_ENDED_MAX:
            _forget(ctx, min(ended, key=lambda row: (row.completed_at or 0, row.ai_task_id)))
    return task


def _forget(ctx: ReducerContext, task: AiTask) -> None:
    for stage in stages_of(ctx.db, task.ai_task_id):
        forget_chunks(ctx, stage)
        ctx.db[AiTaskStage].delete(stage.ai_task_stage_id)
    for reference in references_of(ctx.db, task.ai_task_id):
        ctx.db[AiResultReference].delete(reference.result_reference_id)
    ctx.db[AiTask].delete(task.ai_task_id)
