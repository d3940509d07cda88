"""Narration: the deterministic texts that tell a story when no model does (domain 5.3)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, cast

from actors.domains.data import narration_json
from actors.domains.gameplay.limits import (
    DETAIL_CHARS_MAX,
    LABEL_CHARS_MAX,
    NARRATION_CHARS_MAX,
)
from actors.domains.gameplay.story import StoryFunction, StorySession, host_of
from actors.domains.rules.ids import seed_of_text
from actors.domains.rules.text import cut_text
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader
from actors.rng import SplitMix64

__all__ = ["Narrator", "intended_function", "narrator_of"]


@dataclass(frozen=True, slots=True)
class _Texts:
    """One locale's data file."""

    choices: dict[str, dict[str, str]]
    reasons: dict[str, str]
    texts: dict[str, list[str]]
    facts: dict[str, str]
    keywords: list[tuple[frozenset[str], StoryFunction]]


def _load(locale: str) -> _Texts:
    data = json.loads(narration_json(locale))
    keywords = [
        (frozenset(entry["words"]), StoryFunction[cast("str", entry["function"]).upper()])
        for entry in data["keywords"]
    ]
    return _Texts(data["choices"], data["reasons"], data["texts"], data["facts"], keywords)


_ENGLISH: Final = _load("en")
_WORD: Final = re.compile(r"[a-z]+")
_NAME_CHARS: Final = 24
"""Names are shortened to this inside a choice's label, so that its verb stays readable."""


class Narrator:
    """Writes a session's texts at its current turn; equal turns get equal texts."""

    __slots__ = ("_seed", "_slots")

    def __init__(self, seed: int, slots: dict[str, str]) -> None:
        self._seed = seed
        self._slots = slots

    def text(self, template: str, **slots: str) -> str:
        """One of a template's variants, chosen by the session's turn."""
        variant = SplitMix64(self._seed).pick(_ENGLISH.texts[template])
        return cut_text(variant.format_map(self._slots | slots), NARRATION_CHARS_MAX)

    def label(self, choice: str, **slots: str) -> str:
        """What a choice's button says."""
        named = {key: value[:_NAME_CHARS].rstrip() for key, value in slots.items()}
        return self._choice(choice, "label", named, LABEL_CHARS_MAX)

    def detail(self, choice: str, **slots: str) -> str:
        """What a choice's second line says."""
        return self._choice(choice, "detail", slots, DETAIL_CHARS_MAX)

    def reason(self, choice: str) -> str:
        """Why a choice is disabled."""
        return _ENGLISH.reasons[choice]

    def fact(self, fact: str) -> str:
        """What a talk reveals, as a sentence; an empty fact is that there is none."""
        if not fact:
            return _ENGLISH.facts["none"]
        return _ENGLISH.facts["new"].format(fact=fact)

    def _choice(self, choice: str, part: str, slots: dict[str, str], limit: int) -> str:
        return cut_text(_ENGLISH.choices[choice][part].format_map(self._slots | slots), limit)


def narrator_of(db: DatabaseReader, session: StorySession, world: WorldDocument) -> Narrator:
    """The narrator of a session's current turn, scene and chapter."""
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
        "tone": ", ".join(world.world.tone),
    }
    return Narrator(seed_of_text(f"{session.story_session_id}:{session.turn}"), slots)


def intended_function(text: str) -> StoryFunction | None:
    """What a player's own words mean: the first list with one of them, None without a match."""
    words = set(_WORD.findall(text.lower()))
    for known, function in _ENGLISH.keywords:
        if words & known:
            return function
    return None
