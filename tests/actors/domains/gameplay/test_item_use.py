from __future__ import annotations

from user_bench import SERVICE, only
from vale_bench import Player, playing, refusal

from actors.domains.domain_types import ItemGrant
from actors.domains.gameplay.inventory_calls import Grant
from actors.domains.gameplay.npc_exchange import ExchangeKind, NpcExchangeRecord
from actors.domains.gameplay.rewards import SettlementStatus
from actors.domains.gameplay.story import StoryFunction, StoryParticipant

HERBS, COINS, NOTHING = 0, 1, 7


async def _wounded(player: Player) -> int:
    """After a fight; answers the hit points that are left."""
    await player.choose(StoryFunction.TRAVEL, "mill")
    await player.choose(StoryFunction.FIGHT, "slime_pack")
    battle = only(player.rows("battle_state"))
    await player.fight_out(await player.battle(battle.battle_state_id))
    participant = only(player.story_rows(StoryParticipant))
    assert participant.hp < participant.max_hp
    return participant.hp


def _use(player: Player, slot: int, lineage: str | None = None) -> object:
    lineage = player.session.runtime_session_id if lineage is None else lineage
    return player.call("use_inventory_item", lineage, slot)


async def test_a_herb_heals_a_quarter_and_is_gone() -> None:
    async with playing() as player:
        hp = await _wounded(player)
        await _use(player, HERBS)
        assert only(player.story_rows(StoryParticipant)).hp == min(176, hp + 44)
        herbs = only(
            row for row in player.rows("inventory_slot") if row.item_id == "core_healing_herb"
        )
        assert herbs.quantity == 5
        record = only(player.story_rows(NpcExchangeRecord))
        assert (record.kind, record.status) == (ExchangeKind.USE_ITEM, SettlementStatus.SETTLED)


async def test_what_cannot_be_used_stays() -> None:
    async with playing() as player:
        assert await refusal(_use(player, COINS)) == "inventory.requirements_not_met"
        assert await refusal(_use(player, NOTHING)) == "inventory.slot_empty"
        assert await refusal(_use(player, 40)) == "inventory.slot_out_of_range"
        assert await refusal(_use(player, HERBS, "rs_other")) == "inventory.slot_empty"
        lineage = player.session.runtime_session_id
        await player.call("abandon_story_session", player.story_id)
        assert await refusal(_use(player, HERBS, lineage)) == "story.not_active_state"
        assert player.story_rows(NpcExchangeRecord) == []


async def test_belts_are_for_the_battle() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "mill_prowl")
        assert await refusal(_use(player, HERBS)) == "inventory.locked_state"


async def test_a_stack_that_came_during_a_battle_waits_for_its_end() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "mill_prowl")
        service = await player.vale.enter(SERVICE)
        lineage = player.session.runtime_session_id
        gift = Grant(ItemGrant("core_antidote", 1))
        await service.call("apply_inventory_mutation", player.user_id, lineage, gift, "test:gift")
        row = only(
            each for each in player.rows("inventory_slot") if each.item_id == "core_antidote"
        )
        assert row.locked_by is None
        await _use(player, row.slot_index)
        record = only(player.story_rows(NpcExchangeRecord))
        assert (record.status, record.error_code) == (
            SettlementStatus.REJECTED,
            "story.not_active_state",
        )
        assert row in player.rows("inventory_slot")
