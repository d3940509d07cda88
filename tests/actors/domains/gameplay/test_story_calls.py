from __future__ import annotations

from user_bench import only
from vale_bench import claims, playing, refusal

from actors.domains.gameplay.limits import STORY_IDLE_MICROS
from actors.domains.gameplay.quest import QuestRecord, QuestStatus
from actors.domains.gameplay.story import StoryEvent, StoryFunction, StoryStatus
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry


async def test_the_state_of_a_session_is_what_its_rows_say() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        state = await player.ask("get_story_session_state", player.story_id)
        assert state.session == player.session
        assert [row.seq for row in state.events] == [1, 2, 3]
        assert state.choices == player.choices()
        assert [row.npc_key for row in state.npcs] == ["scout"]
        assert len(state.quests) == 3
        assert state.battle is None
        await player.choose(StoryFunction.FIGHT, "mill_prowl")
        state = await player.ask("get_story_session_state", player.story_id)
        assert state.battle.battle.story_session_id == player.story_id
        assert state.choices == []


async def test_events_come_in_pages_newest_first() -> None:
    async with playing() as player:
        for _ in range(4):
            await player.say("look")
        page = await player.ask("list_story_events", player.story_id, None, 2)
        assert [row.seq for row in page.events] == [6, 5]
        page = await player.ask("list_story_events", player.story_id, 5, 100)
        assert [row.seq for row in page.events] == [4, 3, 2, 1]
        page = await player.ask("list_story_events", player.story_id, 1, 100)
        assert page.events == []
        for limit in (0, 101):
            too_many = player.ask("list_story_events", player.story_id, None, limit)
            assert await refusal(too_many) == "input.out_of_range"
        stranger = await player.vale.enter(claims(2))
        other = stranger.ask("list_story_events", player.story_id, None, 10)
        assert await refusal(other) == "story.not_found"


async def test_an_abandoned_story_is_over_and_frees_its_place() -> None:
    async with playing() as player:
        for _ in range(4):
            await player.begin()
        assert await refusal(player.begin()) == "limit.quota_exceeded"
        session = await player.ask("abandon_story_session_and_return", player.story_id)
        assert session.status is StoryStatus.ABANDONED
        assert player.choices() == []
        again = player.call("abandon_story_session", player.story_id)
        assert await refusal(again) == "story.not_active_state"
        states = [row.state for row in player.own_rows(SessionDirectoryEntry)]
        assert states.count(DirectoryState.ARCHIVED) == 1
        await player.begin()


async def test_a_story_that_nobody_plays_is_abandoned_after_a_month() -> None:
    async with playing() as player:
        player.vale.clock.wait(STORY_IDLE_MICROS - 60_000_000)
        await player.say("still here")
        player.vale.clock.wait(60_000_000)
        await player.vale.wake(player.story)
        assert player.session.status is StoryStatus.ACTIVE
        player.vale.clock.wait(STORY_IDLE_MICROS)
        await player.vale.wake(player.story)
        assert player.session.status is StoryStatus.ABANDONED
        entry = only(player.own_rows(SessionDirectoryEntry))
        assert entry.state is DirectoryState.ARCHIVED


async def test_quests_are_accepted_from_their_givers_and_given_up() -> None:
    async with playing() as player:

        def quest(key: str) -> QuestRecord:
            return only(row for row in player.story_rows(QuestRecord) if row.quest_key == key)

        scout, herbs, mill = quest("meet_scout"), quest("herb_help"), quest("clear_mill")
        answer = await player.ask("accept_quest_and_return", player.story_id, scout.quest_record_id)
        assert (answer.status, answer.accepted_turn) == (QuestStatus.ACTIVE, 1)
        twice = player.call("accept_quest", player.story_id, scout.quest_record_id)
        assert await refusal(twice) == "quest.not_offered_state"
        early = player.call("turn_in_quest", player.story_id, mill.quest_record_id)
        assert await refusal(early) == "quest.not_completed_state"
        main = player.call("abandon_quest", player.story_id, mill.quest_record_id)
        assert await refusal(main) == "quest.not_active_state"
        await player.call("abandon_quest", player.story_id, scout.quest_record_id)
        assert quest("meet_scout").status is QuestStatus.ABANDONED
        await player.choose(StoryFunction.TRAVEL, "mill")
        away = player.call("accept_quest", player.story_id, herbs.quest_record_id)
        assert await refusal(away) == "quest.giver_absent_state"
        unknown = player.call("accept_quest", player.story_id, f"{player.story_id}.q.moon")
        assert await refusal(unknown) == "quest.not_found"
        await player.choose(StoryFunction.TALK, "scout")
        assert quest("meet_scout").objectives[0].progress == 0


async def test_every_text_of_a_story_is_told_to_the_end() -> None:
    async with playing() as player:
        await player.say("look")
        for event in player.story_rows(StoryEvent):
            assert event.text
            assert "{" not in event.text
