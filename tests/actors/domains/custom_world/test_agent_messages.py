"""Messages: how replies come, break off, and are tried again (domain 7.4; story 13.5)."""

from __future__ import annotations

import json

import pytest
from agent_bench import SEED, studio, told_by_rules
from vale_bench import refusal

from actors.domains.ai.chunks import AiTextChunk
from actors.domains.ai.tasks import AiTaskStatus
from actors.domains.domain_types import (
    AgentAction,
    CardStatus,
    EntityKind,
    MessageRole,
    MessageStatus,
    OperationStatus,
    TextSource,
)

WORDS = "A drowned kingdom. I want to be a ferryman."


async def test_a_message_begins_a_reply() -> None:
    async with studio() as bench:
        before = bench.session.version
        begun = await bench.say(WORDS)
        assert (begun.user_message.text, begun.user_message.seq) == (WORDS, 2)
        assert (begun.assistant_message.seq, begun.operation.action) == (3, AgentAction.AGENT_REPLY)
        assert begun.operation.message_id == begun.assistant_message.message_id
        assert begun.operation.status is OperationStatus.RUNNING
        assert (begun.operation.attempt, begun.operation.lease_epoch) == (1, 1)
        assert bench.session.active_operation_id == begun.operation.operation_id
        assert bench.session.version > before
        assert bench.task(begun.operation).source_entity_id == begun.assistant_message.message_id


async def test_text_streams_into_the_message() -> None:
    async with studio() as bench:
        begun = await bench.say(WORDS)
        await bench.stream("Deep ", "water ")
        message = bench.messages()[-1]
        assert (message.status, message.text, message.chunk_count) == (
            MessageStatus.STREAMING,
            "Deep ",
            2,
        )
        chunks = bench.player.vale.rows(bench.actor, AiTextChunk)
        assert {chunk.message_id for chunk in chunks} == {begun.assistant_message.message_id}
        await bench.chunk(1, 2, "x" * 2_048)
        assert bench.messages()[-1].text == "Deep water " + "x" * 2_048
        await bench.chunk(1, 3, " end")
        assert bench.messages()[-1].text.endswith("x")
        ended = await bench.answer("what is not streamed is not said")
        message = bench.messages()[-1]
        assert message.text == "Deep water " + "x" * 2_048 + " end"
        assert (message.status, message.chunk_count, message.text_source) == (
            MessageStatus.COMPLETE,
            4,
            TextSource.LLM,
        )
        assert ended.status is OperationStatus.SUCCEEDED
        assert bench.task(ended).status is AiTaskStatus.COMPLETED
        assert bench.session.active_operation_id is None


async def test_what_comes_with_a_reply_is_applied_with_it() -> None:
    async with studio() as bench:
        await bench.say(WORDS)
        await bench.answer(
            "Noted.",
            anchors=[
                {"key": "tone", "value": "grim", "confidence": 900},
                {"key": "world_premise", "value": "A drowned kingdom", "confidence": 800},
                {"key": "core_conflict", "value": "A curse", "confidence": 700},
            ],
            suggestedReplies=["Go on", "x" * 90, 3, "Stop", "More", "Less"],
            proposedCards=[
                {"kind": "landmark", "payload": {"name": "Mill", "rank": "god"}},
                {"kind": "faction", "payload": {"name": "Guild", "goal": "Gold.", "stance": {}}},
            ],
        )
        session = bench.session
        by_key = {anchor.key: anchor for anchor in session.anchors}
        assert (by_key["tone"].value, by_key["tone"].source) == ("grim", TextSource.LLM)
        assert session.anchor_coverage_permille == 500
        assert session.suggested_replies == ["Go on", "x" * 80, "Stop", "More"]
        (card,) = bench.cards()
        assert (card.kind, card.entity_key, card.status) == (
            EntityKind.FACTION,
            "guild",
            CardStatus.PROPOSED,
        )
        assert session.title == "A drowned kingdom"


