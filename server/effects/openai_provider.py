"""OpenAI-compatible provider: one model at one address, asked over chat completions."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import urlsplit

import openai
from openai.types.chat import ChatCompletionMessageParam

from actors.errors import TextModelError
from actors.module.text_model import Prompt
from server.effects.provider import ModelAddress, TransientModelError

__all__ = ["OpenAiProvider"]

_STATUS_TRANSIENT = 500


class OpenAiProvider:
    """Streams the answers of one model. Errors tell nothing of address, key or texts.

    Args:
        address: where the model is, and its name.
        key: what it wants to be shown; empty for a server that wants nothing.
        connect_seconds: how long connecting may take.
    """

    def __init__(self, address: ModelAddress, key: str, connect_seconds: float) -> None:
        self.name = f"{address.model} at {urlsplit(address.url).hostname}"
        self._model = address.model
        self._client = openai.AsyncOpenAI(
            base_url=address.url,
            api_key=key or "none",
            max_retries=0,
            timeout=openai.Timeout(None, connect=connect_seconds),
        )

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.close()

    async def stream(
        self, prompt: Prompt, tokens_max: int, *, is_structured: bool
    ) -> AsyncGenerator[str, None]:
        """The answer in pieces; an empty piece is a sign of life.

        Raises:
            TransientModelError: nothing came, and the same request may succeed at once.
            TextModelError: any other failure, and an answer without an end.
        """
        messages: list[ChatCompletionMessageParam] = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ]
        has_ended = False
        try:
            answer = await self._client.chat.completions.create(
                model=self._model,
                messages=messages,
                max_tokens=tokens_max,
                stream=True,
                response_format={"type": "json_object"} if is_structured else openai.omit,
            )
            async with aclosing(answer) as chunks:
                async for chunk in chunks:
                    for choice in chunk.choices[:1]:
                        has_ended = has_ended or choice.finish_reason is not None
                        yield choice.delta.content or ""
        except openai.APITimeoutError:
            raise TextModelError("dependency.timeout", "no connection in time") from None
        except openai.APIConnectionError:
            raise TransientModelError("dependency.unavailable", "the connection broke") from None
        except openai.APIStatusError as error:
            text = f"answered with status {error.status_code}"
            if error.status_code >= _STATUS_TRANSIENT:
                raise TransientModelError("dependency.unavailable", text) from None
            raise TextModelError("dependency.unavailable", text) from None
        except (openai.OpenAIError, json.JSONDecodeError):
            raise TextModelError("dependency.unavailable", "the answer is broken") from None
        if not has_ended:
            raise TextModelError("dependency.unavailable", "the answer was cut off")
