"""Domain 4.8, row by row: what clients get for input that combat does not take."""

from __future__ import annotations

import pytest
from user_bench import only
from vale_bench import Player, claims, playing, refusal

from actors.domains.domain_types import HostileGroup, HostileRank, ParticipantRole
from actors.domains.gameplay.combat import BattleEvent, BattleSnapshot, BattleState
from actors.domains.gameplay.story import StoryFunction
from actors.domains.rules.combat import BattleMode, CombatAction


async def _fight(player: Player, encounter: str = "slime_pack") -> BattleSnapshot:
    await player.choose(StoryFunction.TRAVEL, "mill")
    await player.choose(StoryFunction.FIGHT, encounter)
    return await player.battle(only(player.story_rows(BattleState)).battle_state_id)


async def test_an_action_on_an_ended_battle_changes_no_row() -> None:
    async with playing() as player:
        ended = (await player.fight_out(await _fight(player))).snapshot
        before = player.vale.all_rows()
        player.deltas.clear()
        late = player.act(ended, CombatAction.BASIC_ATTACK, target=2)
        assert await refusal(late) == "combat.not_active_state"
        assert player.deltas == []
        assert player.vale.all_rows() == before


async def test_a_second_click_hits_once() -> None:
    async with playing() as player:
        battle = await _fight(player)
        clicks = {"target": 4, "request": "click"}
        first = await player.act(battle, CombatAction.BASIC_ATTACK, **clicks)
        player.deltas.clear()
        assert await player.act(battle, CombatAction.BASIC_ATTACK, **clicks) == first
        assert player.deltas == []
        assert await player.battle(battle.battle.battle_state_id) == first.snapshot
        again = player.act(battle, CombatAction.BASIC_ATTACK, target=4)
        assert await refusal(again) == "combat.stale_version"


async def test_skills_of_others_and_friends_as_targets() -> None:
    async with playing() as player:
        battle = await _fight(player)
        log = player.story_rows(BattleEvent)
        strange = player.act(battle, CombatAction.SKILL, skill="drake_breath", target=2)
        assert await refusal(strange) == "combat.skill_unknown"
        for action, skill in ((CombatAction.BASIC_ATTACK, None), (CombatAction.SKILL, "hinder")):
            friend = player.act(battle, action, skill=skill, target=1)
            assert await refusal(friend) == "combat.target_invalid"
        assert player.story_rows(BattleEvent) == log


async def test_spectators_only_watch() -> None:
    async with playing() as player:
        await player.call("create_story_invite", player.story_id)
        guest = await player.vale.enter(claims(2))
        code, role = player.session.invite_code, ParticipantRole.SPECTATOR
        await guest.ask("join_story_session_and_return", player.story_id, code, role, None)
        battle = await _fight(player)
        assert await guest.battle(battle.battle.battle_state_id) == battle
        act = guest.act(battle, CombatAction.BASIC_ATTACK, target=2)
        assert await refusal(act) == "combat.not_participant"


async def test_clients_do_not_choose_hostiles() -> None:
    async with playing() as player:
        drakes = [HostileGroup("keep_drake", HostileRank.BOSS, 1)]
        create = player.call(
            "create_battle_state", player.story_id, BattleMode.FIGHT, None, None, drakes
        )
        assert await refusal(create) == "auth.forbidden"
        assert player.story_rows(BattleState) == []


@pytest.mark.parametrize("mode", BattleMode)
async def test_a_battle_under_way_is_what_matters_first(mode: BattleMode) -> None:
    async with playing() as player:
        await _fight(player)
        create = player.call("create_battle_state", player.story_id, mode, "none", "none", None)
        assert await refusal(create) == "combat.already_active"
