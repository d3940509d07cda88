"""Domain 5.2 and 13.12, item 1: several players and spectators in one story."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

from user_bench import only
from vale_bench import TABLES, Player, claims, playing, refusal

from actors.domains.domain_types import GrantSource, ParticipantRole
from actors.domains.gameplay.combat import BattleCombatant, BattleLoadout, BattleState
from actors.domains.gameplay.limits import BATTLE_AWAY_TURN_MICROS, BATTLE_TURN_MICROS
from actors.domains.gameplay.rewards import RewardSettlement, SettlementStatus
from actors.domains.gameplay.story import StoryFunction, StoryParticipant, StoryStatus
from actors.domains.rules.combat import (
    BattleEventKind,
    BattleStatus,
    CombatAction,
    CombatOutcome,
)
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry
from actors.domains.runtime.profile import ProfilePlayedWorld
from actors.module.types import replace


@asynccontextmanager
async def _together() -> Any:
    """A host and a guest who plays along."""
    async with playing() as host:
        guest = await host.vale.enter(claims(2))
        await guest.subscribe(*TABLES, "story_session", "story_participant")
        await _join(host, guest, ParticipantRole.PLAYER, "wanderer")
        yield host, guest


async def _join(
    host: Player, guest: Player, role: ParticipantRole, role_key: str | None = None
) -> None:
    if host.session.invite_code is None:
        await host.call("create_story_invite", host.story_id)
    code = host.session.invite_code
    await guest.call("join_story_session", host.story_id, code, role, role_key)
    guest.story_id = host.story_id


async def _fight(host: Player) -> BattleState:
    await host.choose(StoryFunction.TRAVEL, "mill")
    await host.choose(StoryFunction.FIGHT, "slime_pack")
    return only(host.story_rows(BattleState))


async def test_a_guest_sees_the_story_from_the_moment_it_joins() -> None:
    async with _together() as (host, guest):
        assert host.session.player_count == 2
        assert only(guest.rows("story_session")) == host.session
        assert len(guest.rows("story_participant")) == 2
        assert {row.item_id: row.quantity for row in guest.rows("inventory_slot")} == {
            "core_healing_herb": 3,
            "core_coin": 20,
        }
        assert only(guest.rows("my_chapter_progression")).chapter_index == 1
        entry = only(guest.own_rows(SessionDirectoryEntry))
        assert (entry.state, entry.role) == (DirectoryState.ACTIVE, ParticipantRole.PLAYER)
        drive = guest.call("continue_story", host.story_id, None, "go", 1, False)
        assert await refusal(drive) == "auth.forbidden"
        assert guest.cache.faults() == []


async def test_only_the_right_code_lets_in() -> None:
    async with playing() as host:
        stranger = await host.vale.enter(claims(2))
        player = ParticipantRole.PLAYER
        for story, code in ((host.story_id, "00000000"), ("ss_none", "00000000")):
            join = stranger.call("join_story_session", story, code, player, "wanderer")
            assert await refusal(join) == "story.invite_not_found"
        await host.call("create_story_invite", host.story_id)
        code = host.session.invite_code
        assert code is not None
        assert len(code) == 8
        join = stranger.call("join_story_session", host.story_id, code, player, "drake")
        assert await refusal(join) == "story.role_not_found"
        boss = ParticipantRole.HOST
        join = stranger.call("join_story_session", host.story_id, code, boss, "wanderer")
        assert await refusal(join) == "story.invalid_input"


async def test_a_fifth_player_finds_no_place_but_may_watch() -> None:
    async with _together() as (host, _):
        for number in (3, 4):
            friend = await host.vale.enter(claims(number))
            await _join(host, friend, ParticipantRole.PLAYER, "wanderer")
        late = await host.vale.enter(claims(5))
        join = _join(host, late, ParticipantRole.PLAYER, "wanderer")
        assert await refusal(join) == "story.full_state"
        await _join(host, late, ParticipantRole.SPECTATOR)
        assert host.session.player_count == 4
        assert len(host.story_rows(StoryParticipant)) == 5


async def test_who_is_down_when_the_others_win_gets_up_again() -> None:
    async with _together() as (host, guest):
        row = await _fight(host)
        battle = await guest.battle(row.battle_state_id)
        while battle.combatants[battle.battle.active_seq - 1].user_id == host.user_id:
            battle = (await host.fight_on(battle)).snapshot
        # It is the guest's turn; the host is struck down, and the others are nearly so.
        fighters = host.vale.host.core(host.story).database[BattleCombatant]
        for fighter in list(fighters):
            if fighter.user_id == host.user_id:
                fighters.update(replace(fighter, hp=0, alive=False))
            elif fighter.user_id is None and fighter.alive:
                fighters.update(replace(fighter, hp=1))
        while battle.battle.status is not BattleStatus.ENDED:
            battle = (await guest.fight_on(battle)).snapshot
        assert battle.battle.outcome is CombatOutcome.VICTORY
        left = {row.user_id: row.hp for row in host.story_rows(StoryParticipant)}
        assert left[host.user_id] == 1
        assert left[guest.user_id] > 1
        await host.choose(StoryFunction.FIGHT, "mill_prowl")
        assert any(row.status is not BattleStatus.ENDED for row in host.story_rows(BattleState))


async def test_two_players_share_a_fight_and_both_are_paid() -> None:
    async with _together() as (host, guest):
        row = await _fight(host)
        battle = await host.battle(row.battle_state_id)
        attacks = [each.stats.attack for each in battle.combatants if each.user_id is None]
        assert attacks == [7, 7, 10]
        watcher = await host.vale.enter(claims(3))
        await _join(host, watcher, ParticipantRole.SPECTATOR)
        assert await refusal(watcher.act(battle, CombatAction.GUARD)) == "combat.not_participant"
        players = {host.user_id: host, guest.user_id: guest}
        for _ in range(80):
            active = battle.combatants[battle.battle.active_seq - 1]
            actor = players[active.user_id]
            other = guest if actor is host else host
            assert await refusal(other.act(battle, CombatAction.GUARD)) == "combat.not_your_turn"
            resolution = await actor.fight_on(battle)
            battle = resolution.snapshot
            if battle.battle.status is BattleStatus.ENDED:
                break
        assert resolution.outcome is CombatOutcome.VICTORY
        paid = [
            row
            for row in host.story_rows(RewardSettlement)
            if row.source is GrantSource.HOSTILE_DEFEAT
        ]
        assert {row.user_id for row in paid} == set(players)
        assert {row.status for row in paid} == {SettlementStatus.SETTLED}
        for player in (host, guest):
            assert only(player.rows("my_player_progression")).total_xp == 24
            items = {each.item_id: each.quantity for each in player.rows("inventory_slot")}
            assert items == {"core_healing_herb": 6, "core_coin": 28}
            assert player.cache.faults() == []


async def test_a_silent_player_guards_then_the_rules_play_until_it_is_back() -> None:
    async with _together() as (host, guest):
        row = await _fight(host)
        kinds: list[str] = []
        for _ in range(60):
            row = only(host.story_rows(BattleState))
            if row.status is BattleStatus.ENDED or "rules" in kinds:
                break
            battle = await host.battle(row.battle_state_id)
            active = battle.combatants[row.active_seq - 1]
            assert row.turn_deadline is not None
            if active.user_id == host.user_id:
                await host.act(battle, CombatAction.GUARD)
                continue
            wait = row.turn_deadline - row.updated_at
            before = {event.seq for event in host.rows("battle_event")}
            host.vale.clock.wait(wait)
            await host.vale.wake(host.story)
            news = [each for each in host.rows("battle_event") if each.seq not in before]
            own = [each.kind for each in news if each.actor_seq == active.seq]
            if BattleEventKind.TIMEOUT_GUARD in own:
                assert wait == BATTLE_TURN_MICROS
                kinds.append("guard")
            else:
                assert wait == BATTLE_AWAY_TURN_MICROS
                kinds.append("rules")
        assert kinds == ["guard", "guard", "guard", "rules"]

        while True:
            row = only(host.story_rows(BattleState))
            battle = await host.battle(row.battle_state_id)
            if battle.combatants[row.active_seq - 1].user_id == guest.user_id:
                break
            await host.act(battle, CombatAction.GUARD)
        await guest.act(battle, CombatAction.GUARD)
        loadout = only(
            each for each in host.story_rows(BattleLoadout) if each.user_id == guest.user_id
        )
        assert loadout.absent_turns == 0


async def test_who_leaves_is_played_on_and_not_paid() -> None:
    async with _together() as (host, guest):
        row = await _fight(host)
        await guest.call("leave_story_session", host.story_id)
        assert host.session.player_count == 1
        assert only(guest.own_rows(SessionDirectoryEntry)).state is DirectoryState.ARCHIVED
        assert guest.rows("battle_state") == []
        for _ in range(200):
            row = only(host.story_rows(BattleState))
            if row.status is BattleStatus.ENDED:
                break
            battle = await host.battle(row.battle_state_id)
            if battle.combatants[row.active_seq - 1].user_id == host.user_id:
                await host.fight_on(battle)
            else:
                assert row.turn_deadline is not None
                host.vale.clock.wait(row.turn_deadline - row.updated_at)
                await host.vale.wake(host.story)
        assert row.outcome is CombatOutcome.VICTORY
        assert guest.rows("my_player_progression") == []
        assert all(slot.locked_by is None for slot in guest.rows("inventory_slot"))


async def test_kicking_voids_the_code() -> None:
    async with _together() as (host, guest):
        code = host.session.invite_code
        kick = guest.call("kick_story_participant", host.story_id, host.user_id)
        assert await refusal(kick) == "auth.forbidden"
        await host.call("kick_story_participant", host.story_id, guest.user_id)
        assert host.session.invite_code is None
        again = guest.call(
            "join_story_session", host.story_id, code, ParticipantRole.PLAYER, "wanderer"
        )
        assert await refusal(again) == "story.invite_not_found"
        kick = host.call("kick_story_participant", host.story_id, guest.user_id)
        assert await refusal(kick) == "story.participant_not_found"


async def test_the_host_takes_the_story_along() -> None:
    async with _together() as (host, guest):
        await _fight(host)
        await host.call("leave_story_session", host.story_id)
        assert host.session.status is StoryStatus.ABANDONED
        assert only(host.story_rows(BattleState)).outcome is CombatOutcome.ABORTED
        for player in (host, guest):
            entry = only(player.own_rows(SessionDirectoryEntry))
            assert entry.state is DirectoryState.ARCHIVED
            assert all(slot.locked_by is None for slot in player.rows("inventory_slot"))
        assert await refusal(host.call("leave_story_session", host.story_id)) == (
            "story.not_active_state"
        )


async def test_a_guests_time_counts_as_the_hosts_does() -> None:
    async with _together() as (host, guest):
        world = only(guest.own_rows(ProfilePlayedWorld))
        assert (world.play_count, world.total_play_ms) == (1, 0)
        await host.choose(StoryFunction.TRAVEL, "mill")
        for _ in range(2):
            await guest.call("gift_npc", host.story_id, "scout", "core_healing_herb")
            host.vale.clock.wait(90_000_000)
        await guest.call("gift_npc", host.story_id, "scout", "core_healing_herb")
        (played,) = (row.total_play_ms for row in guest.own_rows(ProfilePlayedWorld))
        assert played >= 180_000


async def test_who_left_may_come_back_and_sees_the_story_again() -> None:
    async with _together() as (host, guest):
        await guest.call("leave_story_session", host.story_id)
        assert guest.rows("story_session") == []
        await _join(host, guest, ParticipantRole.PLAYER, "wanderer")
        assert only(guest.rows("story_session")) == host.session
        assert host.session.player_count == 2
        # What a role begins with is given once in a lineage.
        assert {row.item_id: row.quantity for row in guest.rows("inventory_slot")} == {
            "core_healing_herb": 3,
            "core_coin": 20,
        }
        assert guest.cache.faults() == []
