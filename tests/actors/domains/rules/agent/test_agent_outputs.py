from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest
from agent_words import WISH
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.data.agent_books import agent_book
from actors.domains.domain_types import EntityKind, TextSource
from actors.domains.rules.agent import (
    AGENT_TURN_SCHEMA,
    CHAPTER_SCHEMA,
    FOUNDATION_SCHEMA,
    IMAGE_PROMPT_SCHEMA,
    entity_schema,
    expand_chapter,
    generate_foundation,
    read_agent_turn,
    read_chapter,
    read_entity,
    read_foundation,
    read_image_prompt,
)
from actors.domains.rules.agent.entries import ENTRIES
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.compile import check_card
from actors.domains.rules.deny_list import DenyList
from actors.domains.rules.world_sections import SECTION_OF_KIND

DENIED = DenyList(["forbidden words"])
CARDS = generate_foundation(WISH, agent_book("en"))
NPC = {
    "name": "Ida",
    "role": "pilot",
    "description": "Never seen on land.",
    "homeSceneKey": "Old Pier",
}


def sections() -> dict[str, Any]:
    """The foundation of the rules as a model would write it."""
    found: defaultdict[str, Any] = defaultdict(list)
    for card in CARDS:
        if card.kind is EntityKind.WORLD:
            found["world"] = card.payload
        else:
            section = SECTION_OF_KIND[card.kind]
            is_chapter = card.kind is EntityKind.CHAPTER
            found["chapters" if is_chapter else section].append(card.payload)
    return found


@pytest.mark.parametrize(
    ("schema", "first"),
    [
        (AGENT_TURN_SCHEMA, "reply"),
        (FOUNDATION_SCHEMA, "world"),
        (CHAPTER_SCHEMA, "chapter"),
        (IMAGE_PROMPT_SCHEMA, "prompt"),
        *((entity_schema(kind), "name") for kind in (EntityKind.NPC, EntityKind.ITEM)),
    ],
)
def test_models_are_told_schemas(schema: str, first: str) -> None:
    value = json.loads(schema)
    assert value["type"] == "object"
    assert first in value["required"]
    assert write_json(value) == schema


def test_a_turn_is_read_and_other_keys_are_dropped() -> None:
    turn, faults = read_agent_turn(
        "Here you are: "
        + json.dumps(
            {
                "reply": " Go on.\x00 ",
                "anchors": [{"key": "tone", "value": "Grim", "confidence": 5_000}],
                "suggestedReplies": ["Yes"],
                "proposedCards": [{"kind": "npc", "payload": NPC | {"xp": 5}}],
                "wallet": 5,
            }
        ),
        DENIED,
    )
    assert faults == []
    assert turn is not None
    assert (turn.reply, turn.suggested) == ("Go on.", ["Yes"])
    (anchor,) = turn.anchors
    assert (anchor.key, anchor.confidence_permille, anchor.source) == (
        "tone",
        1_000,
        TextSource.LLM,
    )
    (card,) = turn.cards
    assert (card.kind, card.key, card.payload["homeSceneKey"]) == (
        EntityKind.NPC,
        "ida",
        "old_pier",
    )
    assert "xp" not in card.payload
    again, _ = read_agent_turn(turn.to_json(), DENIED)
    assert again == turn


@pytest.mark.parametrize(
    "fields",
    [
        {"reply": ""},
        {"reply": "x" * 2_001},
        {"reply": "forbidden words"},
        {"anchors": [{"key": "weather", "value": "Wet", "confidence": 5}]},
        {"anchors": [{"key": "tone", "value": "Wet", "confidence": "high"}]},
        {"anchors": [{"key": "tone", "value": "forbidden  WORDS", "confidence": 5}]},
        {"suggestedReplies": ["a", "b", "c", "d", "e"]},
        {"suggestedReplies": ["x" * 81]},
        {"proposedCards": [{"kind": "npc", "payload": NPC}] * 4},
        {"proposedCards": [{"kind": "world", "payload": {}}]},
        {"proposedCards": [{"kind": "npc", "payload": {"name": "Ida"}}]},
        {"proposedCards": [{"kind": "npc", "payload": NPC | {"rank": "god"}}]},
    ],
)
def test_what_breaks_the_rules_of_a_turn_is_told(fields: dict[str, object]) -> None:
    whole = {"reply": "Go on.", "anchors": [], "suggestedReplies": []}
    assert read_agent_turn(json.dumps(whole), DENIED)[0] is not None
    turn, faults = read_agent_turn(json.dumps(whole | fields), DENIED)
    assert turn is None
    assert faults
    assert not any("x" * 81 in fault for fault in faults)


