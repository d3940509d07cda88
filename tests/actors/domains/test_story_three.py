"""Domain 13.3: npc, treasure, inventory, save archive."""

from __future__ import annotations

from typing import Any

from user_bench import SERVICE, only
from vale_bench import TABLES, Player, claims, playing, refusal

from actors.domains.domain_types import ItemGrant
from actors.domains.gameplay.combat import BattleCombatant, BattleState
from actors.domains.gameplay.inventory_calls import Consume, Grant
from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.npc_exchange import NpcExchangeRecord
from actors.domains.gameplay.quest_calls import TreasureAction
from actors.domains.gameplay.rewards import RewardSettlement, SettlementStatus
from actors.domains.gameplay.story import StoryFunction, StorySession, StoryStatus
from actors.domains.gameplay.trade import TradeKind
from actors.domains.gameplay.treasure import TreasureRecord, TreasureStatus
from actors.domains.kinds import STORY
from actors.domains.limits import ARCHIVES_MAX
from actors.domains.rules.combat import CombatAction
from actors.domains.rules.items import CORE_ITEMS

HERB, COIN, BLADE = "core_healing_herb", "core_coin", "core_blade_t1"


def _npc(player: Player, key: str) -> NpcState:
    return only(row for row in player.story_rows(NpcState) if row.npc_key == key)


def _items(player: Player) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in player.rows("inventory_slot"):
        found[row.item_id] = found.get(row.item_id, 0) + row.quantity
    return found


def _slot(player: Player, item_id: str) -> Any:
    return next(row for row in player.rows("inventory_slot") if row.item_id == item_id)


def _total_xp(player: Player) -> int:
    return sum(row.total_xp for row in player.rows("my_player_progression"))


async def _mutate(player: Player, mutation: object, reference: str) -> None:
    service = await player.vale.enter(SERVICE)
    lineage = player.session.runtime_session_id
    await service.call("apply_inventory_mutation", player.user_id, lineage, mutation, reference)


async def _recruit_scout(player: Player) -> None:
    """Step 1: two gifts and two talks; one talk less is not enough."""
    scout = (player.story_id, "scout")
    for after in (53, 55):
        await player.call("gift_npc", *scout, HERB)
        assert _npc(player, "scout").affinity == after
    await player.call("talk_to_npc", *scout)
    assert _npc(player, "scout").affinity == 58
    assert await refusal(player.call("recruit_npc", *scout)) == "npc.requirements_not_met"
    await player.call("talk_to_npc", *scout)
    assert _npc(player, "scout").affinity == 60
    await player.call("recruit_npc", *scout)


async def test_step_1_talks_of_one_visit_count_less_and_less() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        for after in (53, 55, 56, 56):
            await player.call("talk_to_npc", player.story_id, "scout")
            assert _npc(player, "scout").affinity == after


async def test_steps_1_and_2_who_was_recruited_fights_along() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await _recruit_scout(player)
        await player.choose(StoryFunction.FIGHT, "mill_prowl")
        scout = only(row for row in player.story_rows(BattleCombatant) if row.seq == 2)
        assert scout.entity_key == "scout"
        profile = _npc(player, "scout").level_profile
        assert (scout.level, profile.level, profile.stats.attack) == (1, 1, 12)
        assert scout.stats.attack == 12 * 1200 // 1000


