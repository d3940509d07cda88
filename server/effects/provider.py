"""Provider: one place where a model answers, as the chain of them sees it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol

from actors.errors import TextModelError
from actors.module.text_model import Prompt

__all__ = ["ModelAddress", "Provider", "TransientModelError"]


class ModelAddress(NamedTuple):
    """Where a model is: the base address of its server, and what it is called there."""

    url: str
    model: str


class TransientModelError(TextModelError):
    """Nothing came, and the same request may succeed soon."""


class Provider(Protocol):
    """A model that streams answers."""

    name: str
    """For logs; without secrets."""

    def stream(
        self, prompt: Prompt, tokens_max: int, *, is_structured: bool
    ) -> AsyncGenerator[str, None]:
        """The answer in pieces; an empty piece is a sign of life. Raises TextModelError."""

    async def aclose(self) -> None:
        """Close its connections."""
