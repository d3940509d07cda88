"""Retries: providers are asked in their order, each of them again after what may pass (8.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import structlog

from actors.errors import TextModelError
from server.effects.provider import TransientModelError
from server.limits import MODEL_RETRY_AFTER_SECONDS_MAX

__all__ = ["ask_in_order"]

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")


class _Named(Protocol):
    name: str


AnyProvider = TypeVar("AnyProvider", bound=_Named)


async def ask_in_order(
    providers: Iterable[AnyProvider],
    ask: Callable[[AnyProvider], Awaitable[Answer]],
    pauses: Sequence[float],
    has_begun: Callable[[], bool] = lambda: False,
) -> Answer:
    """The first answer.

    Args:
        providers: asked in this order.
        ask: one try.
        pauses: seconds before the second, the third and every further try of the same provider; one
            that wants to be left alone for longer is, and for too long is asked no more.
        has_begun: whether part of an answer has been told; then nobody is asked again.

    Raises:
        TextModelError: the last provider's.
    """
    error = TextModelError("dependency.unavailable", "no provider answered")
    for provider in providers:
        try:
            return await _ask_again(provider, ask, pauses, has_begun)
        except TextModelError as failure:
            log.warning("a model failed", provider=provider.name, reason=str(failure))
            if has_begun():
                raise
            error = failure
    raise error


async def _ask_again(
    provider: AnyProvider,
    ask: Callable[[AnyProvider], Awaitable[Answer]],
    pauses: Sequence[float],
    has_begun: Callable[[], bool],
) -> Answer:
    for pause in pauses:
        try:
            return await ask(provider)
        except TransientModelError as failure:
            if has_begun() or failure.retry_seconds > MODEL_RETRY_AFTER_SECONDS_MAX:
                raise
            await asyncio.sleep(max(pause, failure.retry_seconds))
    return await ask(provider)
