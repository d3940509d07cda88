"""Agent book: what the creation agent says and draws from in one language (domain 7.4, 7.7).

A book is a data file, checked before anything is made with it. The lists of words are as long and
in the same order in every language, so that equal draws make the same world in each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import ConfigDict, Field, TypeAdapter

from actors.domains.rules.text import canonical_text

__all__ = ["ANCHOR_KEYS", "DEFAULT_TONE", "AgentBook", "AnchorText", "Tone", "Word", "read_book"]

ANCHOR_KEYS: Final = (
    "world_premise",
    "tone",
    "player_fantasy",
    "core_conflict",
    "opening_scene",
    "key_characters",
)
"""What a world is built on, in the order of the session's anchors (domain 7.1)."""

DEFAULT_TONE: Final = "adventure"
"""The tone of a world whose author speaks of none; no keyword means it."""

_LENGTHS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "place_a": 16,
        "place_b": 16,
        "given": 16,
        "epithet": 8,
        "occupation": 8,
        "hostile": 8,
        "adjective": 8,
        "faction": 8,
        "verb": 6,
        "form": 5,
    }
)
"""Every list of words, and how many it has."""

_PERSON: Final = "given occupation place_a place_b verb"

_TEMPLATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "world_name": "place_a place_b",
        "world_subtitle": "name",
        "world_summary": "name conflict",
        "world_premise": "name",
        "world_conflict": "name",
        "world_fantasy": "name",
        "landmark_name": "place_a place_b",
        "landmark_description": "name adjective",
        "faction_name": "place_a faction",
        "faction_goal": "place_a verb",
        "person_name": "given epithet",
        "person_description": _PERSON,
        "role_background": f"name {_PERSON}",
        "skill_name": "adjective",
        "hostile_name": "adjective hostile",
        "hostile_description": "adjective hostile",
        "item_name": "adjective form",
        "item_description": "adjective form",
        "quest_title": "verb target",
        "quest_description": "giver verb target",
        "quest_giver": "",
        "quest_target": "",
        "chapter_title": "adjective place_a",
        "chapter_synopsis": "scenes",
        "chapter_scenes": "",
        "treasure_title": "adjective",
        "thread_title": "verb place_b",
        "thread_premise": "world verb place_b",
        "thread_payoff": "world verb place_b",
    }
)
"""Every template, and the slots that it may name; a capital begins what it fills in with one."""

_REPLIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "noted": "labels",
        "open": "labels",
        "offer": "",
        "nothing": "",
        "draft": "",
        "comma": "",
        "gap": "",
    }
)
"""What replies are put together from, and exactly the slots that each part has."""

_PHASES: Final = (
    "reply",
    "collect",
    "factions",
    "cast",
    "places",
    "chapters",
    "check",
    "entity",
    "images",
    "cover",
)
"""What a worker can be at."""

_CONFIG: Final = ConfigDict(extra="forbid", strict=True)

_Keyword = Annotated[str, Field(min_length=1, max_length=40)]
_Slug = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,24}$")]
_Suggestion = Annotated[str, Field(min_length=1, max_length=80)]


class Word(NamedTuple):
    """A word and what it is called in keys."""

    slug: str
    text: str


@dataclass(frozen=True, slots=True)
class AnchorText:
    """What is said about an anchor, and the words by which a sentence speaks of it."""

    __pydantic_config__ = _CONFIG

    label: Annotated[str, Field(min_length=1, max_length=40)]
    question: Annotated[str, Field(min_length=1, max_length=160)]
    replies: Annotated[list[_Suggestion], Field(min_length=1, max_length=3)]
    keywords: list[_Keyword]


@dataclass(frozen=True, slots=True)
class Tone:
    """How a world can feel; its key is also its tag."""

    __pydantic_config__ = _CONFIG

    name: Annotated[str, Field(min_length=1, max_length=24)]
    theme: Literal["light", "dark", "sepia", "neon"]
    keywords: list[_Keyword]


@dataclass(frozen=True, slots=True)
class AgentBook:
    """One language's texts and words. ``words`` go from what keys call them to the words."""

    __pydantic_config__ = _CONFIG

    greeting: Annotated[str, Field(min_length=1, max_length=400)]
    reply: dict[str, str]
    phases: dict[str, Annotated[str, Field(min_length=1, max_length=160)]]
    anchors: dict[str, AnchorText]
    tones: dict[_Slug, Tone]
    words: dict[str, dict[_Slug, Annotated[str, Field(min_length=1, max_length=24)]]]
    templates: dict[str, Annotated[str, Field(min_length=1, max_length=200)]]

    def list_of(self, name: str) -> list[Word]:
        """A list of words, in the order in which draws count."""
        return [Word(slug, text) for slug, text in self.words[name].items()]

    def text(self, template: str, **slots: str) -> str:
        """A template with its slots filled in; what fills them is not looked at again."""
        capitals = {
            slot.capitalize(): value[:1].upper() + value[1:] for slot, value in slots.items()
        }
        return self.templates[template].format_map(slots | capitals)


_BOOK: Final = TypeAdapter(AgentBook)


def read_book(document: str) -> AgentBook:
    """The book of a data file.

    Raises:
        ValueError: something is missing, unknown, too long, twice the same, or has a slot that
            its place does not have; the message names the place.
    """
    book = _BOOK.validate_json(document)
    _check_keys("reply", book.reply, _REPLIES)
    _check_keys("phases", book.phases, _PHASES)
    _check_keys("anchors", book.anchors, ANCHOR_KEYS)
    _check_keys("words", book.words, _LENGTHS)
    _check_keys("templates", book.templates, _TEMPLATES)
    if DEFAULT_TONE not in book.tones:
        raise ValueError(f"tones: {DEFAULT_TONE} is missing")
    for name, length in _LENGTHS.items():
        if len(book.words[name]) != length or len(set(book.words[name].values())) != length:
            raise ValueError(f"words.{name}: needs {length} different words")
    for key, template in book.templates.items():
        _check_slots(f"templates.{key}", template, _TEMPLATES[key])
    for key, part in book.reply.items():
        _check_slots(f"reply.{key}", part, _REPLIES[key])
    for word in _spoken(book):
        if canonical_text(word).casefold() != word:
            raise ValueError(f"{word!r} is not lower-case canonical text")
    return book


def _check_keys(section: str, found: Iterable[str], expected: Iterable[str]) -> None:
    different = set(found) ^ set(expected)
    if different:
        raise ValueError(f"{section}: {', '.join(sorted(different))}: missing or unknown")


def _check_slots(place: str, template: str, allowed: str) -> None:
    for _, slot, form, conversion in Formatter().parse(template):
        if slot is not None and (slot.lower() not in allowed.split() or form or conversion):
            raise ValueError(f"{place}: there is no slot {slot!r} here")


def _spoken(book: AgentBook) -> list[str]:
    texts: list[AnchorText | Tone] = [*book.anchors.values(), *book.tones.values()]
    return [word for text in texts for word in text.keywords]
