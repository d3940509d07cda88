"""Provider: one place where a model answers, as the chain of them sees it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol

from actors.errors import TextModelError
from actors.module.text_model import Prompt

__all__ = ["ImageProvider", "ImageWish", "ModelAddress", "Provider", "TransientModelError", "Usage"]


class ModelAddress(NamedTuple):
    """Where a model is: the base address of its server, and what it is called there."""

    url: str
    model: str


class Usage(NamedTuple):
    """What an answer took, in the provider's own count of tokens."""

    prompt_tokens: int
    answer_tokens: int


class ImageWish(NamedTuple):
    """An image that is asked for; width and height in pixels."""

    prompt: str
    width: int
    height: int
    seed: int | None


class TransientModelError(TextModelError):
    """Nothing came, and the same request may succeed soon.

    Args:
        code: as in ``TextModelError``.
        message: likewise.
        retry_seconds: how long the provider wants to be left alone.
    """

    def __init__(self, code: str, message: str, retry_seconds: float = 0.0) -> None:
        super().__init__(code, message)
        self.retry_seconds = retry_seconds


class Provider(Protocol):
    """A model that streams answers."""

    name: str
    """For logs; without secrets."""

    def stream(
        self, prompt: Prompt, tokens_max: int, *, is_structured: bool
    ) -> AsyncGenerator[str | Usage, None]:
        """The answer in pieces, and what it took if that is known.

        An empty piece is a sign of life. Raises TextModelError.
        """

    async def aclose(self) -> None:
        """Close its connections."""


class ImageProvider(Protocol):
    """A model that makes images."""

    name: str
    """For logs; without secrets."""

    async def generate(self, wish: ImageWish) -> bytes:
        """The file of an image. Raises TextModelError."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close its connections."""
