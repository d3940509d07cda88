"""Domain 13.1: progression and combat victory, as far as one process without sockets shows it."""

from __future__ import annotations

import pytest
from user_bench import SERVICE, only
from vale_bench import PROFILE, TABLES, RefusedError, Vale, claims, running_vale

from actors.domains.domain_types import (
    GrantSource,
    LevelBenchmark,
    PaceBand,
    PlayerProgressionSnapshot,
)
from actors.domains.gameplay.combat import BattleSecret
from actors.domains.gameplay.progression import ProgressionGrantLog
from actors.domains.gameplay.quest import QuestRecord, QuestStatus
from actors.domains.gameplay.rewards import SettlementStatus
from actors.domains.gameplay.story import StoryFunction, StoryStatus
from actors.domains.rules.combat import (
    BattleEventKind,
    BattleStatus,
    CombatAction,
    CombatOutcome,
)
from actors.keys import ActorKey
from actors.module.schema import AND_RETURN
from persistence.memory import MemoryDisk

CHAPTER = f"{PROFILE}:c1"


def _items(player) -> dict[str, int]:
    return {row.item_id: row.quantity for row in player.rows("inventory_slot")}


async def _steps_1_to_6(vale: Vale):
    player = await vale.enter(claims(1))
    await player.subscribe(*TABLES)
    assert player.rows("my_player_progression") == []

    shown = await player.ask("get_player_progression_or_default", None)
    assert (shown.level, shown.total_xp, shown.xp_to_next_level) == (1, 0, 100)
    assert (shown.pending_level_ups, shown.last_granted_source) == (0, None)
    assert player.rows("my_player_progression") == []

    benchmark = await player.ask("get_level_benchmark", 5)
    assert benchmark == LevelBenchmark(5, 848, 452, 204, 136, 20, 10, 104, 54)

    session = await player.begin()
    assert session.status is StoryStatus.ACTIVE
    assert (session.chapter_index, session.current_scene_key) == (1, "square")
    chapter = only(player.rows("my_chapter_progression"))
    assert (chapter.entry_pseudo_level_millis, chapter.exit_pseudo_level_millis) == (1000, 5200)
    assert (chapter.entry_level, chapter.exit_level) == (1, 5)
    assert (chapter.planned_total_xp, chapter.planned_quest_xp) == (938, 656)
    assert (chapter.planned_hostile_xp, chapter.expected_hostile_defeat_count) == (282, 10)
    assert (chapter.actual_quest_xp, chapter.actual_hostile_xp) == (0, 0)
    assert (chapter.actual_hostile_defeat_count, chapter.level_at_entry) == (0, 1)
    assert (chapter.level_at_exit, chapter.pace_band) == (None, PaceBand.OPENING)
    assert _items(player) == {"core_healing_herb": 3, "core_coin": 20}

    await player.choose(StoryFunction.TRAVEL, "mill")
    await player.choose(StoryFunction.FIGHT, "slime_pack")
    row = only(player.rows("battle_state"))
    assert row.status is BattleStatus.ACTIVE
    fighters = sorted(player.rows("battle_combatant"), key=lambda each: each.seq)
    assert [(each.hp, each.stats.attack) for each in fighters[1:]] == [(48, 6), (48, 6), (80, 8)]
    assert (fighters[0].stats.max_hp, fighters[0].level) == (176, 1)
    # Whoever is faster may have struck before the player's first turn.
    blows = (each.amount for each in player.rows("battle_event") if each.target_seq == 1)
    assert fighters[0].hp == 176 - sum(blows)
    return player, row.battle_state_id


async def _fight(player, battle_state_id: str):
    """Step 6; answers the last call's battle before it, its input and its answer."""
    battle = await player.battle(battle_state_id)
    for _ in range(40):
        before = battle
        player.deltas.clear()
        resolution = await player.fight_on(battle)
        battle = resolution.snapshot
        assert battle.battle.version == before.battle.version + 1
        if resolution.outcome is not CombatOutcome.ONGOING:
            return before, resolution
    raise AssertionError("no outcome within 40 actions")


async def test_story_one() -> None:
    disk = MemoryDisk()
    async with running_vale(disk) as vale:
        player, battle_state_id = await _steps_1_to_6(vale)
        before, last = await _fight(player, battle_state_id)
        assert last.outcome is CombatOutcome.VICTORY
        assert last.events[-1].kind is BattleEventKind.ENDED

        # 8: pending, then the user's rows, then settled.
        order = [name for name, _, _ in player.deltas]
        pending = order.index("reward_settlement")
        settled = len(order) - 1 - order[::-1].index("reward_settlement")
        assert pending < order.index("my_player_progression") < settled
        assert "battle_state" in order[:pending]
        reward = next(
            row
            for row in player.rows("reward_settlement")
            if row.source is GrantSource.HOSTILE_DEFEAT
        )
        assert sum(defeat.base_xp for defeat in reward.preview.hostile_defeats) == 24
        assert reward.status is SettlementStatus.SETTLED

        # 9
        own = only(player.rows("my_player_progression"))
        assert (own.level, own.current_level_xp, own.total_xp) == (1, 24, 24)
        assert own.last_granted_source is GrantSource.HOSTILE_DEFEAT
        chapter = only(player.rows("my_chapter_progression"))
        assert (chapter.actual_hostile_xp, chapter.actual_hostile_defeat_count) == (24, 3)
        assert len(player.own_rows(ProgressionGrantLog)) == 1
        assert _items(player) == {"core_healing_herb": 6, "core_coin": 28}
        quest = next(row for row in player.story_rows(QuestRecord) if row.quest_key == "clear_mill")
        assert quest.status is QuestStatus.COMPLETED

        # 7: a new request for an old turn is refused, and changes nothing.
        player.deltas.clear()
        with pytest.raises(RefusedError) as refused:
            await player.act(before, CombatAction.BASIC_ATTACK)
        assert refused.value.code == "combat.not_active_state"
        assert player.deltas == []

        final = await _steps_10_to_13(vale, player)
    await _step_14(disk, final)


