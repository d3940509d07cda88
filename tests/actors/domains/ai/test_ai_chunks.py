"""Domain 8.1, 8.2: a stage's text as it comes, its limits, and who may write it."""

from __future__ import annotations

from task_bench import Desk
from vale_bench import playing, refusal

from actors.domains.ai.chunks import AiStageText, AiTextChunk
from actors.domains.ai.limits import CHUNK_CHARS_MAX, CHUNKS_KEPT_MICROS, TEXT_CHARS_MAX
from actors.domains.ai.stages import AiStageStatus
from actors.domains.ai.tasks import AiScope


async def _listening(player, scope: AiScope = AiScope.STORY) -> Desk:
    desk = await Desk.open(player, scope)
    await desk.start()
    await desk.pass_stages(0)
    await desk.begin(1)
    return desk


async def test_chunks_are_numbered_and_come_once() -> None:
    async with playing() as player:
        desk = await _listening(player)
        await desk.chunk(1, 0, "ab")
        assert await refusal(desk.chunk(1, 9, "x")) == "ai.chunk_out_of_range"
        assert await refusal(desk.chunk(1, 2, "x")) == "ai.chunk_out_of_range"
        assert await refusal(desk.chunk(1, 0, "other")) == "ai.chunk_conflict"
        too_long = "x" * (CHUNK_CHARS_MAX + 1)
        assert await refusal(desk.chunk(1, 1, too_long)) == "input.text_too_long"
        await desk.chunk(1, 1, " c\x00d ")
        (first, second) = desk.rows(AiTextChunk)
        assert (first.chunk_id, first.message_id) == (f"{desk.task_id}:1:1:0", None)
        assert (second.delta_text, second.sequence, second.attempt) == (" cd ", 1, 1)
        assert (await desk.finish(1)).text_output == "ab cd"
        assert await refusal(desk.chunk(1, 2, "x")) == "ai.stage_not_running_state"


async def test_a_text_that_grows_too_long_is_cut_and_its_stage_completes() -> None:
    async with playing() as player:
        desk = await _listening(player)
        for sequence in range(7):
            await desk.chunk(1, sequence, "x" * CHUNK_CHARS_MAX)
        stage = await desk.chunk(1, 7, "y" * CHUNK_CHARS_MAX)
        assert stage.status is AiStageStatus.COMPLETED
        assert stage.warning_messages == ["length"]
        assert len(stage.text_output) == TEXT_CHARS_MAX
        assert desk.task.latest_text_output == stage.text_output
        assert len(desk.rows(AiTextChunk)[-1].delta_text) == TEXT_CHARS_MAX % CHUNK_CHARS_MAX
        await desk.pass_stages(2)


async def test_a_text_of_exactly_the_limit_is_whole() -> None:
    async with playing() as player:
        desk = await _listening(player)
        sizes = [CHUNK_CHARS_MAX] * 7 + [TEXT_CHARS_MAX % CHUNK_CHARS_MAX]
        for sequence, size in enumerate(sizes):
            stage = await desk.chunk(1, sequence, "x" * size)
        assert stage.status is AiStageStatus.RUNNING
        assert (await desk.finish(1)).warning_messages == []


async def test_who_takes_a_stage_over_writes_it_anew_and_the_other_is_refused() -> None:
    async with playing() as player:
        desk = await _listening(player)
        await desk.chunk(1, 0, "old ")
        await desk.chunk(1, 1, "words")
        stage = await desk.begin(1)
        assert (stage.attempt, stage.chunk_count) == (2, 0)
        assert [row.delta_text for row in desk.rows(AiTextChunk)] == ["old ", "words"]
        stale = "ai.stage_not_running_state"
        assert await refusal(desk.chunk(1, 2, "late")) == stale
        assert await refusal(desk.chunk(1, 0, "early", attempt=3)) == stale
        assert await refusal(desk.finish(1, attempt=1)) == stale
        assert await refusal(desk.fail(attempt=1)) == stale
        await desk.chunk(1, 0, "new", attempt=2)
        assert [row.delta_text for row in desk.rows(AiTextChunk)] == ["new"]
        (received,) = player.vale.rows(desk.actor, AiStageText)
        assert received.chars == 3
        assert (await desk.finish(1, attempt=2)).text_output == "new"


async def test_partial_text_survives_whoever_wrote_it() -> None:
    async with playing() as player:
        desk = await _listening(player)
        await desk.chunk(1, 0, "old words")
        await desk.begin(1)
        assert (await desk.fail()).latest_text_output == "old words"
        assert desk.stage(1).text_output == "old words"


async def test_chunks_go_ten_minutes_after_their_stage_is_final() -> None:
    async with playing() as player:
        for scope in (AiScope.USER, AiScope.STORY):
            desk = await _listening(player, scope)
            await desk.chunk(1, 0, "ab")
            player.vale.clock.wait(CHUNKS_KEPT_MICROS + 1)
            await player.vale.wake(desk.actor)
            assert len(desk.rows(AiTextChunk)) == 1
            await desk.finish(1)
            await player.vale.wake(desk.actor)
            assert len(desk.rows(AiTextChunk)) == 1
            player.vale.clock.wait(CHUNKS_KEPT_MICROS + 1)
            await player.vale.wake(desk.actor)
            assert desk.rows(AiTextChunk) == []
            assert player.vale.rows(desk.actor, AiStageText) == []
            assert desk.stage(1).text_output == "ab"
