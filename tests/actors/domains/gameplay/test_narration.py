from __future__ import annotations

import json
import string

import pytest

from actors.domains.data import narration_json
from actors.domains.gameplay.limits import DETAIL_CHARS_MAX, LABEL_CHARS_MAX
from actors.domains.gameplay.narration import Narrator, intended_function
from actors.domains.gameplay.story import StoryFunction

DATA = json.loads(narration_json("en"))
SLOTS = {
    "role",
    "world",
    "scene",
    "scene_line",
    "chapter",
    "chapter_line",
    "tone",
    "npc",
    "hostile",
    "item",
    "contents",
    "quest",
    "quest_line",
    "fact",
}


def _narrator(seed: int) -> Narrator:
    return Narrator(seed, {slot: slot.upper() for slot in SLOTS})


@pytest.mark.parametrize("template", sorted(DATA["texts"]))
def test_every_template_has_four_variants_of_known_slots(template: str) -> None:
    variants = DATA["texts"][template]
    assert len(set(variants)) == 4
    for variant in variants:
        named = {field for _, field, _, _ in string.Formatter().parse(variant) if field}
        assert named <= SLOTS
    told = {_narrator(seed).text(template) for seed in range(64)}
    assert len(told) == 4


def test_equal_turns_get_equal_texts() -> None:
    assert _narrator(7).text("travel") == _narrator(7).text("travel")


@pytest.mark.parametrize("choice", sorted(DATA["choices"]))
def test_labels_and_details_fit_whatever_the_names_are(choice: str) -> None:
    slots = dict.fromkeys(SLOTS, "x" * 400)
    narrator = _narrator(1)
    assert len(narrator.label(choice, **slots)) <= LABEL_CHARS_MAX
    assert len(narrator.detail(choice, **slots)) <= DETAIL_CHARS_MAX


def test_braces_in_a_world_are_text() -> None:
    text = _narrator(1).text("talk", npc="{role.__class__}", fact="{0}")
    assert "{0}" in text
    assert "{role.__class__}" in text


@pytest.mark.parametrize(
    ("words", "function"),
    [
        ("Go to the mill!", StoryFunction.TRAVEL),
        ("I ENTER", StoryFunction.TRAVEL),
        ("ask about it", StoryFunction.TALK),
        ("Attack", StoryFunction.FIGHT),
        ("search the floor", StoryFunction.INSPECT),
        ("sleep a little", StoryFunction.REST),
        ("buy bread", StoryFunction.TRADE),
        ("gone", None),
        ("", None),
    ],
)
def test_words_mean_functions(words: str, function: StoryFunction | None) -> None:
    assert intended_function(words) is function
