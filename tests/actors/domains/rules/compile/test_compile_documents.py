"""Domain 6.2, 6.8: documents of authors are compiled; only their shape can be refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from draft_bench import ASSETS, Book, codes, compiled
from wild_world import wild_document

from actors.domains.data.unsafe import UNSAFE
from actors.domains.domain_types import EntityKind
from actors.domains.fixtures import vale_document
from actors.domains.rules.compile import CompiledWorld, compile_document
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import WORLD_DOCUMENT_BYTES_MAX
from actors.domains.rules.world import read_world

BOOK: dict[str, Any] = json.loads(compiled(Book().cards()).document_json)


def compiled_document(document: object) -> CompiledWorld:
    return compile_document(json.dumps(document), "cwp_other", {}, UNSAFE)


def test_a_compiled_document_compiles_to_itself_under_its_new_id() -> None:
    world = compiled_document(BOOK)
    expected = {**BOOK, "meta": {**BOOK["meta"], "profileId": "cwp_other"}}
    assert json.loads(world.document_json) == expected
    assert world.findings == ()


@pytest.mark.parametrize("document", [vale_document(), wild_document()])
def test_worlds_that_others_wrote(document: str) -> None:
    world = compile_document(document, "cwp_other", {}, UNSAFE)
    assert world.world is not None
    assert read_world(world.document_json) == world.world
    plans = [chapter.plan for chapter in world.world.chapters]
    assert plans == [chapter.plan for chapter in read_world(document).chapters]


def test_compiled_sections_are_made_anew() -> None:
    document = {**BOOK, "chapterPlans": "lies", "counts": {"roles": 99}}
    assert compiled_document(document).document_json == compiled_document(BOOK).document_json


def test_images_of_the_document_stay_unless_others_are_bound() -> None:
    bound = {"world:world:cover": "/objects/bound.svg"}
    world = compile_document(json.dumps(BOOK), "cwp_other", bound, UNSAFE)
    assert world.sections.assets == ASSETS | bound
    strangers = {**BOOK, "assets": {"moon": "/objects/a/b.svg", "npc:moon:portrait": "/x"}}
    assert compiled_document(strangers).sections.assets == {}


def test_what_is_wrong_with_the_content_is_found() -> None:
    npcs = [{**BOOK["npcs"][0], "homeSceneKey": "moon"}, *BOOK["npcs"]]
    world = compiled_document(
        {
            **BOOK,
            "meta": {**BOOK["meta"], "startLevel": 99},
            "world": {**BOOK["world"], "premise": ""},
            "npcs": npcs,
            "roles": [],
        }
    )
    assert world.world is None
    assert codes(world) >= {
        "BLK_PREMISE",
        "BLK_NO_ROLE",
        "BLK_REFERENCE",
        "WRN_DUPLICATE_NAME",
        "INF_STAT_NORMALISED",
    }
    assert [npc.key for npc in world.sections.npcs] == ["elder", "elder_2", "smith", "guide"]


def test_sections_may_be_missing() -> None:
    world = compiled_document({"meta": BOOK["meta"], "world": BOOK["world"]})
    assert codes(world) == {
        *("BLK_NO_ROLE", "BLK_NO_SCENE", "BLK_NO_CHAPTER", "BLK_NO_HOSTILE"),
        *("WRN_FEW_NPCS", "WRN_NO_COVER"),
    }


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ""),
        ({**BOOK, "surprise": 1}, "surprise"),
        ({"world": BOOK["world"]}, "meta"),
        ({**BOOK, "meta": {"schemaVersion": 2}}, "meta.schemaVersion"),
        ({**BOOK, "meta": {**BOOK["meta"], "contentRating": "none"}}, "meta.contentRating"),
        ({"meta": BOOK["meta"]}, "world.name"),
        ({**BOOK, "world": {**BOOK["world"], "themeMode": "pink"}}, "world.themeMode"),
        ({**BOOK, "world": 1}, "world"),
        ({**BOOK, "npcs": {}}, "npcs"),
        ({**BOOK, "npcs": [1]}, "npcs.0"),
        ({**BOOK, "npcs": [{**BOOK["npcs"][0], "rank": "god"}]}, "npcs.0.rank"),
        ({**BOOK, "roles": BOOK["roles"] * 7}, "roles"),
        ({**BOOK, "items": [{"itemId": "x"}]}, "items.0"),
        ({**BOOK, "assets": []}, "assets"),
        ({**BOOK, "assets": {"world:world:cover": 1}}, "assets"),
    ],
)
def test_malformed_documents_are_refused(document: object, path: str) -> None:
    with pytest.raises(RuleError) as refused:
        compiled_document(document)
    assert refused.value.code == "world.document_malformed"
    assert refused.value.details == {"path": path}


def test_texts_that_are_no_documents() -> None:
    with pytest.raises(RuleError) as refused:
        compile_document('{"meta": 1.5}', "cwp_other", {}, UNSAFE)
    assert refused.value.code == "input.json_malformed"
    with pytest.raises(RuleError) as refused:
        compile_document(" " * (WORLD_DOCUMENT_BYTES_MAX + 1), "cwp_other", {}, UNSAFE)
    assert refused.value.code == "input.payload_too_large"


def test_a_section_has_no_more_than_cards_may_have() -> None:
    book = Book()
    for number in range(20):
        book.add(EntityKind.THREAD, key=f"thread_{number}")
    world = compiled(book.cards())
    assert len(world.sections.threads) == 12
    assert codes(world) == {"BLK_SCHEMA"}
