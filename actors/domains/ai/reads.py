"""AI reads: tasks with all that belongs to them, for those who may know them (domain 8.2)."""

from __future__ import annotations

from actors import DatabaseReader, ReducerContext, ReducerError, ViewContext, procedure, struct, u32
from actors.domains.ai.limits import TASKS_LISTED_MAX
from actors.domains.ai.references import AiResultReference, references_of
from actors.domains.ai.stages import AiTaskStage, stages_of
from actors.domains.ai.tasks import AiTask, find_task
from actors.domains.gameplay.story import StorySession, participant_of
from actors.domains.kinds import AI_SCOPES, STORY

__all__ = [
    "AiTaskPage",
    "AiTaskSnapshot",
    "GetAiTask",
    "ListAiTasks",
    "get_ai_task",
    "list_ai_tasks",
    "snapshot_of",
    "visible_task",
]


@struct
class GetAiTask:
    """Input of ``get_ai_task``."""

    task_id: str


@struct
class ListAiTasks:
    """Input of ``list_ai_tasks``; without a scope, the caller's own tasks."""

    scope_id: str | None
    limit: u32


@struct
class AiTaskSnapshot:
    """A task with its stages, in order, and its references."""

    task: AiTask
    stages: list[AiTaskStage]
    references: list[AiResultReference]


@struct
class AiTaskPage:
    """The newest tasks of a scope, newest first."""

    tasks: list[AiTaskSnapshot]


@procedure(actor=AI_SCOPES)
def get_ai_task(ctx: ViewContext, input: GetAiTask) -> AiTaskSnapshot:
    """A task, for its owner and the participants of its story; raises ``ai.task_not_found``."""
    return snapshot_of(ctx.db, visible_task(ctx, input.task_id))


@procedure(actor=AI_SCOPES)
def list_ai_tasks(ctx: ViewContext, input: ListAiTasks) -> AiTaskPage:
    """The newest tasks of a user or a story; raises ``input.out_of_range``.

    Of a story that the caller does not take part in, there are none.
    """
    if not 1 <= input.limit <= TASKS_LISTED_MAX:
        raise ReducerError("input.out_of_range", f"limit must be 1 to {TASKS_LISTED_MAX}")
    tasks = [task for task in ctx.db[AiTask] if _may_read(ctx, task)]
    tasks.sort(key=lambda task: (task.created_at, task.ai_task_id), reverse=True)
    return AiTaskPage([snapshot_of(ctx.db, task) for task in tasks[: input.limit]])


def snapshot_of(db: DatabaseReader, task: AiTask) -> AiTaskSnapshot:
    """A task with all that belongs to it."""
    return AiTaskSnapshot(task, stages_of(db, task.ai_task_id), references_of(db, task.ai_task_id))


def visible_task(ctx: ReducerContext | ViewContext, task_id: str) -> AiTask:
    """A task that the caller may read; raises ``ai.task_not_found``, also for those of others."""
    task = find_task(ctx.db, task_id)
    if not _may_read(ctx, task):
        raise ReducerError("ai.task_not_found", "there is no such task")
    return task


def _may_read(ctx: ReducerContext | ViewContext, task: AiTask) -> bool:
    if task.owner_user_id == ctx.user_id:
        return True
    if ctx.claims is not None and "service" in ctx.claims.roles:
        return True
    in_story = ctx.actor.startswith(f"{STORY.name}/") and bool(ctx.db[StorySession])
    return in_story and participant_of(ctx.db, ctx.user_id) is not None
