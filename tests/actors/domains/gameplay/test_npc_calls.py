"""Domain 5.5 and 13.3: talks, gifts, company and trade."""

from __future__ import annotations

import asyncio

from user_bench import only
from vale_bench import Player, claims, playing, refusal

from actors.domains.domain_types import ItemGrant
from actors.domains.gameplay.npc import NpcState, RelationStage
from actors.domains.gameplay.npc_exchange import ExchangeKind, NpcExchangeRecord
from actors.domains.gameplay.rewards import SettlementStatus
from actors.domains.gameplay.story import StoryFunction, StoryParticipant, StorySecret
from actors.domains.gameplay.trade import TradeKind
from actors.domains.rules.ids import seed_of_text
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.trade import roll_stock
from actors.rng import SplitMix64


def _npc(player: Player, key: str) -> NpcState:
    return only(row for row in player.story_rows(NpcState) if row.npc_key == key)


def _items(player: Player) -> dict[str, int]:
    return {row.item_id: row.quantity for row in player.rows("inventory_slot")}


async def test_talks_of_one_visit_count_less_and_less() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        seen = []
        for _ in range(4):
            npc = await player.ask("talk_to_npc_and_return", player.story_id, "scout")
            seen.append(npc.affinity)
        assert seen == [53, 55, 56, 56]
        scout = _npc(player, "scout")
        assert scout.revealed_facts == ["fact_1", "fact_2"]
        assert (scout.talk_count, scout.talk_count_this_visit) == (4, 4)
        await player.choose(StoryFunction.TRAVEL, "square")
        assert _npc(player, "scout").talk_count_this_visit == 0
        mayor = await player.ask("get_npc_state", player.story_id, "mayor")
        assert mayor == _npc(player, "mayor")
        far = player.call("talk_to_npc", player.story_id, "scout")
        assert await refusal(far) == "npc.not_in_scene_state"
        nobody = player.call("talk_to_npc", player.story_id, "ghost")
        assert await refusal(nobody) == "npc.not_found"


async def test_gifts_and_talks_make_a_companion() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        recruit = ("recruit_npc", player.story_id, "scout")
        for expected in (53, 55):
            answer = await player.ask(
                "gift_npc_and_return", player.story_id, "scout", "core_healing_herb"
            )
            assert answer.status is SettlementStatus.PENDING
            assert _npc(player, "scout").affinity == expected
        assert _items(player)["core_healing_herb"] == 1
        await player.call("talk_to_npc", player.story_id, "scout")
        assert _npc(player, "scout").affinity == 58
        assert await refusal(player.call(*recruit)) == "npc.requirements_not_met"
        await player.call("talk_to_npc", player.story_id, "scout")
        assert _npc(player, "scout").affinity == 60
        await player.call(*recruit)
        assert await refusal(player.call(*recruit)) == "npc.already_recruited"
        await player.choose(StoryFunction.TRAVEL, "square")
        assert _npc(player, "scout").scene_key == "square"
        await player.call("dismiss_npc", player.story_id, "scout")
        scout = _npc(player, "scout")
        assert (scout.recruited, scout.scene_key, scout.affinity) == (False, "mill", 55)


async def test_a_gift_that_nobody_has_changes_nothing() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.call("gift_npc", player.story_id, "scout", "core_antidote")
        record = only(player.story_rows(NpcExchangeRecord))
        assert record.status is SettlementStatus.REJECTED
        assert record.error_code == "inventory.insufficient_items"
        scout = _npc(player, "scout")
        assert (scout.affinity, scout.gifts_given) == (50, 0)


