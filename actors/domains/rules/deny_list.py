"""Deny list: what no text of a model may contain (domain 8.3)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

__all__ = ["DenyList"]


class DenyList:
    """Phrases that are found whatever the case, the width of letters and the space between words.

    Args:
        phrases: what is denied; empty ones and those that begin with ``#`` are not.
    """

    __slots__ = ("_phrases",)

    def __init__(self, phrases: Iterable[str]) -> None:
        plain = (_plain(phrase) for phrase in phrases if not phrase.startswith("#"))
        self._phrases = tuple(phrase for phrase in plain if phrase)

    def finds_in(self, text: str) -> bool:
        """Whether a text contains something that is denied."""
        plain = _plain(text)
        return any(phrase in plain for phrase in self._phrases)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
