"""Agent books: what the creation agent says, in every language of the game (domain 7.4, 7.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from actors.domains.data import LANGUAGES, agent_json, language_of
from actors.domains.rules.agent.book import AgentBook, read_book

__all__ = ["AGENT_BOOKS", "agent_book", "agent_books"]

AGENT_BOOKS: Final = {language: read_book(agent_json(language)) for language in LANGUAGES}
"""Every book, by language."""


def agent_book(locale: str) -> AgentBook:
    """The book of a session's locale; English when the game does not speak it."""
    return AGENT_BOOKS[language_of(locale)]


def agent_books(locale: str) -> Sequence[AgentBook]:
    """All books, the locale's first: people write as they speak."""
    return [AGENT_BOOKS[language] for language in dict.fromkeys((language_of(locale), *LANGUAGES))]
