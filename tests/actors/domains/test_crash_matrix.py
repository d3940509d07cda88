"""Domain 12.9: after a crash at any record of any flow, the end is the one without the crash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from crash_bench import Flow, MortalBench
from user_bench import SERVICE, only
from vale_bench import PROFILE, Player, RefusedError, Vale, claims, running_vale

from actors.domains.custom_world.publishing import CustomWorldPublishedProfile, PublishedStatus
from actors.domains.domain_types import ItemGrant, ParticipantRole
from actors.domains.gameplay.combat import BattleState
from actors.domains.gameplay.inventory_calls import Consume
from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.quest import QuestRecord
from actors.domains.gameplay.quest_calls import TreasureAction
from actors.domains.gameplay.story import StoryFunction, StoryStatus
from actors.domains.gameplay.trade import TradeKind
from actors.domains.kinds import CATALOG
from actors.domains.rules.combat import BattleStatus, CombatAction
from actors.domains.rules.trade import sell_price
from actors.module.types import replace

HERB = "core_healing_herb"

# Every step of a flow comes after ``mark``; the last mark counts.


async def _begin(vale: Vale) -> None:
    player = await vale.enter(claims(1))
    vale.mark()
    await player.begin()


async def _begin_in_no_world(vale: Vale) -> None:
    player = await vale.enter(claims(1))
    vale.mark()
    await player.call("begin_story_session", "cwp_none", "wanderer", None)


async def _playing(vale: Vale) -> Player:
    player = await vale.enter(claims(1))
    await player.subscribe("inventory_slot")
    await player.begin()
    return player


async def _at_the_mill(vale: Vale) -> Player:
    player = await _playing(vale)
    await player.choose(StoryFunction.TRAVEL, "mill")
    return player


async def _lock(vale: Vale) -> None:
    player = await _at_the_mill(vale)
    vale.mark()
    await player.choose(StoryFunction.FIGHT, "slime_pack")


async def _release(vale: Vale) -> None:
    """A herb is used up, then the battle is given up."""
    player = await _at_the_mill(vale)
    await player.choose(StoryFunction.FIGHT, "mill_prowl")
    battle_id = only(player.story_rows(BattleState)).battle_state_id
    await player.act(await player.battle(battle_id), CombatAction.USE_ITEM, item=HERB)
    vale.mark()
    await player.call("abort_battle", battle_id)


async def _win(vale: Vale, *players: Player, encounter: str = "slime_pack") -> None:
    """Marks every action, so that the last mark is before the killing blow."""
    host = players[0]
    await host.choose(StoryFunction.FIGHT, encounter)
    row = only(row for row in host.story_rows(BattleState) if row.status is BattleStatus.ACTIVE)
    battle = await host.battle(row.battle_state_id)
    while battle.battle.status is BattleStatus.ACTIVE:
        active = battle.combatants[battle.battle.active_seq - 1]
        actor = only(each for each in players if each.user_id == active.user_id)
        vale.mark()
        battle = (await actor.fight_on(battle)).snapshot


async def _victory(vale: Vale) -> None:
    await _win(vale, await _at_the_mill(vale))


async def _victory_of_two(vale: Vale) -> None:
    host = await _at_the_mill(vale)
    guest = await _invite(vale, host)
    await _join(host, guest)
    await _win(vale, host, guest)


async def _invite(vale: Vale, host: Player) -> Player:
    await host.call("create_story_invite", host.story_id)
    return await vale.enter(claims(2))


async def _join(host: Player, guest: Player) -> None:
    code = host.session.invite_code
    role = ParticipantRole.PLAYER
    await guest.call("join_story_session", host.story_id, code, role, "wanderer")
    guest.story_id = host.story_id


async def _joining(vale: Vale) -> None:
    host = await _playing(vale)
    guest = await _invite(vale, host)
    vale.mark()
    await _join(host, guest)


async def _leaving(vale: Vale) -> None:
    host = await _playing(vale)
    guest = await _invite(vale, host)
    await _join(host, guest)
    vale.mark()
    await guest.call("leave_story_session", guest.story_id)


async def _quests_done(vale: Vale) -> Player:
    """Everything of the first chapter is done, nothing is turned in."""
    player = await _playing(vale)
    for key in ("meet_scout", "herb_help"):
        await player.choose(StoryFunction.ACCEPT_QUEST, key)
    await player.choose(StoryFunction.TRAVEL, "mill")
    await _win(vale, player)
    await player.choose(StoryFunction.TALK, "scout")
    await player.choose(StoryFunction.TRAVEL, "square")
    return player


async def _turn_in(player: Player, key: str) -> None:
    quest = only(row for row in player.story_rows(QuestRecord) if row.quest_key == key)
    await player.call("turn_in_quest", player.story_id, quest.quest_record_id)


async def _side_quest(vale: Vale) -> None:
    player = await _quests_done(vale)
    vale.mark()
    await _turn_in(player, "herb_help")


async def _side_quest_without_the_goods(vale: Vale) -> None:
    player = await _quests_done(vale)
    service = await vale.enter(SERVICE)
    lineage = player.session.runtime_session_id
    gone = Consume(ItemGrant(HERB, 5))
    await service.call("apply_inventory_mutation", player.user_id, lineage, gone, "gone")
    vale.mark()
    await _turn_in(player, "herb_help")


async def _main_quest(vale: Vale) -> None:
    player = await _quests_done(vale)
    vale.mark()
    await _turn_in(player, "clear_mill")
    assert player.session.status is StoryStatus.CHAPTER_BREAK


async def _next_chapter(vale: Vale) -> None:
    player = await _quests_done(vale)
    await _turn_in(player, "clear_mill")
    vale.mark()
    await player.choose(StoryFunction.ADVANCE_CHAPTER)


def _dearest(player: Player) -> tuple[str, int, int]:
    """The whole of what costs most among the smith's goods: item, quantity, price of one."""
    smith = only(row for row in player.story_rows(NpcState) if row.npc_key == "smith")
    entry = max(smith.trade_stock, key=lambda each: each.quantity * each.unit_price)
    return entry.item_id, entry.quantity, entry.unit_price


