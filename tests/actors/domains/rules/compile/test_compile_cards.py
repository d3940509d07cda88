"""Domain 6.3: what cards come to, whatever they are and in whatever order they come."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from draft_bench import ASSETS, META, Book, codes, compiled, encounter
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domains.data.agent_books import agent_book
from actors.domains.data.unsafe import UNSAFE
from actors.domains.domain_types import CardStatus, EntityKind, HostileGroup, HostileRank
from actors.domains.rules.agent import Wish, generate_foundation
from actors.domains.rules.canonical_json import read_json, write_json
from actors.domains.rules.combat import STARTER_SKILLS
from actors.domains.rules.compile import (
    DraftCard,
    compile_cards,
    compile_document,
    mentions_of,
    quality_score,
    unique_key,
)
from actors.domains.rules.errors import RuleError
from actors.domains.rules.ids import content_hash
from actors.domains.rules.limits import FINDING_CHARS_MAX, WORLD_DOCUMENT_BYTES_MAX
from actors.domains.rules.progression import Encounter, EncounterKind
from actors.domains.rules.world import read_world

ROOT = Path(__file__).resolve().parents[5]


def foundation(language: str = "en", session: str = "cws_draft") -> list[DraftCard]:
    wish = Wish(session, {"world_premise": "A drowned kingdom under a curse."}, "")
    return [
        DraftCard(f"card_{at}", card.kind, card.key, card.payload, CardStatus.ACCEPTED, at)
        for at, card in enumerate(generate_foundation(wish, agent_book(language)))
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
@given(session=st.text("abcdef0123456789", min_size=1, max_size=8))
@settings(max_examples=10)
def test_a_foundation_lacks_images_only(language: str, session: str) -> None:
    cards = foundation(language, session)
    world = compiled(cards, assets={})
    assert len(cards) == 39
    assert (world.card.blocker_count, world.card.warning_count) == (0, 10)
    assert quality_score(world.findings) == 600
    covered = compiled(cards, assets={"world:world:cover": "/objects/a/b.svg"})
    assert (covered.card.warning_count, quality_score(covered.findings)) == (9, 640)
    assert world.world is not None
    assert world.world.chapter(1).plan.planned_total_xp == 848


def test_the_document_of_the_book() -> None:
    world = compiled(Book().cards())
    document = json.loads(world.document_json)
    assert document["meta"] == {
        "schemaVersion": 1,
        "profileId": "cwp_draft",
        "locale": "en",
        "startLevel": 1,
        "contentRating": "everyone",
        "sourceSessionId": "cws_draft",
    }
    assert document["counts"] == {
        "roles": 1,
        "npcs": 3,
        "hostiles": 1,
        "items": 1,
        "landmarks": 2,
        "chapters": 1,
        "quests": 2,
        "treasures": 1,
    }
    assert document["counts"] == world.counts
    assert document["assets"] == ASSETS
    (plan,) = document["chapterPlans"]
    assert (plan["plannedTotalXp"], plan["paceBand"]) == (508, "opening")
    assert [reward["xp"] for reward in plan["questRewards"]] == [296, 59]
    assert document["landmarks"][1]["connections"] == ["shore"]
    assert len(document["roles"][0]["skills"]) == 4
    assert world.document_json == write_json(read_json(world.document_json, 10**6))
    assert world.document_hash == content_hash(world.document_json.encode())
    assert tuple(world.card) == (
        *("Reef", "A small sea", "Somebody dives.", 1, ["sea"], "/objects/a/cover.svg"),
        *(1, 2, 1, 0, 0),
    )


def test_only_accepted_and_locked_cards_count() -> None:
    cards = Book().cards()
    world = compiled(cards)
    extra = [
        card._replace(card_id=f"{card.card_id}x", key=f"{card.key}_x", status=status)
        for card in cards
        for status in (CardStatus.PROPOSED, CardStatus.REMOVED)
    ]
    assert compiled(cards + extra) == world
    assert compiled([card._replace(status=CardStatus.LOCKED) for card in cards]) == world


def test_cards_come_by_order_index_then_by_id() -> None:
    book = Book()
    cards = book.cards()
    moved = [
        card._replace(order_index=-1) if card.key == "guide" else card._replace(order_index=0)
        for card in cards
    ]
    world = compiled(moved).world
    assert world is not None
    assert list(world.npcs) == ["guide", "elder", "smith"]


def test_keys_are_lowered_and_told_apart() -> None:
    book = Book()
    book.of(EntityKind.NPC, 1).update(key="ELDER", name="Other Elder")
    book.of(EntityKind.NPC, 2)["homeSceneKey"] = "REEF"
    book.of(EntityKind.ITEM)["itemId"] = "core_coin"
    encounters = book.of(EntityKind.CHAPTER)["encounters"]
    encounters.append(encounter("NEST", "fixed", ("CRAB", "minion", 1)))
    world = compiled(book.cards()).world
    assert world is not None
    assert list(world.npcs) == ["elder", "elder_2", "guide"]
    assert world.npcs["guide"].home_scene_key == "reef"
    assert "core_coin_2" in world.items
    assert list(world.chapter(1).encounters) == ["nest", "nest_2"]
    (group,) = world.chapter(1).encounters["nest_2"].groups
    assert group.hostile_key == "crab"


def test_unique_keys_stay_keys() -> None:
    long = "x" * 48
    assert unique_key("x", ["y"]) == "x"
    assert unique_key(long, {long}) == "x" * 46 + "_2"
    assert unique_key(long, {long, "x" * 46 + "_2"}) == "x" * 46 + "_3"


def test_the_key_of_a_card_goes_before_that_of_its_payload() -> None:
    cards = [
        card._replace(key="wise_elder") if card.key == "elder" else card for card in Book().cards()
    ]
    world = compiled(cards)
    assert world.sections.npcs[0].key == "wise_elder"


def test_what_an_author_left_out_is_filled_in() -> None:
    book = Book()
    book.of(EntityKind.CHAPTER)["encounters"] = []
    world = compiled(book.cards()).world
    assert world is not None
    assert world.roles["diver"].skills == STARTER_SKILLS
    group = HostileGroup("crab", HostileRank.MINION, 2)
    assert world.chapter(1).encounters == {
        "prowl": Encounter("prowl", "shore", EncounterKind.REPEATABLE, (group,))
    }


def test_a_busy_scene_stays_within_its_connections_and_loses_none() -> None:
    book = Book()
    for number in range(9):
        book.add(
            EntityKind.LANDMARK, key=f"cove_{number}", name=f"Cove {number}", connections=["shore"]
        )
    world = compiled(book.cards())
    document = json.loads(world.document_json)
    assert len(document["landmarks"][0]["connections"]) == 6
    assert world.world is not None
    assert len(world.world.landmarks["shore"].connections) == 10
    assert read_world(world.document_json) == world.world


def test_images_of_payload_card_and_binding() -> None:
    book = Book()
    book.of(EntityKind.ROLE)["portrait"] = "/objects/payload.svg"
    book.of(EntityKind.NPC)["portrait"] = "/objects/payload.svg"
    book.of(EntityKind.LANDMARK)["sceneImage"] = "/objects/payload.svg"
    cards = [
        card._replace(image_src="/objects/card.svg") if card.key in {"elder", "shore"} else card
        for card in book.cards()
    ]
    bound = {
        "landmark:shore:scene": "/objects/bound.svg",
        "item:bell:icon": "/objects/bound.svg",
        "npc:nobody:portrait": "/objects/bound.svg",
        "quest:main:cover": "/objects/bound.svg",
        "role:diver:cover": "/objects/bound.svg",
        "npc:smith:portrait": "x" * 513,
    }
    world = compiled(cards, assets=bound).world
    assert world is not None
    assert world.assets == {
        "role:diver:portrait": "/objects/payload.svg",
        "npc:elder:portrait": "/objects/card.svg",
        "landmark:shore:scene": "/objects/bound.svg",
        "item:bell:icon": "/objects/bound.svg",
    }


def test_who_names_whom() -> None:
    book = Book()
    book.of(EntityKind.LANDMARK)["npcKeys"] = ["elder"]
    sections = compiled(book.cards()).sections
    assert mentions_of(sections, EntityKind.NPC, "elder") == [
        (EntityKind.LANDMARK, "shore"),
        (EntityKind.QUEST, "main"),
        (EntityKind.THREAD, "bells"),
    ]
    assert mentions_of(sections, EntityKind.HOSTILE, "crab") == [(EntityKind.CHAPTER, "first")]
    assert mentions_of(sections, EntityKind.LANDMARK, "reef") == [
        (EntityKind.LANDMARK, "shore"),
        (EntityKind.CHAPTER, "first"),
        (EntityKind.QUEST, "side"),
        (EntityKind.TREASURE, "chest"),
    ]
    assert mentions_of(sections, EntityKind.WORLD, "world") == []


def test_a_document_that_is_too_long_is_blocked() -> None:
    book = Book()
    wide = "\U0001f40b"
    for number in range(119):
        book.add(
            EntityKind.QUEST,
            1,
            key=f"side_{number}",
            title=wide * 60,
            description=wide * 400,
            rewardItems=[{"itemId": "core_coin", "quantity": 1}] * 3,
            affinity=[{"npcKey": "elder", "delta": 1, "reason": wide * 60}] * 3,
            objectives=[
                {
                    "objectiveId": f"{at}" * 48,
                    "kind": "obtain_item",
                    "targetKey": "core_coin",
                    "required": 9,
                }
                for at in range(5)
            ],
        )
    for number in range(37):
        book.add(
            EntityKind.NPC,
            key=f"npc_{number}",
            name=f"{number}" + wide * 38,
            role=wide * 60,
            description=wide * 400,
            facts=[wide * 160] * 5,
            portrait="x" * 512,
        )
    world = compiled(book.cards())
    assert len(world.document_json.encode()) <= WORLD_DOCUMENT_BYTES_MAX
    for number in range(38):
        book.add(
            EntityKind.LANDMARK,
            key=f"scene_{number}",
            name=f"{number}" + wide * 38,
            description=wide * 600,
            mood=wide * 60,
            sceneImage="x" * 512,
        )
    for number in range(23):
        book.add(
            EntityKind.CHAPTER,
            chapterKey=f"chapter_{number}",
            synopsis=wide * 600,
            encounters=[
                encounter(f"{at}".zfill(48), "fixed", *[("crab", "minion", 1)] * 3)
                for at in range(24)
            ],
        )
    for number in range(59):
        loot = [{"itemId": "core_healing_herb", "chancePermille": 1, "min": 1, "max": 1}] * 6
        book.add(EntityKind.TREASURE, key=f"{number}".zfill(48), title=wide * 40, lootTable=loot)
    longer = compiled(book.cards())
    assert len(longer.document_json.encode()) > WORLD_DOCUMENT_BYTES_MAX
    assert "BLK_SCHEMA" in codes(longer)


WORDS = st.sampled_from(
    [
        "shore",
        "elder",
        "crab",
        "bell",
        "main",
        "side",
        "any",
        "moon",
        "",
        "x" * 700,
        "ELDER",
        "fixed",
    ]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 2000), WORDS, st.text(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def wild_cards(draw: st.DrawFn) -> list[DraftCard]:
    """Cards of the book or of a foundation, some of them gone, doubled or spoiled."""
    cards = draw(st.sampled_from([Book().cards(), foundation()]))
    spoiled: list[DraftCard] = []
    for card in cards:
        fate = draw(st.integers(0, 12))
        if fate == 0:
            continue
        if fate == 1:
            field = draw(st.sampled_from(sorted(card.payload)))
            spoiled.append(card._replace(payload={**card.payload, field: draw(VALUES)}))
        elif fate == 2:
            spoiled.append(card._replace(status=draw(st.sampled_from(CardStatus))))
        else:
            spoiled.append(card)
        if fate == 3:
            other = draw(st.sampled_from(cards))
            spoiled.append(other._replace(card_id=f"{card.card_id}.again", order_index=99))
    return spoiled


@given(cards=wild_cards(), level=st.integers(-3, 40), data=st.data())
@settings(max_examples=150, deadline=None)
def test_the_laws_of_the_compile(cards: list[DraftCard], level: int, data: Any) -> None:
    meta = META._replace(start_level=level)
    world = compile_cards(cards, meta, ASSETS, UNSAFE)
    assert compile_cards(data.draw(st.permutations(cards)), meta, ASSETS, UNSAFE) == world
    places = [finding[:1] + finding[2:5] for finding in world.findings]
    assert len(set(places)) == len(places)
    assert all(len(finding.message) <= FINDING_CHARS_MAX for finding in world.findings)
    if world.world is None:
        assert world.card.blocker_count > 0
        with pytest.raises(RuleError) as refused:
            read_world(world.document_json)
        assert refused.value.code == "world.document_malformed"
    else:
        assert read_world(world.document_json) == world.world
    again = compile_document(world.document_json, meta.profile_id, {}, UNSAFE)
    assert again.document_json == world.document_json
    assert again.world == world.world


_COMPILE = """
import sys
sys.path[:0] = sys.argv[1:]
from draft_bench import Book, compiled
book = Book()
lost = {"homeSceneKey": "x", "sceneKey": "x", "relatedKeys": ["b", "a"], "stance": {"b": 1, "a": 2}}
for entries in book.entries.values():
    for entry in entries:
        entry.update({field: lost[field] for field in lost if field in entry})
print(hash("a"))
print(compiled(book.cards(), assets={}))
"""


def _compiled_with(hash_seed: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _COMPILE, str(Path(__file__).parent), str(ROOT)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_compile_is_the_same_in_every_process() -> None:
    first, second = _compiled_with("1"), _compiled_with("2")
    assert first[0] != second[0]
    assert first[1:] == second[1:]


def test_a_blocked_draft_still_has_a_document() -> None:
    book = Book()
    book.of(EntityKind.CHAPTER)["mainQuestKey"] = "moon"
    world = compiled(book.cards())
    document = json.loads(world.document_json)
    assert world.world is None
    assert document["chapterPlans"] == []
    assert document["sceneChapterBlueprints"][0]["mainQuestKey"] == "moon"
    assert replace(world.sections, assets={}) == replace(
        compiled(book.cards(), assets={}).sections, assets={}
    )
