"""Pipeline: an effect's way through the stages of a task that asks a text model (domain 8.3).

It owns nothing: whatever it achieves, it achieves by calls that anybody with the role could make.
Run again after a crash, it goes on at the stage that is not over, with that stage's next attempt.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from actors import Prompt, TextModel, TextModelError
from actors.domains.ai.calls import (
    AppendAiTextChunk,
    CompleteAiStage,
    StartAiTask,
    StartAiTaskStage,
    append_ai_text_chunk,
    complete_ai_stage,
    start_ai_task,
    start_ai_task_stage,
)
from actors.domains.ai.limits import (
    ANSWER_CHARS_MAX,
    ANSWER_TOKENS_MAX,
    ANSWER_UNHEARD_CHARS_MAX,
    CHUNK_CHARS_MAX,
)
from actors.domains.ai.prompts import repair_prompt
from actors.domains.ai.stages import AiStageKind, AiTaskStage, is_over, stages_of
from actors.domains.ai.tasks import AiTask, find_task
from actors.domains.domain_types import TextSource
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.deny_list import DenyList
from actors.domains.rules.ids import local_part
from actors.domains.rules.json_field import JsonField
from actors.module import ViewContext
from actors.module.context import ProcedureContext

__all__ = [
    "GIVEN_UP",
    "NORMALIZE",
    "PREPARE",
    "REQUEST",
    "AnswerForm",
    "Pipeline",
    "task_state",
]

PREPARE, REQUEST, NORMALIZE = range(3)
"""The first stages of every such task; repairs follow, and the last one stores the result."""

GIVEN_UP: Final = "the answer broke the rules and was given up"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class AnswerForm(Generic[Result]):
    """What an answer has to be.

    Attributes:
        schema: its JSON schema.
        read: an answer as a result, or what is wrong with it.
        write: a result as canonical JSON.
        text: what of a result is shown; None when nothing is.
        recall: what was written as a result again; where it is absent, ``read`` does it.
        tokens_max: what the model may write.
        chars_max: a longer answer is not listened to any more.
    """

    schema: str
    read: Callable[[str], tuple[Result | None, list[str]]]
    write: Callable[[Result], str]
    text: Callable[[Result], str | None] = lambda _: None
    recall: Callable[[str], Result | None] | None = None
    tokens_max: int = ANSWER_TOKENS_MAX
    chars_max: int = ANSWER_CHARS_MAX


def task_state(view: ViewContext, *, task_id: str) -> tuple[AiTask, list[AiTaskStage]]:
    """A task and its stages; raises ``ai.task_not_found``."""
    return find_task(view.db, task_id), stages_of(view.db, task_id)


class Pipeline:
    """One run through a task's stages.

    Args:
        ctx: whose calls have the role ``service``.
        user_id: for whom the model is asked.
        task: as it is now.
        stages: as they are now.

    Attributes:
        shown: how many chunks this run has appended to the stage that it works at.
    """

    def __init__(
        self, ctx: ProcedureContext, user_id: str, task: AiTask, stages: Sequence[AiTaskStage]
    ) -> None:
        self._ctx = ctx
        self._user_id = user_id
        self.task = task
        self.stages = stages
        self.shown = 0
        self._attempt = 0
        self._calls = 0

    def request_id(self) -> str:
        """No other call has it, of whatever run."""
        self._calls += 1
        return f"{local_part(self.task.ai_task_id)}:{self._ctx.timestamp}:{self._calls}"

    async def begin(self) -> None:
        """Start the task, and have its prompt prepared."""
        scope = (self.task.scope_kind, self.task.scope_id)
        call = StartAiTask(*scope, self.task.ai_task_id, self.request_id())
        await self._ctx.call(start_ai_task, call)
        if not is_over(self.stages[PREPARE]):
            await self.start(PREPARE)
            await self.complete(PREPARE)

    async def start(self, order: int) -> int:
        """Begin a stage; answers its attempt, which is this run's lease of it."""
        call = StartAiTaskStage(self.task.ai_task_id, order, self.request_id())
        stage = await self._ctx.call(start_ai_task_stage, call)
        self._attempt, self.shown = stage.attempt, 0
        return stage.attempt

    async def show(self, order: int, text: str, chars_max: int = CHUNK_CHARS_MAX) -> None:
        """Append a text to the stage that was begun last, in chunks."""
        for start in range(0, len(text), chars_max):
            chunk = AppendAiTextChunk(
                self.task.ai_task_id,
                order,
                self._attempt,
                self.shown,
                text[start : start + chars_max],
                self.request_id(),
            )
            await self._ctx.call(append_ai_text_chunk, chunk)
            self.shown += 1

    async def complete(
        self,
        order: int,
        text: str | None = None,
        structured: str | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        """End the stage that was begun last; without a text, its chunks are its text."""
        call = CompleteAiStage(
            self.task.ai_task_id,
            order,
            self._attempt,
            text,
            structured,
            list(warnings),
            self.request_id(),
        )
        await self._ctx.call(complete_ai_stage, call)

    async def listen(
        self,
        model: TextModel,
        prompt: Prompt,
        form: AnswerForm[Result],
        field: str,
        shown_max: int,
        denied: DenyList,
    ) -> tuple[str, bool]:
        """Ask, and show a text field of the answer while it is written.

        Returns:
            The answer, and whether it was heard to its end: what breaks the rules is given up.

        Raises:
            TextModelError: there is no answer, or no more of it; ``shown`` says how much came.
        """
        reader = JsonField(field)
        answer = shown = ""
        pieces = model.stream_text(prompt, user_id=self._user_id, tokens_max=form.tokens_max)
        async with aclosing(pieces) as stream:
            async for piece in stream:
                answer += piece
                news = reader.feed(piece)
                shown += news
                if (
                    len(shown) > shown_max
                    or len(answer) > form.chars_max
                    or denied.finds_in(shown, goes_on=True)
                ):
                    return answer, False
                await self.show(REQUEST, news)
        return answer, True

    async def gather(
        self,
        model: TextModel,
        prompt: Prompt,
        form: AnswerForm[Result],
        look_in: Callable[[], Awaitable[None]] | None = None,
    ) -> str | None:
        """Ask for an answer that nobody sees before it is whole; this is the request stage.

        Args:
            model: what answers.
            prompt: what is asked.
            form: what the answer has to be.
            look_in: called now and then while it is written.

        Returns:
            The answer, cut where it is too long; empty when a run before this one has heard it;
            None when the model cannot answer.
        """
        request = self.stages[REQUEST]
        if is_over(request):
            return None if request.warning_messages else ""
        await self.start(REQUEST)
        answer, told = "", 0
        try:
            pieces = model.stream_text(prompt, user_id=self._user_id, tokens_max=form.tokens_max)
            async with aclosing(pieces) as stream:
                async for piece in stream:
                    answer += piece
                    if len(answer) > form.chars_max:
                        break
                    if look_in is not None and len(answer) - told >= ANSWER_UNHEARD_CHARS_MAX:
                        told = len(answer)
                        await look_in()
        except TextModelError as error:
            await self.complete(REQUEST, warnings=[error.code])
            return None
        await self.complete(REQUEST)
        return answer

    def heard(self, field: str) -> str:
        """The answer that a run before this one has heard, as far as it is left.

        That is the field that was shown, unless the answer was given up.
        """
        stage = self.stages[REQUEST]
        return "" if stage.warning_messages else write_json({field: stage.text_output})

    async def check(
        self,
        model: TextModel,
        prompt: Prompt,
        answer: str,
        form: AnswerForm[Result],
        look_in: Callable[[], Awaitable[None]] | None = None,
    ) -> tuple[Result | None, TextSource]:
        """Read the answer, and have it repaired when it breaks the rules.

        Args:
            model: what repairs.
            prompt: what was asked.
            answer: what was heard.
            form: what it has to be.
            look_in: called before every request for a repair.

        Returns:
            The result and whether it was repaired; None when nothing helped.
        """
        faults: list[str] = []
        for stage in self.stages[NORMALIZE:-1]:
            is_repair = stage.stage_kind is AiStageKind.REPAIR_RESPONSE
            if is_over(stage):
                result = _recalled(stage, form)
                faults = stage.warning_messages
            else:
                await self.start(stage.stage_order)
                if is_repair:
                    if look_in is not None:
                        await look_in()
                    answer = await self._repair(model, prompt, answer, faults, form)
                result, faults = form.read(answer)
                text = None if result is None else form.text(result)
                written = None if result is None else form.write(result)
                await self.complete(stage.stage_order, text, written, faults)
            if result is not None:
                return result, TextSource.REPAIRED if is_repair else TextSource.LLM
        return None, TextSource.FALLBACK

    async def _repair(
        self,
        model: TextModel,
        prompt: Prompt,
        answer: str,
        faults: list[str],
        form: AnswerForm[Result],
    ) -> str:
        """Another answer, or none if the model has none."""
        try:
            return await model.complete_structured(
                repair_prompt(prompt, answer, faults, form.schema),
                user_id=self._user_id,
                tokens_max=form.tokens_max,
                json_schema=form.schema,
            )
        except TextModelError:
            return ""


def _recalled(stage: AiTaskStage, form: AnswerForm[Result]) -> Result | None:
    """What a stage that is over came to; None when that was nothing."""
    written = stage.structured_payload_json
    if written is None:
        return None
    return form.read(written)[0] if form.recall is None else form.recall(written)
