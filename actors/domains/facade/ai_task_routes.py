"""AI tasks over HTTP: workers report, owners read and call off (domain 11.3)."""

from __future__ import annotations

from typing import Final

from actors import ReducerError, Route, struct
from actors.domains.ai.calls import (
    StartAiTask,
    append_ai_text_chunk,
    attach_ai_result_reference,
    cancel_ai_task,
    complete_ai_stage,
    complete_ai_task,
    create_ai_task,
    fail_ai_task,
    start_ai_task,
    start_ai_task_stage,
)
from actors.domains.ai.reads import get_ai_task
from actors.domains.ai.references import AiResultReference
from actors.domains.ai.stages import AiTaskStage
from actors.domains.ai.tasks import AiScope, AiTask
from actors.domains.kinds import AI_SCOPES
from actors.domains.rules.ids import owner_of

__all__ = ["ROUTES"]

_TASKS: Final = "/api/ai/tasks"
_TASK: Final = f"{_TASKS}/{{task_id}}"
_STAGE: Final = f"{_TASK}/stages/{{stage_order}}"
_SERVICE: Final = frozenset({"service"})


@struct
class TaskAnswer:
    """A task as it stands after the call."""

    task: AiTask


@struct
class StageAnswer:
    """A stage as it stands after the call."""

    stage: AiTaskStage


@struct
class ReferenceAnswer:
    """What a task's result has become."""

    reference: AiResultReference


@struct
class TaskAddress:
    """A task by its id, which names its scope as well."""

    task_id: str
    request_id: str


def read_start(address: TaskAddress) -> StartAiTask:
    """The call that starts a task; raises ``ai.task_not_found`` for an id of no scope."""
    scope_id = owner_of(address.task_id)
    for kind in AI_SCOPES:
        if scope_id.startswith(kind.names):
            scope_kind = AiScope[kind.name.upper()]
            return StartAiTask(scope_kind, scope_id, address.task_id, address.request_id)
    raise ReducerError("ai.task_not_found", "there is no such task")


ROUTES = (
    Route("POST", _TASKS, create_ai_task, roles=_SERVICE, status=201),
    Route("GET", _TASK, get_ai_task),
    Route("POST", f"{_TASK}/start", start_ai_task, TaskAnswer, read_start, roles=_SERVICE),
    Route("POST", f"{_STAGE}/start", start_ai_task_stage, StageAnswer, roles=_SERVICE),
    Route("POST", f"{_STAGE}/chunks", append_ai_text_chunk, StageAnswer, roles=_SERVICE),
    Route("POST", f"{_STAGE}/complete", complete_ai_stage, StageAnswer, roles=_SERVICE),
    Route(
        "POST",
        f"{_TASK}/references",
        attach_ai_result_reference,
        ReferenceAnswer,
        roles=_SERVICE,
        status=201,
    ),
    Route("POST", f"{_TASK}/complete", complete_ai_task, TaskAnswer, roles=_SERVICE),
    Route("POST", f"{_TASK}/fail", fail_ai_task, TaskAnswer, roles=_SERVICE),
    Route("POST", f"{_TASK}/cancel", cancel_ai_task, TaskAnswer),
)
