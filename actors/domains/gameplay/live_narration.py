"""Live narration: a model tells what a turn has done, while the game goes on (domain 5.2, 8.3).

The turn is resolved before any model hears of it. Its event waits for a text, which a task brings
chunk by chunk; whatever becomes of the task, the event gets a text.
"""

from __future__ import annotations

import json
from typing import Any, Final, cast

from actors import ReducerContext, ReducerError, message, replace, struct
from actors.domains.ai.course import cancel_task, fail_task
from actors.domains.ai.stages import AiStageKind, add_stages
from actors.domains.ai.tasks import (
    AiTask,
    AiTaskKind,
    AiTaskStatus,
    NewTask,
    is_final,
    new_task,
)
from actors.domains.data.unsafe import DENIED
from actors.domains.domain_types import TextSource
from actors.domains.gameplay.limits import NARRATION_CHARS_MAX, NARRATION_MICROS_MAX
from actors.domains.gameplay.npc import npcs_here
from actors.domains.gameplay.relations import change_affinity
from actors.domains.gameplay.story import (
    NarrativeState,
    StoryChoice,
    StoryEvent,
    StoryFunction,
    StorySession,
    TextStatus,
    events_back,
    session_of,
    touch,
)
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.ids import derived_id
from actors.domains.rules.narration_output import NarrationOutput, read_narration
from actors.domains.rules.text import cut_text
from actors.module import DatabaseReader

__all__ = [
    "EFFECT",
    "NarrateTurn",
    "NarrationOverdue",
    "follow_task",
    "make_way",
    "narrate",
    "narration_overdue",
    "request_of",
    "without_narration",
]

EFFECT: Final = "story_narration"
"""What tells turns, where it is served."""

_NARRATED: Final = frozenset(
    {
        StoryFunction.NARRATIVE,
        StoryFunction.FREE_TEXT,
        StoryFunction.TRAVEL,
        StoryFunction.TALK,
        StoryFunction.INSPECT,
        StoryFunction.REST,
    }
)
"""Functions that happen in the scene; the others are a matter of accounts."""

_FREE: Final = frozenset({StoryFunction.NARRATIVE.name, StoryFunction.FREE_TEXT.name})
"""Functions without an effect of their own: only they may change what an npc thinks (5.3)."""

_STAGES: Final = (
    AiStageKind.PREPARE_PROMPT,
    AiStageKind.REQUEST_MODEL,
    AiStageKind.NORMALIZE_RESULT,
    AiStageKind.REPAIR_RESPONSE,
    AiStageKind.REPAIR_RESPONSE,
    AiStageKind.PERSIST_RESULT,
)


@struct
class NarrateTurn:
    """A request for a narration."""

    story_session_id: str
    task_id: str


@struct
class NarrationOverdue:
    """Time to see whether a narration has come."""

    task_id: str


def narrate(
    ctx: ReducerContext, session: StorySession, function: StoryFunction, words: str
) -> StorySession:
    """Let a model tell what the turn's event tells, if that is worth it and somebody serves it.

    The event's own text becomes the one that is told should none come.

    Args:
        ctx: of the turn.
        session: as it was written at the end of the turn, with its choices.
        function: what the turn has done.
        words: the player's own ones; empty when a choice was made.
    """
    if function not in _NARRATED or not ctx.serves(EFFECT):
        return session
    event = _last_event(ctx.db)
    request = {
        "choices": [row.choice_id for row in _choices(ctx.db)],
        "fallback": event.text,
        "function": function.name,
        "words": words,
    }
    new = NewTask(
        owner_user_id=session.host_user_id,
        kind=AiTaskKind.STORY_NARRATION,
        label=function.name.lower(),
        payload_json=write_json(request),
        source_entity_id=event.event_id,
    )
    task = new_task(ctx, new)
    add_stages(ctx, task, _STAGES)
    ctx.db[StoryEvent].update(
        replace(event, text="", text_status=TextStatus.PENDING, ai_task_id=task.ai_task_id)
    )
    ctx.request_effect(EFFECT, NarrateTurn(session.story_session_id, task.ai_task_id))
    ctx.send_at(
        ctx.timestamp + NARRATION_MICROS_MAX,
        NarrationOverdue(task.ai_task_id),
        timer_id=_timer_of(task),
    )
    return ctx.db[StorySession].update(
        replace(session, narrative_state=NarrativeState.STREAMING, latest_narrative_text="")
    )


def make_way(ctx: ReducerContext, session: StorySession, *, interrupt: bool) -> StorySession:
    """Let a turn begin, or the story end: a narration that still runs is called off.

    What there is of its text stays.

    Raises:
        ReducerError: ``story.narration_in_progress``: one runs, and is not to be interrupted.
    """
    running = _running_task(ctx.db)
    if running is None:
        return session
    if not interrupt:
        raise ReducerError("story.narration_in_progress", "the last turn is still being told")
    follow_task(ctx, cancel_task(ctx, running))
    return session_of(ctx.db)


