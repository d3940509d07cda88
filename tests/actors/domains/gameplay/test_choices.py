"""Domain 5.3: which choices there are, in which order, how many, and which cannot be taken."""

from __future__ import annotations

import pytest
from edited_vale import Document, entity, publish_edited
from user_bench import only
from vale_bench import Player, RefusedError, playing

from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.story import StoryFunction, StoryParticipant, StoryStatus


def _offered(player: Player) -> list[tuple[StoryFunction, str]]:
    return [(row.function, row.target_key) for row in player.choices()]


async def _fight_out(player: Player) -> None:
    battle = next(row for row in player.rows("battle_state") if row.ended_at is None)
    assert player.choices() == []
    await player.fight_out(await player.battle(battle.battle_state_id))


def _everything_at_the_mill(document: Document) -> None:
    entity(document, "quests", "meet_scout").pop("giverNpcKey")
    entity(document, "quests", "herb_help")["giverNpcKey"] = "scout"


async def test_everything_at_once_comes_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_edited(monkeypatch, _everything_at_the_mill)
    async with playing() as player:
        await player.choose(StoryFunction.ACCEPT_QUEST, "meet_scout")
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "mill_prowl")
        await _fight_out(player)
        await player.choose(StoryFunction.TALK, "scout")
        assert _offered(player) == [
            (StoryFunction.TURN_IN_QUEST, "meet_scout"),
            (StoryFunction.ACCEPT_QUEST, "herb_help"),
            (StoryFunction.FIGHT, "slime_pack"),
            (StoryFunction.INSPECT, "mill_chest"),
            (StoryFunction.TALK, "scout"),
            (StoryFunction.TRAVEL, "square"),
            (StoryFunction.FIGHT, "mill_prowl"),
            (StoryFunction.REST, "mill"),
        ]
        assert [row.position for row in player.choices()] == list(range(1, 9))
        assert [row.label for row in player.choices()][2:4] == [
            "Fight Vale Slime and Vale Wolf",
            "Inspect Miller's Chest",
        ]


async def test_who_is_watched_by_enemies_cannot_rest() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        assert not any(row.function is StoryFunction.REST for row in player.choices())
        await player.choose(StoryFunction.FIGHT, "mill_prowl")
        await _fight_out(player)
        rest = player.choice(StoryFunction.REST)
        assert (rest.enabled, rest.disabled_reason) == (False, "enemies are near")
        with pytest.raises(RefusedError) as refused:
            await player.choose(StoryFunction.REST)
        assert str(refused.value) == "story.choice_disabled: enemies are near"
        # Words for what cannot be done now are only told.
        before = only(player.story_rows(StoryParticipant)).hp
        session = await player.say("rest")
        assert session.latest_function is StoryFunction.FREE_TEXT
        assert only(player.story_rows(StoryParticipant)).hp == before
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        await _fight_out(player)
        rest = player.choice(StoryFunction.REST)
        assert (rest.enabled, rest.disabled_reason) == (True, None)


def _everybody_in_the_square(document: Document) -> None:
    entity(document, "npcs", "scout")["homeSceneKey"] = "square"


