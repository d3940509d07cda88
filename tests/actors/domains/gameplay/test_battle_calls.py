from __future__ import annotations

import pytest
from user_bench import SERVICE, only
from vale_bench import PROFILE, Player, RefusedError, claims, playing, refusal

from actors.domains.domain_types import HostileGroup, HostileRank, ItemGrant
from actors.domains.gameplay.combat import (
    BattleEvent,
    BattleMeter,
    BattleSecret,
    BattleSnapshot,
    BattleState,
)
from actors.domains.gameplay.inventory_calls import Grant
from actors.domains.gameplay.limits import BATTLE_ACTIONS_BURST, BATTLE_EVENTS_MAX
from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.rewards import RewardSettlement
from actors.domains.gameplay.story import (
    StoryChoice,
    StoryEvent,
    StoryEventKind,
    StoryFunction,
    StoryParticipant,
    StoryStatus,
)
from actors.domains.kinds import CATALOG
from actors.domains.rules.combat import (
    BattleMode,
    BattleStatus,
    CombatAction,
    CombatOutcome,
)
from actors.domains.runtime.directory_entry import SessionDirectoryEntry


async def _at_the_mill(player: Player) -> None:
    await player.choose(StoryFunction.TRAVEL, "mill")


async def _create(player: Player, *fields: object, by: Player | None = None) -> BattleSnapshot:
    who = by or player
    answer = await who.ask("create_battle_state_and_return", player.story_id, *fields)
    assert answer.battle.status is BattleStatus.PREPARING
    return await player.battle(answer.battle.battle_state_id)


async def _fight(player: Player, encounter: str = "mill_prowl") -> BattleSnapshot:
    await _at_the_mill(player)
    return await _create(player, BattleMode.FIGHT, encounter, None, None)


async def test_a_battle_takes_the_story_until_it_ends() -> None:
    async with playing() as player:
        battle = await _fight(player)
        assert battle.battle.status is BattleStatus.ACTIVE
        assert player.session.status is StoryStatus.IN_BATTLE
        assert player.story_rows(StoryChoice) == []
        assert await refusal(player.say("go")) == "story.not_active_state"
        again = _create(player, BattleMode.FIGHT, "mill_prowl", None, None)
        assert await refusal(again) == "combat.already_active"
        turn = player.session.turn
        resolution = await player.fight_out(battle)
        assert resolution.outcome is CombatOutcome.VICTORY
        session = player.session
        assert (session.status, session.turn) == (StoryStatus.ACTIVE, turn + 1)
        participant = only(player.story_rows(StoryParticipant))
        own = resolution.snapshot.combatants[0]
        assert participant.hp == own.hp < own.stats.max_hp
        kinds = [row.kind for row in player.story_rows(StoryEvent)]
        assert StoryEventKind.BATTLE_STARTED in kinds
        assert StoryEventKind.BATTLE_WON in kinds
        secret = only(player.story_rows(BattleSecret))
        assert secret.settled_user_ids == [player.user_id]


async def test_only_encounters_of_the_scene_can_be_fought_and_fixed_ones_once() -> None:
    async with playing() as player:
        away = _create(player, BattleMode.FIGHT, "slime_pack", None, None)
        assert await refusal(away) == "combat.encounter_not_found"
        battle = await _fight(player, "slime_pack")
        await player.fight_out(battle)
        again = _create(player, BattleMode.FIGHT, "slime_pack", None, None)
        assert await refusal(again) == "combat.already_cleared"
        nothing = _create(player, BattleMode.FIGHT, None, None, None)
        assert await refusal(nothing) == "input.missing_field"


