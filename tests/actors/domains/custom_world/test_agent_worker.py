"""Domain 7.4, 7.7, 8.3: the worker brings replies and cards, with a model and without."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from agent_bench import SEED, told_by_rules
from scripted_model import ScriptedModel, Step
from worker_bench import Workshop, turn, workshop

from actors.domains.ai.chunks import AiTextChunk
from actors.domains.ai.stages import AiStageKind, AiStageStatus, AiTaskStage
from actors.domains.ai.tasks import AiTaskStatus
from actors.domains.domain_types import (
    AgentStage,
    CardStatus,
    EntityKind,
    MessageStatus,
    OperationStatus,
    TextSource,
)
from actors.errors import TextModelError

DOWN = TextModelError("dependency.unavailable", "no answer")
WHOLE = turn("What is it called?")


def chunks(bench: Workshop) -> list[str]:
    rows = [row for row in bench.rows(AiTextChunk) if row.message_id == bench.last.message_id]
    last = max((row.attempt for row in rows), default=0)
    newest = sorted((row for row in rows if row.attempt == last), key=lambda row: row.sequence)
    assert [row.sequence for row in newest] == list(range(len(newest)))
    return [row.delta_text for row in newest]


def repairs(bench: Workshop) -> list[AiStageStatus]:
    """How the stages stand that repair an answer."""
    return [
        row.status
        for row in bench.rows(AiTaskStage)
        if row.stage_kind is AiStageKind.REPAIR_RESPONSE
    ]


async def test_without_a_model_the_rules_reply_in_chunks() -> None:
    async with workshop(seed=SEED) as bench:
        operation = await bench.ended()
        assert operation.status is OperationStatus.SUCCEEDED
        assert operation.result_source is TextSource.FALLBACK
        assert [row.seq for row in bench.messages()] == [1, 2, 3]
        message = bench.last
        assert (message.status, message.text_source) == (
            MessageStatus.COMPLETE,
            TextSource.FALLBACK,
        )
        assert message.text == told_by_rules(bench)
        assert "".join(chunks(bench)) == message.text
        assert message.chunk_count == len(chunks(bench)) > 1
        assert all(len(chunk) <= 120 for chunk in chunks(bench))
        session = bench.session
        assert (session.anchor_coverage_permille, session.progress_permille) == (666, 166)
        assert session.stage is AgentStage.FOUNDATION_READY
        assert session.suggested_replies[-1] == "Draft the foundation"


async def test_a_reply_is_shown_while_it_is_written() -> None:
    gate = asyncio.Event()
    anchors = [{"key": "tone", "value": "Bitter", "confidence": 900}]
    npc = {"name": "Ida", "role": "pilot", "description": "A pilot.", "homeSceneKey": "pier"}
    whole = turn(
        "What is it called?",
        anchors=anchors,
        suggestedReplies=["Nothing"],
        proposedCards=[{"kind": "npc", "payload": npc}],
    )
    model = ScriptedModel([whole[:18], gate, whole[18:]])
    async with workshop(model) as bench:
        await bench.say("A world of salt.")
        await bench.until(lambda: bench.last.chunk_count)
        assert bench.last.status is MessageStatus.STREAMING
        gate.set()
        operation = await bench.ended()
        assert operation.result_source is TextSource.LLM
        assert (bench.last.text, bench.last.status) == (
            "What is it called?",
            MessageStatus.COMPLETE,
        )
        assert "".join(chunks(bench)) == bench.last.text
        known = {anchor.key: anchor for anchor in bench.session.anchors}
        assert (known["tone"].value, known["tone"].source) == ("Bitter", TextSource.LLM)
        assert bench.session.suggested_replies == ["Nothing"]
        card = bench.card(EntityKind.NPC)
        assert (card.title, card.status) == ("Ida", CardStatus.PROPOSED)
        assert bench.task(operation).status is AiTaskStatus.COMPLETED
        assert "A world of salt." in model.prompts[0].user
        assert "A world of salt." not in model.prompts[0].system


@pytest.mark.parametrize(
    ("script", "repairs", "source"),
    [
        ([WHOLE], [], TextSource.LLM),
        (['{"reply": "What is it called?"}'], [WHOLE], TextSource.REPAIRED),
        (['{"reply": "What is it called?"'], ["prose", WHOLE], TextSource.REPAIRED),
        (['{"reply": "What is it called?"}'], ["prose", "prose"], TextSource.FALLBACK),
        (['{"reply": "What is it called?"}'], [DOWN, DOWN], TextSource.FALLBACK),
    ],
)
async def test_the_shown_reply_stays_whatever_becomes_of_the_rest(
    script: list[Step], repairs: list[str | Exception], source: TextSource
) -> None:
    async with workshop(ScriptedModel(script, repairs=repairs)) as bench:
        await bench.say("A world of salt.")
        operation = await bench.ended()
        assert (operation.status, operation.result_source) == (OperationStatus.SUCCEEDED, source)
        assert bench.last.text == "What is it called?"
        assert "".join(chunks(bench)) == bench.last.text
        is_fallback = source is TextSource.FALLBACK
        assert bool(bench.session.anchor_coverage_permille) is is_fallback


async def test_a_model_that_never_speaks_leaves_it_to_the_rules() -> None:
    async with workshop(ScriptedModel([DOWN])) as bench:
        await bench.say("A world of salt.")
        operation = await bench.ended()
        assert operation.status is OperationStatus.SUCCEEDED
        assert operation.result_source is TextSource.FALLBACK
        assert bench.last.text == told_by_rules(bench)
        assert "".join(chunks(bench)) == bench.last.text


@pytest.mark.parametrize(
    "said", ['{"reply": "I am an AI, so ', '{"reply": "' + "x" * 2_001], ids=["denied", "long"]
)
async def test_nothing_against_the_rules_stays(said: str) -> None:
    async with workshop(ScriptedModel([said])) as bench:
        await bench.say("A world of salt.")
        operation = await bench.ended()
        assert operation.result_source is TextSource.FALLBACK
        assert bench.last.text == told_by_rules(bench)
        assert "".join(chunks(bench)) == bench.last.text


async def test_prose_is_repaired_into_a_reply() -> None:
    async with workshop(ScriptedModel(["Just prose."], repairs=[WHOLE])) as bench:
        await bench.say("A world of salt.")
        operation = await bench.ended()
        assert operation.result_source is TextSource.REPAIRED
        assert bench.last.text == "What is it called?"


async def test_a_reply_that_breaks_off_is_partial_until_it_is_tried_again() -> None:
    model = ScriptedModel(['{"reply": "c0', "c1", "c2", "c3", DOWN])
    async with workshop(model) as bench:
        await bench.say("A world of salt.")
        operation = await bench.ended()
        assert (operation.status, operation.error_code) == (
            OperationStatus.FAILED,
            "dependency.unavailable",
        )
        message = bench.last
        assert (message.text, message.status) == ("c0c1c2c3", MessageStatus.PARTIAL)
        assert (message.chunk_count, chunks(bench)) == (4, ["c0", "c1", "c2", "c3"])
        assert bench.task(operation).status is AiTaskStatus.FAILED
        assert bench.session.anchors[0].value == "A world of salt."

        model.add(turn("Again."))
        operation = await bench.done("retry_reply", messageId=message.message_id)
        assert operation.status is OperationStatus.SUCCEEDED
        assert (bench.last.text, bench.last.attempt) == ("Again.", 2)
        assert bench.last.status is MessageStatus.COMPLETE
        assert bench.last.message_id == message.message_id


async def test_a_reply_that_is_called_off_is_not_listened_to_any_more() -> None:
    gate = asyncio.Event()
    model = ScriptedModel(['{"reply": "c0', "c1", gate, "c2"])
    async with workshop(model) as bench:
        begun = await bench.say("A world of salt.")
        await bench.until(lambda: bench.last.chunk_count)
        await bench.cancel(begun.operation.operation_id)
        operation = await bench.ended()
        await bench.until(lambda: model.closed)
        assert operation.status is OperationStatus.CANCELLED
        assert bench.last.status is MessageStatus.PARTIAL
        assert bench.last.text in {"c0", "c0c1"}


async def test_a_reply_that_a_stop_cut_off_is_written_after_it() -> None:
    never = asyncio.Event()
    model = ScriptedModel(['{"reply": "Old wor', never], [turn("New words.")])
    async with workshop(model) as bench:
        await bench.say("A world of salt.")
        await bench.until(lambda: bench.last.chunk_count)
        await bench.vale.host.stop()
        assert model.closed == 1
        await bench.vale.start()
        await bench.vale.host.activate([bench.actor])
        operation = await bench.ended()
        assert (operation.status, operation.attempt) == (OperationStatus.SUCCEEDED, 2)
        assert (bench.last.text, bench.last.status) == ("New words.", MessageStatus.COMPLETE)
        assert (bench.last.attempt, bench.last.chunk_count) == (2, 1)
        assert chunks(bench) == ["New words."]


async def test_a_reply_is_not_asked_for_again_once_it_was_heard() -> None:
    never = asyncio.Event()
    model = ScriptedModel(['{"reply": "Heard."}'])
    model.repair(never, turn("Repaired."))
    async with workshop(model) as bench:
        await bench.say("A world of salt.")
        await bench.until(lambda: AiStageStatus.RUNNING in repairs(bench))
        assert len(model.prompts) == 2
        await bench.vale.host.stop()
        await bench.vale.start()
        await bench.vale.host.activate([bench.actor])
        operation = await bench.ended()
        assert operation.result_source is TextSource.REPAIRED
        assert (bench.last.text, bench.last.attempt) == ("Heard.", 1)
        assert len(model.prompts) == 3


async def test_an_operation_whose_workers_are_lost_three_times_fails() -> None:
    never = asyncio.Event()
    model = ScriptedModel(*[['{"reply": "Old wor', never]] * 3)
    async with workshop(model) as bench:
        await bench.say("A world of salt.")
        for attempt in (1, 2, 3):
            await bench.until(
                lambda attempt=attempt: (
                    bench.newest.attempt == bench.last.attempt == attempt and bench.last.chunk_count
                )
            )
            await bench.vale.host.stop()
            await bench.vale.start()
            await bench.vale.host.activate([bench.actor])
        operation = await bench.ended()
        assert (operation.status, operation.error_code) == (
            OperationStatus.FAILED,
            "dependency.unavailable",
        )
        assert (bench.last.text, bench.last.status) == ("Old wor", MessageStatus.PARTIAL)
        assert set(model.users) == {bench.player.user_id}, "whoever asked for the next attempt"


async def test_a_worker_that_was_silent_for_too_long_has_lost_its_operation() -> None:
    gate = asyncio.Event()
    model = ScriptedModel(['{"reply": "Too', gate, ' late"'], [turn("In time.")])
    async with workshop(model) as bench:
        await bench.say("A world of salt.")
        await bench.until(lambda: bench.last.chunk_count)
        bench.vale.clock.wait(61_000_000)
        await bench.vale.wake(bench.actor)
        operation = await bench.ended()
        assert (operation.status, operation.attempt) == (OperationStatus.SUCCEEDED, 2)
        assert bench.last.text == "In time."
        assert model.closed == 2


async def test_a_foundation_is_drafted_by_the_rules() -> None:
    async with workshop(seed=SEED) as bench:
        operation = await bench.done("draft_foundation", replace=False)
        assert operation.status is OperationStatus.SUCCEEDED
        assert (operation.result_source, operation.charged_spark) == (TextSource.FALLBACK, 0)
        assert (operation.phase_label, operation.progress_permille) == ("done", 1000)
        session = bench.session
        assert session.stage is AgentStage.PUBLISH_READY
        assert (session.card_count, session.blocker_count, session.warning_count) == (39, 0, 10)
        assert (session.quality_score, session.progress_permille) == (600, 616)


async def test_another_foundation_is_another_world_but_for_what_is_locked() -> None:
    async with workshop(seed=SEED, locale="zh") as bench:
        await bench.done("draft_foundation", replace=False)
        before = bench.card(EntityKind.ROLE)
        assert not before.title.isascii()
        await bench.act("set_card_status", cardId=before.card_id, status="locked")
        operation = await bench.done("draft_foundation", replace=True)
        assert operation.status is OperationStatus.SUCCEEDED
        assert bench.session.card_count == 39
        assert bench.session.blocker_count == 0
        assert before.card_id in {card.card_id for card in bench.cards(EntityKind.ROLE)}
        names = {card.title for card in bench.cards(EntityKind.LANDMARK)}
        assert len(names) == 4


async def test_a_model_drafts_what_can_be_played() -> None:
    model = ScriptedModel([turn("Go on.")])
    async with workshop(model, seed=SEED) as bench:
        sections = as_sections()
        broken = sections | {"chapters": [sections["chapters"][0] | {"mainQuestKey": "nowhere"}]}
        whole = json.dumps(sections)
        model.add(json.dumps(broken)[:900], json.dumps(broken)[900:])
        model.repair(whole)
        await drafted(bench)
        operation = bench.newest
        assert operation.status is OperationStatus.SUCCEEDED
        assert operation.result_source is TextSource.REPAIRED
        assert bench.session.blocker_count == 0
        assert bench.card(EntityKind.WORLD).title == "Saltreach"
        assert bench.card(EntityKind.ROLE).source is TextSource.REPAIRED
        assert "kept: <data>" in model.prompts[1].user


@pytest.mark.parametrize("script", [[DOWN], ["prose"]], ids=["silent", "prose"])
async def test_a_model_that_drafts_nothing_leaves_it_to_the_rules(script: list[Step]) -> None:
    model = ScriptedModel([turn("Go on.")], script, repairs=["prose", DOWN])
    async with workshop(model, seed=SEED) as bench:
        await drafted(bench)
        assert bench.newest.result_source is TextSource.FALLBACK
        assert bench.session.card_count == 39
        statuses = {
            row.status
            for row in bench.rows(AiTaskStage)
            if row.ai_task_id == bench.newest.ai_task_id
        }
        assert statuses <= {AiStageStatus.COMPLETED, AiStageStatus.SKIPPED}


async def drafted(bench: Workshop) -> None:
    await bench.act("draft_foundation", replace=False)
    await bench.ended()


async def test_entities_chapters_and_npcs_are_added_by_the_rules() -> None:
    async with workshop(seed=SEED) as bench:
        await drafted(bench)
        scene = bench.card(EntityKind.LANDMARK).entity_key
        await bench.done("generate_entity", kind="item", hint="a lamp")
        item = bench.cards(EntityKind.ITEM)[-1]
        assert (item.status, item.source) == (CardStatus.PROPOSED, TextSource.FALLBACK)
        await bench.done("generate_scene_npc", sceneKey=scene, hint="")
        npc = bench.cards(EntityKind.NPC)[-1]
        assert npc.status is CardStatus.ACCEPTED
        assert json.loads(npc.payload_json)["homeSceneKey"] == scene
        await bench.done("expand_chapter", hint="")
        assert len(bench.cards(EntityKind.CHAPTER)) == 4
        assert len(bench.cards(EntityKind.QUEST)) == 8
        assert (bench.session.blocker_count, bench.session.quality_score) == (0, 600)


async def test_a_model_adds_an_npc_where_it_is_wanted() -> None:
    npc = {
        "name": "Ida Salt",
        "role": "pilot",
        "description": "A pilot who has never been seen on dry land.",
        "homeSceneKey": "nowhere",
        "initialAffinity": 900,
        "wallet": 5,
    }
    model = ScriptedModel([turn("Go on.")], [DOWN], [json.dumps(npc)])
    async with workshop(model, seed=SEED) as bench:
        await drafted(bench)
        scene = bench.card(EntityKind.LANDMARK).entity_key
        operation = await bench.done("generate_scene_npc", sceneKey=scene, hint="a pilot")
        assert operation.result_source is TextSource.LLM
        card = bench.cards(EntityKind.NPC)[-1]
        payload = json.loads(card.payload_json)
        assert (card.title, payload["homeSceneKey"]) == ("Ida Salt", scene)
        assert payload["initialAffinity"] == 50
        assert "wallet" not in payload


def as_sections() -> dict[str, Any]:
    """A small world as a model would write it."""
    npc = {"role": "keeper", "description": "Keeps the lights of the whole coast burning."}
    place = {"description": "A place of wind and salt where nothing stays dry for long."}
    return {
        "world": {
            "name": "Saltreach",
            "premise": "A coast that the sea takes back, field by field.",
        },
        "roles": [
            {
                "key": "pilot",
                "name": "The pilot",
                "title": "pilot",
                "description": "Knows every channel but the one that leads home.",
            }
        ],
        "npcs": [
            {"key": "ada", "name": "Ada", "homeSceneKey": "pier", **npc},
            {"key": "bo", "name": "Bo", "homeSceneKey": "light", **npc},
        ],
        "hostiles": [{"key": "eel", "name": "Eel", "rank": "minion"}],
        "landmarks": [
            {"key": "pier", "name": "Pier", "connections": ["light"], **place},
            {"key": "light", "name": "Light", "connections": [], **place},
        ],
        "chapters": [
            {
                "chapterKey": "tide",
                "title": "Tide",
                "sceneKeys": ["pier", "light"],
                "openingSceneKey": "pier",
                "mainQuestKey": "eels",
                "sideQuestKeys": ["talk"],
                "encounters": [
                    {
                        "encounterKey": "shoal",
                        "sceneKey": "light",
                        "kind": "repeatable",
                        "groups": [{"hostileKey": "eel", "rank": "minion", "count": 9}],
                    }
                ],
            }
        ],
        "quests": [
            {
                "key": "eels",
                "title": "Eels",
                "description": "Clear the channel.",
                "kind": "main",
                "objectives": [
                    {
                        "objectiveId": "a",
                        "kind": "defeat_hostile",
                        "targetKey": "eel",
                        "required": 3,
                    }
                ],
            },
            {
                "key": "talk",
                "title": "Talk",
                "description": "Ask Bo.",
                "objectives": [{"objectiveId": "a", "kind": "talk_npc", "targetKey": "bo"}],
            },
        ],
    }
