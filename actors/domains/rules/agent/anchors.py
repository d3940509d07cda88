"""Anchors: the six things that a world is built on, and how a message fills them (domain 7.1, 7.4).

What fills an anchor once is replaced only by what is more certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from actors.domains.domain_types import AgentAnchor, TextSource
from actors.domains.rules.agent.book import ANCHOR_KEYS, AgentBook
from actors.domains.rules.deny_list import DenyList
from actors.domains.rules.limits import ANCHOR_CHARS_MAX
from actors.domains.rules.text import cut_text
from actors.module.types import replace

__all__ = [
    "anchor_values",
    "coverage_permille",
    "empty_anchors",
    "extract_anchors",
    "is_filled",
    "merge_anchors",
]

_SENTENCE_PERMILLE: Final = 600
"""How sure it is that a sentence with an anchor's words speaks of it."""

_TEXT_PERMILLE: Final = 300
"""How sure it is that a text without any such words speaks of what is open."""

_SENTENCE: Final = re.compile(
    "[^.!?\uff0e\uff01\uff1f\u3002\uff61\n]+[.!?\uff0e\uff01\uff1f\u3002\uff61]*"
)


def empty_anchors() -> list[AgentAnchor]:
    """The six anchors of a new session, in their fixed order."""
    return [AgentAnchor(key, "", 0, TextSource.FALLBACK) for key in ANCHOR_KEYS]


def is_filled(anchor: AgentAnchor) -> bool:
    """Whether anything is known of an anchor."""
    return bool(anchor.value)


def anchor_values(anchors: Iterable[AgentAnchor]) -> dict[str, str]:
    """What is known, by the anchors' keys; an open anchor is an empty text."""
    return {anchor.key: anchor.value for anchor in anchors}


def coverage_permille(anchors: Sequence[AgentAnchor]) -> int:
    """How much of the six is known, 0..1000."""
    return 1000 * sum(map(is_filled, anchors)) // len(ANCHOR_KEYS)


def merge_anchors(
    anchors: Iterable[AgentAnchor], found: Iterable[AgentAnchor]
) -> list[AgentAnchor]:
    """The anchors with what was found, where it fills an open one or is more certain."""
    better = {anchor.key: anchor for anchor in found if anchor.value}
    return [_surer(anchor, better.get(anchor.key)) for anchor in anchors]


def extract_anchors(
    text: str, anchors: Sequence[AgentAnchor], books: Iterable[AgentBook]
) -> list[AgentAnchor]:
    """The anchors with what a message says, as far as its words tell (domain 7.4).

    The first sentence with one of an anchor's words fills it; a sentence may fill several. A text
    without any such word is taken for the first open anchor.

    Args:
        text: what the author wrote.
        anchors: what is known so far.
        books: the first one with whose words the text says anything is used.
    """
    for book in books:
        found = _mentioned(text, book)
        if found:
            return merge_anchors(anchors, found)
    opened = next((anchor.key for anchor in anchors if not is_filled(anchor)), None)
    if opened is None:
        return list(anchors)
    return merge_anchors(anchors, [_anchor(opened, text, _TEXT_PERMILLE)])


def _mentioned(text: str, book: AgentBook) -> list[AgentAnchor]:
    sentences = [found.group() for found in _SENTENCE.finditer(text)]
    found = []
    for key in ANCHOR_KEYS:
        phrases = _phrases(_keywords(book, key))
        sentence = next(filter(phrases.finds_in, sentences), "")
        if sentence:
            found.append(_anchor(key, sentence, _SENTENCE_PERMILLE))
    return found


def _keywords(book: AgentBook, key: str) -> tuple[str, ...]:
    words = list(book.anchors[key].keywords)
    if key == "tone":
        words += [word for tone in book.tones.values() for word in tone.keywords]
    return tuple(words)


@cache
def _phrases(keywords: tuple[str, ...]) -> DenyList:
    """Finds words as the deny list does: whatever the case, and whole where words have ends."""
    return DenyList(keywords)


def _anchor(key: str, text: str, confidence_permille: int) -> AgentAnchor:
    value = cut_text(text, ANCHOR_CHARS_MAX)
    return AgentAnchor(key, value, confidence_permille, TextSource.FALLBACK)


def _surer(anchor: AgentAnchor, found: AgentAnchor | None) -> AgentAnchor:
    if found is None:
        return anchor
    if is_filled(anchor) and found.confidence_permille <= anchor.confidence_permille:
        return anchor
    return replace(found, value=cut_text(found.value, ANCHOR_CHARS_MAX))
