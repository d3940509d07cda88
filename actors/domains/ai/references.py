"""AI result references: what a task's result has become (domain 8.1)."""

from __future__ import annotations

from enum import IntEnum

from actors import ReducerContext, Timestamp, table
from actors.domains.ai.limits import LABEL_CHARS_MAX
from actors.domains.ai.tasks import AiTask, AiTaskStatus, check_open
from actors.domains.kinds import AI_SCOPES
from actors.domains.rules.ids import derived_id
from actors.domains.rules.text import check_id, clean_text
from actors.module import DatabaseReader

__all__ = ["AiReferenceKind", "AiResultReference", "attach_reference", "references_of"]


class AiReferenceKind(IntEnum):
    """What a result is part of now."""

    STORY_EVENT = 0
    AGENT_MESSAGE = 1
    DRAFT_CARD = 2
    ASSET_OBJECT = 3
    WORLD_PROFILE = 4
    BIG_FISH_SESSION = 5
    PUZZLE_SESSION = 6
    NONE = 7


@table(public=True, primary_key="result_reference_id", index=["ai_task_id"], actor=AI_SCOPES)
class AiResultReference:
    """A row of the game that a task has written, or written to."""

    result_reference_id: str
    ai_task_id: str
    reference_kind: AiReferenceKind
    target_id: str
    label: str
    created_at: Timestamp


def references_of(db: DatabaseReader, task_id: str) -> list[AiResultReference]:
    """A task's references, by id."""
    return list(db[AiResultReference].filter(ai_task_id=task_id))


def attach_reference(
    ctx: ReducerContext, task: AiTask, kind: AiReferenceKind, target_id: str, label: str
) -> AiResultReference:
    """Add a reference, once for each kind and target.

    Raises:
        ReducerError: ``ai.task_final_state`` for a failed or cancelled task; the refusals of ids
            and texts.
    """
    check_open(task, AiTaskStatus.PENDING, AiTaskStatus.RUNNING, AiTaskStatus.COMPLETED)
    reference_id = derived_id(task.ai_task_id, kind.name.lower(), check_id(target_id))
    check_id(reference_id)
    known = ctx.db[AiResultReference].find(reference_id)
    if known is not None:
        return known
    return ctx.db[AiResultReference].insert(
        AiResultReference(
            result_reference_id=reference_id,
            ai_task_id=task.ai_task_id,
            reference_kind=kind,
            target_id=target_id,
            label=clean_text(label, LABEL_CHARS_MAX),
            created_at=ctx.timestamp,
        )
    )
