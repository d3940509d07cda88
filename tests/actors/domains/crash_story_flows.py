"""Flows of stories: begun, played alone and together, fought, paid, saved and ended.

Each step does on a running host what goes before the flow, marks, and sets it going: every call
that comes after the last ``mark`` is the flow's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from crash_course import Course, Step
from user_bench import SERVICE, only
from vale_bench import PROFILE, Player, RefusedError, Vale, claims

from actors.domains.custom_world.publishing import CustomWorldPublishedProfile, PublishedStatus
from actors.domains.domain_types import ItemGrant, ParticipantRole
from actors.domains.gameplay.combat import BattleState
from actors.domains.gameplay.inventory_calls import Consume
from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.quest import QuestRecord
from actors.domains.gameplay.quest_calls import TreasureAction
from actors.domains.gameplay.story import StoryFunction, StoryParticipant, StoryStatus
from actors.domains.gameplay.trade import TradeKind
from actors.domains.kinds import CATALOG
from actors.domains.limits import LIVE_STORIES_MAX
from actors.domains.rules.combat import BattleMode, BattleStatus, CombatAction
from actors.domains.rules.trade import sell_price
from actors.module.types import replace

__all__ = [
    "BEGUN",
    "FOUGHT",
    "STORY_COURSES",
    "at_the_mill",
    "invite",
    "join",
    "playing",
    "win",
]

HERB = "core_healing_herb"


async def _begin(vale: Vale) -> None:
    player = await vale.enter(claims(1))
    vale.mark()
    await player.begin()


async def _begin_in_no_world(vale: Vale) -> None:
    player = await vale.enter(claims(1))
    vale.mark()
    await player.call("begin_story_session", "cwp_none", "wanderer", None)


async def playing(vale: Vale) -> Player:
    player = await vale.enter(claims(1))
    await player.subscribe("inventory_slot")
    await player.begin()
    return player


async def at_the_mill(vale: Vale) -> Player:
    player = await playing(vale)
    await player.choose(StoryFunction.TRAVEL, "mill")
    return player


async def _lock(vale: Vale) -> None:
    player = await at_the_mill(vale)
    vale.mark()
    await player.choose(StoryFunction.FIGHT, "slime_pack")


async def _release(vale: Vale) -> None:
    """A herb is used up, then the battle is given up."""
    player = await at_the_mill(vale)
    await player.choose(StoryFunction.FIGHT, "mill_prowl")
    battle_id = only(player.story_rows(BattleState)).battle_state_id
    await player.act(await player.battle(battle_id), CombatAction.USE_ITEM, item=HERB)
    vale.mark()
    await player.call("abort_battle", battle_id)


async def win(vale: Vale, *players: Player, encounter: str = "slime_pack") -> None:
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
    await win(vale, await at_the_mill(vale))


async def _victory_of_two(vale: Vale) -> None:
    host = await at_the_mill(vale)
    guest = await invite(vale, host)
    await join(host, guest)
    await win(vale, host, guest)


async def invite(vale: Vale, host: Player) -> Player:
    await host.call("create_story_invite", host.story_id)
    return await vale.enter(claims(2))


async def join(host: Player, guest: Player) -> None:
    code = host.session.invite_code
    role = ParticipantRole.PLAYER
    await guest.call("join_story_session", host.story_id, code, role, "wanderer")
    guest.story_id = host.story_id


async def _joining(vale: Vale) -> None:
    host = await playing(vale)
    guest = await invite(vale, host)
    vale.mark()
    await join(host, guest)


async def _leaving(vale: Vale) -> None:
    host = await playing(vale)
    guest = await invite(vale, host)
    await join(host, guest)
    vale.mark()
    await guest.call("leave_story_session", guest.story_id)


async def _quests_done(vale: Vale) -> Player:
    """Everything of the first chapter is done, nothing is turned in."""
    player = await playing(vale)
    for key in ("meet_scout", "herb_help"):
        await player.choose(StoryFunction.ACCEPT_QUEST, key)
    await player.choose(StoryFunction.TRAVEL, "mill")
    await win(vale, player)
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
    player = await playing(vale)
    smith = only(row for row in player.story_rows(NpcState) if row.npc_key == "smith")
    entry = min(smith.trade_stock, key=lambda each: each.unit_price)
    assert entry.unit_price <= 20
    trade = (player.story_id, "smith", TradeKind.BUY, entry.item_id, 1, entry.unit_price)
    vale.mark()
    await player.call("trade_with_npc", *trade)


async def _purchase_without_coins(vale: Vale) -> None:
    player = await playing(vale)
    item_id, quantity, price = _dearest(player)
    assert quantity * price > 20
    vale.mark()
    trade = (player.story_id, "smith", TradeKind.BUY, item_id, quantity, price)
    await player.call("trade_with_npc", *trade)


async def _sale(vale: Vale) -> None:
    player = await playing(vale)
    trade = (player.story_id, "smith", TradeKind.SELL, HERB, 2, sell_price(12, 0))
    vale.mark()
    await player.call("trade_with_npc", *trade)


async def _gift(vale: Vale) -> None:
    player = await at_the_mill(vale)
    vale.mark()
    await player.call("gift_npc", player.story_id, "scout", HERB)


async def _treasure(vale: Vale) -> None:
    player = await at_the_mill(vale)
    vale.mark()
    action = TreasureAction.OPEN
    await player.call("resolve_treasure_interaction", player.story_id, "mill_chest", action)


async def _item_use(vale: Vale) -> None:
    player = await at_the_mill(vale)
    await win(vale, player)
    slot = next(row for row in player.rows("inventory_slot") if row.item_id == HERB)
    vale.mark()
    await player.call("use_inventory_item", slot.runtime_session_id, slot.slot_index)


async def _abandonment(vale: Vale) -> None:
    player = await at_the_mill(vale)
    await player.choose(StoryFunction.FIGHT, "mill_prowl")
    vale.mark()
    await player.call("abandon_story_session", player.story_id)


async def _saving(vale: Vale) -> None:
    player = await at_the_mill(vale)
    vale.mark()
    await player.call("create_save_archive", None, player.story_id, None, None)


async def _saving_over(vale: Vale) -> None:
    player = await at_the_mill(vale)
    archive = await player.save()
    vale.mark()
    await player.call("create_save_archive", None, player.story_id, None, archive.archive_id)


async def _saving_in_a_battle(vale: Vale) -> None:
    player = await at_the_mill(vale)
    await player.choose(StoryFunction.FIGHT, "mill_prowl")
    vale.mark()
    await player.call("create_save_archive", None, player.story_id, None, None)


async def _restoring(vale: Vale) -> None:
    player = await at_the_mill(vale)
    archive = await player.save()
    await win(vale, player)
    vale.mark()
    await player.call("restore_save_archive", None, archive.archive_id)


async def _restoring_from_a_battle(vale: Vale) -> None:
    """A guest is there too, and both fight when the host goes back."""
    host = await at_the_mill(vale)
    archive = await host.save()
    guest = await invite(vale, host)
    await join(host, guest)
    await host.choose(StoryFunction.FIGHT, "slime_pack")
    vale.mark()
    await host.call("restore_save_archive", None, archive.archive_id)


async def _restoring_in_no_world(vale: Vale) -> None:
    """The world was blocked after the save."""
    player = await at_the_mill(vale)
    archive = await player.save()
    worlds = vale.host.core(CATALOG.shard_key(PROFILE)).database[CustomWorldPublishedProfile]
    worlds.update(replace(next(iter(worlds)), status=PublishedStatus.BLOCKED))
    # The changed row is written with the next record of its actor.
    with pytest.raises(RefusedError):
        await (await vale.enter(claims(3))).begin()
    vale.mark()
    await player.call("restore_save_archive", None, archive.archive_id)


# More of stories that are played together


async def _joining_one_too_many(vale: Vale) -> None:
    host = await playing(vale)
    guest = await invite(vale, host)
    for _ in range(LIVE_STORIES_MAX):
        await guest.begin()
    vale.mark()
    await join(host, guest)


async def _kicking_who_waits(vale: Vale) -> None:
    host = await playing(vale)
    guest = await invite(vale, host)
    vale.mark()
    await join(host, guest)
    await host.call("kick_story_participant", host.story_id, guest.user_id)


async def _host_leaving_a_battle(vale: Vale) -> None:
    host = await at_the_mill(vale)
    guest = await invite(vale, host)
    await join(host, guest)
    await host.choose(StoryFunction.FIGHT, "slime_pack")
    vale.mark()
    await host.call("leave_story_session", host.story_id)


# Attacks


def _with_a_scout_who_fights(world: dict[str, Any]) -> None:
    scout = next(npc for npc in world["npcs"] if npc["key"] == "scout")
    scout["canBeFought"] = True


async def _attacking(vale: Vale) -> Player:
    player = await at_the_mill(vale)
    fight = (player.story_id, BattleMode.FIGHT, None, "scout", None)
    vale.mark()
    await player.call("create_battle_state", *fight)
    return player


async def _attack(vale: Vale) -> None:
    await _attacking(vale)


async def _attack_won(vale: Vale) -> None:
    player = await _attacking(vale)
    battle = await player.battle(only(player.story_rows(BattleState)).battle_state_id)
    while battle.battle.status is BattleStatus.ACTIVE:
        vale.mark()
        battle = (await player.fight_on(battle)).snapshot
    scout = only(row for row in player.story_rows(NpcState) if row.npc_key == "scout")
    assert scout.scene_key == ""


async def _attack_fled(vale: Vale) -> None:
    player = await _attacking(vale)
    battle = await player.battle(only(player.story_rows(BattleState)).battle_state_id)
    while battle.battle.status is BattleStatus.ACTIVE:
        vale.mark()
        battle = (await player.act(battle, CombatAction.ESCAPE)).snapshot
    assert only(row.hp for row in player.story_rows(StoryParticipant)) > 1


# What is refused by somebody else


async def _sale_of_what_is_not_there(vale: Vale) -> None:
    player = await playing(vale)
    trade = (player.story_id, "smith", TradeKind.SELL, HERB, 9, sell_price(12, 0))
    vale.mark()
    await player.call("trade_with_npc", *trade)


async def _gift_of_what_is_not_there(vale: Vale) -> None:
    player = await at_the_mill(vale)
    vale.mark()
    await player.call("gift_npc", player.story_id, "scout", "core_antidote")


async def _last_item_used_twice(vale: Vale) -> None:
    """Both uses are on their way before the first one has taken the item."""
    player = await at_the_mill(vale)
    lineage = player.session.runtime_session_id
    herbs = only(row for row in player.rows("inventory_slot") if row.item_id == HERB)
    await player.call("discard_inventory_item", lineage, herbs.slot_index, herbs.quantity - 1)
    vale.mark()
    await player.call("use_inventory_item", lineage, herbs.slot_index)
    with pytest.raises(RefusedError):
        await player.call("use_inventory_item", lineage, herbs.slot_index)


def _with_a_locked_chest(world: dict[str, Any]) -> None:
    world["treasures"][0] |= {"lock": "key_item", "keyItemId": "core_smoke_bomb"}


async def _treasure_without_the_key(vale: Vale) -> None:
    await _treasure(vale)


# The end


def _of_one_chapter(world: dict[str, Any]) -> None:
    del world["sceneChapterBlueprints"][1:]


async def _ending(vale: Vale) -> None:
    player = await _quests_done(vale)
    await _turn_in(player, "clear_mill")
    vale.mark()
    await player.choose(StoryFunction.FINISH)
    assert player.session.status is StoryStatus.COMPLETED


BEGUN = frozenset({"loot_seed", "stock_seed", "trade_stock", "text", "latest_narrative_text"})
FOUGHT = frozenset(
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

STORY_COURSES: Mapping[Step, Course] = {
    _begin: Course(BEGUN),
    _begin_in_no_world: Course(),
    _lock: Course(FOUGHT),
    _release: Course(),
    _victory: Course(),
    _victory_of_two: Course(people=2),
    _joining: Course(people=2),
    _leaving: Course(people=2),
    _side_quest: Course(),
    _side_quest_without_the_goods: Course(),
    _main_quest: Course(),
    _next_chapter: Course(),
    _purchase: Course(),
    _purchase_without_coins: Course(),
    _sale: Course(),
    _gift: Course(),
    _treasure: Course(),
    _item_use: Course(),
    _abandonment: Course(frozenset({"connected"})),  # an archived story is not told who comes
    _saving: Course(_SAVED),
    _saving_over: Course(_SAVED),
    _saving_in_a_battle: Course(),
    _restoring: Course(_RESTORED),
    _restoring_from_a_battle: Course(_RESTORED | FOUGHT, people=2),
    _restoring_in_no_world: Course(),
    _joining_one_too_many: Course(people=2),
    _kicking_who_waits: Course(people=2, is_race=True),
    _host_leaving_a_battle: Course(frozenset({"connected"}), people=2),
    _attack: Course(FOUGHT, world=_with_a_scout_who_fights),
    _attack_won: Course(world=_with_a_scout_who_fights),
    _attack_fled: Course(world=_with_a_scout_who_fights),
    _sale_of_what_is_not_there: Course(),
    _gift_of_what_is_not_there: Course(),
    _last_item_used_twice: Course(is_race=True),
    _treasure_without_the_key: Course(world=_with_a_locked_chest),
    _ending: Course(frozenset({"connected"}), world=_of_one_chapter),
}
