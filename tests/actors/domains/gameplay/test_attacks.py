"""Domain 5.5 and 5.6: the party turns against an npc; what is left of it, and of its quests."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import pytest
from edited_vale import Document, entity, publish_edited
from user_bench import only
from vale_bench import Player, RefusedError, playing

from actors.domains.domain_types import GrantSource
from actors.domains.gameplay.combat import BattleSnapshot, BattleState
from actors.domains.gameplay.npc import NpcState, RelationStage
from actors.domains.gameplay.quest import QuestLog, QuestLogKind, QuestRecord, QuestStatus
from actors.domains.gameplay.rewards import RewardSettlement
from actors.domains.gameplay.story import StoryFunction, StoryMark, StoryStatus
from actors.domains.rules.combat import (
    BattleMode,
    CombatAction,
    CombatantKind,
    CombatOutcome,
)


@asynccontextmanager
async def _beside_the_scout(monkeypatch: pytest.MonkeyPatch, **changes: object) -> Any:
    """At the mill, where the scout can be fought and gives two quests."""

    def edit(document: Document) -> None:
        entity(document, "npcs", "scout").update({"canBeFought": True, **changes})
        quest = entity(document, "quests", "meet_scout") | {"giverNpcKey": "scout"}
        document["quests"].append(quest | {"key": "second"})
        document["quests"].append(quest | {"key": "third"})
        chapter = entity(document, "sceneChapterBlueprints", "first_smoke")
        chapter["sideQuestKeys"] += ["second", "third"]

    publish_edited(monkeypatch, edit)
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        yield player


def _scout(player: Player) -> NpcState:
    return only(row for row in player.story_rows(NpcState) if row.npc_key == "scout")


def _quest(player: Player, key: str) -> QuestRecord:
    return only(row for row in player.story_rows(QuestRecord) if row.quest_key == key)


async def _attack(player: Player) -> BattleSnapshot:
    fields = (player.story_id, BattleMode.FIGHT, None, "scout", None)
    answer = await player.ask("create_battle_state_and_return", *fields)
    return await player.battle(answer.battle.battle_state_id)


async def test_a_defeated_npc_is_gone_and_its_quests_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _beside_the_scout(monkeypatch) as player:
        await player.call("accept_quest", player.story_id, _quest(player, "second").quest_record_id)
        profile = _scout(player).level_profile
        battle = await _attack(player)
        scout = _scout(player)
        assert (scout.affinity, scout.relation_stage) == (-10, RelationStage.WARY)
        hostile = battle.combatants[-1]
        assert (hostile.kind, hostile.rank) == (CombatantKind.HOSTILE, profile.rank)
        assert (hostile.entity_key, hostile.level) == ("scout", profile.level)
        assert hostile.stats == profile.stats  # one against one: no pressure
        resolution = await player.fight_out(battle)
        assert resolution.outcome is CombatOutcome.VICTORY
        assert player.session.status is StoryStatus.ACTIVE
        assert _scout(player).scene_key == ""
        for key in ("second", "third"):
            assert _quest(player, key).status is QuestStatus.FAILED
        assert _quest(player, "clear_mill").status is QuestStatus.ACTIVE
        for call in (
            ("talk_to_npc", player.story_id, "scout"),
            ("gift_npc", player.story_id, "scout", "core_healing_herb"),
        ):
            with pytest.raises(RefusedError, match=r"^npc\.not_in_scene_state"):
                await player.call(*call)
        talks = [row for row in player.choices() if row.function is StoryFunction.TALK]
        assert talks == []
        paid = player.story_rows(RewardSettlement)[-1]
        lineage = player.session.runtime_session_id
        assert (paid.source, paid.source_ref) == (
            GrantSource.HOSTILE_DEFEAT,
            f"{lineage}:npc:scout",
        )
        assert only(player.rows("my_player_progression")).total_xp == profile.kill_xp
        marks = [row.mark_id for row in player.story_rows(StoryMark)]
        assert not any(mark.startswith("attack") for mark in marks)
        await player.choose(StoryFunction.TRAVEL, "square")
        await player.choose(StoryFunction.TRAVEL, "mill")
        assert _scout(player).scene_key == ""
        log = [row for row in player.story_rows(QuestLog) if row.kind is QuestLogKind.FAILED]
        assert len(log) == 2


async def test_an_npc_that_was_not_defeated_stays_and_remembers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with _beside_the_scout(monkeypatch) as player:
        battle = await _attack(player)
        await player.call("abort_battle", battle.battle.battle_state_id)
        scout = _scout(player)
        assert (scout.scene_key, scout.affinity) == ("mill", -10)
        assert _quest(player, "second").status is QuestStatus.OFFERED
        assert not any("attack" in row.mark_id for row in player.story_rows(StoryMark))
        with pytest.raises(RefusedError, match=r"^npc\.refuses_state"):
            await player.call("recruit_npc", player.story_id, "scout")


async def test_an_attacked_companion_leaves_the_party(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _beside_the_scout(monkeypatch) as player:
        for _ in range(2):
            await player.call("gift_npc", player.story_id, "scout", "core_healing_herb")
        for _ in range(2):
            await player.call("talk_to_npc", player.story_id, "scout")
        await player.call("recruit_npc", player.story_id, "scout")
        battle = await _attack(player)
        kinds = [row.kind for row in battle.combatants]
        assert kinds == [CombatantKind.PLAYER, CombatantKind.HOSTILE]
        assert not _scout(player).recruited


async def test_a_boss_of_an_npc_lets_nobody_go(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _beside_the_scout(monkeypatch, rank="boss") as player:
        battle = await _attack(player)
        assert battle.battle.escape_blocked
        with pytest.raises(RefusedError, match=r"^combat\.escape_blocked"):
            await player.act(battle, CombatAction.ESCAPE)
        assert only(player.story_rows(BattleState)).encounter_key is None


@pytest.mark.parametrize("kind", ["talk_npc", "win_spar", "give_gift", "reach_affinity"])
async def test_whom_the_main_quest_is_about_is_safe(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = {"objectiveId": "meet", "kind": kind, "targetKey": "scout", "required": 99}

    def edit(document: Document) -> None:
        entity(document, "npcs", "scout")["canBeFought"] = True
        entity(document, "quests", "clear_mill")["objectives"] = [objective]

    publish_edited(monkeypatch, edit)
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        with pytest.raises(RefusedError, match=r"^npc\.requirements_not_met"):
            await _attack(player)
        assert _scout(player).affinity == 50
