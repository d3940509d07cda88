"""Provided model: the text model that modules get, made of the providers of the settings (8.3).

Providers are asked in order. Until a piece has come, a transient failure is tried again, and any
failure goes to the next provider; from then on a failure is the answer's end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from actors.errors import TextModelError
from actors.module.text_model import Prompt
from server.effects.provider import Provider, TransientModelError
from server.effects.slots import Slots
from server.limits import (
    MODEL_ANSWER_CHARS_MAX,
    MODEL_FIRST_SECONDS_MAX,
    MODEL_GAP_SECONDS_MAX,
    MODEL_RETRY_SECONDS,
    MODEL_SECONDS_MAX,
)

__all__ = ["ModelTimes", "ProvidedModel"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ModelTimes:
    """How long a request may take, in seconds.

    Attributes:
        first: until a provider's first sign of life.
        gap: between two of them.
        total: of the request, retries and all.
        retries: the pauses before the same provider is asked again.
    """

    first: float = MODEL_FIRST_SECONDS_MAX
    gap: float = MODEL_GAP_SECONDS_MAX
    total: float = MODEL_SECONDS_MAX
    retries: tuple[float, ...] = MODEL_RETRY_SECONDS


class _Answer:
    """Pieces of one answer, taken together by whoever listens more slowly than they come."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._chars = 0
        self._news = asyncio.Event()
        self._has_ended = False
        self.has_begun = False

    def put(self, piece: str) -> None:
        self._chars += len(piece)
        if self._chars > MODEL_ANSWER_CHARS_MAX:
            raise TextModelError("dependency.unavailable", "the answer has no end")
        self.has_begun = self.has_begun or bool(piece)
        self._pieces.append(piece)
        self._news.set()

    def end(self) -> None:
        self._has_ended = True
        self._news.set()

    async def take(self) -> str:
        """What has come since; empty when nothing more comes."""
        await self._news.wait()
        if not self._has_ended:
            self._news.clear()
        text = "".join(self._pieces)
        self._pieces.clear()
        return text


class ProvidedModel:
    """Implements ``actors.module.TextModel``.

    Args:
        providers: asked in this order; one at least.
        running_max: how many requests run at the same time; more of them wait.
        times: how long a request may take once it runs.
    """

    def __init__(
        self, providers: Sequence[Provider], running_max: int, times: ModelTimes | None = None
    ) -> None:
        assert providers
        self._providers = tuple(providers)
        self._slots = Slots(running_max)
        self._times = times or ModelTimes()

    async def aclose(self) -> None:
        """Close all connections."""
        for provider in self._providers:
            await provider.aclose()

    async def stream_text(
        self, prompt: Prompt, *, user_id: str, tokens_max: int
    ) -> AsyncGenerator[str, None]:
        """The answer in pieces as they come; see ``TextModel``."""
        async with self._slots.slot(user_id):
            answer = _Answer()
            asking = asyncio.create_task(self._ask(prompt, tokens_max, answer, is_structured=False))
            asking.add_done_callback(lambda _: answer.end())
            try:
                while not asking.done():
                    piece = await answer.take()
                    if piece:
                        yield piece
                rest = await answer.take()
                if rest:
                    yield rest
                await asking
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)

    async def complete_structured(
        self, prompt: Prompt, *, user_id: str, tokens_max: int, json_schema: str
    ) -> str:
        """The whole answer; see ``TextModel``."""
        system = f"{prompt.system}\nAnswer with one JSON object of this schema: {json_schema}"
        async with self._slots.slot(user_id):
            answer = _Answer()
            await self._ask(Prompt(system, prompt.user), tokens_max, answer, is_structured=True)
            answer.end()
            return await answer.take()

    async def _ask(
        self, prompt: Prompt, tokens_max: int, answer: _Answer, *, is_structured: bool
    ) -> None:
        def stream(provider: Provider) -> AsyncGenerator[str, None]:
            return provider.stream(prompt, tokens_max, is_structured=is_structured)

        error = TextModelError("dependency.unavailable", "no provider answered")
        try:
            async with asyncio.timeout(self._times.total):
                for provider in self._providers:
                    try:
                        await self._ask_again(provider, stream, answer)
                    except TextModelError as failure:
                        log.warning("a model failed", provider=provider.name, reason=str(failure))
                        if answer.has_begun:
                            raise
                        error = failure
                    else:
                        return
        except TimeoutError:
            raise TextModelError("dependency.timeout", "the answer took too long") from None
        raise error

    async def _ask_again(
        self,
        provider: Provider,
        stream: Callable[[Provider], AsyncGenerator[str, None]],
        answer: _Answer,
    ) -> None:
        """Ask a provider, and again after each pause while nothing has come."""
        for pause in (*self._times.retries, None):
            try:
                await self._listen(stream(provider), answer)
            except TransientModelError:
                if pause is None or answer.has_begun:
                    raise
                await asyncio.sleep(pause)
            else:
                return

    async def _listen(self, pieces: AsyncGenerator[str, None], answer: _Answer) -> None:
        seconds = self._times.first
        async with aclosing(pieces) as stream:
            while True:
                try:
                    async with asyncio.timeout(seconds):
                        piece = await anext(stream)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise TextModelError("dependency.timeout", "the model fell silent") from None
                answer.put(piece)
                seconds = self._times.gap
