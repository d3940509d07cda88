"""Domain 5.8: locks, traps, contents; in worlds that differ from Test Vale in one treasure."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from user_bench import SERVICE, only
from vale_bench import Player, claims, playing, refusal

from actors.domains.custom_world import fixture_worlds
from actors.domains.domain_types import ItemGrant, ParticipantRole
from actors.domains.fixtures import vale_document
from actors.domains.gameplay.inventory_calls import Grant
from actors.domains.gameplay.quest_calls import TreasureAction
from actors.domains.gameplay.rewards import RewardSettlement
from actors.domains.gameplay.story import StoryFunction, StoryParticipant
from actors.domains.gameplay.treasure import TreasureRecord, TreasureStatus

KEY = {
    "itemId": "mill_key",
    "name": "Mill Key",
    "description": "Black from the fire.",
    "category": "key",
    "rarity": "common",
    "valueCoins": 1,
    "tradeable": True,
    "tags": ["metal"],
}


@asynccontextmanager
async def _at_the_chest(
    monkeypatch: pytest.MonkeyPatch, items: list[object] | None = None, **changes: object
) -> Any:
    document = json.loads(vale_document())
    if items is not None:
        document["roles"][0]["startingItems"] = items
    document["items"] = [*document.get("items", []), KEY]
    document["treasures"][0].update(changes)
    text = json.dumps(document)
    monkeypatch.setattr(fixture_worlds, "vale_document", lambda: text)
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        yield player


def _chest(player: Player) -> TreasureRecord:
    return only(player.story_rows(TreasureRecord))


def _items(player: Player) -> dict[str, int]:
    return {row.item_id: row.quantity for row in player.rows("inventory_slot")}


async def _do(player: Player, action: TreasureAction, key: str = "mill_chest") -> Any:
    return await player.ask("resolve_treasure_interaction_and_return", player.story_id, key, action)


async def test_a_key_opens_the_lock_and_stays_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _at_the_chest(monkeypatch, lock="key_item", keyItemId="mill_key") as player:
        before = _items(player)
        opening = _do(player, TreasureAction.OPEN)
        assert await refusal(opening) == "treasure.requirements_not_met"
        chest = _chest(player)
        assert (chest.status, chest.opened_by, chest.granted_items) == (
            TreasureStatus.FOUND,
            None,
            [],
        )
        assert _items(player) == before
        refused = player.story_rows(RewardSettlement)[-1]
        assert refused.error_code == "treasure.requirements_not_met"

    items = [{"itemId": "mill_key", "quantity": 1}]
    locked = {"lock": "key_item", "keyItemId": "mill_key"}
    async with _at_the_chest(monkeypatch, items, **locked) as player:
        assert _items(player) == {"mill_key": 1}
        answer = await _do(player, TreasureAction.OPEN)
        assert answer == _chest(player)
        assert answer.status is TreasureStatus.OPENED
        assert _items(player) == {"core_antidote": 1, "core_coin": 10}


async def test_what_only_this_world_has_arrives_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loot = [{"itemId": "mill_key", "chancePermille": 1000, "min": 1, "max": 1}]
    async with _at_the_chest(monkeypatch, lootTable=loot) as player:
        await _do(player, TreasureAction.OPEN)
        row = only(each for each in player.rows("inventory_slot") if each.item_id == "mill_key")
        assert (row.name, row.stack_limit) == ("Mill Key", 1)


async def test_danger_holds_a_chest_shut_until_it_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with _at_the_chest(monkeypatch, lock="danger") as player:
        opening = _do(player, TreasureAction.OPEN)
        assert await refusal(opening) == "treasure.requirements_not_met"
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        battle = only(player.rows("battle_state"))
        await player.fight_out(await player.battle(battle.battle_state_id))
        await _do(player, TreasureAction.OPEN)
        assert _chest(player).status is TreasureStatus.OPENED


async def test_traps_hurt_but_do_not_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _at_the_chest(monkeypatch, trapPermille=300) as player:
        triggered = []
        for _ in range(12):
            await player.begin_again()
            await player.choose(StoryFunction.TRAVEL, "mill")
            await _do(player, TreasureAction.OPEN)
            chest, participant = _chest(player), only(player.story_rows(StoryParticipant))
            triggered.append(chest.trap_triggered)
            assert participant.hp == (176 - 26 if chest.trap_triggered else 176)
        assert 0 < sum(triggered) < 12


async def test_an_empty_table_holds_the_band_of_the_chapter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with _at_the_chest(monkeypatch, lootTable=[]) as player:
        await _do(player, TreasureAction.OPEN)
        assert _chest(player).granted_items == [ItemGrant("core_healing_herb", 1)]
        assert _items(player) == {"core_healing_herb": 4, "core_coin": 30}


async def test_a_chest_that_was_left_can_be_opened_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _at_the_chest(monkeypatch) as player:
        assert (await _do(player, TreasureAction.INSPECT)).status is TreasureStatus.FOUND
        assert (await _do(player, TreasureAction.LEAVE)).status is TreasureStatus.LEFT
        assert player.choice(StoryFunction.INSPECT, "mill_chest").enabled
        await player.choose(StoryFunction.TRAVEL, "square")
        assert await refusal(_do(player, TreasureAction.OPEN)) == "treasure.not_in_scene_state"
        assert await refusal(_do(player, TreasureAction.INSPECT)) == "treasure.not_in_scene_state"
        assert await refusal(_do(player, TreasureAction.OPEN, "moon")) == "treasure.not_found"
        await player.choose(StoryFunction.TRAVEL, "mill")
        await _do(player, TreasureAction.OPEN)
        assert _chest(player).status is TreasureStatus.OPENED
        assert await refusal(_do(player, TreasureAction.INSPECT)) == "treasure.already_opened"


async def test_a_lock_keeps_everyone_out_until_the_host_has_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    locked = {"lock": "key_item", "keyItemId": "core_smoke_bomb", "trapPermille": 300}
    async with _at_the_chest(monkeypatch, **locked) as player:
        await player.call("create_story_invite", player.story_id)
        guest = await player.vale.enter(claims(2))
        await guest.subscribe("inventory_slot")
        code, role = player.session.invite_code, ParticipantRole.PLAYER
        await guest.call("join_story_session", player.story_id, code, role, "wanderer")
        before = _items(guest)
        for _ in range(3):
            opening = _do(player, TreasureAction.OPEN)
            assert await refusal(opening) == "treasure.requirements_not_met"
        assert _items(guest) == before
        assert {row.hp for row in player.story_rows(StoryParticipant)} == {176}
        assert not _chest(player).trap_triggered

        service, lineage = await player.vale.enter(SERVICE), player.session.runtime_session_id
        key = Grant(ItemGrant("core_smoke_bomb", 1))
        grant = (player.user_id, lineage, key, "a-key")
        await service.call("apply_inventory_mutation", *grant)
        assert (await _do(player, TreasureAction.OPEN)).status is TreasureStatus.OPENED
        for who in (player, guest):
            items = {"core_antidote": 1, "core_healing_herb": 3, "core_coin": 30}
            assert _items(who) == items
        trapped = _chest(player).trap_triggered
        host = next(
            row for row in player.story_rows(StoryParticipant) if row.user_id == player.user_id
        )
        assert host.hp == (150 if trapped else 176)