@pytest.mark.parametrize("text", ["", "prose", "[1]", '{"reply"', '{"reply": NaN', "{" * 9_000])
def test_what_is_no_object_is_told(text: str) -> None:
    for read in (read_agent_turn, read_foundation, read_chapter, read_image_prompt):
        output, faults = read(text, DENIED)
        assert output is None
        assert faults


def test_a_foundation_is_read_card_by_card() -> None:
    cards, faults = read_foundation(json.dumps(sections()), DENIED)
    assert faults == []
    assert cards is not None
    assert [(card.kind, card.key) for card in cards] == [(card.kind, card.key) for card in CARDS]
    for card in cards:
        check_card(card.kind, card.payload)


@pytest.mark.parametrize("section", ["world", "roles", "hostiles", "landmarks", "quests"])
def test_a_foundation_needs_what_makes_a_world(section: str) -> None:
    found = sections()
    del found[section]
    cards, faults = read_foundation(json.dumps(found), DENIED)
    assert cards is None
    assert faults[0].startswith(section)


def test_a_chapter_is_read_with_its_quests() -> None:
    main, side, chapter = expand_chapter(WISH, agent_book("en"), CARDS)
    answer = {"chapter": chapter.payload, "quests": [main.payload, side.payload]}
    cards, _ = read_chapter(json.dumps(answer), DENIED)
    assert cards is not None
    assert [card.key for card in cards] == [main.key, side.key, chapter.key]
    for card in cards:
        check_card(card.kind, card.payload)


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_entity_of_every_kind_is_read(kind: EntityKind) -> None:
    authored = next(card for card in CARDS if card.kind is kind)
    card, faults = read_entity(json.dumps(authored.payload), kind, DENIED)
    assert faults == []
    assert card is not None
    assert (card.kind, card.key) == (kind, authored.key)
    assert check_card(kind, card.payload) == card.payload


def test_models_are_kept_within_bounds() -> None:
    skill = {"name": "x" * 30, "target": "all_enemies", "powerPermille": 99_999}
    role = {
        "name": "y" * 50,
        "title": "t",
        "description": "d",
        "skills": [skill] * 9,
        "startingItems": [{"itemId": "core_coin", "quantity": 9_999}],
    }
    card, _ = read_entity(json.dumps(role), EntityKind.ROLE, DENIED)
    assert card is not None
    payload = card.payload
    assert (len(payload["name"]), len(payload["skills"])) == (40, 4)
    assert payload["skills"][0]["powerPermille"] == 1_400
    assert payload["startingItems"] != role["startingItems"]
    blade = {"name": "Blade", "category": "weapon", "mods": {"attack": 90}, "valueCoins": 10**9}
    item, _ = read_entity(json.dumps(blade), EntityKind.ITEM, DENIED)
    assert item is not None
    assert item.payload["mods"]["attack"] == 4
    assert item.payload["valueCoins"] == 1_500
    coin, faults = read_entity(
        json.dumps(blade | {"category": "currency"}), EntityKind.ITEM, DENIED
    )
    assert coin is None
    assert faults


def test_an_image_prompt_is_read() -> None:
    image = {"prompt": "A mill", "palette": ["#203040"], "mood": "grim"}
    output, _ = read_image_prompt(json.dumps(image), DENIED)
    assert output is not None
    assert output.words() == "A mill. grim. #203040"
    for broken in ({"prompt": ""}, {"palette": ["red"]}, {"palette": ["#203040"] * 6}):
        assert read_image_prompt(json.dumps(image | broken), DENIED)[0] is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
)


@given(st.sampled_from(sorted(ENTRIES)), st.data())
def test_whatever_is_read_is_a_card(kind: EntityKind, data: st.DataObject) -> None:
    authored = next(card.payload for card in CARDS if card.kind is kind)
    keys = st.sampled_from(sorted(authored))
    payload = authored | data.draw(st.dictionaries(keys, JSON, max_size=2))
    card, faults = read_entity(json.dumps(payload), kind, DENIED)
    assert (card is None) == bool(faults)
    if card is not None:
        check_card(kind, card.payload)
        write_json(card.payload)
