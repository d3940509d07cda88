"""Domain 7.7, 11.2: entities for whoever asks; they are written nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_bench import SEED
from scripted_model import ScriptedModel
from user_bench import claims
from vale_bench import RefusedError
from worker_bench import Workshop, workshop

from actors.domains.ai.tasks import AiScope, AiTask, AiTaskKind, AiTaskStatus
from actors.domains.domain_types import EntityKind, TextSource
from actors.domains.kinds import USER
from actors.domains.rules.agent import ENTITY_KINDS
from actors.domains.rules.compile import check_card
from actors.errors import TextModelError


async def entity(bench: Workshop, kind: str, hint: str = "", **more: Any) -> Any:
    names = ("profile", "session", "context", "locale")
    fields = [more.get(name) for name in names]
    return await bench.player.ask("generate_custom_world_entity", kind, hint, *fields)


def tasks(bench: Workshop) -> list[AiTask]:
    return bench.vale.rows(USER.key(bench.player.user_id), AiTask)


@pytest.mark.parametrize("kind", ENTITY_KINDS, ids=lambda kind: kind.name.lower())
async def test_every_kind_is_made_without_a_model(kind: EntityKind) -> None:
    async with workshop() as bench:
        made = await entity(bench, kind.name.lower(), "a hint")
        again = await entity(bench, kind.name.lower(), "a hint")
        assert made.entity_json == again.entity_json
        assert made.source is TextSource.FALLBACK
        check_card(kind, json.loads(made.entity_json))
        task = next(row for row in tasks(bench) if row.ai_task_id == made.ai_task_id)
        assert (task.status, task.scope_kind) == (AiTaskStatus.COMPLETED, AiScope.USER)
        assert (task.task_kind, task.owner_user_id) == (
            AiTaskKind.ENTITY_GENERATION,
            bench.player.user_id,
        )
        assert task.latest_structured_payload_json == made.entity_json
        assert bench.cards() == []


async def test_an_entity_fits_the_session_that_it_is_for() -> None:
    async with workshop(seed=SEED) as bench:
        await bench.done("draft_foundation", replace=False)
        before = bench.cards()
        made = json.loads((await entity(bench, "npc", session=bench.session_id)).entity_json)
        scenes = {card.entity_key for card in bench.cards(EntityKind.LANDMARK)}
        assert made["homeSceneKey"] in scenes
        assert made["name"] not in {card.title for card in before}
        assert bench.cards() == before


async def test_an_entity_fits_the_profile_that_it_is_for() -> None:
    async with workshop(seed=SEED) as bench:
        await bench.done("draft_foundation", replace=False)
        await bench.done("sync_result_profile")
        profile = bench.session.result_profile_id
        made = json.loads((await entity(bench, "treasure", profile=profile)).entity_json)
        assert made["sceneKey"] in {card.entity_key for card in bench.cards(EntityKind.LANDMARK)}


async def test_an_npc_lives_in_the_scene_that_is_named() -> None:
    async with workshop() as bench:
        scene = json.dumps({"name": "Pier", "description": "Wet."})
        made = await bench.player.ask(
            "generate_custom_world_scene_npc", "pier", scene, None, None, None, "zh"
        )
        npc = json.loads(made.entity_json)
        assert npc["homeSceneKey"] == "pier"
        assert not npc["name"].isascii()
        assert [task.task_kind for task in tasks(bench)] == [AiTaskKind.SCENE_NPC]


async def test_a_model_makes_it_where_there_is_one() -> None:
    faction = {"name": "Salt Guild", "goal": "To own the tide."}
    model = ScriptedModel(["prose"], ["prose"], repairs=[json.dumps(faction), "", ""])
    async with workshop(model) as bench:
        made = await entity(bench, "faction", "salt", context='{"a":"<b>"}')
        assert made.source is TextSource.REPAIRED
        assert json.loads(made.entity_json)["key"] == "salt_guild"
        assert "\\u003cb" in model.prompts[0].user
        given_up = await entity(bench, "faction", "salt")
        assert given_up.source is TextSource.FALLBACK
        assert {task.status for task in tasks(bench)} == {AiTaskStatus.COMPLETED}


async def test_the_rules_make_it_where_the_model_cannot_answer() -> None:
    model = ScriptedModel([TextModelError("dependency.unavailable", "nobody is there")])
    async with workshop(model) as bench:
        made = await entity(bench, "faction", "salt")
        assert made.source is TextSource.FALLBACK
        assert [task.status for task in tasks(bench)] == [AiTaskStatus.COMPLETED]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (("dragon", None, None, None, None, None), "input.unknown_variant"),
        (("NPC", None, None, None, None, None), "input.unknown_variant"),
        (("world", None, None, None, None, None), "input.unknown_variant"),
        (("npc", "x" * 301, None, None, None, None), "input.text_too_long"),
        (("npc", None, "cwp_none", None, None, None), "world.not_found"),
        (("npc", None, None, "cws_none", None, None), "agent.session_not_found"),
        (("npc", None, None, "u_none", None, None), "agent.session_not_found"),
        (("npc", None, None, None, '"' + "x" * 8_192 + '"', None), "input.payload_too_large"),
        (("npc", None, None, None, "{", None), "input.json_malformed"),
    ],
)
async def test_bad_orders_are_refused(fields: tuple[object, ...], code: str) -> None:
    async with workshop() as bench:
        with pytest.raises(RefusedError) as refusal:
            await bench.player.ask("generate_custom_world_entity", *fields)
        assert refusal.value.code == code
        assert tasks(bench) == []


async def test_sessions_of_others_are_not_there() -> None:
    async with workshop(seed=SEED) as bench:
        other = await bench.vale.enter(claims(2))
        with pytest.raises(RefusedError) as refusal:
            await other.ask(
                "generate_custom_world_entity", "npc", None, None, bench.session_id, None, None
            )
        assert refusal.value.code == "agent.session_not_found"
