"""Agent worker for replies: the text is shown while it is written, the rest is checked (7.4, 8.3).

A reply always comes to an end: what no model says, the rules say, in chunks like a model's.
"""

from __future__ import annotations

from typing import Final

from actors import EffectContext, TextModel, TextModelError
from actors.domains.ai.limits import FALLBACK_CHUNK_CHARS_MAX
from actors.domains.ai.pipeline import REQUEST, AnswerForm, Pipeline
from actors.domains.ai.stages import is_over
from actors.domains.custom_world.agent.prompt import reply_prompt
from actors.domains.custom_world.agent.worker_job import Job, Lease
from actors.domains.data.agent_books import agent_books
from actors.domains.data.unsafe import DENIED
from actors.domains.domain_types import TextSource
from actors.domains.rules.agent import (
    AGENT_TURN_SCHEMA,
    AgentTurn,
    extract_anchors,
    fallback_reply,
    read_agent_turn,
)
from actors.domains.rules.limits import MODEL_REPLY_CHARS_MAX

__all__ = ["reply"]

_FIELD: Final = "reply"

_NO_MODEL: Final = "no model has answered"
"""What a request stage is marked with whose text is not a model's."""

_FORM: Final[AnswerForm[AgentTurn]] = AnswerForm(
    schema=AGENT_TURN_SCHEMA,
    read=lambda answer: read_agent_turn(answer, DENIED),
    write=AgentTurn.to_json,
    text=lambda turn: turn.reply,
)


async def reply(ctx: EffectContext, lease: Lease, job: Job) -> None:
    """Answer the author's message.

    A model that breaks off leaves what it has said, and the operation fails. Nothing that it says
    against the rules stays: then, and where it says nothing, the rules reply.
    """
    await lease.report("reply", 0)
    pipeline = Pipeline(ctx, job.session.user_id, job.task, job.stages)
    await pipeline.begin()
    model = ctx.port(TextModel)
    stage = job.stages[REQUEST]
    if is_over(stage):
        said = stage.text_output
        answer = None if stage.warning_messages else pipeline.heard(_FIELD)
    else:
        said = ""
        await pipeline.start(REQUEST)
        try:
            answer = None if model is None else await _listen(model, pipeline, job)
        except TextModelError as error:
            if pipeline.shown:
                await lease.fail(error.code, error.message)
                return
            answer = None
        if answer is None:
            await _speak(pipeline, _fallback(job).reply)
    turn: AgentTurn | None = None
    source = TextSource.FALLBACK
    if model is not None and answer is not None:
        prompt = reply_prompt(job)
        checked = await pipeline.check(model, prompt, answer, _FORM)
        turn, source = checked
    if turn is None:
        turn = _fallback(job)
        turn = turn._replace(reply=said or turn.reply)
    await lease.finish(turn.to_json(), source)


async def _listen(model: TextModel, pipeline: Pipeline, job: Job) -> str | None:
    """The model's answer, shown as far as it is heard.

    None when it was against the rules: then the stage has begun anew, with nothing shown.
    """
    answer, is_whole = await pipeline.listen(
        model, reply_prompt(job), _FORM, _FIELD, MODEL_REPLY_CHARS_MAX, DENIED
    )
    if not is_whole:
        await pipeline.start(REQUEST)
        return None
    await pipeline.complete(REQUEST)
    return answer


async def _speak(pipeline: Pipeline, text: str) -> None:
    """Say what no model has said."""
    await pipeline.show(REQUEST, text, FALLBACK_CHUNK_CHARS_MAX)
    await pipeline.complete(REQUEST, warnings=[_NO_MODEL])


def _fallback(job: Job) -> AgentTurn:
    """What the rules make of the author's message."""
    answered = next(
        message.reply_to
        for message in job.messages
        if message.message_id == job.operation.message_id
    )
    words = next((row.text for row in job.messages if row.message_id == answered), "")
    known = job.session.anchors
    anchors = extract_anchors(words, known, agent_books(job.session.locale))
    text, suggested = fallback_reply(anchors, job.book)
    return AgentTurn(text, [anchor for anchor in anchors if anchor not in known], suggested, [])
