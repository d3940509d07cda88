from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from actors.domains.data import LANGUAGES, agent_json, agent_prompt
from actors.domains.data.agent_books import AGENT_BOOKS, agent_book, agent_books
from actors.domains.rules.agent import ANCHOR_KEYS
from actors.domains.rules.agent.book import read_book

WHOLE = agent_json("en")


def test_equal_draws_make_the_same_world_in_every_language() -> None:
    english, *others = AGENT_BOOKS.values()
    assert others
    for book in others:
        for name, words in english.words.items():
            assert list(book.words[name]) == list(words)
            assert not set(book.words[name].values()) & set(words.values())
        assert list(book.tones) == list(english.tones)
        assert [tone.theme for tone in book.tones.values()] == [
            tone.theme for tone in english.tones.values()
        ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_descriptions_are_long_enough_to_say_something(language: str) -> None:
    book = agent_book(language)
    words = {name: min(options.values(), key=len) for name, options in book.words.items()}
    name = words["place_a"] + words["place_b"]
    assert len(book.text("landmark_description", name=name, **words)) >= 30
    assert len(book.text("person_description", name=name, **words)) >= 30
    assert len(book.text("world_premise", name=name)) >= 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_keywords_mean_one_anchor(language: str) -> None:
    book = agent_book(language)
    assert tuple(book.anchors) == ANCHOR_KEYS
    words = [word for text in book.anchors.values() for word in text.keywords]
    words += [word for tone in book.tones.values() for word in tone.keywords]
    assert len(words) == len(set(words))


def test_books_come_with_the_spoken_language_first() -> None:
    assert agent_books("zh-TW") == [AGENT_BOOKS["zh"], AGENT_BOOKS["en"]]
    assert agent_books("fr") == [AGENT_BOOKS["en"], AGENT_BOOKS["zh"]]


@pytest.mark.parametrize("task", ["reply", "foundation", "entity", "chapter"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_fences_what_others_have_written(task: str, language: str) -> None:
    rules = agent_prompt(task, language)
    assert "<data>" in rules
    assert "JSON" in rules


def test_images_are_asked_for_in_english() -> None:
    assert "<data>" in agent_prompt("image", "en")


def broken(change: Callable[[dict[str, Any]], object]) -> str:
    book = json.loads(WHOLE)
    change(book)
    return json.dumps(book)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda book: book.pop("greeting"), "greeting"),
        (lambda book: book.update(more={}), "more"),
        (lambda book: book["reply"].pop("offer"), "offer"),
        (lambda book: book["phases"].pop("cover"), "cover"),
        (lambda book: book["anchors"].pop("tone"), "tone"),
        (lambda book: book["tones"].pop("adventure"), "adventure"),
        (lambda book: book["words"].pop("verb"), "verb"),
        (lambda book: book["words"]["verb"].pop("protect"), "words.verb"),
        (lambda book: book["words"]["verb"].update(protect="outwit"), "words.verb"),
        (lambda book: book["templates"].update(faction_goal="{giver}"), "faction_goal"),
        (lambda book: book["templates"].update(faction_goal="{verb!r}"), "faction_goal"),
        (lambda book: book["reply"].update(noted="{names}"), "reply.noted"),
        (lambda book: book["anchors"]["tone"]["keywords"].append("Grim"), "Grim"),
    ],
)
def test_a_broken_book_is_not_read(change: Callable[[dict[str, Any]], object], place: str) -> None:
    read_book(WHOLE)
    with pytest.raises(ValueError, match=place):
        read_book(broken(change))
