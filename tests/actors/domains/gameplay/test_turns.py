from __future__ import annotations

import pytest
from user_bench import only
from vale_bench import Player, RefusedError, claims, playing

from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.play_time import PlayClock
from actors.domains.gameplay.quest import QuestRecord, QuestStatus
from actors.domains.gameplay.story import (
    StoryChoice,
    StoryEvent,
    StoryEventKind,
    StoryFunction,
    StoryParticipant,
    StoryStatus,
)
from actors.domains.gameplay.treasure import TreasureRecord, TreasureStatus
from actors.domains.runtime.profile import ProfilePlayedWorld


async def _continue(
    player: Player, choice: str | None = None, text: str | None = None, turn: int | None = None
) -> object:
    expected = player.session.turn if turn is None else turn
    return await player.ask(
        "continue_story_and_return", player.story_id, choice, text, expected, False
    )


async def _refusal(player: Player, *args: object, **named: object) -> str:
    before = (player.session, player.story_rows(StoryEvent))
    with pytest.raises(RefusedError) as refused:
        await _continue(player, *args, **named)
    assert (player.session, player.story_rows(StoryEvent)) == before
    return refused.value.code


async def test_travel_moves_the_party_and_offers_what_is_there() -> None:
    async with playing() as player:
        session = await player.choose(StoryFunction.TRAVEL, "mill")
        assert (session.current_scene_key, session.turn, session.version) == ("mill", 2, 4)
        assert session.latest_function is StoryFunction.TRAVEL
        assert "The Burnt Mill" in session.latest_narrative_text
        event = max(player.story_rows(StoryEvent), key=lambda row: row.seq)
        assert event.kind is StoryEventKind.SCENE_ENTERED
        assert event.actor_user_id == player.user_id
        assert event.text == session.latest_narrative_text
        assert only(player.story_rows(TreasureRecord)).status is TreasureStatus.FOUND
        assert all(row.turn == 2 for row in player.story_rows(StoryChoice))


async def test_bad_input_changes_nothing() -> None:
    async with playing() as player:
        old = player.choice(StoryFunction.TRAVEL).choice_id
        assert await _refusal(player) == "story.invalid_input"
        assert await _refusal(player, old, "go") == "story.invalid_input"
        assert await _refusal(player, None, "x" * 401) == "input.text_too_long"
        assert await _refusal(player, None, "  ") == "input.text_empty"
        assert await _refusal(player, old, turn=2) == "story.stale_version"
        forged = old.rpartition(".")[0] + ".77"
        assert await _refusal(player, forged) == "story.choice_not_found"
        await player.choose(StoryFunction.TRAVEL)
        assert await _refusal(player, old, turn=1) == "story.stale_version"
        assert await _refusal(player, old) == "story.choice_not_found"


async def test_strangers_learn_nothing_of_a_story() -> None:
    async with playing() as player:
        stranger = await player.vale.enter(claims(2))
        stranger.story_id = player.story_id
        for name, fields in (
            ("continue_story", (player.story_id, None, "go", 1, False)),
            ("abandon_story_session", (player.story_id,)),
        ):
            with pytest.raises(RefusedError) as refused:
                await stranger.call(name, *fields)
            assert refused.value.code == "story.not_found"
        with pytest.raises(RefusedError) as refused:
            await stranger.call("continue_story", "ss_none", None, "go", 1, False)
        assert refused.value.code == "story.not_found"
        for name in ("get_story_session_state",):
            with pytest.raises(RefusedError) as refused:
                await stranger.ask(name, player.story_id)
            assert refused.value.code == "story.not_found"


async def test_free_words_become_the_first_offered_choice_that_they_mean() -> None:
    async with playing() as player:
        session = await player.say("I go down to where the smoke is")
        assert (session.current_scene_key, session.latest_function) == (
            "mill",
            StoryFunction.TRAVEL,
        )
        session = await player.say("Ask her about the wolves")
        assert session.latest_function is StoryFunction.TALK
        scout = only(row for row in player.story_rows(NpcState) if row.npc_key == "scout")
        assert scout.affinity == 53
        session = await player.say("Whistle a tune")
        assert session.latest_function is StoryFunction.FREE_TEXT
        assert session.flags == [f"n_1_{session.turn}"]
        # Nothing of the kind is offered here, so the words are only told.
        session = await player.say("Sell my boots")
        assert session.latest_function is StoryFunction.FREE_TEXT


