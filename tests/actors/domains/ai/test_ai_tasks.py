"""Domain 8.1, 8.2 and story 8 of 13.8: tasks, stages and references, by the calls of a service."""

from __future__ import annotations

from typing import Any

import pytest
from task_bench import STAGES, TABLES, Desk
from user_bench import SERVICE, only
from vale_bench import claims, playing, refusal

from actors.domains.ai import course
from actors.domains.ai.chunks import AiTextChunk
from actors.domains.ai.limits import CHUNKS_KEPT_MICROS, TASKS_LISTED_MAX
from actors.domains.ai.references import AiReferenceKind, AiResultReference
from actors.domains.ai.stages import AiStageKind, AiStageStatus, AiTaskStage
from actors.domains.ai.tasks import AiScope, AiTask, AiTaskKind, AiTaskStatus
from actors.domains.domain_types import TextSource

SCOPES = pytest.mark.parametrize("scope", [AiScope.USER, AiScope.STORY])


@SCOPES
async def test_story_eight(scope: AiScope) -> None:
    async with playing() as player:
        await player.subscribe(*TABLES)
        stranger = await player.vale.enter(claims(7))
        await stranger.subscribe(*TABLES)
        desk = await Desk.open(player, scope)
        assert desk.task.status is AiTaskStatus.PENDING
        assert (await desk.start()).status is AiTaskStatus.RUNNING
        assert await refusal(desk.begin(1)) == "ai.stage_order_conflict"
        await desk.begin(0)
        assert await refusal(desk.begin(1)) == "ai.stage_order_conflict"
        await desk.finish(0)

        await desk.begin(1)
        assert (await desk.chunk(1, 0, "ab")).chunk_count == 1
        assert (await desk.chunk(1, 1, "cd")).chunk_count == 2
        assert (await desk.chunk(1, 1, "cd")).chunk_count == 2
        assert (await desk.finish(1)).text_output == "abcd"
        assert desk.task.latest_text_output == "abcd"

        assert await refusal(desk.complete()) == "ai.stages_incomplete_state"
        await desk.begin(2)
        assert await refusal(desk.complete()) == "ai.stages_incomplete_state"
        await desk.finish(2)
        first = await desk.attach(AiReferenceKind.DRAFT_CARD, "card_1")
        assert await desk.attach(AiReferenceKind.DRAFT_CARD, "card_1") == first
        assert only(desk.rows(AiResultReference)) == first
        assert first.result_reference_id == f"{desk.task_id}:draft_card:card_1"
        assert (await desk.complete()).status is AiTaskStatus.COMPLETED
        assert await refusal(desk.cancel()) == "ai.task_final_state"

        await desk.create()
        await desk.start()
        await desk.pass_stages(0)
        await desk.begin(1)
        await desk.chunk(1, 0, "half a ")
        failed = await desk.fail()
        assert (failed.status, failed.latest_text_output) == (AiTaskStatus.FAILED, "half a")
        assert (failed.failure_code, failed.failure_message) == ("dependency.timeout", "too slow")
        assert desk.stage(1).status is AiStageStatus.FAILED
        assert desk.stage(2).status is AiStageStatus.PENDING
        assert only(player.rows("ai_text_chunk")[-1:]).delta_text == "half a "

        await desk.create()
        assert (await desk.cancel()).status is AiTaskStatus.CANCELLED
        for name, fields in (
            ("append_ai_text_chunk", (desk.task_id, 0, 1, 0, "x")),
            ("start_ai_task_stage", (desk.task_id, 0)),
            ("fail_ai_task", (desk.task_id, None, "x", "y")),
        ):
            assert await refusal(player.call(name, *fields)) == "auth.forbidden"

        for table, row in (("ai_task", AiTask), ("ai_task_stage", AiTaskStage)):
            assert sorted(player.rows(table)) == sorted(player.vale.rows(desk.actor, row))
            assert stranger.rows(table) == []