async def test_two_npcs_are_offered_those_first_who_were_talked_to_least(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish_edited(monkeypatch, _everybody_in_the_square)
    async with playing() as player:

        def talks() -> list[str]:
            return [key for function, key in _offered(player) if function is StoryFunction.TALK]

        assert talks() == ["mayor", "scout"]
        await player.choose(StoryFunction.TALK, "mayor")
        assert talks() == ["scout", "smith"]
        await player.choose(StoryFunction.TALK, "smith")
        assert talks() == ["scout", "mayor"]
        await player.choose(StoryFunction.TALK, "scout")
        assert talks() == ["mayor", "scout"]


def _crossroads(document: Document) -> None:
    entity(document, "landmarks", "square")["connections"] = ["keep", "cave", "gate", "mill"]


async def test_three_ways_are_offered_in_the_order_of_the_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish_edited(monkeypatch, _crossroads)
    async with playing() as player:
        ways = [key for function, key in _offered(player) if function is StoryFunction.TRAVEL]
        assert ways == ["mill", "gate", "cave"]


def _eight_sides(document: Document) -> None:
    side = entity(document, "quests", "herb_help")
    chapter = entity(document, "sceneChapterBlueprints", "first_smoke")
    chapter["sideQuestKeys"] = [f"side_{number}" for number in range(8)]
    document["quests"] += [side | {"key": key} for key in chapter["sideQuestKeys"]]


async def test_there_are_never_more_than_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_edited(monkeypatch, _eight_sides)
    async with playing() as player:
        assert [function for function, _ in _offered(player)] == [StoryFunction.ACCEPT_QUEST] * 8
        await player.choose(StoryFunction.ACCEPT_QUEST, "side_3")
        functions = [function for function, _ in _offered(player)]
        assert functions == [StoryFunction.ACCEPT_QUEST] * 7 + [StoryFunction.TALK]


def _lonely(document: Document) -> None:
    entity(document, "landmarks", "square")["connections"] = []
    entity(document, "landmarks", "mill")["connections"] = []
    for npc in document["npcs"]:
        npc["homeSceneKey"] = "mill"


async def test_where_nothing_can_be_done_there_are_still_three(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish_edited(monkeypatch, _lonely)
    async with playing() as player:
        assert [(row.function, row.label) for row in player.choices()] == [
            (StoryFunction.NARRATIVE, "Look around"),
            (StoryFunction.NARRATIVE, "Wait and watch"),
            (StoryFunction.NARRATIVE, "Think it over"),
        ]
        session = await player.choose(StoryFunction.NARRATIVE, "wait_and_watch")
        assert (session.turn, session.flags) == (2, ["n_1_2"])
        assert session.latest_function is StoryFunction.NARRATIVE
        assert len(player.choices()) == 3


def _almost_lonely(document: Document) -> None:
    for npc in document["npcs"]:
        npc["homeSceneKey"] = "mill"


async def test_fillers_only_make_up_for_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_edited(monkeypatch, _almost_lonely)
    async with playing() as player:
        assert _offered(player) == [
            (StoryFunction.TRAVEL, "mill"),
            (StoryFunction.NARRATIVE, "look_around"),
            (StoryFunction.NARRATIVE, "wait_and_watch"),
        ]


def _short_story(document: Document) -> None:
    document["sceneChapterBlueprints"] = document["sceneChapterBlueprints"][:1]
    main = entity(document, "quests", "clear_mill")
    main.pop("giverNpcKey")
    main["objectives"] = [
        {"objectiveId": "go", "kind": "enter_scene", "targetKey": "mill", "required": 1}
    ]


async def test_after_the_last_chapter_the_end_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_edited(monkeypatch, _short_story)
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.TURN_IN_QUEST, "clear_mill")
        assert player.session.status is StoryStatus.CHAPTER_BREAK
        assert _offered(player) == [
            (StoryFunction.FINISH, "first_smoke"),
            (StoryFunction.TRAVEL, "square"),
            (StoryFunction.NARRATIVE, "look_around"),
        ]
        await player.choose(StoryFunction.FINISH)
        assert player.session.status is StoryStatus.COMPLETED
        assert player.choices() == []


async def test_a_talk_changes_no_choice_that_stays() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TALK, "mayor")
        assert only(row for row in player.story_rows(NpcState) if row.npc_key == "mayor").talk_count
        assert [key for function, key in _offered(player) if function is StoryFunction.TALK] == [
            "smith",
            "mayor",
        ]


async def test_an_id_means_the_same_for_the_whole_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_edited(monkeypatch, _eight_sides)
    async with playing() as player:
        first = player.choices()
        met = {row.choice_id: (row.function, row.target_key) for row in first}
        assert len(met) == len(first)
        for row in first:
            quest = f"{player.story_id}.q.{row.target_key}"
            await player.call("accept_quest", player.story_id, quest)
            for each in player.choices():
                what = met.setdefault(each.choice_id, (each.function, each.target_key))
                assert what == (each.function, each.target_key)
        assert player.session.turn == first[0].turn
        assert len(set(met.values())) == len(met) > len(first)
        with pytest.raises(RefusedError, match=r"^story\.choice_not_found"):
            await player.call(
                "continue_story",
                player.story_id,
                first[-1].choice_id,
                None,
                player.session.turn,
                False,
            )
