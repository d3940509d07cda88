"""Provided model: the text model that modules get, made of the providers of the settings (8.3).

Providers are asked in order. Until a piece has come, a transient failure is tried again, and any
failure goes to the next provider; from then on a failure is the answer's end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from actors.errors import TextModelError
from actors.module.text_model import Prompt
from server.effects.counts import ModelCounts
from server.effects.provider import Provider, Usage
from server.effects.retries import ask_in_order
from server.effects.turns import Turn, Turns
from server.limits import (
    MODEL_ANSWER_CHARS_MAX,
    MODEL_FIRST_SECONDS_MAX,
    MODEL_GAP_SECONDS_MAX,
    MODEL_RETRY_SECONDS,
    MODEL_SECONDS_MAX,
    TOKEN_ASCII_CHARS,
)

__all__ = ["ModelTimes", "ProvidedModel", "estimated_tokens"]


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


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has: one for four letters of ASCII or one other character."""
    ascii_chars = len(text.encode("ascii", "ignore"))
    return -(-ascii_chars // TOKEN_ASCII_CHARS) + len(text) - ascii_chars


class _Answer:
    """Pieces of one answer, taken together by whoever listens more slowly than they come."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._chars = 0
        self._news = asyncio.Event()
        self._has_ended = False
        self._tokens = 0
        self._began = asyncio.get_running_loop().time()
        self.first_seconds: float | None = None
        self.usage: Usage | None = None

    @property
    def has_begun(self) -> bool:
        return self.first_seconds is not None

    def put(self, piece: str) -> None:
        self._chars += len(piece)
        if self._chars > MODEL_ANSWER_CHARS_MAX:
            raise TextModelError("dependency.unavailable", "the answer has no end")
        if piece and self.first_seconds is None:
            self.first_seconds = asyncio.get_running_loop().time() - self._began
        self._pieces.append(piece)
        self._tokens += estimated_tokens(piece)
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

    def taken(self, prompt: Prompt) -> Usage:
        """What it took as far as the provider counted, and else by estimate."""
        if self.usage is not None:
            return self.usage
        asked = estimated_tokens(prompt.system) + estimated_tokens(prompt.user)
        return Usage(asked if self.has_begun else 0, self._tokens)


class ProvidedModel:
    """Implements ``actors.module.TextModel``.

    Args:
        providers: asked in this order; one at least.
        turns: who may ask.
        counts: what is counted of all requests.
        price: what 1,000 tokens cost.
        times: how long a request may take once it runs.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        turns: Turns,
        counts: ModelCounts,
        price: float = 0.0,
        times: ModelTimes | None = None,
    ) -> None:
        assert providers
        self._providers = tuple(providers)
        self._turns = turns
        self._counts = counts
        self._price = price
        self._times = times or ModelTimes()

    async def aclose(self) -> None:
        """Close all connections."""
        for provider in self._providers:
            await provider.aclose()

    async def stream_text(
        self, prompt: Prompt, *, user_id: str, tokens_max: int
    ) -> AsyncGenerator[str, None]:
        """The answer in pieces as they come; see ``TextModel``."""
        async with self._turns.turn(user_id) as turn:
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
                self._settle(turn, prompt, answer)

    async def complete_structured(
        self, prompt: Prompt, *, user_id: str, tokens_max: int, json_schema: str
    ) -> str:
        """The whole answer; see ``TextModel``."""
        system = f"{prompt.system}\nAnswer with one JSON object of this schema: {json_schema}"
        asked = Prompt(system, prompt.user)
        async with self._turns.turn(user_id) as turn:
            answer = _Answer()
            try:
                await self._ask(asked, tokens_max, answer, is_structured=True)
            finally:
                self._settle(turn, asked, answer)
            answer.end()
            return await answer.take()

    def _settle(self, turn: Turn, prompt: Prompt, answer: _Answer) -> None:
        turn.prompt_tokens, turn.answer_tokens = answer.taken(prompt)
        turn.cost = (turn.prompt_tokens + turn.answer_tokens) / 1_000 * self._price
        self._counts.first_seconds += answer.first_seconds or 0.0

    async def _ask(
        self, prompt: Prompt, tokens_max: int, answer: _Answer, *, is_structured: bool
    ) -> None:
        async def listen(provider: Provider) -> None:
            pieces = provider.stream(prompt, tokens_max, is_structured=is_structured)
            await self._listen(pieces, answer)

        try:
            async with asyncio.timeout(self._times.total):
                await ask_in_order(
                    self._providers, listen, self._times.retries, lambda: answer.has_begun
                )
        except TimeoutError:
            raise TextModelError("dependency.timeout", "the answer took too long") from None

    async def _listen(self, pieces: AsyncGenerator[str | Usage, None], answer: _Answer) -> None:
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
                if isinstance(piece, Usage):
                    answer.usage = piece
                else:
                    answer.put(piece)
                seconds = self._times.gap