async def test_free_hostiles_are_for_services() -> None:
    async with playing() as player:
        boss = [HostileGroup("keep_drake", HostileRank.BOSS, 1)]
        mine = _create(player, BattleMode.FIGHT, None, None, boss)
        assert await refusal(mine) == "auth.forbidden"
        service = await player.vale.enter(SERVICE)
        many = [HostileGroup("vale_slime", HostileRank.MINION, 4_000_000_000)]
        crowd = _create(player, BattleMode.FIGHT, None, None, many, by=service)
        assert await refusal(crowd) == "combat.too_many_hostiles"
        unknown = [HostileGroup("ghost", HostileRank.MINION, 1)]
        ghosts = _create(player, BattleMode.FIGHT, None, None, unknown, by=service)
        assert await refusal(ghosts) == "combat.hostile_not_found"
        battle = await _create(player, BattleMode.FIGHT, None, None, boss, by=service)
        assert battle.battle.escape_blocked
        assert await refusal(player.act(battle, CombatAction.ESCAPE)) == "combat.escape_blocked"


async def test_bad_actions_change_nothing() -> None:
    async with playing() as player:
        battle = await _fight(player, "slime_pack")
        meter = only(player.story_rows(BattleMeter))
        cases = [
            (player.act(battle, CombatAction.SKILL, skill="meteor"), "combat.skill_unknown"),
            (player.act(battle, CombatAction.SKILL), "combat.skill_unknown"),
            (
                player.act(battle, CombatAction.USE_ITEM, item="core_coin"),
                "combat.item_unavailable",
            ),
            (player.act(battle, CombatAction.BASIC_ATTACK, target=1), "combat.target_invalid"),
            (player.act(battle, CombatAction.BASIC_ATTACK), "combat.target_invalid"),
            (player.act(battle, CombatAction.YIELD), "combat.yield_not_allowed"),
        ]
        for work, code in cases:
            assert await refusal(work) == code
        stranger = await player.vale.enter(claims(2))
        assert await refusal(stranger.act(battle, CombatAction.GUARD)) == "combat.not_found"
        assert await refusal(stranger.battle(battle.battle.battle_state_id)) == "combat.not_found"
        assert await player.battle(battle.battle.battle_state_id) == battle
        assert only(player.story_rows(BattleMeter)) == meter


async def test_a_flood_of_actions_is_refused_and_time_helps() -> None:
    async with playing() as player:
        service = await player.vale.enter(SERVICE)
        slime = [HostileGroup("vale_slime", HostileRank.MINION, 1)]
        battle = await _create(player, BattleMode.FIGHT, None, None, slime, by=service)
        actions, code = 0, ""
        while not code and actions < 3 * BATTLE_ACTIONS_BURST:
            try:
                battle = (await player.act(battle, CombatAction.GUARD)).snapshot
                actions += 1
            except RefusedError as refused:
                code = refused.code
        assert code == "limit.rate_exceeded"
        assert BATTLE_ACTIONS_BURST <= actions < BATTLE_ACTIONS_BURST + 5
        player.vale.clock.wait(200_000)
        await player.act(battle, CombatAction.GUARD)


async def test_belt_items_are_used_up_at_the_end() -> None:
    async with playing() as player:
        battle = await _fight(player)
        herbs = only(
            row for row in player.rows("inventory_slot") if row.item_id == "core_healing_herb"
        )
        assert herbs.locked_by == battle.battle.battle_state_id
        own = battle.combatants[0]
        assert [(grant.item_id, grant.quantity) for grant in own.belt] == [("core_healing_herb", 3)]
        resolution = await player.act(battle, CombatAction.USE_ITEM, item="core_healing_herb")
        assert resolution.snapshot.combatants[0].belt[0].quantity == 2
        lineage = player.session.runtime_session_id
        discard = player.call("discard_inventory_item", lineage, 0, 1)
        assert await refusal(discard) == "inventory.locked_state"
        await player.ask("abort_battle_and_return", battle.battle.battle_state_id)
        herbs = only(
            row for row in player.rows("inventory_slot") if row.item_id == "core_healing_herb"
        )
        assert (herbs.quantity, herbs.locked_by) == (2, None)


