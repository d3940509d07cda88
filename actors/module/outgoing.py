"""Outgoing: the port through which a turn posts messages and timers as rows of its own actor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from actors.keys import ActorKey

if TYPE_CHECKING:
    from actors.module.context import ReducerContext

__all__ = ["Outgoing"]


class Outgoing(Protocol):
    """Writes outbox and timer rows into the running transaction."""

    def send(
        self, ctx: ReducerContext, to: ActorKey, payload: object, idempotency_key: str
    ) -> None:
        """Post a message to another actor, or to an effect worker."""

    def send_at(
        self, ctx: ReducerContext, at: int, payload: object, timer_id: str | None, guard: int
    ) -> None:
        """Set a timer."""

    def serves(self, effect: str) -> bool:
        """Whether somebody serves the requests of an effect."""

    def provides(self, port: type) -> bool:
        """Whether the server provides a port."""

    def cancel(self, ctx: ReducerContext, timer_id: str) -> bool:
        """Take back a timer; False when there is none of that name."""