async def test_step_3_the_smith_sells_at_the_price_of_the_affinity() -> None:
    async with playing() as player:
        await player.call("talk_to_npc", player.story_id, "smith")
        smith = _npc(player, "smith")
        assert smith.affinity == 3
        assert smith.trade_stock
        for entry in smith.trade_stock:
            value = CORE_ITEMS[entry.item_id].value_coins
            assert entry.unit_price == -(-value * 1291 // 1000)
        dear = max(smith.trade_stock, key=lambda entry: entry.unit_price * entry.quantity)
        assert dear.unit_price * dear.quantity > 20
        trade = ("smith", TradeKind.BUY, dear.item_id, dear.quantity, dear.unit_price)
        await player.call("trade_with_npc", player.story_id, *trade)
        record = only(player.story_rows(NpcExchangeRecord))
        assert record.status is SettlementStatus.REJECTED
        assert record.error_code == "inventory.insufficient_items"
        assert _npc(player, "smith").trade_stock == smith.trade_stock
        assert _items(player) == {HERB: 3, COIN: 20}


async def test_step_4_a_worn_blade_counts_in_the_next_battle() -> None:
    async with playing() as player:
        await _mutate(player, Grant(ItemGrant(BLADE, 1)), "test:blade")
        lineage = player.session.runtime_session_id
        await player.call("equip_item", lineage, _slot(player, BLADE).slot_index)
        herb = player.call("equip_item", lineage, _slot(player, HERB).slot_index)
        assert await refusal(herb) == "inventory.not_equippable"
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        own = only(row for row in player.story_rows(BattleCombatant) if row.user_id)
        assert own.stats.attack == 21


async def test_step_5_a_grant_fills_stacks_first() -> None:
    async with playing() as player:
        await _mutate(player, Consume(ItemGrant(COIN, 20)), "test:coins")
        await _mutate(player, Grant(ItemGrant(HERB, 12)), "test:fifteen")
        await _mutate(player, Grant(ItemGrant(HERB, 30)), "test:thirty")
        slots = sorted(player.rows("inventory_slot"), key=lambda row: row.slot_index)
        assert [(row.slot_index, row.quantity) for row in slots] == [(0, 20), (1, 20), (2, 5)]


async def _open_chest(player: Player) -> TreasureRecord:
    action = TreasureAction.OPEN
    await player.call("resolve_treasure_interaction", player.story_id, "mill_chest", action)
    return only(player.story_rows(TreasureRecord))


async def test_steps_6_and_7_an_old_save_pays_nothing_twice() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        before = player.session
        archive = await player.save("before the chest")
        assert (await _open_chest(player)).status is TreasureStatus.OPENED
        assert _items(player) == {HERB: 3, COIN: 30, "core_antidote": 1}
        assert _total_xp(player) == 6

        old_id = player.story_id
        await player.restore(archive.archive_id)
        assert player.story_id != old_id
        assert player.session.runtime_session_id == before.runtime_session_id
        assert (player.session.status, player.session.turn) == (StoryStatus.ACTIVE, before.turn)
        old = only(player.vale.rows(STORY.key(old_id), StorySession))
        assert old.status is StoryStatus.SUPERSEDED
        assert only(player.story_rows(TreasureRecord)).status is TreasureStatus.FOUND

        assert (await _open_chest(player)).status is TreasureStatus.OPENED
        settlement = only(player.story_rows(RewardSettlement))
        assert settlement.status is SettlementStatus.SETTLED
        assert settlement.result is not None
        assert settlement.result.replayed
        assert _items(player) == {HERB: 3, COIN: 30, "core_antidote": 1}
        assert _total_xp(player) == 6

        again = player.ask("continue_story_and_return", old_id, None, "wait", old.turn, False)
        assert await refusal(again) == "story.not_active_state"
        assert player.cache.faults() == []


async def test_step_8_the_shelf_holds_twenty_saves_and_none_of_a_battle() -> None:
    async with playing() as player:
        for _ in range(ARCHIVES_MAX):
            archive = await player.save()
        assert await refusal(player.save()) == "archive.quota_exceeded"
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        in_battle = player.save(replace=archive.archive_id)
        assert await refusal(in_battle) == "archive.battle_state"


async def test_step_9_a_belt_is_locked_until_the_battle_ends() -> None:
    async with playing() as player:
        other_tab = await player.vale.enter(claims(1))
        await other_tab.subscribe(*TABLES)
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        battle = await player.battle(only(player.story_rows(BattleState)).battle_state_id)
        resolution = await player.act(battle, CombatAction.USE_ITEM, item=HERB)
        lineage, slot = player.session.runtime_session_id, _slot(other_tab, HERB).slot_index
        discard = other_tab.call("discard_inventory_item", lineage, slot, 1)
        assert await refusal(discard) == "inventory.locked_state"
        await player.call("abort_battle", resolution.snapshot.battle.battle_state_id)
        assert _items(player)[HERB] == _items(other_tab)[HERB] == 2
        await other_tab.call("discard_inventory_item", lineage, slot, 1)
        assert _items(player)[HERB] == 1
