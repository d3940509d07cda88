"""Narration worker: the effect that has a turn told by a model, stage by stage (domain 8.3)."""

from __future__ import annotations

from functools import partial
from typing import Final

from actors import (
    EffectContext,
    Prompt,
    ReducerError,
    TextModel,
    TextModelError,
    ViewContext,
    effect,
)
from actors.domains.ai.calls import (
    AttachAiResultReference,
    CompleteAiTask,
    FailAiTask,
    attach_ai_result_reference,
    complete_ai_task,
    fail_ai_task,
)
from actors.domains.ai.pipeline import GIVEN_UP, REQUEST, AnswerForm, Pipeline, task_state
from actors.domains.ai.references import AiReferenceKind
from actors.domains.ai.stages import is_over
from actors.domains.ai.tasks import find_task, is_final
from actors.domains.data.unsafe import DENIED
from actors.domains.domain_types import TextSource
from actors.domains.gameplay.live_narration import NarrateTurn, request_of
from actors.domains.gameplay.narration_prompt import narration_prompt
from actors.domains.rules.limits import MODEL_NARRATION_CHARS_MAX
from actors.domains.rules.narration_output import (
    NARRATION_SCHEMA,
    NarrationOutput,
    read_narration,
)

__all__ = ["story_narration"]

_OVER: Final = frozenset(
    {"ai.task_final_state", "ai.task_not_found", "ai.stage_not_running_state", "story.not_found"}
)
"""Refusals by which a worker learns that its work is no longer wanted."""

_FIELD: Final = "narration"

_FORM: Final = AnswerForm(
    schema=NARRATION_SCHEMA,
    read=lambda answer: read_narration(answer, DENIED),
    write=NarrationOutput.to_json,
    text=lambda output: output.narration,
)


@effect
async def story_narration(ctx: EffectContext, model: TextModel, request: NarrateTurn) -> None:
    """Tell a turn; ends at once when the task is called off."""
    try:
        async with ctx.unless(ctx.source, partial(_ended, task_id=request.task_id)):
            task, stages = await ctx.read(ctx.source, partial(task_state, task_id=request.task_id))
            await _narrate(ctx, model, Pipeline(ctx, ctx.for_user, task, stages))
    except ReducerError as refusal:
        if refusal.code not in _OVER:
            raise


async def _narrate(ctx: EffectContext, model: TextModel, pipeline: Pipeline) -> None:
    await pipeline.begin()
    prompt = await ctx.read(ctx.source, partial(_prompt, task_id=pipeline.task.ai_task_id))
    answer = await _listen(ctx, model, pipeline, prompt)
    if answer is not None:
        _, source = await pipeline.check(model, prompt, answer, _FORM)
        await _store(ctx, pipeline, source)


async def _listen(
    ctx: EffectContext, model: TextModel, pipeline: Pipeline, prompt: Prompt
) -> str | None:
    """The model's answer; the narration in it is passed on as it comes.

    None when the model could not answer: then the task has failed.
    """
    if is_over(pipeline.stages[REQUEST]):
        return pipeline.heard(_FIELD)
    attempt = await pipeline.start(REQUEST)
    try:
        answer, is_whole = await pipeline.listen(
            model, prompt, _FORM, _FIELD, MODEL_NARRATION_CHARS_MAX, DENIED
        )
    except TextModelError as error:
        failure = FailAiTask(
            pipeline.task.ai_task_id, attempt, error.code, error.message, pipeline.request_id()
        )
        await ctx.call(fail_ai_task, failure)
        return None
    await pipeline.complete(REQUEST, warnings=[] if is_whole else [GIVEN_UP])
    return answer


async def _store(ctx: EffectContext, pipeline: Pipeline, source: TextSource) -> None:
    last = pipeline.stages[-1]
    if not is_over(last):
        is_fallback = source is TextSource.FALLBACK
        fallback = request_of(pipeline.task)["fallback"] if is_fallback else None
        await pipeline.start(last.stage_order)
        await pipeline.complete(last.stage_order, fallback)
    task_id, event_id = pipeline.task.ai_task_id, pipeline.task.source_entity_id
    assert event_id is not None
    reference = AttachAiResultReference(
        task_id, AiReferenceKind.STORY_EVENT, event_id, "narration", pipeline.request_id()
    )
    await ctx.call(attach_ai_result_reference, reference)
    await ctx.call(complete_ai_task, CompleteAiTask(task_id, None, source, pipeline.request_id()))


def _prompt(view: ViewContext, *, task_id: str) -> Prompt:
    return narration_prompt(view.db, find_task(view.db, task_id))


def _ended(view: ViewContext, *, task_id: str) -> bool | None:
    return is_final(find_task(view.db, task_id)) or None