async def _steps_10_to_13(vale: Vale, player) -> PlayerProgressionSnapshot:
    service = await vale.enter(SERVICE)
    for request in ("first", "second"):
        await service.ask(
            "grant_player_progression_experience_and_return",
            player.user_id,
            400,
            GrantSource.ADMIN,
            "g1",
            None,
            request=request,
        )
        own = only(player.rows("my_player_progression"))
        assert (own.level, own.current_level_xp, own.xp_to_next_level) == (3, 160, 244)
        assert (own.total_xp, own.pending_level_ups) == (424, 2)
        assert len(player.own_rows(ProgressionGrantLog)) == 2

    await player.call("acknowledge_level_ups", 2)
    final = only(player.rows("my_player_progression"))
    assert final.pending_level_ups == 0
    with pytest.raises(RefusedError) as refused:
        await player.call("acknowledge_level_ups", 1)
    assert refused.value.code == "progression.count_out_of_range"

    with pytest.raises(RefusedError) as refused:
        await player.call(
            "grant_player_progression_experience",
            player.user_id,
            400,
            GrantSource.ADMIN,
            "g2",
            None,
        )
    assert refused.value.code == "auth.forbidden"
    with pytest.raises(RefusedError) as refused:
        await service.call(
            "apply_chapter_progression_ledger_entry",
            player.user_id,
            f"{PROFILE}:c9",
            1,
            0,
            0,
            None,
            "entry",
        )
    assert refused.value.code == "progression.chapter_not_found"

    other = await vale.enter(claims(2))
    await other.subscribe(*TABLES)
    assert all(other.rows(table) == [] for table in TABLES)
    with pytest.raises(RefusedError):
        await other.subscribe("player_progression")
    with pytest.raises(RefusedError):
        await player.subscribe("battle_secret")
    assert player.story_rows(BattleSecret)
    assert player.cache.faults() == []
    return final


async def _step_14(disk: MemoryDisk, final: PlayerProgressionSnapshot) -> None:
    """Another host over the same store shows the same rows."""
    vale = Vale(disk)
    await vale.start()
    player = await vale.enter(claims(1))
    await player.subscribe(*TABLES)
    assert player.rows("my_player_progression") == [final]
    assert _items(player) == {"core_healing_herb": 6, "core_coin": 28}
    await vale.host.stop()


async def test_the_last_call_again_gives_the_same_answer_and_no_delta() -> None:
    async with running_vale() as vale:
        player, battle_state_id = await _steps_1_to_6(vale)
        battle = await player.battle(battle_state_id)
        first = await player.act(battle, CombatAction.BASIC_ATTACK, target=2, request="same")
        player.deltas.clear()
        again = await player.act(battle, CombatAction.BASIC_ATTACK, target=2, request="same")
        assert again == first
        assert player.deltas == []
        with pytest.raises(RefusedError) as refused:
            await player.act(battle, CombatAction.BASIC_ATTACK, target=3, request="same")
        assert refused.value.code == "idempotency.conflict"
        with pytest.raises(RefusedError) as refused:
            await player.act(battle, CombatAction.BASIC_ATTACK, target=2)
        assert refused.value.code == "combat.stale_version"


async def test_every_call_again_after_a_restart_changes_nothing() -> None:
    disk = MemoryDisk()
    async with running_vale(disk) as vale:
        player, battle_state_id = await _steps_1_to_6(vale)
        await _fight(player, battle_state_id)
        await _steps_10_to_13(vale, player)
        calls, answers = list(vale.calls), dict(vale.answers)
    assert len(calls) > 10
    vale = Vale(disk)
    await vale.start()
    peers = {who.subject: await vale.enter(who) for who, _, _ in calls}
    await vale.host.activate([ActorKey(key) for key in disk.actors])
    await vale.settle()
    before = vale.all_rows()
    for who, name, args in calls:
        wrapper = name + AND_RETURN
        if (wrapper, args) not in answers:
            await peers[who.subject].repeat(name, args)
            continue
        again = await peers[who.subject].repeat(wrapper, args)
        if name != "begin_story_session":  # it answers the session as it is by now
            assert again == answers[wrapper, args], name
    assert vale.all_rows() == before
    await vale.host.stop()
