from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from agent_words import WISH
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.data.agent_books import agent_book
from actors.domains.domain_types import EntityKind
from actors.domains.rules.agent import (
    ENTITY_KINDS,
    FOUNDATION_CARDS,
    NewCard,
    expand_chapter,
    generate_entity,
    generate_foundation,
    name_of,
    slug_of,
)
from actors.domains.rules.errors import RuleError
from actors.rng import SplitMix64

HERE = Path(__file__).parent
ENGLISH = agent_book("en")
CHINESE = agent_book("zh")
HINTS = st.text(max_size=20)


def test_the_place_of_seed_42_is_lanternfall() -> None:
    stream = SplitMix64(42)
    words = [stream.pick(ENGLISH.list_of(name)) for name in ("place_a", "place_b")]
    assert ENGLISH.text("landmark_name", place_a=words[0].text, place_b=words[1].text) == (
        "Lanternfall"
    )
    assert "".join(word.slug for word in words) == slug_of("Lanternfall") == "lanternfall"


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_a_foundation_is_the_same_for_ever(locale: str) -> None:
    cards = generate_foundation(WISH, agent_book(locale))
    found = [[card.kind.name.lower(), card.key, card.payload] for card in cards]
    assert found == json.loads((HERE / f"foundation_{locale}.json").read_text())


def test_a_foundation_has_39_cards() -> None:
    cards = generate_foundation(WISH, ENGLISH)
    assert Counter(card.kind for card in cards) == FOUNDATION_CARDS
    assert sum(FOUNDATION_CARDS.values()) == len(cards) == 39
    assert [card.kind for card in cards] == sorted(card.kind for card in cards)


@given(HINTS)
def test_worlds_differ_in_nothing_but_their_language(hint: str) -> None:
    wish = WISH._replace(hint=hint)
    english, chinese = generate_foundation(wish, ENGLISH), generate_foundation(wish, CHINESE)
    assert [(card.kind, card.key) for card in english] == [
        (card.kind, card.key) for card in chinese
    ]
    assert not any(name_of(card).isascii() for card in chinese)


@given(HINTS)
def test_names_and_keys_are_unique_in_their_kind(hint: str) -> None:
    cards = generate_foundation(WISH._replace(hint=hint), ENGLISH)
    assert len({(card.kind, card.key) for card in cards}) == len(cards)
    assert len({(card.kind, name_of(card)) for card in cards}) == len(cards)
    for card in cards:
        if card.kind is not EntityKind.WORLD:
            assert card.key == slug_of(name_of(card))


@given(HINTS)
def test_scenes_form_a_ring_with_a_way_across(hint: str) -> None:
    cards = generate_foundation(WISH._replace(hint=hint), ENGLISH)
    scenes = [card for card in cards if card.kind is EntityKind.LANDMARK]
    ways = {
        frozenset((card.key, other)) for card in scenes for other in card.payload["connections"]
    }
    keys = [card.key for card in scenes]
    ring = {frozenset((keys[place - 1], keys[place])) for place in range(4)}
    assert ways == ring | {frozenset((keys[0], keys[2]))}
    assert all(card.payload["npcKeys"] for card in scenes)


def test_what_is_kept_counts_and_stays() -> None:
    whole = generate_foundation(WISH, ENGLISH)
    assert generate_foundation(WISH, ENGLISH, whole) == []
    kept = [card for card in whole if card.kind in {EntityKind.LANDMARK, EntityKind.NPC}][:3]
    before = json.dumps([card.payload for card in kept])
    new = generate_foundation(WISH._replace(hint="again"), ENGLISH, kept)
    assert Counter(card.kind for card in [*kept, *new]) == FOUNDATION_CARDS
    assert json.dumps([card.payload for card in kept]) == before
    assert not {card.key for card in kept} & {card.key for card in new}


def test_short_words_are_padded_to_a_premise() -> None:
    empty = WISH._replace(anchors={})
    for book in (ENGLISH, CHINESE):
        world = generate_foundation(empty, book)[0].payload
        assert len(world["premise"]) >= 40
        assert world["tags"] == ["adventure"]
        assert world["themeMode"] == "sepia"
        assert world["coreConflict"]
        assert world["playerFantasy"]


