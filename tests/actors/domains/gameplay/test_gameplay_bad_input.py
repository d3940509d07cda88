"""Domain 5.9, row by row: what clients get for input that stories do not take."""

from __future__ import annotations

import pytest
from edited_vale import Document, entity, publish_edited
from user_bench import only
from vale_bench import Player, claims, playing, refusal

from actors.domains.domain_types import ParticipantRole
from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.npc_exchange import NpcExchangeRecord
from actors.domains.gameplay.quest import QuestLog, QuestRecord
from actors.domains.gameplay.quest_calls import TreasureAction
from actors.domains.gameplay.rewards import RewardSettlement
from actors.domains.gameplay.story import StoryFunction
from actors.domains.gameplay.trade import TradeKind
from actors.domains.gameplay.treasure import TreasureRecord

HERB = "core_healing_herb"
LETTER = {
    "itemId": "letter",
    "name": "Letter",
    "description": "Sealed.",
    "category": "quest",
    "rarity": "common",
    "valueCoins": 0,
    "tradeable": False,
    "tags": [],
}


async def _continue(player: Player, choice: str | None, text: str | None, turn: int) -> object:
    fields = (player.story_id, choice, text, turn, False)
    return await player.ask("continue_story_and_return", *fields)


async def test_turns_that_are_over_or_forged() -> None:
    async with playing() as player:
        turn, travel = player.session.turn, player.choice(StoryFunction.TRAVEL, "mill").choice_id
        await _continue(player, travel, None, turn)
        after = player.session
        stale = _continue(player, travel, None, turn)
        assert await refusal(stale) == "story.stale_version"
        for both in ((travel, "go"), (None, None)):
            assert await refusal(_continue(player, *both, after.turn)) == "story.invalid_input"
        for forged in (travel, f"{player.story_id}.c.{after.turn}.99"):
            work = _continue(player, forged, None, after.turn)
            assert await refusal(work) == "story.choice_not_found"
        for text, code in (("x" * 401, "input.text_too_long"), (" \n", "input.text_empty")):
            assert await refusal(_continue(player, None, text, after.turn)) == code
        assert player.session == after
        await _continue(player, None, "x" * 400, after.turn)


async def test_guests_do_not_drive() -> None:
    async with playing() as player:
        await player.call("create_story_invite", player.story_id)
        guest = await player.vale.enter(claims(2))
        code, role = player.session.invite_code, ParticipantRole.PLAYER
        await guest.ask("join_story_session_and_return", player.story_id, code, role, "wanderer")
        guest.story_id = player.story_id
        travel = player.choice(StoryFunction.TRAVEL, "mill").choice_id
        drive = _continue(guest, travel, None, player.session.turn)
        assert await refusal(drive) == "auth.forbidden"
        quest = f"{player.story_id}.q.meet_scout"
        for name, fields in (
            ("talk_to_npc", ("mayor",)),
            ("accept_quest", (quest,)),
            ("resolve_treasure_interaction", ("mill_chest", TreasureAction.OPEN)),
            ("abandon_story_session", ()),
        ):
            assert await refusal(guest.call(name, player.story_id, *fields)) == "auth.forbidden"


async def test_trades_beyond_the_stock_or_at_another_price() -> None:
    async with playing() as player:
        (smith,) = (row for row in player.story_rows(NpcState) if row.npc_key == "smith")
        entry = smith.trade_stock[0]
        assert entry.quantity < 99
        buy = ("trade_with_npc", player.story_id, "smith", TradeKind.BUY, entry.item_id)
        many = player.call(*buy, 99, entry.unit_price)
        assert await refusal(many) == "npc.out_of_stock"
        for price in (entry.unit_price - 1, entry.unit_price + 1):
            other = player.call(*buy, 1, price)
            assert await refusal(other) == "npc.price_changed_conflict"
        for quantity in (0, 100):
            odd = player.call(*buy, quantity, entry.unit_price)
            assert await refusal(odd) == "inventory.quantity_out_of_range"
        assert player.story_rows(NpcExchangeRecord) == []


async def test_a_belt_item_is_not_sold_during_a_battle() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "mill_prowl")
        sell = ("trade_with_npc", player.story_id, "scout", TradeKind.SELL, HERB, 1, 6)
        assert await refusal(player.call(*sell)) == "inventory.locked_state"


async def test_herbs_are_not_worn_and_quest_items_not_thrown_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def edit(document: Document) -> None:
        document["items"] = [LETTER]
        role = document["roles"][0]
        role["startingItems"] = [
            {"itemId": HERB, "quantity": 3},
            {"itemId": "letter", "quantity": 1},
        ]

    publish_edited(monkeypatch, edit)
    async with playing() as player:
        slots = {row.item_id: row.slot_index for row in player.rows("inventory_slot")}
        lineage = player.session.runtime_session_id
        wear = player.call("equip_item", lineage, slots[HERB])
        assert await refusal(wear) == "inventory.not_equippable"
        throw = player.call("discard_inventory_item", lineage, slots["letter"], 1)
        assert await refusal(throw) == "inventory.not_discardable"
        for slot, code in ((39, "slot_empty"), (40, "slot_out_of_range")):
            wear = player.call("equip_item", lineage, slot)
            assert await refusal(wear) == f"inventory.{code}"


async def test_a_quest_is_turned_in_once() -> None:
    async with playing() as player:
        quest = f"{player.story_id}.q.herb_help"
        turn_in = ("turn_in_quest", player.story_id, quest)
        assert await refusal(player.call(*turn_in)) == "quest.not_completed_state"
        await player.call("accept_quest", player.story_id, quest)
        await player.choose(StoryFunction.TRAVEL, "mill")
        assert await refusal(player.call(*turn_in)) == "quest.giver_absent_state"
        await player.choose(StoryFunction.TRAVEL, "square")
        await player.call(*turn_in)
        tables = (QuestRecord, QuestLog, RewardSettlement)
        before = [player.story_rows(table) for table in tables]
        assert await refusal(player.call(*turn_in)) == "quest.already_turned_in"
        assert [player.story_rows(table) for table in tables] == before
        unknown = player.call("turn_in_quest", player.story_id, f"{player.story_id}.q.none")
        assert await refusal(unknown) == "quest.not_found"


async def test_a_chest_of_another_scene_stays_shut() -> None:
    async with playing() as player:
        chest = only(player.story_rows(TreasureRecord))
        opening = ("resolve_treasure_interaction", player.story_id, "mill_chest")
        for action in TreasureAction:
            far = player.call(*opening, action)
            assert await refusal(far) == "treasure.not_in_scene_state"
        assert only(player.story_rows(TreasureRecord)) == chest


async def test_who_cannot_be_fought_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_edited(monkeypatch, lambda document: _fightable(document, "mayor"))
    async with playing() as player:
        attack = ("create_battle_state", player.story_id, 0, None)
        for npc, code in (
            ("smith", "npc.requirements_not_met"),  # its author does not allow it
            ("mayor", "npc.requirements_not_met"),  # gives the main quest
            ("scout", "npc.not_in_scene_state"),
            ("ghost", "npc.not_found"),
        ):
            assert await refusal(player.call(*attack, npc, None)) == code, npc
        assert {row.affinity for row in player.story_rows(NpcState)} == {0, 50}


def _fightable(document: Document, key: str) -> None:
    entity(document, "npcs", key)["canBeFought"] = True
