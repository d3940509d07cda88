"""Lexicon: what a player's own words mean in one language (domain 5.3)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final

from pydantic import ConfigDict, Field, TypeAdapter

__all__ = ["Lexicon", "read_lexicon"]

_FUNCTIONS: Final = frozenset({"travel", "talk", "fight", "inspect", "rest", "trade"})

_SIGN: Final = "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
"""A character of a script without spaces; it counts as a word of its own."""

_UNIT: Final = re.compile(
    rf"{_SIGN}|(?:(?!{_SIGN})[^\W_])+(?:'(?:(?!{_SIGN})[^\W_])+)*|[.,;:!?\u3001\u3002\n]"
)
_STOPS: Final = frozenset(".,;:!?\u3001\u3002\n")

_NEGATION: Final = "negation"
_BREAK: Final = "break"
_IDIOM: Final = "idiom"

_Phrases = list[Annotated[str, Field(min_length=1)]]


@dataclass(frozen=True, slots=True)
class _Words:
    """A data file. The order of ``functions`` decides when words mean several."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    functions: dict[str, Annotated[_Phrases, Field(min_length=1)]]
    negations: _Phrases
    breaks: _Phrases
    idioms: _Phrases
    small_words: _Phrases


_WORDS: Final = TypeAdapter(_Words)


class Lexicon:
    """Finds phrases in a text, the longest first.

    A negation takes the meaning away from what follows it, up to the next punctuation mark or
    word like "but": a function that is not meant is worse than a turn that only tells. Idioms hold
    words of the lists and mean none of them. Only listed forms count; nothing is inflected.
    """

    __slots__ = ("_functions", "_longest", "_meanings", "_small_words")

    def __init__(self, words: _Words) -> None:
        self._functions = tuple(words.functions)
        self._small_words = frozenset(words.small_words)
        self._meanings: dict[tuple[str, ...], str] = {}
        lists = [
            *words.functions.items(),
            (_NEGATION, words.negations),
            (_BREAK, words.breaks),
            (_IDIOM, words.idioms),
        ]
        for meaning, phrases in lists:
            for phrase in phrases:
                units = tuple(_units(phrase))
                if not units or _STOPS.intersection(units) or units in self._meanings:
                    raise ValueError(f"{meaning}: {phrase!r} is no phrase, or is there twice")
                self._meanings[units] = meaning
        self._longest = max(map(len, self._meanings))

    def functions(self, text: str) -> tuple[str, ...]:
        """The functions that a text speaks of, in the lexicon's order."""
        found: set[str] = set()
        is_negated = False
        for meaning in self._read(_units(text)):
            if meaning == _BREAK:
                is_negated = False
            elif meaning == _NEGATION:
                is_negated = True
            elif meaning != _IDIOM and not is_negated:
                found.add(meaning)
        return tuple(function for function in self._functions if function in found)

    def mentions(self, text: str, name: str) -> int:
        """How much of a name a text holds: words, or pairs of signs where words have no spaces."""
        return len(self._marks(text) & self._marks(name))

    def _read(self, units: list[str]) -> Iterator[str]:
        place = 0
        while place < len(units):
            if units[place] in _STOPS:
                yield _BREAK
                place += 1
                continue
            for length in range(self._longest, 0, -1):
                meaning = self._meanings.get(tuple(units[place : place + length]))
                if meaning is not None:
                    yield meaning
                    place += length
                    break
            else:
                place += 1

    def _marks(self, text: str) -> set[str]:
        units = _units(text)
        words = {unit for unit in units if not _is_sign(unit)} - self._small_words - _STOPS
        return words | {
            first + second
            for first, second in pairwise(units)
            if _is_sign(first) and _is_sign(second)
        }


def read_lexicon(document: str) -> Lexicon:
    """The lexicon of a data file.

    Raises:
        ValueError: a function is missing or unknown, or a phrase is empty or means two things.
    """
    words = _WORDS.validate_json(document)
    different = _FUNCTIONS ^ set(words.functions)
    if different:
        raise ValueError(f"functions: {', '.join(sorted(different))}: missing or unknown")
    return Lexicon(words)


def _units(text: str) -> list[str]:
    """Words, single signs and punctuation marks, in one spelling."""
    spelled = unicodedata.normalize("NFKC", text.replace("\u2019", "'")).casefold()
    return _UNIT.findall(spelled)


def _is_sign(unit: str) -> bool:
    return re.match(_SIGN, unit) is not None