async def test_prices_follow_affinity_and_a_purchase_takes_stock_and_coins() -> None:
    async with playing() as player:
        await player.call("talk_to_npc", player.story_id, "smith")
        smith = _npc(player, "smith")
        assert smith.affinity == 3
        assert 3 <= len(smith.trade_stock) <= 6
        for entry in smith.trade_stock:
            value = CORE_ITEMS[entry.item_id].value_coins
            assert entry.unit_price == -(-value * 1291 // 1000)
        entry = min(smith.trade_stock, key=lambda each: each.unit_price)
        assert entry.unit_price <= 20
        trade = ("trade_with_npc", player.story_id, "smith", TradeKind.BUY, entry.item_id)
        many = player.call(*trade, 99, entry.unit_price)
        assert await refusal(many) == "npc.out_of_stock"
        cheap = player.call(*trade, 1, entry.unit_price - 1)
        assert await refusal(cheap) == "npc.price_changed_conflict"
        none = player.call(*trade, 0, entry.unit_price)
        assert await refusal(none) == "inventory.quantity_out_of_range"
        await player.call(*trade, 1, entry.unit_price)
        record = only(player.story_rows(NpcExchangeRecord))
        assert (record.kind, record.status) == (ExchangeKind.BUY, SettlementStatus.SETTLED)
        items = _items(player)
        assert items["core_coin"] == 20 - entry.unit_price
        assert items[entry.item_id] == 1 + (3 if entry.item_id == "core_healing_herb" else 0)
        left = {row.item_id: row.quantity for row in _npc(player, "smith").trade_stock}
        assert left[entry.item_id] == entry.quantity - 1


async def test_a_purchase_beyond_ones_means_puts_the_stock_back() -> None:
    async with playing() as player:
        smith = _npc(player, "smith")
        entry = max(smith.trade_stock, key=lambda each: each.unit_price * each.quantity)
        assert entry.unit_price * entry.quantity > 20
        await player.call(
            "trade_with_npc",
            player.story_id,
            "smith",
            TradeKind.BUY,
            entry.item_id,
            entry.quantity,
            entry.unit_price,
        )
        record = only(player.story_rows(NpcExchangeRecord))
        assert record.error_code == "inventory.insufficient_items"
        assert _npc(player, "smith").trade_stock == smith.trade_stock
        assert _items(player) == {"core_healing_herb": 3, "core_coin": 20}


async def test_selling_brings_less_than_the_value() -> None:
    async with playing() as player:
        sell = ("trade_with_npc", player.story_id, "smith", TradeKind.SELL)
        await player.call(*sell, "core_healing_herb", 2, 4)
        assert _items(player) == {"core_healing_herb": 1, "core_coin": 28}
        coins = player.call(*sell, "core_coin", 1, 0)
        assert await refusal(coins) == "npc.requirements_not_met"
        unknown = player.call(*sell, "moon", 1, 0)
        assert await refusal(unknown) == "inventory.item_unknown"


async def test_goods_are_new_after_twenty_turns() -> None:
    async with playing() as player:
        assert _npc(player, "smith").stock_turn == 1
        for _ in range(20):
            await player.say("wait")
        assert _npc(player, "smith").stock_turn == 21
        assert _npc(player, "scout").stock_turn == 1


async def test_goods_of_an_old_stock_are_not_put_back_into_a_new_one() -> None:
    async with playing() as player:
        for _ in range(19):
            await player.say("wait")
        entry = max(_npc(player, "smith").trade_stock, key=lambda each: each.unit_price)
        goods = ("smith", TradeKind.BUY, entry.item_id, 1, entry.unit_price)
        # The stock is renewed while the player's own actor is asked for coins that it has not.
        await asyncio.gather(
            player.call("trade_with_npc", player.story_id, *goods),
            player.call("continue_story", player.story_id, None, "wait", 20, False),
        )
        assert entry.unit_price > 20
        assert only(player.story_rows(NpcExchangeRecord)).status is SettlementStatus.REJECTED
        seed = only(player.story_rows(StorySecret)).stock_seed
        rng = SplitMix64(seed_of_text(f"{seed}:smith:1:21"))
        rolled = roll_stock(rng, CORE_ITEMS, ["metal", "medicine"], 5)
        stock = [ItemGrant(row.item_id, row.quantity) for row in _npc(player, "smith").trade_stock]
        assert stock == rolled


async def test_help_is_for_friends_and_once_a_chapter() -> None:
    async with playing() as player:
        help_of = ("ask_npc_help", player.story_id)
        assert await refusal(player.call(*help_of, "mayor")) == "npc.requirements_not_met"
        await player.choose(StoryFunction.TRAVEL, "mill")
        assert _npc(player, "scout").relation_stage is RelationStage.TRUSTED
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        battle = only(player.rows("battle_state"))
        await player.fight_out(await player.battle(battle.battle_state_id))
        before = only(player.story_rows(StoryParticipant)).hp
        await player.call(*help_of, "scout")
        assert only(player.story_rows(StoryParticipant)).hp == min(176, before + 52)
        assert await refusal(player.call(*help_of, "scout")) == "npc.requirements_not_met"


async def test_strangers_do_not_trade() -> None:
    async with playing() as player:
        stranger = await player.vale.enter(claims(2))
        gift = stranger.call("gift_npc", player.story_id, "smith", "core_healing_herb")
        assert await refusal(gift) == "story.not_found"


async def test_what_a_battle_keeps_on_the_belt_is_neither_sold_nor_given_away() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "mill_prowl")
        scout = (player.story_id, "scout")
        sell = player.call("trade_with_npc", *scout, TradeKind.SELL, "core_healing_herb", 1, 6)
        assert await refusal(sell) == "inventory.locked_state"
        give = player.call("gift_npc", *scout, "core_healing_herb")
        assert await refusal(give) == "inventory.locked_state"
        buy = player.call("trade_with_npc", *scout, TradeKind.BUY, "core_healing_herb", 1, 6)
        assert await refusal(buy) == "story.not_active_state"
        stranger = await player.vale.enter(claims(2))
        give = stranger.call("gift_npc", *scout, "core_healing_herb")
        assert await refusal(give) == "story.not_found"
        assert player.story_rows(NpcExchangeRecord) == []
