from __future__ import annotations

import pytest
from agent_words import ANCHORS
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.data.agent_books import agent_book, agent_books
from actors.domains.domain_types import AgentAnchor, TextSource
from actors.domains.rules.agent import (
    ANCHOR_KEYS,
    coverage_permille,
    empty_anchors,
    extract_anchors,
    fallback_reply,
    greeting,
    is_filled,
    merge_anchors,
)
from actors.domains.rules.agent.reply import greeting_replies

BOOKS = agent_books("en")


def filled(text: str, anchors: list[AgentAnchor] | None = None) -> dict[str, str]:
    found = extract_anchors(text, anchors or empty_anchors(), BOOKS)
    return {anchor.key: anchor.value for anchor in found if is_filled(anchor)}


def test_the_story_of_a_ferryman_fills_four_of_six() -> None:
    assert {anchor.key: (anchor.value, anchor.confidence_permille) for anchor in ANCHORS} == {
        "world_premise": ("A drowned kingdom under a curse.", 600),
        "tone": ("The tone is grim mystery.", 600),
        "player_fantasy": ("I want to be a ferryman hero.", 600),
        "core_conflict": ("A drowned kingdom under a curse.", 600),
        "opening_scene": ("", 0),
        "key_characters": ("", 0),
    }
    assert coverage_permille(ANCHORS) == 666
    assert all(anchor.source is TextSource.FALLBACK for anchor in ANCHORS)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a KINGDOM", {"world_premise"}),
        ("Play as one.", {"player_fantasy"}),
        ("them versus us", {"core_conflict"}),
        ("it starts here\nwith a rival", {"opening_scene", "key_characters"}),
        # Parts of words are no words.
        ("warden, cityscape, darkness", {"world_premise"}),
        ("一座城市。基调黑暗\uff01", {"world_premise", "tone"}),
        ("我想成为英雄", {"player_fantasy"}),
    ],
)
def test_sentences_speak_of_anchors(text: str, keys: set[str]) -> None:
    assert filled(text).keys() == keys


def test_the_first_sentence_with_a_word_wins() -> None:
    text = "Nothing here! A city of glass\uff01A planet of sand."
    assert filled(text) == {"world_premise": "A city of glass\uff01"}


def test_a_text_without_any_word_fills_what_is_open_first() -> None:
    first = extract_anchors("  Salt and silence ", empty_anchors(), BOOKS)
    assert first[0] == AgentAnchor("world_premise", "Salt and silence", 300, TextSource.FALLBACK)
    second = extract_anchors("More salt", first, BOOKS)
    assert [anchor.value for anchor in second[:3]] == ["Salt and silence", "More salt", ""]
    whole = [AgentAnchor(key, "known", 300, TextSource.USER) for key in ANCHOR_KEYS]
    assert extract_anchors("salt", whole, BOOKS) == whole


def test_only_what_is_surer_replaces_what_is_known() -> None:
    guessed = extract_anchors("Salt", empty_anchors(), BOOKS)
    sure = extract_anchors("A world of salt.", guessed, BOOKS)
    assert sure[0].value == "A world of salt."
    assert extract_anchors("A world of sand.", sure, BOOKS) == sure
    better = AgentAnchor("world_premise", "A world of ice", 900, TextSource.LLM)
    worse = AgentAnchor("tone", "", 1000, TextSource.LLM)
    assert merge_anchors(sure, [better, worse])[:2] == [better, sure[1]]


def test_what_fills_an_anchor_is_cut() -> None:
    assert len(filled("world " * 200)["world_premise"]) <= 400


@given(st.text())
def test_anchors_keep_their_order_and_never_lose_anything(text: str) -> None:
    before = ANCHORS
    after = extract_anchors(text, before, BOOKS)
    assert [anchor.key for anchor in after] == list(ANCHOR_KEYS)
    assert coverage_permille(after) >= coverage_permille(before)
    assert all(len(anchor.value) <= 400 for anchor in after)


def test_a_reply_says_what_is_noted_and_asks_for_what_is_open() -> None:
    reply = fallback_reply(ANCHORS, agent_book("en"))
    assert reply.text == (
        "Noted: world premise, tone, player fantasy, core conflict. "
        "Still open: opening scene, key characters. Where does the story begin?"
    )
    assert reply.suggested[-1] == "Draft the foundation"
    assert fallback_reply(ANCHORS, agent_book("zh-CN")).text == (
        "已记下\uff1a世界设定、基调、玩家角色、核心冲突。"
        "尚未确定\uff1a开场、关键人物。故事从哪里开始\uff1f"
    )


def test_a_reply_offers_the_foundation_when_nothing_is_open() -> None:
    whole = [AgentAnchor(key, "known", 300, TextSource.USER) for key in ANCHOR_KEYS]
    reply = fallback_reply(whole, agent_book("en"))
    assert reply.text.endswith("Shall I draft the foundation of your world?")
    assert reply.suggested == ["Draft the foundation"]
    nothing = fallback_reply(empty_anchors(), agent_book("en"))
    assert "Noted" not in nothing.text
    assert "Draft the foundation" not in nothing.suggested


@pytest.mark.parametrize("locale", ["en", "zh", "fr"])
def test_a_session_begins_with_a_greeting(locale: str) -> None:
    book = agent_book(locale)
    assert greeting(book) == book.greeting
    assert 1 <= len(greeting_replies(book)) <= 4
