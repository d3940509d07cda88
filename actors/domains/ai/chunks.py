"""AI text chunks: a stage's text as it comes, piece by piece, for as long as it is new (8.1)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, Timestamp, message, replace, struct, table, u32
from actors.domains.ai.limits import CHUNK_CHARS_MAX, CHUNKS_KEPT_MICROS, TEXT_CHARS_MAX
from actors.domains.ai.stages import AiTaskStage, check_attempt
from actors.domains.kinds import AGENT, AI_SCOPES, STORY, USER
from actors.domains.rules.ids import derived_id
from actors.domains.rules.text import printable_text
from actors.module import DatabaseReader

__all__ = [
    "AiStageText",
    "AiTextChunk",
    "ChunksExpired",
    "agent_chunks_expired",
    "append_chunk",
    "chunks_of",
    "expire_chunks",
    "forget_chunks",
    "received_chars",
    "received_text",
    "story_chunks_expired",
    "user_chunks_expired",
]


@table(public=True, primary_key="chunk_id", index=["ai_task_id"], actor=AI_SCOPES)
class AiTextChunk:
    """One piece of a stage's text; an attempt's pieces are numbered from 0."""

    chunk_id: str
    ai_task_id: str
    ai_task_stage_id: str
    message_id: str | None
    attempt: u32
    sequence: u32
    delta_text: str
    created_at: Timestamp


@table(primary_key="ai_task_stage_id", actor=AI_SCOPES)
class AiStageText:
    """How long all chunks of a stage are together, so that the next one need not count them."""

    ai_task_stage_id: str
    chars: u32


@struct
class ChunksExpired:
    """The chunks of a stage have been final for long enough."""

    ai_task_stage_id: str


def chunks_of(db: DatabaseReader, stage: AiTaskStage) -> list[AiTextChunk]:
    """A stage's chunks, those of earlier attempts included, in order."""
    rows = db[AiTextChunk].filter(
        ai_task_id=stage.ai_task_id, ai_task_stage_id=stage.ai_task_stage_id
    )
    return sorted(rows, key=lambda row: (row.attempt, row.sequence))


def received_chars(db: DatabaseReader, stage: AiTaskStage) -> int:
    """How many characters the chunks of a stage have."""
    text = db[AiStageText].find(stage.ai_task_stage_id)
    return 0 if text is None else text.chars


def received_text(db: DatabaseReader, stage: AiTaskStage) -> str:
    """What a stage has received: its running attempt's chunks, or those of the one before it.

    A final stage's text does not need its chunks.
    """
    rows = chunks_of(db, stage)
    last = max((row.attempt for row in rows), default=0)
    text = "".join(row.delta_text for row in rows if row.attempt == last)
    return text or stage.text_output


def append_chunk(
    ctx: ReducerContext,
    stage: AiTaskStage,
    attempt: int,
    sequence: int,
    delta_text: str,
    message_id: str | None = None,
) -> tuple[AiTaskStage, bool]:
    """Add a piece; one that is there already is left as it is. What goes beyond the limit is cut.

    ``message_id`` is the message that the text is of, if it is of one.

    Returns:
        The stage with its count, and whether the piece was cut.

    Raises:
        ReducerError: ``ai.stage_not_running_state``, ``input.text_too_long``;
            ``ai.chunk_out_of_range``: pieces are missing before this one;
            ``ai.chunk_conflict``: the piece is there with another text.
    """
    check_attempt(stage, attempt)
    text = printable_text(delta_text)
    if len(text) > CHUNK_CHARS_MAX:
        raise ReducerError(
            "input.text_too_long", f"a chunk has at most {CHUNK_CHARS_MAX} characters"
        )
    if sequence > stage.chunk_count:
        raise ReducerError(
            "ai.chunk_out_of_range", "earlier chunks are missing", expected=stage.chunk_count
        )
    chunks = ctx.db[AiTextChunk]
    chunk_id = derived_id(stage.ai_task_stage_id, attempt, sequence)
    if sequence < stage.chunk_count:
        if chunks.get(chunk_id).delta_text != text:
            raise ReducerError("ai.chunk_conflict", "the chunk is there with another text")
        return stage, False
    if sequence == 0:
        forget_chunks(ctx, stage)
        stage = replace(stage, text_output="")
    chars = received_chars(ctx.db, stage)
    room = TEXT_CHARS_MAX - chars
    chunks.insert(
        AiTextChunk(
            chunk_id=chunk_id,
            ai_task_id=stage.ai_task_id,
            ai_task_stage_id=stage.ai_task_stage_id,
            message_id=message_id,
            attempt=attempt,
            sequence=sequence,
            delta_text=text[:room],
            created_at=ctx.timestamp,
        )
    )
    received = AiStageText(stage.ai_task_stage_id, chars + len(text[:room]))
    ctx.db[AiStageText].upsert(received)
    stage = ctx.db[AiTaskStage].update(replace(stage, chunk_count=sequence + 1))
    return stage, len(text) > room


def forget_chunks(ctx: ReducerContext, stage: AiTaskStage) -> None:
    """Drop the chunks of a stage."""
    for row in chunks_of(ctx.db, stage):
        ctx.db[AiTextChunk].delete(row.chunk_id)
    if ctx.db[AiStageText].find(stage.ai_task_stage_id) is not None:
        ctx.db[AiStageText].delete(stage.ai_task_stage_id)


def expire_chunks(ctx: ReducerContext, stage: AiTaskStage) -> None:
    """Let a final stage's chunks go after a while."""
    if chunks_of(ctx.db, stage):
        ctx.send_at(
            ctx.timestamp + CHUNKS_KEPT_MICROS,
            ChunksExpired(stage.ai_task_stage_id),
            timer_id=derived_id(stage.ai_task_stage_id, "chunks"),
        )


@message(USER)
def user_chunks_expired(ctx: ReducerContext, payload: ChunksExpired) -> None:
    """Drop chunks of a user's task."""
    _drop(ctx, payload)


@message(STORY)
def story_chunks_expired(ctx: ReducerContext, payload: ChunksExpired) -> None:
    """Drop chunks of a story's task."""
    _drop(ctx, payload)


@message(AGENT)
def agent_chunks_expired(ctx: ReducerContext, payload: ChunksExpired) -> None:
    """Drop chunks of a creation session's task."""
    _drop(ctx, payload)


def _drop(ctx: ReducerContext, payload: ChunksExpired) -> None:
    stage = ctx.db[AiTaskStage].find(payload.ai_task_stage_id)
    if stage is not None:
        forget_chunks(ctx, stage)
