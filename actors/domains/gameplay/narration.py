"""Narration: the deterministic texts that tell a story when no model does (domain 5.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from actors.domains.data import LANGUAGES, narration_json
from actors.domains.data.phrasebook import Phrasebook, read_phrasebook
from actors.domains.domain_types import RuntimeItemDefinition
from actors.domains.gameplay.limits import (
    DETAIL_CHARS_MAX,
    LABEL_CHARS_MAX,
    LABEL_NAME_CHARS_MAX,
    NARRATION_CHARS_MAX,
)
from actors.domains.gameplay.story import StorySession, host_of
from actors.domains.gameplay.story_language import story_language
from actors.domains.rules.ids import seed_of_text
from actors.domains.rules.text import shorten_text
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader
from actors.rng import SplitMix64

__all__ = ["PHRASEBOOKS", "Narrator", "narrator_of"]

PHRASEBOOKS: Final = {language: read_phrasebook(narration_json(language)) for language in LANGUAGES}
"""What the game says, by language."""


class Narrator:
    """Writes a session's texts at its current turn; equal turns get equal texts.

    The seed decides which variant of a text is told, whatever the language. Names and
    descriptions are put in as they are: nothing in them is a slot or markup.
    """

    __slots__ = ("_book", "_seed", "_slots")

    def __init__(self, seed: int, slots: dict[str, str], book: Phrasebook) -> None:
        self._seed = seed
        self._slots = slots
        self._book = book

    def text(self, template: str, **slots: str) -> str:
        """One of a template's variants, chosen by the session's turn."""
        variant = SplitMix64(self._seed).pick(self._book.texts[template])
        return shorten_text(variant.format_map(self._slots | slots), NARRATION_CHARS_MAX)

    def label(self, choice: str, **slots: str) -> str:
        """What a choice's button says."""
        named = {slot: shorten_text(name, LABEL_NAME_CHARS_MAX) for slot, name in slots.items()}
        label = self._book.choices[choice].label.format_map(named)
        return shorten_text(label, LABEL_CHARS_MAX)

    def detail(self, choice: str, **slots: str) -> str:
        """What a choice's second line says."""
        detail = self._book.choices[choice].detail.format_map(self._slots | slots)
        return shorten_text(detail, DETAIL_CHARS_MAX)

    def reason(self, choice: str) -> str:
        """Why a choice is disabled."""
        return self._book.reasons[choice]

    def facts(self, facts: Iterable[str]) -> str:
        """What a talk reveals, or that there is nothing."""
        told = self._book.phrases["sentence_gap"].join(facts)
        if not told:
            return self._book.phrases["nothing_new"]
        return self._book.phrases["new_facts"].format_map({"facts": told})

    def amount(self, item: RuntimeItemDefinition, quantity: int) -> str:
        """Some of an item; a single one is only named."""
        name = self._book.items.get(item.item_id, item.name)
        if quantity == 1:
            return name
        return self._book.phrases["amount"].format_map({"item": name, "count": quantity})

    def enumeration(self, names: Iterable[str]) -> str:
        """Names in a row, each of them once, e.g. ``Slime, Wolf and Brute``."""
        *others, last = dict.fromkeys(names) or [""]
        if not others:
            return last
        return self._book.phrases["comma"].join(others) + self._book.phrases["and"] + last


def narrator_of(db: DatabaseReader, session: StorySession, world: WorldDocument) -> Narrator:
    """The narrator of a session's current turn, scene and chapter, in the session's language."""
    book = PHRASEBOOKS[story_language(db, session.story_session_id, world)]
    role = world.roles[host_of(db).role_key]
    scene = world.landmarks[session.current_scene_key]
    chapter = world.chapter(session.chapter_index)
    slots = {
        "role": role.name,
        "world": session.world_name,
        "scene": scene.name,
        "scene_line": scene.description,
        "chapter": chapter.title,
        "chapter_line": chapter.synopsis,
        "tone": book.phrases["comma"].join(world.world.tone),
    }
    return Narrator(seed_of_text(f"{session.story_session_id}:{session.turn}"), slots, book)
