"""Refusals that Test Vale alone never shows: in worlds that differ from it in a few words."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from user_bench import SERVICE, only
from vale_bench import Player, claims, playing, refusal

from actors.domains.custom_world import fixture_worlds
from actors.domains.fixtures import vale_document
from actors.domains.gameplay.combat import BattleState
from actors.domains.gameplay.story import StoryFunction, StoryParticipant
from actors.domains.gameplay.trade import TradeKind
from actors.domains.rules.combat import BattleMode, BattleStatus, CombatAction

HERB = "core_healing_herb"


def _author(monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(vale_document())
    change(document)
    text = json.dumps(document)
    monkeypatch.setattr(fixture_worlds, "vale_document", lambda: text)


async def test_who_is_hostile_refuses_everything_but_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(document: dict[str, Any]) -> None:
        (scout,) = (npc for npc in document["npcs"] if npc["key"] == "scout")
        scout["initialAffinity"] = -20

    _author(monkeypatch, change)
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        scout = (player.story_id, "scout")
        sell = ("trade_with_npc", *scout, TradeKind.SELL, HERB, 1, 1)
        spar = ("create_battle_state", player.story_id, BattleMode.SPAR, None, "scout", None)
        for call in (sell, ("gift_npc", *scout, HERB), ("recruit_npc", *scout), spar):
            assert await refusal(player.call(*call)) == "npc.refuses_state", call[0]
        assert await refusal(player.call("ask_npc_help", *scout)) == "npc.requirements_not_met"
        assert (await player.ask("talk_to_npc_and_return", *scout)).affinity == -17


async def test_two_companions_are_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ("scout", "scout_b", "scout_c")

    def change(document: dict[str, Any]) -> None:
        (scout,) = (npc for npc in document["npcs"] if npc["key"] == "scout")
        for key in keys[1:]:
            document["npcs"].append(deepcopy(scout) | {"key": key})
        document["roles"][0]["startingItems"] = [{"itemId": HERB, "quantity": 20}]

    _author(monkeypatch, change)
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        for key in keys:
            for _ in range(2):
                await player.call("gift_npc", player.story_id, key, HERB)
                await player.call("talk_to_npc", player.story_id, key)
        for key in keys[:2]:
            await player.call("recruit_npc", player.story_id, key)
        again = player.call("recruit_npc", player.story_id, keys[0])
        assert await refusal(again) == "npc.already_recruited"
        third = player.call("recruit_npc", player.story_id, keys[2])
        assert await refusal(third) == "npc.party_full_state"


async def _wounded(player: Player) -> None:
    """Flee from the fixed encounter until it hurt."""
    while only(player.story_rows(StoryParticipant)).hp == 176:
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        row = next(
            row for row in player.story_rows(BattleState) if row.status is BattleStatus.ACTIVE
        )
        battle = await player.battle(row.battle_state_id)
        while battle.battle.status is BattleStatus.ACTIVE:
            battle = (await player.act(battle, CombatAction.ESCAPE)).snapshot


async def test_nobody_rests_beside_enemies() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await _wounded(player)
        rest = player.choice(StoryFunction.REST)
        assert (rest.enabled, rest.disabled_reason) == (False, "enemies are near")
        assert await refusal(player.choose(StoryFunction.REST)) == "story.choice_disabled"
        await player.choose(StoryFunction.TRAVEL, "square")
        await player.choose(StoryFunction.REST)
        assert only(player.story_rows(StoryParticipant)).hp == 176


async def test_another_users_data_needs_the_service_role() -> None:
    async with playing() as player:
        other, service = await player.vale.enter(claims(2)), await player.vale.enter(SERVICE)
        for name, fields in (
            ("get_player_progression_or_default", ()),
            ("get_chapter_progression", ("cwp_fixture_vale:c1",)),
            ("list_chapter_progression", ("cwp_fixture_vale",)),
            ("get_chapter_deviation_report", ("cwp_fixture_vale:c1",)),
        ):
            assert await refusal(other.ask(name, player.user_id, *fields)) == "auth.forbidden"
            assert await service.ask(name, player.user_id, *fields) == await player.ask(
                name, None, *fields
            )


async def test_ids_of_a_wrong_form_are_told_from_those_that_do_not_exist() -> None:
    async with playing() as player:
        for name, fields in (
            ("get_chapter_progression", (None, "vale/c1")),
            ("get_chapter_deviation_report", (None, "vale c1")),
            ("list_chapter_progression", (None, "")),
            ("get_battle_state", ("ss 1",)),
            ("get_story_session_state", ("ss/1",)),
        ):
            assert await refusal(player.ask(name, *fields)) == "input.invalid_id", name
        for name, fields in (
            ("equip_item", ("rs/1", 0)),
            ("unequip_item", ("rs/1", 0)),
            ("move_inventory_slot", ("rs/1", 0, 1)),
            ("split_inventory_stack", ("rs/1", 0, 1)),
            ("discard_inventory_item", ("rs/1", 0, 1)),
            ("claim_overflow_item", ("rs/1", 0)),
            ("use_inventory_item", ("rs/1", 0)),
        ):
            assert await refusal(player.call(name, *fields)) == "input.invalid_id", name
        missing = player.ask("get_chapter_progression", None, "cwp_fixture_vale:c9")
        assert await refusal(missing) == "progression.chapter_not_found"
