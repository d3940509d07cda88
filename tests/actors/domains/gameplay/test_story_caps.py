"""Rows of long stories: the oldest go, numbers go on, and nothing that matters is forgotten."""

from __future__ import annotations

import pytest
from user_bench import only
from vale_bench import Player, RefusedError, playing

from actors.domains.gameplay import combat, npc_exchange, rewards, story
from actors.domains.gameplay.combat import (
    BattleCombatant,
    BattleLoadout,
    BattleMeter,
    BattleSecret,
    BattleState,
)
from actors.domains.gameplay.npc_exchange import NpcExchangeRecord
from actors.domains.gameplay.rewards import RewardSettlement
from actors.domains.gameplay.story import StoryEvent, StoryFunction
from actors.domains.gameplay.trade import TradeKind
from actors.domains.rules.combat import BattleStatus


async def _abort_a_fight(player: Player) -> str:
    await player.choose(StoryFunction.FIGHT, "mill_prowl")
    rows = player.story_rows(BattleState)
    running = only(row for row in rows if row.status is BattleStatus.ACTIVE)
    await player.call("abort_battle", running.battle_state_id)
    return running.battle_state_id


async def test_events_are_numbered_on_when_the_oldest_have_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(story, "STORY_EVENTS_MAX", 5)
    async with playing() as player:
        for _ in range(9):
            await player.say("wait")
        seqs = sorted(row.seq for row in player.story_rows(StoryEvent))
        assert seqs == [7, 8, 9, 10, 11]
        page = await player.ask("list_story_events", player.story_id, None, 3)
        assert [row.seq for row in page.events] == [11, 10, 9]
        page = await player.ask("list_story_events", player.story_id, 9, 100)
        assert [row.seq for row in page.events] == [8, 7]
        state = await player.ask("get_story_session_state", player.story_id)
        assert [row.seq for row in state.events] == seqs


async def test_old_battles_go_with_all_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combat, "BATTLES_ENDED_MAX", 2)
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        fought = [await _abort_a_fight(player) for _ in range(4)]
        kept = set(fought[2:])
        for table in (BattleState, BattleCombatant, BattleSecret, BattleMeter, BattleLoadout):
            assert {row.battle_state_id for row in player.story_rows(table)} == kept, table
        with pytest.raises(RefusedError, match=r"^combat\.not_found"):
            await player.battle(fought[0])
        assert player.cache.faults() == []


async def test_old_settlements_go_and_are_not_paid_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewards, "SETTLEMENTS_CLOSED_MAX", 1)
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.call("resolve_treasure_interaction", player.story_id, "mill_chest", 1)
        await player.choose(StoryFunction.FIGHT, "mill_prowl")
        row = only(player.story_rows(BattleState))
        await player.fight_out(await player.battle(row.battle_state_id))
        refs = [each.source_ref for each in player.story_rows(RewardSettlement)]
        lineage = player.session.runtime_session_id
        assert sorted(refs) == sorted([f"{lineage}:treasure:mill_chest", row.battle_state_id])


async def test_old_exchanges_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npc_exchange, "EXCHANGES_CLOSED_MAX", 2)
    async with playing() as player:
        sell = ("trade_with_npc", player.story_id, "smith", TradeKind.SELL)
        for _ in range(3):
            await player.call(*sell, "core_healing_herb", 1, 4)
        assert len(player.story_rows(NpcExchangeRecord)) == 2
        coins = only(row for row in player.rows("inventory_slot") if row.item_id == "core_coin")
        assert coins.quantity == 20 + 3 * 4
