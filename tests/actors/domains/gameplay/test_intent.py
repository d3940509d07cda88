"""Domain 5.3: a player's own words become one of the offered choices, or are only told."""

from __future__ import annotations

import pytest
from edited_vale import Document, entity, publish_edited
from vale_bench import Player, playing

from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.story import StoryFunction, StoryStatus


def _talked_to(player: Player) -> list[str]:
    return [row.npc_key for row in player.story_rows(NpcState) if row.talk_count]


@pytest.mark.parametrize(
    ("words", "npc"),
    [
        ("Ask about the smoke", "mayor"),
        ("Ask Smith Bran about the smoke", "smith"),
        ("I want to talk to the smith", "smith"),
        ("speak, Bran!", "smith"),
        ("Talk to Scout Wren", "mayor"),
    ],
)
async def test_the_one_who_is_named_else_the_first(words: str, npc: str) -> None:
    async with playing() as player:
        session = await player.say(words)
        assert session.latest_function is StoryFunction.TALK
        assert _talked_to(player) == [npc]


def _crossroads(document: Document) -> None:
    entity(document, "landmarks", "square")["connections"] = ["mill", "gate", "cave"]


@pytest.mark.parametrize(
    ("words", "scene"),
    [
        ("Go somewhere", "mill"),
        ("go to the old gate", "gate"),
        ("ENTER the CAVE", "cave"),
        ("Go and ask Mayor Orla", "square"),
        ("Go to the cave and ask there", "cave"),
        ("Do not go, talk", "square"),
    ],
)
async def test_a_name_decides_between_ways_and_functions(
    monkeypatch: pytest.MonkeyPatch, words: str, scene: str
) -> None:
    publish_edited(monkeypatch, _crossroads)
    async with playing() as player:
        session = await player.say(words)
        assert session.current_scene_key == scene
        assert _talked_to(player) == (["mayor"] if scene == "square" else [])


@pytest.mark.parametrize(
    ("words", "function"),
    [
        ("Attack the slimes", StoryFunction.FIGHT),
        ("search here", StoryFunction.INSPECT),
        ("open Miller's Chest", StoryFunction.INSPECT),
        ("sleep", StoryFunction.FREE_TEXT),
        ("buy a horse", StoryFunction.FREE_TEXT),
        ("I will not fight", StoryFunction.FREE_TEXT),
        ("whistle", StoryFunction.FREE_TEXT),
        ("去村里", StoryFunction.TRAVEL),
        ("打开箱子", StoryFunction.INSPECT),
        ("不打架", StoryFunction.FREE_TEXT),
    ],
)
async def test_words_of_any_language_mean_what_is_offered(
    words: str, function: StoryFunction
) -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        npcs = player.story_rows(NpcState)
        session = await player.say(words)
        assert session.latest_function is function
        is_fight = function is StoryFunction.FIGHT
        assert (player.session.status is StoryStatus.IN_BATTLE) == is_fight
        if function is StoryFunction.FREE_TEXT:
            # Trade needs its own call: words open no panel and set no state.
            assert player.story_rows(NpcState) == npcs
            assert session.flags == [f"n_1_{session.turn}"]


def _a_brute_on_the_prowl(document: Document) -> None:
    chapter = entity(document, "sceneChapterBlueprints", "first_smoke")
    chapter["encounters"][1]["groups"][0]["hostileKey"] = "mill_brute"


@pytest.mark.parametrize(
    ("words", "encounter"),
    [
        ("Fight!", "slime_pack"),
        ("Attack the wolf", "slime_pack"),
        ("fight the brute", "mill_prowl"),
    ],
)
async def test_the_fight_whose_foe_is_named_else_the_first(
    monkeypatch: pytest.MonkeyPatch, words: str, encounter: str
) -> None:
    publish_edited(monkeypatch, _a_brute_on_the_prowl)
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.say(words)
        assert [row.encounter_key for row in player.rows("battle_state")] == [encounter]
