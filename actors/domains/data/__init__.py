"""Texts and words that ship with the game, in data files for each language."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

__all__ = [
    "LANGUAGES",
    "agent_json",
    "agent_prompt",
    "denied_phrases",
    "language_of",
    "lexicon_json",
    "narration_json",
    "narrator_prompt",
    "unsafe_phrases",
]

LANGUAGES: Final = ("en", "zh")
"""Languages that the game speaks; the first one is spoken when nothing else fits."""


def language_of(*locales: str | None) -> str:
    """The language of the first locale that the game speaks, by its leading part.

    ``zh``, ``zh-CN`` and ``zh-TW`` are ``zh``. Absent and unknown locales are passed over.
    """
    spoken = (locale.replace("_", "-").partition("-")[0].lower() for locale in locales if locale)
    return next((language for language in spoken if language in LANGUAGES), LANGUAGES[0])


def narration_json(language: str) -> str:
    """The narration of a language; raises FileNotFoundError when there is none."""
    return _read(f"narration_{language}.json")


def lexicon_json(language: str) -> str:
    """The lexicon of a language; raises FileNotFoundError when there is none."""
    return _read(f"lexicon_{language}.json")


def agent_json(language: str) -> str:
    """The creation agent's book; raises FileNotFoundError when there is none."""
    return _read(f"agent_{language}.json")


def agent_prompt(task: str, language: str) -> str:
    """What a model is told that helps to create worlds; raises FileNotFoundError as the others."""
    return _read(f"agent_prompt_{task}_{language}.txt")


def narrator_prompt(language: str) -> str:
    """What a model is told that tells stories; raises FileNotFoundError when there is none."""
    return _read(f"narrator_prompt_{language}.txt")


def denied_phrases() -> list[str]:
    """What no text of a model may contain: the deny list, and what gives a machine away."""
    return [*_read("machine_phrases.txt").splitlines(), *unsafe_phrases()]


def unsafe_phrases() -> list[str]:
    """The lines of the deny list: what no text of anybody may contain."""
    return _read("deny_list.txt").splitlines()


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
