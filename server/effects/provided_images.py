"""Provided images: the image model that modules get, made of the settings' providers (8.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from actors.errors import TextModelError
from server.effects.provider import ImageProvider, ImageWish
from server.effects.retries import ask_in_order
from server.effects.turns import Turns
from server.limits import MODEL_RETRY_SECONDS, MODEL_SECONDS_MAX

__all__ = ["ProvidedImages"]


class ProvidedImages:
    """Implements ``actors.module.ImageModel``.

    Args:
        providers: asked in this order; one at least.
        turns: who may ask.
        price: what an image costs.
        seconds_max: how long a request may take once it runs, retries and all.
        retries: the pauses before the same provider is asked again.
    """

    def __init__(
        self,
        providers: Sequence[ImageProvider],
        turns: Turns,
        price: float = 0.0,
        seconds_max: float = MODEL_SECONDS_MAX,
        retries: Sequence[float] = MODEL_RETRY_SECONDS,
    ) -> None:
        assert providers
        self._providers = tuple(providers)
        self._turns = turns
        self._price = price
        self._seconds_max = seconds_max
        self._retries = retries

    async def aclose(self) -> None:
        """Close all connections."""
        for provider in self._providers:
            await provider.aclose()

    async def generate_image(
        self, prompt: str, *, width: int, height: int, seed: int | None, user_id: str
    ) -> bytes:
        """The bytes of an image file; see ``ImageModel``."""
        wish = ImageWish(prompt, width, height, seed)
        async with self._turns.turn(user_id) as turn:
            try:
                async with asyncio.timeout(self._seconds_max):
                    image = await ask_in_order(
                        self._providers, lambda provider: provider.generate(wish), self._retries
                    )
            except TimeoutError:
                raise TextModelError("dependency.timeout", "the image took too long") from None
            turn.cost = self._price
            return image
