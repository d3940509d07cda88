"""Narration worker: the effect that has a turn told by a model, stage by stage (domain 8.3).

It owns nothing: whatever it achieves, it achieves by calls that anybody with the role could make.
Run again after a crash, it goes on at the stage that is not over, with that stage's next attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
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
    AppendAiTextChunk,
    AttachAiResultReference,
    CompleteAiStage,
    CompleteAiTask,
    FailAiTask,
    StartAiTask,
    StartAiTaskStage,
    append_ai_text_chunk,
    attach_ai_result_reference,
    complete_ai_stage,
    complete_ai_task,
    fail_ai_task,
    start_ai_task,
    start_ai_task_stage,
)
from actors.domains.ai.limits import ANSWER_CHARS_MAX, ANSWER_TOKENS_MAX, CHUNK_CHARS_MAX
from actors.domains.ai.references import AiReferenceKind
from actors.domains.ai.stages import AiStageKind, AiTaskStage, is_over, stages_of
from actors.domains.ai.tasks import AiTask, find_task, is_final
from actors.domains.domain_types import TextSource
from actors.domains.gameplay.live_narration import DENIED, NarrateTurn, request_of
from actors.domains.gameplay.narration_prompt import narration_prompt, repair_prompt
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.ids import local_part
from actors.domains.rules.json_field import JsonField
from actors.domains.rules.limits import MODEL_NARRATION_CHARS_MAX
from actors.domains.rules.narration_output import (
    NARRATION_SCHEMA,
    NarrationOutput,
    read_narration,
)

__all__ = ["story_narration"]

_PREPARE, _REQUEST, _NORMALIZE = range(3)

_GIVEN_UP: Final = "the answer broke the rules and was given up"

_OVER: Final = frozenset(
    {"ai.task_final_state", "ai.task_not_found", "ai.stage_not_running_state", "story.not_found"}
)
"""Refusals by which a worker learns that its work is no longer wanted."""


@effect
async def story_narration(ctx: EffectContext, model: TextModel, request: NarrateTurn) -> None:
    """Tell a turn; ends at once when the task is called off."""
    try:
        async with ctx.unless(ctx.source, partial(_ended, task_id=request.task_id)):
            task, stages = await ctx.read(ctx.source, partial(_state, task_id=request.task_id))
            await _Narration(ctx, model, task, stages).run()
    except ReducerError as refusal:
        if refusal.code not in _OVER:
            raise


class _Narration:
    """One run of the pipeline."""

    def __init__(
        self, ctx: EffectContext, model: TextModel, task: AiTask, stages: Sequence[AiTaskStage]
    ) -> None:
        self._ctx = ctx
        self._model = model
        self._task = task
        self._stages = stages
        self._calls = 0

    async def run(self) -> None:
        task_id = self._task.ai_task_id
        scope = (self._task.scope_kind, self._task.scope_id)
        await self._ctx.call(start_ai_task, StartAiTask(*scope, task_id, self._request_id()))
        prompt = await self._prepare()
        answer = await self._listen(prompt)
        if answer is not None:
            await self._store(await self._check(prompt, answer))

    async def _prepare(self) -> Prompt:
        if not is_over(self._stages[_PREPARE]):
            attempt = await self._start(_PREPARE)
            await self._complete(_PREPARE, attempt)
        return await self._ctx.read(
            self._ctx.source, partial(_prompt, task_id=self._task.ai_task_id)
        )

    async def _listen(self, prompt: Prompt) -> str | None:
        """The model's answer; the narration in it is passed on as it comes.

        None when the model could not answer: then the task has failed. Of an answer that a run
        before this one has heard, the narration is left, unless it was given up.
        """
        stage = self._stages[_REQUEST]
        if is_over(stage):
            return "" if stage.warning_messages else write_json({"narration": stage.text_output})
        attempt = await self._start(_REQUEST)
        try:
            answer, is_whole = await self._stream(prompt, attempt)
        except TextModelError as error:
            task_id = self._task.ai_task_id
            failure = FailAiTask(task_id, attempt, error.code, error.message, self._request_id())
            await self._ctx.call(fail_ai_task, failure)
            return None
        await self._complete(_REQUEST, attempt, None, [] if is_whole else [_GIVEN_UP])
        return answer

    async def _stream(self, prompt: Prompt, attempt: int) -> tuple[str, bool]:
        """The answer, and whether it was heard to its end: what breaks the rules is given up."""
        field = JsonField("narration")
        answer = shown = ""
        sequence = 0
        pieces = self._model.stream_text(
            prompt, user_id=self._ctx.for_user, tokens_max=ANSWER_TOKENS_MAX
        )
        async with aclosing(pieces) as stream:
            async for piece in stream:
                answer += piece
                news = field.feed(piece)
                shown += news
                if (
                    len(shown) > MODEL_NARRATION_CHARS_MAX
                    or len(answer) > ANSWER_CHARS_MAX
                    or DENIED.finds_in(shown, goes_on=True)
                ):
                    return answer, False
                for start in range(0, len(news), CHUNK_CHARS_MAX):
                    text = news[start : start + CHUNK_CHARS_MAX]
                    await self._append(attempt, sequence, text)
                    sequence += 1
        return answer, True

    async def _check(self, prompt: Prompt, answer: str) -> TextSource:
        """Read the answer, and have it repaired when it breaks the rules."""
        faults: list[str] = []
        for stage in self._stages[_NORMALIZE:-1]:
            is_repair = stage.stage_kind is AiStageKind.REPAIR_RESPONSE
            is_valid = stage.structured_payload_json is not None
            if is_over(stage):
                faults = stage.warning_messages
            else:
                attempt = await self._start(stage.stage_order)
                if is_repair:
                    answer = await self._repair(prompt, answer, faults)
                output, faults = read_narration(answer, DENIED)
                await self._complete(stage.stage_order, attempt, output, faults)
                is_valid = output is not None
            if is_valid:
                return TextSource.REPAIRED if is_repair else TextSource.LLM
        return TextSource.FALLBACK

    async def _repair(self, prompt: Prompt, answer: str, faults: list[str]) -> str:
        """Another answer, or none if the model has none."""
        try:
            return await self._model.complete_structured(
                repair_prompt(prompt, answer, faults),
                user_id=self._ctx.for_user,
                tokens_max=ANSWER_TOKENS_MAX,
                json_schema=NARRATION_SCHEMA,
            )
        except TextModelError:
            return ""

    async def _store(self, source: TextSource) -> None:
        last = self._stages[-1]
        if not is_over(last):
            is_fallback = source is TextSource.FALLBACK
            fallback = request_of(self._task)["fallback"] if is_fallback else None
            attempt = await self._start(last.stage_order)
            await self._call_complete(last.stage_order, attempt, fallback, None, [])
        task_id, event_id = self._task.ai_task_id, self._task.source_entity_id
        assert event_id is not None
        reference = AttachAiResultReference(
            task_id, AiReferenceKind.STORY_EVENT, event_id, "narration", self._request_id()
        )
        await self._ctx.call(attach_ai_result_reference, reference)
        await self._ctx.call(
            complete_ai_task, CompleteAiTask(task_id, None, source, self._request_id())
        )

    # Calls

    async def _start(self, order: int) -> int:
        """Begin a stage; answers its attempt, which is this run's lease of it."""
        call = StartAiTaskStage(self._task.ai_task_id, order, self._request_id())
        stage = await self._ctx.call(start_ai_task_stage, call)
        return stage.attempt

    async def _append(self, attempt: int, sequence: int, text: str) -> None:
        chunk = AppendAiTextChunk(
            self._task.ai_task_id, _REQUEST, attempt, sequence, text, self._request_id()
        )
        await self._ctx.call(append_ai_text_chunk, chunk)

    async def _complete(
        self,
        order: int,
        attempt: int,
        output: NarrationOutput | None = None,
        faults: list[str] | None = None,
    ) -> None:
        text = None if output is None else output.narration
        structured = None if output is None else output.to_json()
        await self._call_complete(order, attempt, text, structured, faults or [])

    async def _call_complete(
        self,
        order: int,
        attempt: int,
        text: str | None,
        structured: str | None,
        warnings: list[str],
    ) -> None:
        call = CompleteAiStage(
            self._task.ai_task_id,
            order,
            attempt,
            text,
            structured,
            warnings,
            self._request_id(),
        )
        await self._ctx.call(complete_ai_stage, call)

    def _request_id(self) -> str:
        """No other call has it, of whatever run."""
        self._calls += 1
        return f"{local_part(self._task.ai_task_id)}:{self._ctx.timestamp}:{self._calls}"


def _state(view: ViewContext, *, task_id: str) -> tuple[AiTask, list[AiTaskStage]]:
    return find_task(view.db, task_id), stages_of(view.db, task_id)


def _prompt(view: ViewContext, *, task_id: str) -> Prompt:
    return narration_prompt(view.db, find_task(view.db, task_id))


def _ended(view: ViewContext, *, task_id: str) -> bool | None:
    return is_final(find_task(view.db, task_id)) or None