async def _purchase(vale: Vale) -> None:
    player = await _playing(vale)
    smith = only(row for row in player.story_rows(NpcState) if row.npc_key == "smith")
    entry = min(smith.trade_stock, key=lambda each: each.unit_price)
    assert entry.unit_price <= 20
    trade = (player.story_id, "smith", TradeKind.BUY, entry.item_id, 1, entry.unit_price)
    vale.mark()
    await player.call("trade_with_npc", *trade)


async def _purchase_without_coins(vale: Vale) -> None:
    player = await _playing(vale)
    item_id, quantity, price = _dearest(player)
    assert quantity * price > 20
    vale.mark()
    trade = (player.story_id, "smith", TradeKind.BUY, item_id, quantity, price)
    await player.call("trade_with_npc", *trade)


async def _sale(vale: Vale) -> None:
    player = await _playing(vale)
    trade = (player.story_id, "smith", TradeKind.SELL, HERB, 2, sell_price(12, 0))
    vale.mark()
    await player.call("trade_with_npc", *trade)


async def _gift(vale: Vale) -> None:
    player = await _at_the_mill(vale)
    vale.mark()
    await player.call("gift_npc", player.story_id, "scout", HERB)


async def _treasure(vale: Vale) -> None:
    player = await _at_the_mill(vale)
    vale.mark()
    action = TreasureAction.OPEN
    await player.call("resolve_treasure_interaction", player.story_id, "mill_chest", action)


async def _item_use(vale: Vale) -> None:
    player = await _at_the_mill(vale)
    await _win(vale, player)
    slot = next(row for row in player.rows("inventory_slot") if row.item_id == HERB)
    vale.mark()
    await player.call("use_inventory_item", slot.runtime_session_id, slot.slot_index)


async def _abandonment(vale: Vale) -> None:
    player = await _at_the_mill(vale)
    await player.choose(StoryFunction.FIGHT, "mill_prowl")
    vale.mark()
    await player.call("abandon_story_session", player.story_id)


async def _saving(vale: Vale) -> None:
    player = await _at_the_mill(vale)
    vale.mark()
    await player.call("create_save_archive", None, player.story_id, None, None)


async def _saving_over(vale: Vale) -> None:
    player = await _at_the_mill(vale)
    archive = await player.save()
    vale.mark()
    await player.call("create_save_archive", None, player.story_id, None, archive.archive_id)