async def test_rest_heals_and_takes_three_turns() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        battle = only(player.rows("battle_state"))
        await player.fight_out(await player.battle(battle.battle_state_id))
        before = only(player.story_rows(StoryParticipant))
        assert before.hp < before.max_hp
        turn = player.session.turn
        session = await player.choose(StoryFunction.REST)
        after = only(player.story_rows(StoryParticipant))
        assert after.hp == after.max_hp
        assert session.turn == turn + 3


async def test_a_treasure_is_opened_once_and_paid_by_settlement() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.INSPECT, "mill_chest")
        chest = only(player.story_rows(TreasureRecord))
        assert (chest.status, chest.granted_coins) == (TreasureStatus.OPENED, 10)
        items = {row.item_id: row.quantity for row in player.rows("inventory_slot")}
        assert (items["core_coin"], items["core_antidote"]) == (30, 1)
        assert only(player.rows("my_player_progression")).total_xp == 6
        assert not any(row.function is StoryFunction.INSPECT for row in player.choices())
        with pytest.raises(RefusedError) as refused:
            await player.call("resolve_treasure_interaction", player.story_id, "mill_chest", 1)
        assert refused.value.code == "treasure.already_opened"


async def test_choices_that_stay_keep_their_ids_within_a_turn() -> None:
    async with playing() as player:
        before = {(row.function, row.target_key): row.choice_id for row in player.choices()}
        quest = next(row for row in player.story_rows(QuestRecord) if row.quest_key == "herb_help")
        await player.call("accept_quest", player.story_id, quest.quest_record_id)
        after = {(row.function, row.target_key): row.choice_id for row in player.choices()}
        gone = (StoryFunction.ACCEPT_QUEST, "herb_help")
        assert after == {key: value for key, value in before.items() if key != gone}
        assert [row.position for row in player.choices()] == list(range(1, len(after) + 1))


async def test_the_whole_story_can_be_finished() -> None:
    async with playing() as player:
        for _ in range(400):
            session = player.session
            if session.status is StoryStatus.COMPLETED:
                break
            await _play_on(player)
        assert player.session.status is StoryStatus.COMPLETED
        assert player.session.chapter_index == 5
        assert player.choices() == []
        assert only(player.own_rows(ProfilePlayedWorld)).completed_count == 1
        mains = [row for row in player.story_rows(QuestRecord) if row.kind == 0]
        assert {row.status for row in mains} == {QuestStatus.TURNED_IN}
        sides = [row for row in player.story_rows(QuestRecord) if row.kind == 1]
        assert {row.status for row in sides} == {QuestStatus.FAILED}
        assert await _refusal(player, None, "go") == "story.not_active_state"


async def _play_on(player: Player) -> None:
    """The next step of a player who wants to see the end."""
    wanted = (
        StoryFunction.FINISH,
        StoryFunction.ADVANCE_CHAPTER,
        StoryFunction.TURN_IN_QUEST,
        StoryFunction.REST,
        StoryFunction.FIGHT,
        StoryFunction.TRAVEL,
    )
    # Fixed fights bar the way to a rest, and a boss is for those who are strong enough.
    offered = [row for row in player.choices() if row.enabled and row.target_key != "keep_drake"]
    ready = any(
        row.status is QuestStatus.COMPLETED and row.kind == 0
        for row in player.story_rows(QuestRecord)
    )
    if ready and not any(row.function is StoryFunction.TURN_IN_QUEST for row in offered):
        wanted = (StoryFunction.TRAVEL,)
    choice = next((row for function in wanted for row in offered if row.function is function), None)
    assert choice is not None, player.choices()
    await player.ask(
        "continue_story_and_return",
        player.story_id,
        choice.choice_id,
        None,
        player.session.turn,
        False,
    )
    if player.session.status is StoryStatus.IN_BATTLE:
        battle = next(row for row in player.rows("battle_state") if row.ended_at is None)
        player.vale.clock.wait(60_000_000)
        await player.fight_out(await player.battle(battle.battle_state_id))


async def test_play_time_counts_pauses_in_part() -> None:
    async with playing() as player:
        await player.say("look")
        player.vale.clock.wait(30_000_000)
        await player.say("look")
        player.vale.clock.wait(370_000_000)
        await player.say("look")
        played = only(player.own_rows(ProfilePlayedWorld))
        assert (
            150_000
            <= played.total_play_ms + only(player.story_rows(PlayClock)).unreported_ms
            < 150_100
        )
