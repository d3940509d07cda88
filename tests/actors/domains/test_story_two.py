"""Domain 13.2: quests, chapter budget, deviation, the next chapter."""

from __future__ import annotations

import pytest
from user_bench import SERVICE, only
from vale_bench import PROFILE, Player, RefusedError, playing

from actors.domains.domain_types import ItemGrant, LevelRating, PaceAdvice, XpRating
from actors.domains.gameplay.chapter import ChapterDeviationReport
from actors.domains.gameplay.combat import BattleCombatant
from actors.domains.gameplay.inventory_calls import Consume, Grant
from actors.domains.gameplay.quest import (
    QuestLog,
    QuestLogKind,
    QuestRecord,
    QuestStatus,
)
from actors.domains.gameplay.story import StoryFunction, StoryStatus
from actors.domains.rules.combat import BattleSide
from actors.domains.runtime.profile import ProfileDashboardState


def _quest(player: Player, key: str) -> QuestRecord:
    return only(row for row in player.story_rows(QuestRecord) if row.quest_key == key)


def _progress(player: Player) -> tuple[int, int, int]:
    row = only(player.rows("my_player_progression"))
    return (row.total_xp, row.level, row.current_level_xp)


def _items(player: Player) -> dict[str, int]:
    return {row.item_id: row.quantity for row in player.rows("inventory_slot")}


async def _to_the_square_after_the_fight(player: Player) -> None:
    """Steps 1 and 2: everything done, nothing turned in."""
    for key in ("meet_scout", "herb_help"):
        await player.choose(StoryFunction.ACCEPT_QUEST, key)
        assert _quest(player, key).status is QuestStatus.ACTIVE
    await player.choose(StoryFunction.TRAVEL, "mill")
    assert _quest(player, "herb_help").status is QuestStatus.COMPLETED
    await player.choose(StoryFunction.FIGHT, "slime_pack")
    battle = only(player.rows("battle_state"))
    await player.fight_out(await player.battle(battle.battle_state_id))
    assert _progress(player) == (24, 1, 24)
    assert _items(player) == {"core_healing_herb": 6, "core_coin": 28}
    await player.choose(StoryFunction.TALK, "scout")
    assert _quest(player, "meet_scout").status is QuestStatus.COMPLETED
    await player.choose(StoryFunction.TRAVEL, "square")


async def test_story_two() -> None:
    async with playing() as player:
        await _to_the_square_after_the_fight(player)
        await player.choose(StoryFunction.TURN_IN_QUEST, "meet_scout")
        assert _progress(player) == (155, 2, 55)
        assert _items(player)["core_coin"] == 38
        await player.choose(StoryFunction.TURN_IN_QUEST, "herb_help")
        assert _progress(player) == (242, 2, 142)
        assert _items(player) == {"core_healing_herb": 4, "core_coin": 48}
        await player.choose(StoryFunction.TURN_IN_QUEST, "clear_mill")
        assert _progress(player) == (680, 4, 172)
        assert only(player.rows("my_player_progression")).pending_level_ups == 3
        assert _items(player)["core_coin"] == 68
        chapter = only(player.rows("my_chapter_progression"))
        assert (chapter.actual_quest_xp, chapter.actual_hostile_xp) == (656, 24)
        assert player.session.status is StoryStatus.CHAPTER_BREAK
        assert [choice.function for choice in player.choices()] == [
            StoryFunction.ADVANCE_CHAPTER,
            StoryFunction.TRAVEL,
            StoryFunction.NARRATIVE,
        ]

        written = len(player.story_rows(QuestLog))
        with pytest.raises(RefusedError) as refused:
            await player.call(
                "turn_in_quest", player.story_id, _quest(player, "clear_mill").quest_record_id
            )
        assert refused.value.code == "quest.already_turned_in"
        assert len(player.story_rows(QuestLog)) == written

        await player.choose(StoryFunction.ADVANCE_CHAPTER)
        await _check_chapter_two(player)
        assert player.cache.faults() == []


async def _check_chapter_two(player: Player) -> None:
    report = only(
        row for row in player.own_rows(ChapterDeviationReport) if row.chapter_id == f"{PROFILE}:c1"
    )
    assert (report.planned_total_xp, report.actual_total_xp) == (938, 680)
    assert (report.deviation_permille, report.xp_rating) == (-275, XpRating.UNDER)
    assert (report.level_gap, report.level_rating) == (-1, LevelRating.ALIGNED)
    assert (report.advice, report.final) == (PaceAdvice.EASE, True)
    assert only(player.own_rows(ProfileDashboardState)).wallet_balance == 210

    chapters = {row.chapter_index: row for row in player.rows("my_chapter_progression")}
    assert chapters[1].level_at_exit == 4
    second = chapters[2]
    assert (second.entry_pseudo_level_millis, second.exit_pseudo_level_millis) == (5200, 8800)
    planned = (second.planned_total_xp, second.planned_quest_xp, second.planned_hostile_xp)
    assert planned == (2373, 1423, 950)
    assert (second.expected_hostile_defeat_count, second.level_at_entry) == (12, 4)

    session = player.session
    assert (session.status, session.chapter_index) == (StoryStatus.ACTIVE, 2)
    assert session.current_scene_key == "gate"
    await player.choose(StoryFunction.FIGHT, "gate_prowl")
    wolf = next(
        row
        for row in player.story_rows(BattleCombatant)
        if row.side is BattleSide.HOSTILE and row.alive
    )
    assert wolf.level == 4

    kinds = [
        row.kind
        for row in sorted(player.story_rows(QuestLog), key=lambda row: row.seq)
        if row.quest_record_id == _quest(player, "clear_mill").quest_record_id
    ]
    assert kinds == [
        QuestLogKind.OFFERED,
        QuestLogKind.ACCEPTED,
        QuestLogKind.PROGRESSED,
        QuestLogKind.PROGRESSED,
        QuestLogKind.PROGRESSED,
        QuestLogKind.COMPLETED,
        QuestLogKind.TURN_IN_REQUESTED,
        QuestLogKind.TURNED_IN,
    ]


async def test_a_turn_in_without_the_herbs_comes_back_completed() -> None:
    async with playing() as player:
        await _to_the_square_after_the_fight(player)
        service = await player.vale.enter(SERVICE)
        await service.call(
            "apply_inventory_mutation",
            player.user_id,
            player.session.runtime_session_id,
            Consume(ItemGrant("core_healing_herb", 5)),
            "test:herbs",
        )
        assert _items(player)["core_healing_herb"] == 1
        await player.choose(StoryFunction.TURN_IN_QUEST, "herb_help")
        quest = _quest(player, "herb_help")
        assert quest.status is QuestStatus.COMPLETED
        assert quest.last_error == "inventory.insufficient_items"
        assert _items(player)["core_healing_herb"] == 1
        assert _progress(player) == (24, 1, 24)
        await service.call(
            "apply_inventory_mutation",
            player.user_id,
            player.session.runtime_session_id,
            Grant(ItemGrant("core_healing_herb", 5)),
            "test:more",
        )
        await player.choose(StoryFunction.TURN_IN_QUEST, "herb_help")
        assert _quest(player, "herb_help").status is QuestStatus.TURNED_IN
        assert _quest(player, "herb_help").last_error is None
        assert _progress(player) == (111, 2, 11)