async def test_aborting_pays_nothing_and_costs_nothing() -> None:
    async with playing() as player:
        battle = await _fight(player)
        before = len(player.story_rows(RewardSettlement))
        answer = await player.ask("abort_battle_and_return", battle.battle.battle_state_id)
        assert (answer.battle.outcome, answer.battle.status) == (
            CombatOutcome.ABORTED,
            BattleStatus.ENDED,
        )
        assert player.session.status is StoryStatus.ACTIVE
        assert len(player.story_rows(RewardSettlement)) == before
        again = player.call("abort_battle", battle.battle.battle_state_id)
        assert await refusal(again) == "combat.not_active_state"


async def test_escaping_keeps_wounds_and_pays_nothing() -> None:
    async with playing() as player:
        battle = await _fight(player)
        outcome = CombatOutcome.ONGOING
        while outcome is CombatOutcome.ONGOING:
            resolution = await player.act(battle, CombatAction.ESCAPE)
            battle, outcome = resolution.snapshot, resolution.outcome
        assert outcome is CombatOutcome.ESCAPED
        assert only(player.story_rows(StoryParticipant)).hp == battle.combatants[0].hp
        assert player.rows("my_player_progression") == []
        assert player.choice(StoryFunction.FIGHT, "mill_prowl").enabled


async def test_defeat_sends_the_party_back_with_half_its_strength() -> None:
    async with playing() as player:
        await _at_the_mill(player)
        service = await player.vale.enter(SERVICE)
        drakes = [HostileGroup("keep_drake", HostileRank.BOSS, 3)]
        battle = await _create(player, BattleMode.FIGHT, None, None, drakes, by=service)
        for _ in range(400):
            player.vale.clock.wait(1_000_000)
            resolution = await player.act(battle, CombatAction.GUARD)
            battle = resolution.snapshot
            if resolution.outcome is not CombatOutcome.ONGOING:
                break
        assert resolution.outcome is CombatOutcome.DEFEAT
        session = player.session
        assert (session.current_scene_key, session.defeat_count) == ("square", 1)
        assert only(player.story_rows(StoryParticipant)).hp == 88
        assert player.choice(StoryFunction.TRAVEL, "mill").enabled
        kept = [row.seq for row in player.story_rows(BattleEvent)]
        assert len(kept) <= BATTLE_EVENTS_MAX
        assert max(kept) == only(player.story_rows(BattleMeter)).last_event_seq
        assert player.cache.faults() == []


async def test_a_spar_is_won_once_a_chapter_and_hurts_nobody() -> None:
    async with playing() as player:
        await _at_the_mill(player)
        battle = await _create(player, BattleMode.SPAR, None, "scout", None)
        assert [row.kind for row in battle.combatants] == [0, 3]
        resolution = await player.fight_out(battle)
        assert resolution.outcome is CombatOutcome.SPAR_COMPLETE
        scout = only(row for row in player.story_rows(NpcState) if row.npc_key == "scout")
        partner = resolution.snapshot.combatants[1]
        assert 1 <= partner.hp <= 16
        assert (scout.affinity, scout.spar_wins) == (53, 1)
        assert only(player.story_rows(StoryParticipant)).hp == 176
        assert only(player.rows("my_player_progression")).total_xp == 3
        chapter = only(player.rows("my_chapter_progression"))
        assert (chapter.actual_hostile_xp, chapter.actual_hostile_defeat_count) == (0, 0)
        again = _create(player, BattleMode.SPAR, None, "scout", None)
        assert await refusal(again) == "npc.requirements_not_met"
        absent = _create(player, BattleMode.SPAR, None, "mayor", None)
        assert await refusal(absent) == "npc.not_in_scene_state"


