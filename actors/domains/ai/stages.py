"""AI task stages: the steps of a task, one after the other, each with its attempts (domain 8.1).

``attempt`` is the lease of whoever works at a stage: starting a running stage again takes it over
with the next attempt, and calls of the one before are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from actors import ReducerContext, ReducerError, Timestamp, replace, table, u32
from actors.domains.ai.limits import STAGES_MAX
from actors.domains.ai.tasks import AiTask, AiTaskStatus, check_open
from actors.domains.kinds import AI_SCOPES
from actors.domains.rules.ids import derived_id
from actors.module import DatabaseReader

__all__ = [
    "AiStageKind",
    "AiStageStatus",
    "AiTaskStage",
    "add_stages",
    "check_attempt",
    "find_stage",
    "is_over",
    "running_stage",
    "stages_of",
    "start_stage",
]


class AiStageKind(IntEnum):
    """What a stage does (domain 8.3)."""

    PREPARE_PROMPT = 0
    REQUEST_MODEL = 1
    REPAIR_RESPONSE = 2
    NORMALIZE_RESULT = 3
    PERSIST_RESULT = 4


class AiStageStatus(IntEnum):
    """How far a stage has come."""

    PENDING = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELLED = 4
    SKIPPED = 5


@table(public=True, primary_key="ai_task_stage_id", index=["ai_task_id"], actor=AI_SCOPES)
class AiTaskStage:
    """One step of a task."""

    ai_task_stage_id: str
    ai_task_id: str
    stage_order: u32
    stage_kind: AiStageKind
    label: str
    detail: str
    status: AiStageStatus
    attempt: u32
    text_output: str
    structured_payload_json: str | None
    warning_messages: list[str]
    chunk_count: u32
    started_at: Timestamp | None
    completed_at: Timestamp | None


_TEXTS: Final = {
    AiStageKind.PREPARE_PROMPT: ("Prepare", "Gather what the model has to know."),
    AiStageKind.REQUEST_MODEL: ("Ask", "Ask the model and listen to its answer."),
    AiStageKind.REPAIR_RESPONSE: ("Repair", "Ask again for what was wrong with the answer."),
    AiStageKind.NORMALIZE_RESULT: ("Check", "Check the answer against its rules."),
    AiStageKind.PERSIST_RESULT: ("Store", "Put the result into its place."),
}


def add_stages(ctx: ReducerContext, task: AiTask, kinds: Sequence[AiStageKind]) -> None:
    """Insert a new task's stages, pending; raises ``ai.invalid_stages``."""
    if not 1 <= len(kinds) <= STAGES_MAX:
        raise ReducerError("ai.invalid_stages", f"a task has 1 to {STAGES_MAX} stages")
    for order, kind in enumerate(kinds):
        label, detail = _TEXTS[kind]
        ctx.db[AiTaskStage].insert(
            AiTaskStage(
                ai_task_stage_id=derived_id(task.ai_task_id, order),
                ai_task_id=task.ai_task_id,
                stage_order=order,
                stage_kind=kind,
                label=label,
                detail=detail,
                status=AiStageStatus.PENDING,
                attempt=0,
                text_output="",
                structured_payload_json=None,
                warning_messages=[],
                chunk_count=0,
                started_at=None,
                completed_at=None,
            )
        )


def stages_of(db: DatabaseReader, task_id: str) -> list[AiTaskStage]:
    """A task's stages, in order."""
    return sorted(db[AiTaskStage].filter(ai_task_id=task_id), key=lambda row: row.stage_order)


def find_stage(db: DatabaseReader, task: AiTask, order: int) -> AiTaskStage:
    """A stage of a task; raises ``ai.stage_not_found``."""
    stage = db[AiTaskStage].find(derived_id(task.ai_task_id, order))
    if stage is None:
        raise ReducerError("ai.stage_not_found", "the task has no such stage")
    return stage


def running_stage(db: DatabaseReader, task: AiTask) -> AiTaskStage | None:
    """The stage that is worked at, if there is one."""
    stages = db[AiTaskStage].filter(ai_task_id=task.ai_task_id)
    return next((row for row in stages if row.status is AiStageStatus.RUNNING), None)


def is_over(stage: AiTaskStage) -> bool:
    """Whether nothing can happen to a stage any more."""
    return stage.status >= AiStageStatus.COMPLETED


def check_attempt(stage: AiTaskStage, attempt: int | None) -> None:
    """Let only those through who work at the stage now; None does not say which attempt it is.

    Raises:
        ReducerError: ``ai.stage_not_running_state``: the stage does not run, or somebody else has
            taken it over.
    """
    if stage.status is not AiStageStatus.RUNNING:
        raise ReducerError("ai.stage_not_running_state", "the stage is not running")
    if attempt is not None and attempt != stage.attempt:
        raise ReducerError(
            "ai.stage_not_running_state", "another attempt is running", attempt=stage.attempt
        )


def start_stage(ctx: ReducerContext, task: AiTask, order: int) -> AiTaskStage:
    """Begin a stage, or take a running one over with the next attempt.

    Repairs before it that nobody needed are skipped, and where a result is kept that no model gave,
    its normalization too. What an attempt before has written stays until the first chunk of the new
    one (domain 12.9).

    Raises:
        ReducerError: ``ai.invalid_state``, ``ai.task_final_state``, ``ai.stage_not_found``;
            ``ai.stage_order_conflict``: an earlier stage is not over, or this one is.
    """
    check_open(task, AiTaskStatus.RUNNING)
    stage = find_stage(ctx.db, task, order)
    earlier = stages_of(ctx.db, task.ai_task_id)[:order]
    unneeded = [row for row in earlier if _is_unneeded(row, stage)]
    if is_over(stage) or not all(is_over(row) or row in unneeded for row in earlier):
        raise ReducerError("ai.stage_order_conflict", "stages run one after the other")
    for row in unneeded:
        skipped = replace(row, status=AiStageStatus.SKIPPED, completed_at=ctx.timestamp)
        ctx.db[AiTaskStage].update(skipped)
    return ctx.db[AiTaskStage].update(
        replace(
            stage,
            status=AiStageStatus.RUNNING,
            attempt=stage.attempt + 1,
            chunk_count=0,
            started_at=stage.started_at or ctx.timestamp,
        )
    )


def _is_unneeded(stage: AiTaskStage, begun: AiTaskStage) -> bool:
    kinds = {AiStageKind.REPAIR_RESPONSE}
    if begun.stage_kind is AiStageKind.PERSIST_RESULT:
        kinds.add(AiStageKind.NORMALIZE_RESULT)
    return stage.status is AiStageStatus.PENDING and stage.stage_kind in kinds