async def test_a_proposed_card_that_there_is_no_place_for_does_not_keep_the_reply() -> None:
    async with studio(seed=SEED) as bench:
        await bench.answer()
        await bench.draft()
        world, count = bench.card(EntityKind.WORLD), len(bench.cards())
        proposed = [
            {"kind": "world", "payload": json.loads(world.payload_json)},
            {"kind": "faction", "payload": {"name": "Guild", "goal": "Gold.", "stance": {}}},
        ]
        await bench.say(WORDS)
        ended = await bench.answer("Noted.", proposedCards=proposed)
        assert ended.status is OperationStatus.SUCCEEDED
        assert len(bench.cards()) == count + 1
        assert bench.card(EntityKind.WORLD) == world


async def test_a_reply_without_a_text_is_none() -> None:
    async with studio() as bench:
        await bench.say(WORDS)
        for nothing in ({}, {"reply": ""}, {"reply": " "}, {"reply": ["x"]}, {"reply": None}):
            assert await refusal(bench.finish(nothing)) == "agent.payload_malformed"
        assert bench.messages()[-1].status is MessageStatus.STREAMING


async def test_known_anchors_give_way_to_surer_ones_only() -> None:
    async with studio() as bench:
        for value, confidence in (("grim", 600), ("funny", 600), ("dark", 601)):
            await bench.say(f"It is {value}.", f"m-{value}")
            anchor = {"key": "tone", "value": value, "confidence": confidence}
            await bench.answer(anchors=[anchor])
        assert bench.session.anchors[1].value == "dark"


async def test_the_same_client_id_answers_what_it_began() -> None:
    async with studio() as bench:
        begun = await bench.say(WORDS)
        again = await bench.say("Something else.")
        assert again.operation.operation_id == begun.operation.operation_id
        assert again.user_message == begun.user_message
        await bench.answer()
        ended = await bench.say(WORDS)
        assert ended.assistant_message.status is MessageStatus.COMPLETE
        assert len(bench.messages()) == 3


@pytest.mark.parametrize(
    ("text", "client_id", "code"),
    [
        ("x" * 4_001, "m", "input.text_too_long"),
        (" \n ", "m", "input.text_empty"),
        ("Hi", "no id", "input.invalid_id"),
        ("Hi", "x" * 65, "input.invalid_id"),
        ("Hi", "seq:2", "input.invalid_id"),
    ],
)
async def test_bad_messages(text: str, client_id: str, code: str) -> None:
    async with studio() as bench:
        assert await refusal(bench.say(text, client_id)) == code
        assert len(bench.messages()) == 1


async def test_one_reply_at_a_time() -> None:
    async with studio() as bench:
        await bench.say(WORDS)
        assert await refusal(bench.say("And?", "m-2")) == "agent.reply_in_progress_state"
        assert len(bench.messages()) == 3


async def test_a_reply_that_breaks_off_is_partial() -> None:
    async with studio() as bench:
        await bench.say(WORDS)
        await bench.stream("c0", "c1", "c2", "c3")
        failed = await bench.fail("dependency.unavailable")
        message = bench.messages()[-1]
        assert (message.status, message.text, message.chunk_count, message.error_code) == (
            MessageStatus.PARTIAL,
            "c0c1c2c3",
            4,
            "dependency.unavailable",
        )
        assert (failed.status, failed.error_code) == (
            OperationStatus.FAILED,
            "dependency.unavailable",
        )
        assert bench.session.last_error_code == "dependency.unavailable"
        task = bench.task(failed)
        assert (task.status, task.latest_text_output) == (AiTaskStatus.FAILED, "c0c1c2c3")
        # What the user said is understood by the rules all the same.
        assert bench.session.anchors[0].value == "A drowned kingdom."
        assert bench.reason("retry_reply") is None


async def test_a_task_that_fails_takes_its_operation_with_it() -> None:
    async with studio() as bench:
        await bench.say(WORDS)
        await bench.stream("c0")
        operation = bench.running
        await bench.service.ask(
            "fail_ai_task_and_return", operation.ai_task_id, 1, "dependency.timeout", "too slow"
        )
        ended = bench.operation(operation.operation_id)
        assert (ended.status, ended.error_code) == (OperationStatus.FAILED, "dependency.timeout")
        assert bench.messages()[-1].status is MessageStatus.PARTIAL


