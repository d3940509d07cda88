"""Cards: what users do to them by hand, and what follows from it (domain 7.5, 7.8, 6.5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_bench import SEED, Studio, studio
from vale_bench import refusal

from actors.domains.custom_world.agent.findings import CustomWorldAgentFinding
from actors.domains.custom_world.agent.preview import CustomWorldResultPreview
from actors.domains.domain_types import (
    AgentStage,
    CardStatus,
    EntityKind,
    OperationStatus,
    Severity,
    TextSource,
)

PREMISE = "A kingdom that sank, and a ferry that still crosses it every night."


async def drafted(bench: Studio) -> None:
    await bench.fail()
    await bench.draft()


def codes(bench: Studio, severity: Severity) -> list[str]:
    rows = bench.rows(CustomWorldAgentFinding)
    return sorted(row.code for row in rows if row.severity is severity)


def preview(bench: Studio) -> CustomWorldResultPreview:
    (row,) = bench.rows(CustomWorldResultPreview)
    return row


async def test_a_patch_is_merged() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        card = bench.card(EntityKind.ROLE)
        revision = bench.session.revision
        done = await bench.act(
            "update_draft_card",
            cardId=card.card_id,
            patch={"name": "Mara", "background": "Raised on the river."},
            expectedCardRevision=card.revision,
        )
        assert (done.status, done.attempt) == (OperationStatus.SUCCEEDED, 1)
        changed = bench.card(EntityKind.ROLE)
        assert (changed.title, changed.revision) == ("Mara", card.revision + 1)
        assert (changed.source, changed.entity_key) == (TextSource.USER, card.entity_key)
        payload = json.loads(changed.payload_json)
        assert payload["background"] == "Raised on the river."
        assert payload["skills"] == json.loads(card.payload_json)["skills"]
        assert bench.session.revision == revision + 1
        assert json.loads(done.result_json or "")["revision"] == changed.revision


async def test_names_of_fields_may_be_those_of_columns() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        card = bench.card(EntityKind.ROLE)
        await bench.act("update_draft_card", card_id=card.card_id, patch={"name": "Mara"})
        assert bench.card(EntityKind.ROLE).title == "Mara"


async def test_a_blocker_blocks_everywhere_and_goes_with_its_cause() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        world = bench.card(EntityKind.WORLD)
        await bench.act("update_draft_card", cardId=world.card_id, patch={"premise": "short"})
        assert codes(bench, Severity.BLOCKER) == ["BLK_PREMISE"]
        session = bench.session
        assert (session.stage, session.blocker_count) == (AgentStage.REFINING, 1)
        assert not session.publish_gate_passed
        assert not preview(bench).publish_ready
        assert not preview(bench).can_enter_world
        assert bench.reason("publish_world") == "publish_gate_blocked"
        assert bench.card(EntityKind.WORLD).finding_count > world.finding_count
        call = bench.act("publish_world")
        assert await refusal(call) == "agent.action_disabled_state"
        call = bench.player.ask("publish_world_and_return", bench.session_id)
        assert await refusal(call) == "world.gate_blocked"
        await bench.act("update_draft_card", cardId=world.card_id, patch={"premise": PREMISE})
        assert codes(bench, Severity.BLOCKER) == []
        assert bench.session.stage is AgentStage.PUBLISH_READY
        assert preview(bench).publish_ready
        assert preview(bench).source_revision == bench.session.revision


async def test_findings_that_stay_are_not_sent_again() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        world = bench.card(EntityKind.WORLD)
        before = len(bench.player.deltas)
        await bench.act("update_draft_card", cardId=world.card_id, patch={"premise": "short"})
        sent = [
            delta
            for delta in bench.player.deltas[before:]
            if delta[0] == "custom_world_agent_finding"
        ]
        assert sent == [("custom_world_agent_finding", 1, 0)]
        assert len(bench.rows(CustomWorldAgentFinding)) == 11


async def test_the_preview_shows_the_world() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        row = preview(bench)
        assert (len(row.playable_roles), row.npc_count, row.landmark_count) == (3, 5, 4)
        assert (row.chapter_count, row.quest_count, len(row.chapters)) == (3, 6, 3)
        assert (row.chapters[0].exit_level, row.chapters[0].planned_total_xp) == (5, 848)
        assert (row.quality_score, len(row.blockers), len(row.warnings)) == (600, 0, 10)
        assert row.world_name == bench.session.title == bench.card(EntityKind.WORLD).title
        assert row.opening_text


async def test_removed_cards_are_missed_and_come_back() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        boss = next(
            card
            for card in bench.cards(EntityKind.HOSTILE)
            if json.loads(card.payload_json)["rank"] == "boss"
        )
        await bench.act("set_card_status", cardId=boss.card_id, status="removed")
        assert "BLK_REFERENCE" in codes(bench, Severity.BLOCKER)
        assert bench.session.card_count == 39
        await bench.act("set_card_status", cardId=boss.card_id, status="accepted")
        assert codes(bench, Severity.BLOCKER) == []


async def test_cards_are_created() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        payload = {"name": "River Guild", "goal": "Keep the ferries running.", "stance": {}}
        for expected in ("river_guild", "river_guild_2"):
            done = await bench.act("create_draft_card", kind="faction", payload=payload)
            assert json.loads(done.result_json or "")["key"] == expected
        card = bench.cards(EntityKind.FACTION)[-1]
        assert (card.status, card.source) == (CardStatus.ACCEPTED, TextSource.USER)
        assert (card.entity_key, card.summary) == ("river_guild_2", "Keep the ferries running.")
        assert card.entity_ref == f"{bench.session_id}:faction:river_guild_2"
        assert codes(bench, Severity.BLOCKER) == []
        world = json.loads(bench.card(EntityKind.WORLD).payload_json)
        call = bench.act("create_draft_card", kind="world", payload=world)
        assert await refusal(call) == "agent.world_card_conflict"


async def test_cards_are_put_in_order() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        first, second, third = bench.cards(EntityKind.ROLE)
        await bench.act("reorder_cards", kind="role", cardIds=[third.card_id, first.card_id])
        order = [card.card_id for card in bench.cards(EntityKind.ROLE)]
        assert order == [third.card_id, first.card_id, second.card_id]
        assert [role.key for role in preview(bench).playable_roles] == [
            third.entity_key,
            first.entity_key,
            second.entity_key,
        ]


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("launch_rocket", {}, "agent.action_unknown"),
        ("Draft_Foundation", {}, "agent.action_unknown"),
        ("agent_reply", {}, "agent.action_unknown"),
        ("update_draft_card", {"cardId": "ROLE", "patch": 3}, "agent.payload_malformed"),
        ("update_draft_card", {"cardId": "ROLE"}, "agent.payload_malformed"),
        ("update_draft_card", {"patch": {}}, "agent.payload_malformed"),
        ("update_draft_card", {"cardId": "none", "patch": {}}, "agent.card_not_found"),
        (
            "update_draft_card",
            {"cardId": "ROLE", "patch": {}, "expectedCardRevision": 9},
            "agent.stale_version",
        ),
        (
            "update_draft_card",
            {"cardId": "ROLE", "patch": {}, "expectedCardRevision": -1},
            "agent.payload_malformed",
        ),
        (
            "update_draft_card",
            {"cardId": "ROLE", "patch": {"key": "other"}},
            "agent.payload_malformed",
        ),
        (
            "update_draft_card",
            {"cardId": "NPC", "patch": {"rank": "god"}},
            "agent.payload_malformed",
        ),
        (
            "update_draft_card",
            {"cardId": "ROLE", "patch": {"description": "x" * 16_000}},
            "input.payload_too_large",
        ),
        ("create_draft_card", {"kind": "dragon", "payload": {}}, "agent.payload_malformed"),
        ("create_draft_card", {"kind": "npc", "payload": {}}, "agent.payload_malformed"),
        ("set_card_status", {"cardId": "ROLE", "status": "proposed"}, "agent.payload_malformed"),
        ("set_card_status", {"cardId": "ROLE", "status": "gone"}, "agent.payload_malformed"),
        ("set_card_status", {"cardId": "none", "status": "locked"}, "agent.card_not_found"),
        ("reorder_cards", {"kind": "npc", "cardIds": ["ROLE"]}, "agent.payload_malformed"),
        ("reorder_cards", {"kind": "role", "cardIds": []}, "agent.payload_malformed"),
        ("reorder_cards", {"kind": "role", "cardIds": ["ROLE", "ROLE"]}, "agent.payload_malformed"),
        ("draft_foundation", {"replace": "yes"}, "agent.payload_malformed"),
        ("generate_entity", {"kind": "chapter"}, "agent.payload_malformed"),
        ("generate_entity", {"kind": "npc", "hint": "x" * 301}, "agent.payload_malformed"),
        ("generate_entity", {"kind": "npc", "sceneKey": "none"}, "agent.payload_malformed"),
        ("generate_scene_npc", {}, "agent.payload_malformed"),
        ("generate_role_assets", {"cardIds": ["WORLD"]}, "agent.payload_malformed"),
        ("generate_role_assets", {"cardIds": ["a"] * 7}, "agent.payload_malformed"),
        ("generate_scene_assets", {"cardIds": ["none"]}, "agent.card_not_found"),
        ("create_checkpoint", {"label": "x" * 41}, "agent.payload_malformed"),
        ("revert_checkpoint", {"checkpointId": "none"}, "agent.checkpoint_not_found"),
        ("revert_checkpoint", {}, "agent.payload_malformed"),
    ],
)
async def test_bad_actions_change_nothing(action: str, payload: dict[str, Any], code: str) -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        ids = {kind.name: bench.card(kind).card_id for kind in EntityKind}

        def named(value: Any) -> Any:
            if isinstance(value, list):
                return [named(one) for one in value]
            return ids.get(value, value) if isinstance(value, str) else value

        before = bench.session
        call = bench.act(action, **{key: named(value) for key, value in payload.items()})
        assert await refusal(call) == code
        assert bench.session == before


@pytest.mark.parametrize(
    ("text", "code"),
    [("[]", "agent.payload_malformed"), ("{", "input.json_malformed"), ("[" * 99, "x")],
)
async def test_payloads_are_objects(text: str, code: str) -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        call = bench.player.ask(
            "execute_custom_world_agent_action_and_return",
            bench.session_id,
            "update_draft_card",
            text,
            None,
        )
        assert await refusal(call) == (code if code != "x" else "input.json_malformed")


async def test_refusals_tell_the_path_and_the_rule() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        npc = bench.card(EntityKind.NPC)
        details = await bench.details(
            "update_draft_card", cardId=npc.card_id, patch={"rank": "god"}
        )
        assert details["path"] == "npc.rank"
        assert details["rule"]
        await bench.act("set_card_status", cardId=npc.card_id, status="locked")
        details = await bench.details("revert_checkpoint", checkpointId=3)
        assert (details["path"], details["rule"]) == ("checkpointId", "must be an id")


async def test_an_old_revision_of_the_session_is_refused() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        card = bench.card(EntityKind.ROLE)
        revision = bench.session.revision
        change = {"cardId": card.card_id, "patch": {"name": "Mara"}}
        call = bench.act("update_draft_card", revision=revision - 1, **change)
        assert await refusal(call) == "agent.stale_version"
        await bench.act("update_draft_card", revision=revision, **change)


async def test_locked_cards_stay() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        role = bench.card(EntityKind.ROLE)
        await bench.act("set_card_status", cardId=role.card_id, status="locked")
        call = bench.act("update_draft_card", cardId=role.card_id, patch={"name": "Mara"})
        assert await refusal(call) == "agent.card_locked_state"
        made = bench.foundation()
        await bench.act("draft_foundation", replace=True)
        await bench.finish({"cards": [one for one in made if one["kind"] != "role"]})
        assert bench.cards(EntityKind.ROLE) == [bench.card(EntityKind.ROLE)]
        assert bench.card(EntityKind.ROLE).card_id == role.card_id
        await bench.act("set_card_status", cardId=role.card_id, status="accepted")
        await bench.act("update_draft_card", cardId=role.card_id, patch={"name": "Mara"})


async def test_a_second_foundation_goes_beside_the_first_or_replaces_it() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        await bench.draft()
        # The world keeps its card.
        assert len(bench.cards()) == 77
        keys = [(card.kind, card.entity_key) for card in bench.cards()]
        assert len(set(keys)) == len(keys)
        await bench.draft(replace=True)
        assert len(bench.cards()) == 39


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("draft_foundation", "anchors_incomplete"),
        ("update_draft_card", "no_cards"),
        ("create_draft_card", "foundation_missing"),
        ("set_card_status", "no_cards"),
        ("reorder_cards", "no_cards"),
        ("generate_entity", "foundation_missing"),
        ("generate_scene_npc", "no_scene"),
        ("sync_result_profile", "foundation_missing"),
        ("revert_checkpoint", "no_checkpoint"),
        ("publish_world", "publish_gate_blocked"),
        ("unpublish_world", "not_published"),
        ("retry_reply", "nothing_to_retry"),
        ("restore_session", "not_archived"),
    ],
)
async def test_actions_of_an_empty_session_say_why_not(action: str, reason: str) -> None:
    async with studio() as bench:
        assert bench.reason(action) == reason
        details = await bench.details(action)
        assert details["reasonCode"] == reason


async def test_a_card_shows_what_names_it() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        scene = bench.card(EntityKind.LANDMARK)
        read = await bench.player.ask(
            "get_custom_world_agent_card", bench.session_id, scene.card_id
        )
        assert read.card == scene
        kinds = {card.kind for card in read.referenced_by}
        assert {EntityKind.LANDMARK, EntityKind.CHAPTER} <= kinds
        assert [finding.code for finding in read.findings] == ["WRN_SCENE_IMAGE"]
        assert read.asset_links == []
        call = bench.player.ask(
            "get_custom_world_agent_card", bench.session_id, f"{bench.session_id}.card_none"
        )
        assert await refusal(call) == "agent.card_not_found"


async def test_entities_are_generated_one_by_one() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        scene = bench.card(EntityKind.LANDMARK).entity_key
        started = await bench.act("generate_entity", kind="faction", hint="of the river")
        assert json.loads(started.input_json) == {
            "hint": "of the river",
            "kind": "faction",
            "sceneKey": None,
        }
        made = {"name": "River Guild", "goal": "Ferries.", "stance": {}}
        entry = {"kind": "faction", "key": "x", "payload": made, "status": "proposed"}
        ended = await bench.finish({"cards": [entry]})
        (told,) = json.loads(ended.result_json or "")["cards"]
        card = bench.cards(EntityKind.FACTION)[-1]
        assert (card.status, told["cardId"]) == (CardStatus.PROPOSED, card.card_id)
        await bench.act("generate_scene_npc", sceneKey=scene)
        await bench.fail()
        await bench.act("expand_chapter", hint="")
        await bench.fail()
        assert bench.session.card_count == 40
