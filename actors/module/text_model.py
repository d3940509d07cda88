"""Text model: the port through which effects have texts written, by whatever the server provides.

Who provides it keeps time, retries and turns among its users; a request that cannot be answered
ends with ``TextModelError`` (domain 8.3).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol

__all__ = ["Prompt", "TextModel"]


class Prompt(NamedTuple):
    """What a model is asked.

    Attributes:
        system: the rules that it answers by.
        user: what it answers to. Words of users stand in it as fenced data.
    """

    system: str
    user: str


class TextModel(Protocol):
    """Writes texts. Requests of one user wait for one another."""

    def stream_text(
        self, prompt: Prompt, *, user_id: str, tokens_max: int
    ) -> AsyncGenerator[str, None]:
        """The answer in pieces as they come; what came while nobody asked comes as one piece.

        Whoever stops early closes the generator, which ends the request.

        Raises:
            TextModelError: nothing came, or nothing more.
        """

    async def complete_structured(
        self, prompt: Prompt, *, user_id: str, tokens_max: int, json_schema: str
    ) -> str:
        """The whole answer, which is meant to be JSON of a schema; nobody has checked it.

        Raises:
            TextModelError: there is no answer.
        """
