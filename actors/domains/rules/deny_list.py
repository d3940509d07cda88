"""Deny list: what no text of an author or a model may contain (domain 6.5, 8.3)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

__all__ = ["DenyList"]

_LETTERS: Final = "[a-z0-9]"
"""Between two of these no word ends; scripts without spaces have no such letters."""


class DenyList:
    """Phrases that are found whatever the case, the width of letters and the space between words.

    Where words have ends, only whole words count: ``as an ai`` is not in "has an air".

    Args:
        phrases: what is denied; empty ones and those that begin with ``#`` are not.
    """

    __slots__ = ("_pattern", "_phrases")

    def __init__(self, phrases: Iterable[str]) -> None:
        plain = (_plain(phrase) for phrase in phrases if not phrase.startswith("#"))
        self._phrases = tuple(phrase for phrase in plain if phrase)
        patterns = [_whole_words(phrase) for phrase in self._phrases]
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    def finds_in(self, text: str, *, goes_on: bool = False) -> bool:
        """Whether a text contains something that is denied.

        Args:
            text: any text.
            goes_on: more of it may come, so that its last word may not be whole.
        """
        plain = _plain(text + "x" if goes_on else text)
        # Looking for the phrases first is much faster, and hardly any text has one.
        if self._pattern is None or not any(phrase in plain for phrase in self._phrases):
            return False
        return self._pattern.search(plain) is not None


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _whole_words(phrase: str) -> str:
    begin = f"(?<!{_LETTERS})" if re.match(_LETTERS, phrase) else ""
    end = f"(?!{_LETTERS})" if re.match(_LETTERS, phrase[-1]) else ""
    return f"{begin}{re.escape(phrase)}{end}"
