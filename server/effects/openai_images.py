"""OpenAI-compatible images: one model at one address, asked over image generations (8.4)."""

from __future__ import annotations

from base64 import b64decode
from typing import Any, cast
from urllib.parse import urlsplit

from actors.errors import TextModelError
from server.effects.openai_errors import provider_errors
from server.effects.openai_provider import openai_client
from server.effects.provider import ImageWish, ModelAddress
from server.limits import MODEL_IMAGE_BYTES_MAX

__all__ = ["OpenAiImages"]

_ALWAYS_BASE64 = "gpt-image"
"""Models of this name answer in base 64 whatever is asked, and refuse to be asked for it."""


class OpenAiImages:
    """Asks one model for images. Errors tell nothing of address, key or texts.

    The file comes inside the answer: an address to fetch it from is never followed, since it could
    lead anywhere.

    Args:
        address: where the model is, and its name.
        key: what it wants to be shown; empty for a server that wants nothing.
        connect_seconds: how long connecting may take.
    """

    def __init__(self, address: ModelAddress, key: str, connect_seconds: float) -> None:
        self.name = f"{address.model} at {urlsplit(address.url).hostname}"
        self._model = address.model
        self._client = openai_client(address, key, connect_seconds)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.close()

    async def generate(self, wish: ImageWish) -> bytes:
        """The file of an image, of any type; its size is asked for and not checked.

        Raises:
            TransientModelError: nothing came, and the same request may succeed soon.
            TextModelError: any other failure, and a file of more than 8 MiB.
        """
        body: dict[str, object] = {
            "model": self._model,
            "prompt": wish.prompt,
            "size": f"{wish.width}x{wish.height}",
            "n": 1,
        }
        if not self._model.startswith(_ALWAYS_BASE64):
            body["response_format"] = "b64_json"
        if wish.seed is not None:
            body["seed"] = wish.seed
        with provider_errors():
            answer = await self._client.post("/images/generations", cast_to=object, body=body)
            text = cast("dict[str, Any]", answer)["data"][0]["b64_json"]
            data = b64decode(text, validate=True)
        if len(data) > MODEL_IMAGE_BYTES_MAX:
            raise TextModelError("dependency.unavailable", "the image is too large")
        return data
