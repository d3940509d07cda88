"""Domain 6.4, 6.8: what the author sees of a draft, and everybody of a published world."""

from __future__ import annotations

import json

from draft_bench import Book, compiled

from actors.domains.domain_types import (
    EntityKind,
    PaceBand,
    PreviewChapter,
    PreviewOpening,
    PreviewRole,
    ThemeMode,
)
from actors.domains.fixtures import vale_document
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.compile import preview_of, public_view
from actors.domains.rules.world import read_world


def test_the_preview_of_the_book() -> None:
    world = compiled(Book().cards())
    preview = preview_of(world, publish_ready=True, can_enter_world=False)
    assert preview.world_name == "Reef"
    assert preview.theme_mode is ThemeMode.DARK
    assert preview.cover_image_src == "/objects/a/cover.svg"
    assert preview.playable_roles == [
        PreviewRole("diver", "Diver", "Diver", "/objects/a/diver.svg")
    ]
    counts = (preview.npc_count, preview.landmark_count, preview.chapter_count, preview.quest_count)
    assert counts == (3, 2, 1, 2)
    assert preview.opening == PreviewOpening(
        "shore",
        "Shore",
        "Below the reef lies a town, and its bells ring when it storms. "
        "Somebody or something that is described at some length.",
    )
    assert preview.chapters == [PreviewChapter(1, "First", 1, 4, 508, PaceBand.OPENING)]
    assert (preview.blockers, preview.warnings, preview.quality_score) == ([], [], 1000)
    assert (preview.publish_ready, preview.can_enter_world) == (True, False)
    assert preview.document_hash == world.document_hash


def test_findings_are_told_by_severity() -> None:
    book = Book()
    book.of(EntityKind.WORLD)["premise"] = "short"
    book.of(EntityKind.WORLD)["name"] = "x" * 61
    preview = preview_of(
        compiled(book.cards(), assets={}), publish_ready=False, can_enter_world=False
    )
    assert [finding.code for finding in preview.blockers] == ["BLK_PREMISE"]
    assert len(preview.warnings) == 1 + 4 + 2
    assert preview.quality_score == 1000 - 250 - 7 * 40 - 5


def test_the_opening_is_cut() -> None:
    book = Book()
    book.of(EntityKind.WORLD)["premise"] = "word " * 200
    text = preview_of(compiled(book.cards()), publish_ready=True, can_enter_world=True).opening.text
    assert len(text) <= 400
    assert text.startswith("word word")


def test_a_preview_of_nothing() -> None:
    preview = preview_of(compiled([]), publish_ready=False, can_enter_world=False)
    assert preview.opening == PreviewOpening("", "", "")
    assert (preview.playable_roles, preview.chapters, preview.quality_score) == ([], [], 0)


def test_the_public_view_keeps_its_secrets() -> None:
    view = public_view(read_world(vale_document()))
    text = write_json(view)
    assert json.loads(text) == view
    for secret in ("lootTable", "facts", "objectives", "initialAffinity", "likedTags", "lock"):
        assert f'"{secret}"' not in text
    assert view["quests"] == [
        {name: quest[name] for name in ("key", "title", "description", "kind")}
        for quest in json.loads(vale_document())["quests"]
    ]
    assert [chapter["exitLevel"] for chapter in view["chapters"]] == [5, 8, 11, 14, 16]
    assert view["npcs"][0]["name"] == "Mayor Orla"
    assert view["items"] == []


def test_the_public_view_of_items_and_threads() -> None:
    world = compiled(Book().cards()).world
    assert world is not None
    view = public_view(world)
    assert view["items"] == [
        {
            "itemId": "bell",
            "name": "Bell",
            "description": "It rings.",
            "category": "key",
            "rarity": "common",
        }
    ]
    assert view["threads"] == [{"key": "bells", "title": "Bells", "premise": "They ring."}]
    assert view["assets"]["world:world:cover"] == "/objects/a/cover.svg"