async def test_a_reply_is_tried_again_on_the_same_message() -> None:
    async with studio() as bench:
        await bench.say(WORDS)
        await bench.stream("old")
        await bench.fail()
        message_id = bench.messages()[-1].message_id
        retry = await bench.act("retry_reply", messageId=message_id)
        message = bench.messages()[-1]
        assert (message.message_id, message.attempt) == (message_id, 2)
        assert (message.text, message.chunk_count) == ("old", 0)
        assert message.operation_id == retry.operation_id
        await bench.stream("new", " text")
        assert bench.messages()[-1].text == "new"
        await bench.answer()
        message = bench.messages()[-1]
        assert (message.status, message.text, message.chunk_count) == (
            MessageStatus.COMPLETE,
            "new text",
            2,
        )
        assert bench.session.last_error_code is None
        assert bench.reason("retry_reply") == "nothing_to_retry"
        assert await refusal(bench.act("retry_reply")) == "agent.action_disabled_state"


async def test_only_the_last_reply_is_tried_again() -> None:
    async with studio() as bench:
        greeting = bench.messages()[0].message_id
        await bench.say(WORDS)
        await bench.stream("old")
        await bench.fail()
        retry = bench.act("retry_reply", messageId=greeting)
        assert await refusal(retry) == "agent.action_disabled_state"
        retry = bench.act("retry_reply", messageId=f"{bench.session_id}.msg_none")
        assert await refusal(retry) == "agent.message_not_found"


async def test_a_failure_without_text_is_answered_by_the_rules() -> None:
    async with studio() as bench:
        await bench.say(WORDS)
        ended = await bench.fail()
        message = bench.messages()[-1]
        assert (message.status, message.text_source) == (
            MessageStatus.COMPLETE,
            TextSource.FALLBACK,
        )
        assert message.text == told_by_rules(bench)
        assert (ended.status, ended.result_source) == (
            OperationStatus.SUCCEEDED,
            TextSource.FALLBACK,
        )
        assert bench.session.anchor_coverage_permille == 333


async def test_a_cancelled_reply_keeps_what_came() -> None:
    async with studio() as bench:
        await bench.say(WORDS)
        await bench.stream("c0", "c1")
        operation = bench.running
        ended = await bench.cancel(operation.operation_id)
        assert (ended.status, ended.cancel_requested) == (OperationStatus.CANCELLED, True)
        message = bench.messages()[-1]
        assert (message.status, message.text, message.error_code) == (
            MessageStatus.PARTIAL,
            "c0c1",
            "agent.cancelled",
        )
        late = bench.service.ask(
            "append_ai_text_chunk_and_return", operation.ai_task_id, 1, 1, 2, "c2"
        )
        assert await refusal(late) == "ai.task_final_state"
        again = bench.cancel(operation.operation_id)
        assert await refusal(again) == "agent.operation_final_state"


async def test_a_reply_that_is_cancelled_without_text_has_failed() -> None:
    async with studio() as bench:
        await bench.say(WORDS)
        await bench.cancel(bench.running.operation_id)
        message = bench.messages()[-1]
        assert (message.role, message.status, message.text, message.error_code) == (
            MessageRole.ASSISTANT,
            MessageStatus.FAILED,
            "",
            "agent.cancelled",
        )
        assert bench.session.anchor_coverage_permille == 0


async def test_an_owner_may_call_the_task_off() -> None:
    async with studio() as bench:
        await bench.say(WORDS)
        operation = bench.running
        await bench.player.ask("cancel_ai_task_and_return", operation.ai_task_id)
        assert bench.operation(operation.operation_id).status is OperationStatus.CANCELLED


async def test_chunks_are_in_order_and_by_workers_only() -> None:
    async with studio() as bench:
        await bench.say(WORDS)
        await bench.stream("c0")
        assert await refusal(bench.chunk(1, 9, "x")) == "ai.chunk_out_of_range"
        assert await refusal(bench.chunk(1, 0, "x")) == "ai.chunk_conflict"
        own = bench.player.ask(
            "append_ai_text_chunk_and_return", bench.running.ai_task_id, 1, 1, 1, "x"
        )
        assert await refusal(own) == "auth.forbidden"
        assert len(bench.player.rows("custom_world_agent_message")) == 3
