"""Domain 5.6: chains, quests that are given up or left behind, and what counts as obtained."""

from __future__ import annotations

import pytest
from edited_vale import Document, entity, publish_edited
from user_bench import SERVICE, only
from vale_bench import Player, RefusedError, playing

from actors.domains.domain_types import HostileGroup, HostileRank
from actors.domains.gameplay.quest import QuestLog, QuestRecord, QuestStatus
from actors.domains.gameplay.story import StoryFunction, StoryStatus
from actors.domains.rules.combat import BattleMode


def _quest(player: Player, key: str) -> QuestRecord:
    return only(row for row in player.story_rows(QuestRecord) if row.quest_key == key)


def _keys(player: Player) -> set[str]:
    return {row.quest_key for row in player.story_rows(QuestRecord)}


def _log(player: Player, key: str) -> list[str]:
    rows = [row for row in player.story_rows(QuestLog) if f".q.{key}:" in row.quest_log_id]
    return [row.kind.name.lower() for row in sorted(rows, key=lambda row: row.seq)]


async def _call(player: Player, name: str, key: str) -> None:
    await player.call(name, player.story_id, f"{player.story_id}.q.{key}")


async def _win(player: Player) -> None:
    """Beat three minions, which the main quests of the first two chapters ask for."""
    service = await player.vale.enter(SERVICE)
    slimes = [HostileGroup("vale_slime", HostileRank.MINION, 3)]
    fight = (player.story_id, BattleMode.FIGHT, None, None, slimes)
    answer = await service.ask("create_battle_state_and_return", *fight)
    await player.fight_out(await player.battle(answer.battle.battle_state_id))


async def _end_chapter(player: Player) -> None:
    await _win(player)
    await _call(player, "turn_in_quest", "clear_mill")
    assert player.session.status is StoryStatus.CHAPTER_BREAK
    await player.choose(StoryFunction.ADVANCE_CHAPTER)


def _add(document: Document, key: str, chapter: str, **fields: object) -> None:
    document["quests"].append(entity(document, "quests", "meet_scout") | {"key": key} | fields)
    entity(document, "sceneChapterBlueprints", chapter)["sideQuestKeys"].append(key)


async def test_a_chain_goes_on_when_its_quest_is_turned_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def edit(document: Document) -> None:
        entity(document, "quests", "meet_scout")["nextQuestKey"] = "after"
        _add(document, "after", "first_smoke")

    publish_edited(monkeypatch, edit)
    async with playing() as player:
        assert _keys(player) == {"clear_mill", "meet_scout", "herb_help"}
        await _call(player, "accept_quest", "meet_scout")
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.call("talk_to_npc", player.story_id, "scout")
        await player.choose(StoryFunction.TRAVEL, "square")
        assert "after" not in _keys(player)
        await _call(player, "turn_in_quest", "meet_scout")
        after = _quest(player, "after")
        assert (after.status, after.chapter_index) == (QuestStatus.OFFERED, 1)
        assert after.reward_preview.xp > 0


async def test_what_follows_in_a_later_chapter_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def edit(document: Document) -> None:
        entity(document, "quests", "clear_mill")["nextQuestKey"] = "clear_gate"
        entity(document, "quests", "meet_scout")["nextQuestKey"] = "later"
        entity(document, "quests", "herb_help")["nextQuestKey"] = "never"
        for key in ("later", "never"):
            _add(document, key, "gate_chapter", giverNpcKey=None)

    publish_edited(monkeypatch, edit)
    async with playing() as player:
        await _call(player, "accept_quest", "meet_scout")
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.call("talk_to_npc", player.story_id, "scout")
        await player.choose(StoryFunction.TRAVEL, "square")
        await _call(player, "turn_in_quest", "meet_scout")
        assert "later" not in _keys(player)
        await _end_chapter(player)
        gate = _quest(player, "clear_gate")
        assert (gate.status, gate.chapter_index) == (QuestStatus.ACTIVE, 2)
        assert gate.reward_preview.xp > 0
        later = _quest(player, "later")
        assert (later.status, later.chapter_index) == (QuestStatus.OFFERED, 2)
        # Its predecessor failed with the first chapter.
        assert _quest(player, "herb_help").status is QuestStatus.FAILED
        assert "never" not in _keys(player)


async def test_a_quest_that_was_given_up_comes_back_with_a_later_chapter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def edit(document: Document) -> None:
        entity(document, "quests", "herb_help")["giverNpcKey"] = None
        entity(document, "sceneChapterBlueprints", "gate_chapter")["sideQuestKeys"] = ["herb_help"]

    publish_edited(monkeypatch, edit)
    async with playing() as player:
        await _call(player, "accept_quest", "herb_help")
        with pytest.raises(RefusedError, match=r"^quest\.not_active_state"):
            await _call(player, "abandon_quest", "clear_mill")
        await _call(player, "abandon_quest", "herb_help")
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.TRAVEL, "square")
        given_up = _quest(player, "herb_help")
        assert (given_up.status, given_up.objectives[0].progress) == (QuestStatus.ABANDONED, 0)
        with pytest.raises(RefusedError, match=r"^quest\.not_offered_state"):
            await _call(player, "accept_quest", "herb_help")
        await _end_chapter(player)
        again = _quest(player, "herb_help")
        assert (again.status, again.chapter_index) == (QuestStatus.OFFERED, 2)
        assert (again.accepted_turn, again.created_at) == (None, given_up.created_at)
        assert again.version == given_up.version + 1
        assert _log(player, "herb_help") == ["offered", "accepted", "abandoned", "offered"]


async def test_leaving_a_chapter_fails_what_was_not_completed() -> None:
    async with playing() as player:
        await _call(player, "accept_quest", "meet_scout")
        await _call(player, "accept_quest", "herb_help")
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.TRAVEL, "square")
        await _end_chapter(player)
        assert _quest(player, "meet_scout").status is QuestStatus.FAILED
        assert _quest(player, "herb_help").status is QuestStatus.COMPLETED
        assert _log(player, "meet_scout")[-1] == "failed"


async def test_what_lies_in_the_overflow_was_obtained(monkeypatch: pytest.MonkeyPatch) -> None:
    def edit(document: Document) -> None:
        goal = {"objectiveId": "get", "kind": "obtain_item", "targetKey": "core_antidote"}
        entity(document, "quests", "herb_help")["objectives"] = [goal | {"required": 1}]
        blades = [{"itemId": "core_blade_t1", "quantity": 39}]
        document["roles"][0]["startingItems"] = [*blades, {"itemId": "core_coin", "quantity": 1}]

    publish_edited(monkeypatch, edit)
    async with playing() as player:
        await _call(player, "accept_quest", "herb_help")
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.call("resolve_treasure_interaction", player.story_id, "mill_chest", 1)
        antidote = only(
            row for row in player.rows("inventory_slot") if row.item_id == "core_antidote"
        )
        assert antidote.container.name == "OVERFLOW"
        assert _quest(player, "herb_help").status is QuestStatus.COMPLETED