async def test_a_task_is_what_it_was_made_of() -> None:
    async with playing() as player:
        desk = await Desk.open(player)
        made = await desk.create(
            task_kind=AiTaskKind.STORY_NARRATION,
            payload_json='{"b": 1, "a": [true, null]}',
            stages=[AiStageKind.REQUEST_MODEL, AiStageKind.REQUEST_MODEL],
            source_entity_id=f"{player.story_id}.e.1",
        )
        task = made.task
        assert task.ai_task_id.startswith(f"{player.story_id}.ait_")
        assert (task.owner_user_id, task.scope_id) == (player.user_id, player.story_id)
        assert (task.scope_kind, task.source_module) == (AiScope.STORY, "gameplay")
        assert task.request_payload_json == '{"a":[true,null],"b":1}'
        assert task.source_entity_id == f"{player.story_id}.e.1"
        assert (task.version, task.started_at, task.result_source) == (1, None, None)
        assert [row.ai_task_stage_id for row in made.stages] == [
            f"{task.ai_task_id}:0",
            f"{task.ai_task_id}:1",
        ]
        assert {(row.status, row.attempt) for row in made.stages} == {(AiStageStatus.PENDING, 0)}
        own = await Desk.open(player, AiScope.USER)
        assert own.task_id.startswith(f"{player.user_id}.ait_")
        assert (own.task.owner_user_id, own.task.source_module) == (player.user_id, "runtime")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"stages": []}, "ai.invalid_stages"),
        ({"stages": [AiStageKind.REQUEST_MODEL] * 7}, "ai.invalid_stages"),
        ({"label": "x" * 61}, "input.text_too_long"),
        ({"payload_json": "{"}, "input.json_malformed"),
        ({"payload_json": '"' + "x" * 32_768 + '"'}, "input.payload_too_large"),
        ({"source_entity_id": "no id"}, "input.invalid_id"),
        ({"scope_kind": AiScope.USER}, "ai.invalid_scope"),
        ({"scope_kind": AiScope.AGENT, "scope_id": "cws_1"}, "agent.session_not_found"),
        ({"scope_id": "ss_none"}, "story.not_found"),
    ],
)
async def test_bad_tasks_are_not_made(changes: dict[str, Any], code: str) -> None:
    async with playing() as player:
        desk = await Desk.open(player)
        assert await refusal(desk.create(**changes)) == code
        assert len(player.story_rows(AiTask)) == 1


PENDING, RUNNING, COMPLETED = AiTaskStatus.PENDING, AiTaskStatus.RUNNING, AiTaskStatus.COMPLETED
FAILED, CANCELLED = AiTaskStatus.FAILED, AiTaskStatus.CANCELLED


async def _bring_to(desk: Desk, status: AiTaskStatus) -> None:
    if status is not PENDING:
        await desk.start()
    if status is COMPLETED:
        await desk.pass_stages(0, 1, 2)
        await desk.complete()
    elif status is FAILED:
        await desk.fail()
    elif status is CANCELLED:
        await desk.cancel()
    elif status is RUNNING:
        await desk.pass_stages(0, 1, 2)


@pytest.mark.parametrize(
    ("status", "event", "outcome"),
    [
        (PENDING, "start", RUNNING),
        (PENDING, "complete", "ai.invalid_state"),
        (PENDING, "fail", FAILED),
        (PENDING, "cancel", CANCELLED),
        (RUNNING, "start", None),
        (RUNNING, "complete", COMPLETED),
        (RUNNING, "fail", FAILED),
        (RUNNING, "cancel", CANCELLED),
        (COMPLETED, "start", "ai.task_final_state"),
        (COMPLETED, "complete", None),
        (COMPLETED, "fail", "ai.task_final_state"),
        (COMPLETED, "cancel", "ai.task_final_state"),
        (FAILED, "start", "ai.task_final_state"),
        (FAILED, "complete", "ai.task_final_state"),
        (FAILED, "fail", "ai.task_final_state"),
        (FAILED, "cancel", "ai.task_final_state"),
        (CANCELLED, "start", "ai.task_final_state"),
        (CANCELLED, "complete", "ai.task_final_state"),
        (CANCELLED, "fail", "ai.task_final_state"),
        (CANCELLED, "cancel", None),
    ],
)
async def test_the_state_table_of_tasks(
    status: AiTaskStatus, event: str, outcome: AiTaskStatus | str | None
) -> None:
    """Domain 8.2; an outcome of None is a call that changes nothing."""
    async with playing() as player:
        desk = await Desk.open(player)
        await _bring_to(desk, status)
        before = desk.task
        call = getattr(desk, event)()
        if isinstance(outcome, str):
            assert await refusal(call) == outcome
            assert desk.task == before
        elif outcome is None:
            assert await call == before
            assert desk.task == before
        else:
            after = await call
            assert (after.status, after.version) == (outcome, before.version + 1)
            assert after.updated_at > before.updated_at
            assert (after.completed_at is None) == (outcome is RUNNING)