def test_chapters_are_added_until_there_are_24() -> None:
    cards = generate_foundation(WISH, ENGLISH)
    for count in range(4, 25):
        new = expand_chapter(WISH, ENGLISH, cards)
        assert [card.kind.name for card in new] == ["QUEST", "QUEST", "CHAPTER"]
        assert [card.payload["kind"] for card in new[:2]] == ["main", "side"]
        cards += new
        chapters = [card for card in cards if card.kind is EntityKind.CHAPTER]
        assert len(chapters) == count
    assert len({(card.kind, name_of(card)) for card in cards}) == len(cards)
    with pytest.raises(RuleError) as refusal:
        expand_chapter(WISH, ENGLISH, cards)
    assert refusal.value.code == "agent.action_disabled_state"


def test_a_chapter_needs_a_scene_and_little_else() -> None:
    with pytest.raises(RuleError):
        expand_chapter(WISH, ENGLISH, [])
    scene = NewCard(EntityKind.LANDMARK, "pier", {"name": "Pier", "connections": []})
    main, side, chapter = expand_chapter(WISH, ENGLISH, [scene])
    assert chapter.payload["sceneKeys"] == ["pier"]
    assert chapter.payload["encounters"] == []
    for quest in (main, side):
        assert quest.payload["objectives"][0]["targetKey"] == "any"
        assert "giverNpcKey" not in quest.payload


def test_a_chapter_goes_where_a_way_leads() -> None:
    def scene(key: str, *ways: str) -> NewCard:
        return NewCard(EntityKind.LANDMARK, key, {"name": key, "connections": list(ways)})

    cards = [scene("a"), scene("b"), scene("c", "a")]
    chapter = expand_chapter(WISH, ENGLISH, cards)[-1]
    assert chapter.payload["sceneKeys"] == ["a", "c"]


@pytest.mark.parametrize("kind", ENTITY_KINDS)
def test_entities_are_made_one_at_a_time(kind: EntityKind) -> None:
    alone = generate_entity(kind, WISH, ENGLISH, [])
    assert alone == generate_entity(kind, WISH, ENGLISH, [])
    whole = generate_foundation(WISH, ENGLISH)
    more = generate_entity(kind, WISH, ENGLISH, whole)
    assert more.kind is kind
    assert name_of(more) not in {name_of(card) for card in whole if card.kind is kind}
    others = [generate_entity(kind, WISH._replace(hint=hint), ENGLISH, whole) for hint in "abcd"]
    assert any(more != other for other in others)


def test_entities_are_where_they_are_wanted() -> None:
    npc = generate_entity(EntityKind.NPC, WISH, ENGLISH, [], scene_key="pier")
    assert npc.payload["homeSceneKey"] == "pier"
    chest = generate_entity(EntityKind.TREASURE, WISH, ENGLISH, [], scene_key="pier")
    assert chest.payload["sceneKey"] == "pier"


@pytest.mark.parametrize("kind", [EntityKind.WORLD, EntityKind.CHAPTER, EntityKind.THREAD])
def test_not_everything_is_made_alone(kind: EntityKind) -> None:
    with pytest.raises(RuleError) as refusal:
        generate_entity(kind, WISH, ENGLISH, [])
    assert refusal.value.code == "agent.payload_malformed"


def test_many_of_a_kind_are_told_apart_by_numbers() -> None:
    cards: list[NewCard] = []
    for _ in range(60):
        cards.append(generate_entity(EntityKind.TREASURE, WISH, ENGLISH, cards))
    names = {name_of(card) for card in cards}
    assert len(names) == len({card.key for card in cards}) == 60
    assert any(name.endswith("chest IV") for name in names)


def test_equal_keys_get_a_number() -> None:
    other = NewCard(EntityKind.LANDMARK, "other", {"name": "Other"})
    landmark = generate_entity(EntityKind.LANDMARK, WISH, ENGLISH, [other])
    renamed = other._replace(key=landmark.key)
    assert generate_entity(EntityKind.LANDMARK, WISH, ENGLISH, [renamed]).key == (
        f"{landmark.key}_2"
    )


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Lanternfall", "lanternfall"), ("The Old -- Mill!", "the_old_mill"), ("\u5854", "")],
)
def test_names_become_slugs(name: str, slug: str) -> None:
    assert slug_of(name) == slug
    assert len(slug_of(name * 20)) <= 48