async def test_yielding_a_spar_loses_it() -> None:
    async with playing() as player:
        await _at_the_mill(player)
        battle = await _create(player, BattleMode.SPAR, None, "scout", None)
        resolution = await player.act(battle, CombatAction.YIELD)
        assert resolution.outcome is CombatOutcome.SPAR_COMPLETE
        scout = only(row for row in player.story_rows(NpcState) if row.npc_key == "scout")
        assert (scout.affinity, scout.spar_wins) == (51, 0)
        assert player.rows("my_player_progression") == []


async def test_a_companion_fights_along() -> None:
    async with playing() as player:
        await _at_the_mill(player)
        for _ in range(4):
            await player.call("talk_to_npc", player.story_id, "scout")
        await player.choose(StoryFunction.TRAVEL, "square")
        await player.choose(StoryFunction.TRAVEL, "mill")
        for _ in range(2):
            await player.call("talk_to_npc", player.story_id, "scout")
        await player.ask("recruit_npc_and_return", player.story_id, "scout")
        battle = await _create(player, BattleMode.FIGHT, "mill_prowl", None, None)
        kinds = [(row.seq, row.kind.name) for row in battle.combatants]
        assert kinds == [(1, "PLAYER"), (2, "COMPANION"), (3, "HOSTILE")]
        assert battle.combatants[1].stats.attack == 14
        resolution = await player.fight_out(battle)
        assert resolution.outcome is CombatOutcome.VICTORY


async def test_a_story_that_is_still_starting_has_no_battles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with playing() as player:
        vale, first = player.vale, player.story_id
        catalog = vale.host._cells[CATALOG.key("0")]
        catalog.hold()
        with monkeypatch.context() as patch:
            patch.setattr(vale, "settle", vale.host.durable)  # the catalog stays busy
            await player.call("begin_story_session", PROFILE, "wanderer", None)
            entries = player.own_rows(SessionDirectoryEntry)
            second = only(row.session_key for row in entries if row.session_key != first)
            fight = (second, BattleMode.FIGHT, "slime_pack", None, None)
            code = await refusal(player.call("create_battle_state", *fight))
        catalog.release()
        await vale.settle()
        assert code == "story.not_active_state"


async def test_the_battle_row_is_in_the_story_that_its_id_names() -> None:
    async with playing() as player:
        battle = await _fight(player)
        battle_state_id = battle.battle.battle_state_id
        assert battle_state_id.startswith(f"{player.story_id}.bt_")
        assert only(player.story_rows(BattleState)).battle_state_id == battle_state_id
        assert await refusal(player.battle(f"{player.story_id}.bt_none")) == "combat.not_found"
        assert await refusal(player.battle("not an id")) == "input.invalid_id"


async def test_aborting_before_the_first_round_leaves_players_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with playing() as player:
        service, lineage = await player.vale.enter(SERVICE), player.session.runtime_session_id
        mail = Grant(ItemGrant("core_mail_t1", 1))
        await service.call("apply_inventory_mutation", player.user_id, lineage, mail, "mail")
        rows = player.rows("inventory_slot")
        slot = only(row.slot_index for row in rows if row.item_id == "core_mail_t1")
        await player.call("equip_item", lineage, slot)
        await player.fight_out(await _fight(player))
        await player.choose(StoryFunction.TRAVEL, "square")
        await player.choose(StoryFunction.REST)
        await _at_the_mill(player)
        before = only(player.story_rows(StoryParticipant))
        assert (before.hp, before.max_hp) == (186, 186)
        vale = player.vale
        home = vale.host._cells[player.home]
        home.hold()
        with monkeypatch.context() as patch:
            patch.setattr(vale, "settle", vale.host.durable)  # the loadout does not come
            await player.call("create_battle_state", player.story_id, 0, "slime_pack", None, None)
            row = next(
                each
                for each in player.story_rows(BattleState)
                if each.status is BattleStatus.PREPARING
            )
            await player.call("abort_battle", row.battle_state_id)
        home.release()
        await vale.settle()
        assert only(player.story_rows(StoryParticipant)) == before
        assert all(each.locked_by is None for each in player.rows("inventory_slot"))