async def test_a_completed_task_is_not_completed_otherwise() -> None:
    async with playing() as player:
        desk = await Desk.open(player)
        await _bring_to(desk, RUNNING)
        done = await desk.complete('{"b":2, "a":1}', TextSource.REPAIRED)
        assert done.latest_structured_payload_json == '{"a":1,"b":2}'
        assert await desk.complete('{"a":1,"b":2}', TextSource.REPAIRED) == done
        assert await refusal(desk.complete(None, TextSource.LLM)) == "ai.task_final_state"
        assert await refusal(desk.complete("{}", TextSource.REPAIRED)) == "ai.task_final_state"


async def test_what_is_not_there_is_not_found() -> None:
    async with playing() as player:
        desk = await Desk.open(player)
        await desk.start()
        assert await refusal(desk.begin(3)) == "ai.stage_not_found"
        assert await refusal(desk.chunk(3, 0, "x")) == "ai.stage_not_found"
        assert await refusal(desk.finish(0)) == "ai.stage_not_running_state"
        known, desk.task_id = desk.task_id, f"{player.story_id}.ait_none"
        for call in (desk.start(), desk.begin(0), desk.fail(), desk.cancel(desk.service)):
            assert await refusal(call) == "ai.task_not_found"
        desk.task_id, desk.scope_id = known, "ss_other"
        assert await refusal(desk.start()) == "ai.task_not_found"
        desk.task_id = "nonsense"
        assert await refusal(desk.begin(0)) == "input.invalid_id"


async def test_stages_of_a_task_that_does_not_run_stay_as_they_are() -> None:
    async with playing() as player:
        desk = await Desk.open(player)
        assert await refusal(desk.begin(0)) == "ai.invalid_state"
        await desk.start()
        await desk.begin(0)
        await desk.cancel()
        assert desk.stage(0).status is AiStageStatus.CANCELLED
        for call in (desk.begin(0), desk.finish(0), desk.chunk(0, 0, "x")):
            assert await refusal(call) == "ai.task_final_state"
        assert await refusal(desk.attach(AiReferenceKind.NONE, "x")) == "ai.task_final_state"


async def test_repairs_that_nobody_needed_are_skipped() -> None:
    async with playing() as player:
        desk = await Desk.open(player)
        repair, store = AiStageKind.REPAIR_RESPONSE, AiStageKind.PERSIST_RESULT
        await desk.create(stages=[*STAGES, repair, repair, store])
        await desk.start()
        await desk.pass_stages(0, 1, 2, 3, 5)
        assert desk.stage(3).status is AiStageStatus.COMPLETED
        assert desk.stage(4).status is AiStageStatus.SKIPPED
        assert await refusal(desk.begin(4)) == "ai.stage_order_conflict"
        assert (await desk.complete()).status is COMPLETED


async def test_a_stages_result_becomes_the_tasks_latest() -> None:
    async with playing() as player:
        desk = await Desk.open(player)
        await desk.start()
        await desk.begin(0)
        stage = await desk.finish(
            0, text=" told ", structured='{"x": 1}', warnings=("w" * 300, *["v"] * 20)
        )
        assert (stage.text_output, stage.structured_payload_json) == ("told", '{"x":1}')
        assert stage.warning_messages == ["w" * 200, *["v"] * 15]
        await desk.pass_stages(1)
        assert desk.task.latest_text_output == "told"
        assert desk.task.latest_structured_payload_json == '{"x":1}'
        await desk.begin(2)
        assert await refusal(desk.finish(2, text="x" * 16_001)) == "input.text_too_long"
        assert await refusal(desk.finish(2, structured="[1.5]")) == "input.json_malformed"
        assert desk.stage(2).status is AiStageStatus.RUNNING