def without_narration(db: DatabaseReader, session: StorySession) -> StorySession:
    """The session as it is without the narration that runs: its event is told by its outline."""
    running = _running_task(db)
    if running is None:
        return session
    text = session.latest_narrative_text or request_of(running)["fallback"]
    return replace(session, narrative_state=NarrativeState.IDLE, latest_narrative_text=text)


def request_of(task: AiTask) -> dict[str, Any]:
    """What a narration's task was asked."""
    return cast("dict[str, Any]", json.loads(task.request_payload_json))


def follow_task(ctx: ReducerContext, task: AiTask) -> None:
    """Bring the event that a task tells up to how far the task has come."""
    if task.task_kind is not AiTaskKind.STORY_NARRATION or task.source_entity_id is None:
        return
    event = _event_of(ctx.db, task)
    if event is None or event.text_status not in {TextStatus.PENDING, TextStatus.STREAMING}:
        return
    if is_final(task):
        _settle(ctx, task, event)
    elif event.text_status is TextStatus.PENDING:
        streaming = replace(event, text_status=TextStatus.STREAMING, updated_at=ctx.timestamp)
        ctx.db[StoryEvent].update(streaming)


@message(STORY)
def narration_overdue(ctx: ReducerContext, payload: NarrationOverdue) -> None:
    """Wait no longer: whoever should have told the turn is gone, or has no time."""
    task = ctx.db[AiTask].find(payload.task_id)
    if task is not None and not is_final(task):
        failed = fail_task(ctx, task, "dependency.timeout", "the narration took too long")
        follow_task(ctx, failed)


def _settle(ctx: ReducerContext, task: AiTask, event: StoryEvent) -> None:
    """Give the event its text, for good."""
    text = cut_text(task.latest_text_output, NARRATION_CHARS_MAX)
    status, source = TextStatus.COMPLETE, TextSource.FALLBACK
    if not text:
        text = request_of(task)["fallback"]
    elif task.status is not AiTaskStatus.COMPLETED:
        status, source = TextStatus.PARTIAL, TextSource.LLM
    elif task.result_source is not None:
        source = task.result_source
    is_latest = _last_event(ctx.db) == event
    ctx.db[StoryEvent].update(
        replace(
            event,
            text=text,
            text_status=status,
            text_source=source,
            updated_at=ctx.timestamp,
        )
    )
    session = session_of(ctx.db)
    touch(
        ctx,
        replace(
            session,
            narrative_state=NarrativeState.IDLE,
            latest_narrative_text=text if is_latest else session.latest_narrative_text,
        ),
    )
    ctx.cancel(_timer_of(task))
    if source in {TextSource.LLM, TextSource.REPAIRED} and status is TextStatus.COMPLETE:
        output, _ = read_narration(task.latest_structured_payload_json or "", DENIED)
        if output is not None:
            _label_choices(ctx, task, output)
            _like_party(ctx, task, output)


def _label_choices(ctx: ReducerContext, task: AiTask, output: NarrationOutput) -> None:
    """Give the turn's choices the model's labels; nothing else of them changes."""
    offered = request_of(task)["choices"]
    for position, label in output.choice_labels.items():
        number = int(position)
        choice_id = offered[number - 1] if 1 <= number <= len(offered) else ""
        choice = ctx.db[StoryChoice].find(choice_id)
        if choice is not None and choice.label != label:
            ctx.db[StoryChoice].update(replace(choice, label=label))


def _like_party(ctx: ReducerContext, task: AiTask, output: NarrationOutput) -> None:
    """Let the npc that the model names like the party more, if it is here."""
    hint = output.affinity_hint
    if hint is None or not hint.delta or request_of(task)["function"] not in _FREE:
        return
    session = session_of(ctx.db)
    for npc in npcs_here(ctx.db, session):
        if npc.npc_key == hint.npc_key:
            change_affinity(ctx, session, world_of(ctx.db, session), npc, hint.delta)


def _running_task(db: DatabaseReader) -> AiTask | None:
    for status in (AiTaskStatus.RUNNING, AiTaskStatus.PENDING):
        for task in db[AiTask].filter(status=status):
            if _event_of(db, task) is not None:
                return task
    return None


def _event_of(db: DatabaseReader, task: AiTask) -> StoryEvent | None:
    """The event whose text a task is to bring; it names the task as well."""
    event = db[StoryEvent].find(task.source_entity_id or "")
    return event if event is not None and event.ai_task_id == task.ai_task_id else None


def _last_event(db: DatabaseReader) -> StoryEvent:
    """The newest event that tells something, or will."""
    return next(row for row in events_back(db) if row.text_status is not TextStatus.NONE)


def _choices(db: DatabaseReader) -> list[StoryChoice]:
    return sorted(db[StoryChoice], key=lambda row: row.position)


def _timer_of(task: AiTask) -> str:
    return derived_id(task.ai_task_id, "overdue")
