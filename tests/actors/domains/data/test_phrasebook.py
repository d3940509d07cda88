from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from actors.domains.data import LANGUAGES, narration_json
from actors.domains.data.phrasebook import read_phrasebook
from actors.domains.gameplay.limits import LABEL_CHARS_MAX, LABEL_NAME_CHARS_MAX

Book = dict[str, Any]


def _edited(edit: Callable[[Book], object]) -> str:
    data = json.loads(narration_json("en"))
    edit(data)
    return json.dumps(data)


def _set(data: Book, section: str, key: str | int, value: object) -> None:
    data[section][key] = value


WRONG: dict[str, tuple[Callable[[Book], object], str]] = {
    "no section": (lambda data: data.pop("reasons"), "reasons"),
    "unknown section": (lambda data: data.update(more={}), "more"),
    "no text": (lambda data: data["texts"].pop("travel"), "texts: travel"),
    "unknown text": (lambda data: _set(data, "texts", "sing", list("abcd")), "texts: sing"),
    "no choice": (lambda data: data["choices"].pop("rest"), "choices: rest"),
    "no phrase": (lambda data: data["phrases"].pop("and"), "phrases: and"),
    "unknown reason": (lambda data: _set(data, "reasons", "talk", "no"), "reasons: talk"),
    "three variants": (lambda data: data["texts"]["rest"].pop(), "at least 4"),
    "five variants": (lambda data: data["texts"]["rest"].append("x"), "at most 4"),
    "equal variants": (lambda data: _set(data, "texts", "rest", ["x"] * 4), "there twice"),
    "unknown slot": (lambda data: _set(data["texts"], "rest", 0, "{bed}"), "slot 'bed'"),
    "slot of another text": (lambda data: _set(data["texts"], "rest", 0, "{npc}"), "slot 'npc'"),
    "attribute": (lambda data: _set(data["texts"], "rest", 0, "{role.x}"), "slot 'role.x'"),
    "number": (lambda data: _set(data["texts"], "rest", 0, "{0}"), "slot '0'"),
    "nameless": (lambda data: _set(data["texts"], "rest", 0, "{}"), "slot ''"),
    "format": (lambda data: _set(data["texts"], "rest", 0, "{role:>9}"), "slot 'role'"),
    "conversion": (lambda data: _set(data["texts"], "rest", 0, "{role!r}"), "slot 'role'"),
    "open brace": (lambda data: _set(data["texts"], "rest", 0, "{role"), "expected '}'"),
    "markup": (lambda data: _set(data["texts"], "rest", 0, "<b>x</b>"), "no markup"),
    "markup in a label": (
        lambda data: _set(data["choices"], "rest", "label", "a < b"),
        "no markup",
    ),
    "slot in a reason": (lambda data: _set(data, "reasons", "rest", "{role}"), "slot 'role'"),
    "a label about everything": (
        lambda data: _set(data["choices"], "rest", "label", "{scene_line}"),
        "slot 'scene_line'",
    ),
    "long label": (lambda data: _set(data["choices"], "rest", "label", "x" * 41), "at most 40"),
    "empty detail": (lambda data: _set(data["choices"], "rest", "detail", ""), "at least 1"),
    "phrase without its slot": (lambda data: _set(data, "phrases", "amount", "{item}"), "missing"),
    "no text at all": (lambda data: _set(data["texts"], "rest", 0, 5), "valid string"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_said_is_not_read(name: str) -> None:
    edit, message = WRONG[name]
    with pytest.raises(ValueError) as refused:
        read_phrasebook(_edited(edit))
    assert message in str(refused.value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_four_variants(language: str) -> None:
    book = read_phrasebook(narration_json(language))
    assert len(book.texts) > 20
    assert {len(variants) for variants in book.texts.values()} == {4}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_label_has_room_for_a_name(language: str) -> None:
    for choice in read_phrasebook(narration_json(language)).choices.values():
        slots = dict.fromkeys(
            ("scene", "npc", "hostile", "item", "quest"), "x" * LABEL_NAME_CHARS_MAX
        )
        assert len(choice.label.format_map(slots)) <= LABEL_CHARS_MAX
