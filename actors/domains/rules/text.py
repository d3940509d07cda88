"""Canonical text and identifiers (domain 1.1, 1.9)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import IDENTIFIER_CHARS_MAX

__all__ = [
    "canonical_text",
    "check_id",
    "check_slug",
    "clean_text",
    "cut_text",
    "printable_text",
    "shorten_text",
]

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_:.\-]+")
_SLUG: Final = re.compile(r"[a-z0-9_]{1,48}")
_ELLIPSIS: Final = "\u2026"
_NEWLINES: Final = re.compile(r"\n{3,}")
_REMOVED: Final = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
del _REMOVED[0x09], _REMOVED[0x0A]


def printable_text(value: str) -> str:
    """A piece of a text, without control characters but newline and tab; nothing else changes."""
    return value.translate(_REMOVED)


def canonical_text(value: str) -> str:
    """NFC, without control characters but newline and tab, trimmed, at most one empty line.

    Canonical text is its own canonical form.
    """
    text = unicodedata.normalize("NFC", printable_text(value)).strip()
    return _NEWLINES.sub("\n\n", text)


def clean_text(value: str, limit: int, *, required: bool = False) -> str:
    """The canonical form of what a user wrote.

    Args:
        value: any text.
        limit: most Unicode scalar values the canonical form may have.
        required: whether an empty result is refused.

    Raises:
        RuleError: ``input.text_too_long`` or ``input.text_empty``.
    """
    text = canonical_text(value)
    if len(text) > limit:
        raise RuleError(
            "input.text_too_long", f"text has more than {limit} characters", limit=limit
        )
    if required and not text:
        raise RuleError("input.text_empty", "text is empty")
    return text


def cut_text(value: str, limit: int) -> str:
    """The canonical form of an authored text, cut at the limit (domain 6.2)."""
    return canonical_text(canonical_text(value)[:limit])


def shorten_text(value: str, limit: int) -> str:
    """The canonical form of a text, and beyond the limit its beginning with an ellipsis."""
    text = canonical_text(value)
    return text if len(text) <= limit else cut_text(text, limit - 1) + _ELLIPSIS


def check_id(value: str, limit: int = IDENTIFIER_CHARS_MAX) -> str:
    """The identifier itself.

    Raises:
        RuleError: ``input.invalid_id``: empty, too long or with a foreign character.
    """
    if len(value) > limit or not _IDENTIFIER.fullmatch(value):
        raise RuleError("input.invalid_id", "an identifier has a wrong form")
    return value


def check_slug(value: str) -> str:
    """The slug itself.

    Raises:
        RuleError: ``input.invalid_id``: not 1 to 48 of lower-case letters, digits and underscore.
    """
    if not _SLUG.fullmatch(value):
        raise RuleError("input.invalid_id", "a slug has a wrong form")
    return value
