"""OpenAI-compatible provider: one model at one address, asked over chat completions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast
from urllib.parse import urlsplit

import openai

from actors.errors import TextModelError
from actors.module.text_model import Prompt
from server.effects.event_chunks import EventChunks
from server.effects.openai_errors import provider_errors
from server.effects.provider import ModelAddress, Usage

__all__ = ["OpenAiProvider", "openai_client"]


class OpenAiProvider:
    """Streams the answers of one model. Errors tell nothing of address, key or texts.

    The library authorises, keeps connections and tells errors apart.

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

    async def stream(
        self, prompt: Prompt, tokens_max: int, *, is_structured: bool
    ) -> AsyncGenerator[str | Usage, None]:
        """The answer in pieces; an empty piece is a sign of life.

        Raises:
            TransientModelError: nothing came, and the same request may succeed soon.
            TextModelError: any other failure, and an answer without an end.
        """
        body: dict[str, object] = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.user},
            ],
            "max_tokens": tokens_max,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if is_structured:
            body["response_format"] = {"type": "json_object"}
        has_ended = False
        with provider_errors():
            answer = await self._client.post(
                "/chat/completions",
                cast_to=object,
                body=body,
                stream=True,
                stream_cls=EventChunks,
            )
            async with aclosing(answer) as chunks:
                async for chunk in chunks:
                    text, is_last, usage = _read_chunk(chunk)
                    has_ended = has_ended or is_last
                    if usage is not None:
                        yield usage
                    if text is not None:
                        yield text
        if not has_ended:
            raise TextModelError("dependency.unavailable", "the answer was cut off")


def openai_client(address: ModelAddress, key: str, connect_seconds: float) -> openai.AsyncOpenAI:
    """A client of one address. It repeats nothing, since whoever asks keeps the time."""
    return openai.AsyncOpenAI(
        base_url=address.url,
        api_key=key or "none",
        max_retries=0,
        timeout=openai.Timeout(None, connect=connect_seconds),
    )


def _read_chunk(data: object) -> tuple[str | None, bool, Usage | None]:
    """A chunk's text, whether it is the last, and what the answer took if it says so.

    What is no chunk raises one of the errors that ``provider_errors`` takes for a broken answer.
    """
    chunk = cast("dict[str, Any]", data)
    usage = None
    counts = chunk.get("usage")
    if counts:
        usage = Usage(int(counts["prompt_tokens"]), int(counts["completion_tokens"]))
    choices = chunk.get("choices")
    if not choices:
        return None, False, usage
    text = choices[0]["delta"].get("content") or ""
    if not isinstance(text, str):
        raise TypeError("a piece of an answer is no text")
    return text, choices[0].get("finish_reason") is not None, usage
