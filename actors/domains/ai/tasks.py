"""AI tasks: one request to models each, as a row in the actor that it is for (domain 8.1)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from actors import ReducerContext, ReducerError, Timestamp, replace, table, u32
from actors.domains.ai.limits import LABEL_CHARS_MAX, REQUEST_BYTES_MAX
from actors.domains.domain_types import TextSource
from actors.domains.kinds import AI_SCOPES
from actors.domains.rules.canonical_json import read_json, write_json
from actors.domains.rules.ids import local_id
from actors.domains.rules.text import check_id, clean_text
from actors.module import DatabaseReader

__all__ = [
    "AiScope",
    "AiTask",
    "AiTaskKind",
    "AiTaskStatus",
    "NewTask",
    "check_open",
    "find_task",
    "is_final",
    "new_task",
    "scope_of",
    "write_task",
]


class AiScope(IntEnum):
    """What a task belongs to."""

    USER = 0
    STORY = 1
    AGENT = 2


class AiTaskKind(IntEnum):
    """What a task makes."""

    AGENT_REPLY = 0
    DRAFT_FOUNDATION = 1
    ENTITY_GENERATION = 2
    SCENE_NPC = 3
    STORY_NARRATION = 4
    INTENT_MAP = 5
    COVER_IMAGE = 6
    SCENE_IMAGE = 7
    ROLE_IMAGE = 8
    BIG_FISH_BLUEPRINT = 9
    PUZZLE_BLUEPRINT = 10
    GAME_IMAGE = 11


class AiTaskStatus(IntEnum):
    """How far a task has come."""

    PENDING = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELLED = 4


@table(
    public=True,
    primary_key="ai_task_id",
    index=["owner_user_id", "scope_id", "status"],
    actor=AI_SCOPES,
)
class AiTask:
    """One request, from its creation to its result."""

    ai_task_id: str
    owner_user_id: str
    scope_kind: AiScope
    scope_id: str
    task_kind: AiTaskKind
    request_label: str
    source_module: str
    source_entity_id: str | None
    request_payload_json: str
    status: AiTaskStatus
    latest_text_output: str
    latest_structured_payload_json: str | None
    result_source: TextSource | None
    failure_code: str | None
    failure_message: str | None
    version: u32
    created_at: Timestamp
    started_at: Timestamp | None
    completed_at: Timestamp | None
    updated_at: Timestamp


_SCOPES: Final = {"user": AiScope.USER, "story": AiScope.STORY, "agent": AiScope.AGENT}
_SOURCE_MODULES: Final = {
    AiScope.USER: "runtime",
    AiScope.STORY: "gameplay",
    AiScope.AGENT: "custom_world",
}


class NewTask(NamedTuple):
    """What a task is made from."""

    owner_user_id: str
    kind: AiTaskKind
    label: str
    payload_json: str
    source_entity_id: str | None


def scope_of(ctx: ReducerContext) -> AiScope:
    """What kind of thing this actor's tasks belong to."""
    return _SCOPES[ctx.actor.partition("/")[0]]


def new_task(ctx: ReducerContext, new: NewTask) -> AiTask:
    """Insert a pending task of this actor.

    Raises:
        ReducerError: the refusals of texts, ids and JSON.
    """
    scope = scope_of(ctx)
    return ctx.db[AiTask].insert(
        AiTask(
            ai_task_id=local_id(ctx.key, ctx.new_id("ait_")),
            owner_user_id=new.owner_user_id,
            scope_kind=scope,
            scope_id=ctx.key,
            task_kind=new.kind,
            request_label=clean_text(new.label, LABEL_CHARS_MAX),
            source_module=_SOURCE_MODULES[scope],
            source_entity_id=(
                None if new.source_entity_id is None else check_id(new.source_entity_id)
            ),
            request_payload_json=write_json(read_json(new.payload_json, REQUEST_BYTES_MAX)),
            status=AiTaskStatus.PENDING,
            latest_text_output="",
            latest_structured_payload_json=None,
            result_source=None,
            failure_code=None,
            failure_message=None,
            version=1,
            created_at=ctx.timestamp,
            started_at=None,
            completed_at=None,
            updated_at=ctx.timestamp,
        )
    )


def find_task(db: DatabaseReader, task_id: str) -> AiTask:
    """A task of this actor; raises ``ai.task_not_found``."""
    task = db[AiTask].find(check_id(task_id))
    if task is None:
        raise ReducerError("ai.task_not_found", "there is no such task")
    return task


def is_final(task: AiTask) -> bool:
    """Whether nothing can happen to a task any more."""
    return task.status >= AiTaskStatus.COMPLETED


def check_open(task: AiTask, *allowed: AiTaskStatus) -> None:
    """Let only tasks in these states through.

    Raises:
        ReducerError: ``ai.task_final_state`` for a task that has ended, ``ai.invalid_state`` for
            one that has not come so far.
    """
    if task.status in allowed:
        return
    state = task.status.name.lower()
    code = "ai.task_final_state" if is_final(task) else "ai.invalid_state"
    raise ReducerError(code, f"the task is {state}", status=state)


def write_task(ctx: ReducerContext, task: AiTask) -> AiTask:
    """Write a changed task: one version later, updated now."""
    return ctx.db[AiTask].update(replace(task, version=task.version + 1, updated_at=ctx.timestamp))
