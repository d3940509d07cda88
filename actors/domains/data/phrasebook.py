"""Phrasebook: what the server says in one language, checked before anything is said with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import ConfigDict, Field, TypeAdapter

__all__ = ["ChoiceText", "Phrasebook", "read_phrasebook"]

_ALWAYS: Final = frozenset(
    {"role", "world", "scene", "scene_line", "chapter", "chapter_line", "tone"}
)
"""Slots that every text and every choice's detail may name."""

_CHOICES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "travel": "scene",
        "talk": "npc",
        "fight": "hostile",
        "prowl": "hostile",
        "inspect": "item",
        "rest": "",
        "accept_quest": "quest quest_line",
        "turn_in_quest": "quest quest_line",
        "advance_chapter": "next_chapter",
        "finish": "",
        "look_around": "",
        "wait_and_watch": "",
        "think_it_over": "",
    }
)
"""Every choice, and the slots that its label may name; its detail may name all the others too."""

_TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "session_started": "",
        "chapter_started": "",
        "narrative": "",
        "free_text": "",
        "travel": "",
        "talk": "npc facts",
        "help": "npc",
        "recruit": "npc",
        "dismiss": "npc",
        "buy": "npc item",
        "sell": "npc item",
        "gift": "npc item",
        "use_item": "item",
        "fight": "hostile",
        "spar": "npc",
        "inspect": "item",
        "treasure_opened": "item contents",
        "rest": "",
        "accept_quest": "quest quest_line",
        "report": "quest",
        "turn_in_quest": "quest",
        "chapter_completed": "",
        "finish": "",
        "battle_won": "hostile",
        "battle_lost": "",
        "battle_escaped": "",
        "battle_spar": "npc",
        "battle_aborted": "",
    }
)
"""Every text of the story, and the slots that its variants may name besides."""

_PHRASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "nothing_new": "",
        "new_facts": "facts",
        "amount": "count item",
        "sentence_gap": "",
        "comma": "",
        "and": "",
    }
)
"""What texts are put together from, and exactly the slots that each one has."""

_REASONS: Final = frozenset({"rest"})
"""Choices that can be offered but not taken."""

_MARKUP: Final = frozenset("<>")

_Template = Annotated[str, Field(max_length=400)]


@dataclass(frozen=True, slots=True)
class ChoiceText:
    """A choice's button and its second line."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    label: Annotated[str, Field(min_length=1, max_length=40)]
    detail: Annotated[str, Field(min_length=1, max_length=120)]


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """One language's templates by key; each text has four variants (domain 5.3).

    Templates hold slots like ``{role}`` and nothing else that is filled in. ``items`` names the
    core items where their own, English names will not do.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    choices: dict[str, ChoiceText]
    reasons: dict[str, Annotated[str, Field(min_length=1)]]
    phrases: dict[str, _Template]
    items: dict[str, Annotated[str, Field(min_length=1, max_length=24)]]
    texts: dict[str, Annotated[list[_Template], Field(min_length=4, max_length=4)]]


_PHRASEBOOK: Final = TypeAdapter(Phrasebook)


def read_phrasebook(document: str) -> Phrasebook:
    """The phrasebook of a data file.

    Raises:
        ValueError: something is missing, unknown, twice the same, too long, or holds markup or a
            slot that its place does not have; the message names the place.
    """
    book = _PHRASEBOOK.validate_json(document)
    _check_keys("choices", book.choices, _CHOICES)
    _check_keys("reasons", book.reasons, _REASONS)
    _check_keys("phrases", book.phrases, _PHRASES)
    _check_keys("texts", book.texts, _TEXTS)
    for key, choice in book.choices.items():
        slots = frozenset(_CHOICES[key].split())
        _check_template(f"choices.{key}.label", choice.label, slots)
        _check_template(f"choices.{key}.detail", choice.detail, slots | _ALWAYS)
    for key, variants in book.texts.items():
        if len(set(variants)) < len(variants):
            raise ValueError(f"texts.{key}: a variant is there twice")
        for variant in variants:
            _check_template(f"texts.{key}", variant, _ALWAYS.union(_TEXTS[key].split()))
    for key, phrase in book.phrases.items():
        slots = frozenset(_PHRASES[key].split())
        if _check_template(f"phrases.{key}", phrase, slots) != slots:
            raise ValueError(f"phrases.{key}: a slot is missing")
    for key, words in (book.reasons | book.items).items():
        _check_template(key, words, frozenset())
    return book


def _check_keys(section: str, found: Iterable[str], expected: Iterable[str]) -> None:
    different = set(found) ^ set(expected)
    if different:
        raise ValueError(f"{section}: {', '.join(sorted(different))}: missing or unknown")


def _check_template(place: str, template: str, allowed: frozenset[str]) -> frozenset[str]:
    """The slots of a template."""
    slots = set()
    for text, slot, form, conversion in Formatter().parse(template):
        if _MARKUP.intersection(text):
            raise ValueError(f"{place}: texts hold no markup")
        if slot is None:
            continue
        if slot not in allowed or form or conversion:
            raise ValueError(f"{place}: there is no slot {slot!r} here")
        slots.add(slot)
    return frozenset(slots)
