from __future__ import annotations

import pytest
from user_bench import only
from vale_bench import Player, playing

from actors.domains.gameplay.combat import BattleEvent, BattleMeter, BattleState
from actors.domains.gameplay.limits import (
    BATTLE_IDLE_MICROS,
    BATTLE_LOADOUT_MICROS,
    BATTLE_LOG_MICROS,
)
from actors.domains.gameplay.story import StoryFunction, StoryStatus
from actors.domains.rules.combat import BattleStatus, CombatAction, CombatOutcome
from actors.module.system import ActorTimer


async def _fight(player: Player) -> BattleState:
    await player.choose(StoryFunction.TRAVEL, "mill")
    await player.choose(StoryFunction.FIGHT, "mill_prowl")
    return only(player.story_rows(BattleState))


def _timers(player: Player) -> set[str]:
    names = (row.timer_id for row in player.story_rows(ActorTimer))
    return {name.rpartition(":")[2] for name in names if ".bt_" in name}


async def test_a_solo_battle_has_no_deadline_but_ends_when_nobody_cares() -> None:
    async with playing() as player:
        row = await _fight(player)
        assert row.turn_deadline is None
        assert _timers(player) == {"idle"}
        player.vale.clock.wait(BATTLE_IDLE_MICROS)
        await player.vale.wake(player.story)
        row = only(player.story_rows(BattleState))
        assert (row.status, row.outcome) == (BattleStatus.ENDED, CombatOutcome.ABORTED)
        assert player.session.status is StoryStatus.ACTIVE
        assert _timers(player) == {"log"}


async def test_an_action_puts_the_idle_end_off() -> None:
    async with playing() as player:
        row = await _fight(player)
        player.vale.clock.wait(BATTLE_IDLE_MICROS - 60_000_000)
        await player.act(await player.battle(row.battle_state_id), CombatAction.GUARD)
        player.vale.clock.wait(BATTLE_IDLE_MICROS - 60_000_000)
        await player.vale.wake(player.story)
        assert only(player.story_rows(BattleState)).status is BattleStatus.ACTIVE


async def test_the_log_of_an_ended_battle_goes_after_a_day() -> None:
    async with playing() as player:
        row = await _fight(player)
        await player.fight_out(await player.battle(row.battle_state_id))
        assert player.story_rows(BattleEvent)
        player.vale.clock.wait(BATTLE_LOG_MICROS)
        await player.vale.wake(player.story)
        assert player.story_rows(BattleEvent) == []
        assert only(player.story_rows(BattleMeter)).last_event_seq > 0
        assert _timers(player) == set()


async def test_a_loadout_that_takes_too_long_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with playing() as player:
        vale, home = player.vale, player.vale.host._cells[player.home]
        home.hold()
        with monkeypatch.context() as patch:
            patch.setattr(vale, "settle", vale.host.durable)  # the loadout does not come
            row = await _fight(player)
            waiting = (row.status, _timers(player))
            vale.clock.wait(BATTLE_LOADOUT_MICROS)
            await vale.wake(player.story)
            battle = await player.battle(row.battle_state_id)
        home.release()
        await vale.settle()
        assert waiting == (BattleStatus.PREPARING, {"loadout"})
        assert battle.battle.status is BattleStatus.ACTIVE
        assert battle.combatants[0].belt == []
        # What came too late changes nothing, and is free again in the end.
        assert await player.battle(row.battle_state_id) == battle
        assert any(each.locked_by for each in player.rows("inventory_slot"))
        await player.call("abort_battle", row.battle_state_id)
        assert not any(each.locked_by for each in player.rows("inventory_slot"))