async def test_tasks_are_read_by_those_whom_they_concern() -> None:
    async with playing() as player:
        desk = await Desk.open(player)
        first = await player.ask("get_ai_task", desk.task_id)
        assert (first.task, len(first.stages), first.references) == (desk.task, 3, [])
        await desk.create()
        listed = await player.ask("list_ai_tasks", player.story_id, 1)
        assert [each.task.ai_task_id for each in listed.tasks] == [desk.task_id]
        assert len((await player.ask("list_ai_tasks", player.story_id, 9)).tasks) == 2
        assert (await player.ask("list_ai_tasks", None, 9)).tasks == []
        for limit in (0, TASKS_LISTED_MAX + 1):
            listing = player.ask("list_ai_tasks", player.story_id, limit)
            assert await refusal(listing) == "input.out_of_range"
        stranger = await player.vale.enter(claims(7))
        assert await refusal(stranger.ask("get_ai_task", desk.task_id)) == "ai.task_not_found"
        assert (await stranger.ask("list_ai_tasks", player.story_id, 9)).tasks == []
        assert await refusal(desk.cancel(stranger)) == "ai.task_not_found"
        own = await Desk.open(player, AiScope.USER)
        assert await refusal(stranger.ask("get_ai_task", own.task_id)) == "auth.forbidden"
        assert await refusal(own.cancel(stranger)) == "auth.forbidden"


async def test_a_guest_sees_the_storys_tasks_and_leaves_them_alone() -> None:
    async with playing() as player:
        invited = await player.ask("create_story_invite_and_return", player.story_id)
        guest = await player.vale.enter(claims(2))
        await guest.subscribe(*TABLES)
        await guest.ask(
            "join_story_session_and_return", player.story_id, invited.invite_code, 1, "wanderer"
        )
        desk = await Desk.open(player)
        assert guest.rows("ai_task") == [desk.task]
        assert (await guest.ask("get_ai_task", desk.task_id)).task == desk.task
        assert await refusal(desk.cancel(guest)) == "auth.forbidden"
        assert (await desk.cancel(desk.service)).status is CANCELLED


async def test_a_repeated_call_is_answered_as_before() -> None:
    async with playing() as player:
        service = await player.vale.enter(SERVICE)
        fields = (
            AiScope.STORY,
            player.story_id,
            AiTaskKind.INTENT_MAP,
            "x",
            "{}",
            STAGES,
            None,
        )
        first = await service.ask("create_ai_task_and_return", *fields, request="same")
        again = await service.ask("create_ai_task_and_return", *fields, request="same")
        assert again == first
        assert len(player.story_rows(AiTask)) == 1


@SCOPES
async def test_the_oldest_ended_task_goes_with_all_that_belongs_to_it(
    scope: AiScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "TASKS_ENDED_MAX", 2)
    async with playing() as player:
        desk = await Desk.open(player, scope)
        pending = desk.task_id
        ended = []
        for _ in range(3):
            await desk.create()
            await desk.start()
            await desk.begin(0)
            await desk.chunk(0, 0, "ab")
            await desk.attach(AiReferenceKind.NONE, "nothing")
            ended.append((await desk.fail()).ai_task_id)
        rows = player.vale.rows
        for table in (AiTaskStage, AiTextChunk, AiResultReference):
            assert ended[0] not in {row.ai_task_id for row in rows(desk.actor, table)}, table
        kept = {row.ai_task_id for row in rows(desk.actor, AiTask)}
        assert kept == {pending, *ended[1:]}
        assert {row.ai_task_id for row in rows(desk.actor, AiTextChunk)} == set(ended[1:])
        page = await player.ask("list_ai_tasks", desk.scope_id, TASKS_LISTED_MAX)
        assert {each.task.ai_task_id for each in page.tasks} == kept
        # The timers of its chunks find nothing to do.
        player.vale.clock.wait(CHUNKS_KEPT_MICROS + 1)
        await player.vale.wake(desk.actor)
        assert rows(desk.actor, AiTextChunk) == []
        player.vale.check_mail()
