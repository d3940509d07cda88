"""Effect declarations: what a module wants done outside, by a coroutine beside its actors.

An actor asks with ``ctx.request_effect(name, payload)``. The request waits in its outbox until the
effect's coroutine has returned, so it survives a crash and may be run more than once; what the
coroutine achieves becomes true only by the reducers that it calls (domain 1.4).
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

from actors.errors import DeclarationError
from actors.keys import ActorKey
from actors.module.context import ProcedureContext, ViewContext

__all__ = ["EffectContext", "EffectDeclaration", "effect"]

EffectFunction = TypeVar("EffectFunction", bound=Callable[..., Awaitable[None]])


class EffectContext(ProcedureContext, Protocol):
    """What an effect gets; its calls have the role ``service``."""

    @property
    def source(self) -> ActorKey:
        """The actor that asked."""

    @property
    def for_user(self) -> str:
        """The user on whose behalf it asked."""

    def unless(
        self, actor: ActorKey, query: Callable[[ViewContext], object | None]
    ) -> AbstractAsyncContextManager[None]:
        """Run a body, and cut it short as soon as a reading function answers something."""


@dataclass(frozen=True)
class EffectDeclaration:
    """A coroutine ``async def name(ctx: EffectContext, payload: Struct)``, perhaps with a port."""

    function: Callable[..., Awaitable[None]]

    @property
    def name(self) -> str:
        """What requests name it by."""
        return self.function.__name__

    @property
    def port(self) -> type | None:
        """What the server must provide for it; without that nobody serves the effect."""
        return self._annotations[0]

    @property
    def payload(self) -> type:
        """The struct class of its requests."""
        return self._annotations[1]

    @cached_property
    def _annotations(self) -> tuple[type | None, type]:
        hints = typing.get_type_hints(self.function)
        names = list(inspect.signature(self.function).parameters)[1:]
        port = hints.get(names[0]) if len(names) == 2 else None
        payload = hints.get(names[-1]) if names else None
        if (
            len(names) not in {1, 2}
            or (len(names) == 2 and not isinstance(port, type))
            or not hasattr(payload, "_fields")
        ):
            raise DeclarationError(f"{self.name} must take a context, perhaps a port, and a struct")
        return port, typing.cast("Any", payload)


def effect(function: EffectFunction) -> EffectFunction:
    """Declare an effect: ``async def name(ctx: EffectContext, port: Port, payload: Struct)``.

    It runs when the server provides the port; ``ctx.serves(name)`` tells reducers whether it does.
    One without the port's parameter always runs, and may look for ports with ``ctx.port``.
    When it raises, or takes too long, the request comes again after a pause.
    """
    is_coroutine = inspect.iscoroutinefunction(function)
    if not is_coroutine:
        raise DeclarationError(f"effect {function.__name__} must be a coroutine")
    function.__declaration__ = EffectDeclaration(function)  # type: ignore[attr-defined]
    return function