async def _saving_in_a_battle(vale: Vale) -> None:
    player = await _at_the_mill(vale)
    await player.choose(StoryFunction.FIGHT, "mill_prowl")
    vale.mark()
    await player.call("create_save_archive", None, player.story_id, None, None)


async def _restoring(vale: Vale) -> None:
    player = await _at_the_mill(vale)
    archive = await player.save()
    await _win(vale, player)
    vale.mark()
    await player.call("restore_save_archive", None, archive.archive_id)


async def _restoring_from_a_battle(vale: Vale) -> None:
    """A guest is there too, and both fight when the host goes back."""
    host = await _at_the_mill(vale)
    archive = await host.save()
    guest = await _invite(vale, host)
    await _join(host, guest)
    await host.choose(StoryFunction.FIGHT, "slime_pack")
    vale.mark()
    await host.call("restore_save_archive", None, archive.archive_id)


async def _restoring_in_no_world(vale: Vale) -> None:
    """The world was blocked after the save."""
    player = await _at_the_mill(vale)
    archive = await player.save()
    worlds = vale.host.core(CATALOG.shard_key(PROFILE)).database[CustomWorldPublishedProfile]
    worlds.update(replace(next(iter(worlds)), status=PublishedStatus.BLOCKED))
    # The changed row is written with the next record of its actor.
    with pytest.raises(RefusedError):
        await (await vale.enter(claims(3))).begin()
    vale.mark()
    await player.call("restore_save_archive", None, archive.archive_id)


_BEGUN = frozenset({"loot_seed", "stock_seed", "trade_stock", "text", "latest_narrative_text"})
_FOUGHT = frozenset(
    {
        "battle_event",
        "rng_state",
        "last_event_seq",
        "round",
        "turn_order",
        "turn_index",
        "hp",
        "mana",
        "cooldowns",
        "statuses",
    }
)

_SAVED = frozenset({"session_state_json", "state_hash", "size_bytes"})
"""A state says when its rows were written, and whether its host was there."""

_RESTORED = frozenset({"loot_seed", "stock_seed", "connected"})

Step = Callable[[Vale], Awaitable[None]]

FLOWS: dict[Step, frozenset[str]] = {
    _begin: _BEGUN,
    _begin_in_no_world: frozenset(),
    _lock: _FOUGHT,
    _release: frozenset(),
    _victory: frozenset(),
    _victory_of_two: frozenset(),
    _joining: frozenset(),
    _leaving: frozenset(),
    _side_quest: frozenset(),
    _side_quest_without_the_goods: frozenset(),
    _main_quest: frozenset(),
    _next_chapter: frozenset(),
    _purchase: frozenset(),
    _purchase_without_coins: frozenset(),
    _sale: frozenset(),
    _gift: frozenset(),
    _treasure: frozenset(),
    _item_use: frozenset(),
    _abandonment: frozenset({"connected"}),  # an archived story is not told who comes
    _saving: _SAVED,
    _saving_over: _SAVED,
    _saving_in_a_battle: frozenset(),
    _restoring: _RESTORED,
    _restoring_from_a_battle: _RESTORED | _FOUGHT,
    _restoring_in_no_world: frozenset(),
}
"""What sets each flow going, and the columns that depend on draws of the flow itself."""


_TOGETHER = {_victory_of_two, _joining, _leaving, _restoring_from_a_battle}


async def _flow_of(step: Step) -> Flow:
    async with running_vale() as vale:
        await step(vale)
        assert vale.calls
        present = [claims(1), claims(2)] if step in _TOGETHER else [claims(1)]
        return Flow(vale.image, vale.clock(), present, tuple(vale.calls), FLOWS[step])


@pytest.mark.parametrize("step", FLOWS, ids=lambda step: step.__name__.strip("_"))
async def test_the_end_is_the_same_after_a_crash_at_any_record(step: Step) -> None:
    flow = await _flow_of(step)
    whole = MortalBench(flow)
    await whole.start()
    known_ids = whole.known_ids()
    await whole.crash()
    records = await whole.finish()
    wanted = whole.tables(known_ids)
    await whole.stop()
    assert records >= 2
    for written in range(records + 1):
        bench = MortalBench(flow)
        assert await bench.die_after(written) == 0
        await bench.die_after(written % 3)  # and again, while what is left is made up for
        await bench.finish()
        assert bench.tables(known_ids) == wanted, f"crash after {written} of {records} records"
        await bench.stop()
