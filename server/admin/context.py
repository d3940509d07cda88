"""Admin context: what a command's handler may know and use besides its parameters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from actors.keys import ActorKey
from server.admin.roles import Role

if TYPE_CHECKING:
    from actors.host import Host
    from persistence.store import Store, StoreDescription
    from server.admin.audit import Audit
    from server.admin.bans import Bans
    from server.admin.draining import Draining
    from server.admin.feeds import Feeds
    from server.admin.operations import Operations
    from server.metrics import Metrics
    from server.settings import Settings
    from server.transport.gateway import Gateway

__all__ = ["AdminContext", "Operator", "Parts", "Peer", "Touched"]


class Operator(NamedTuple):
    """Who runs commands, as a verified token says it.

    ``expires_at`` is in microseconds since the Unix epoch; None for the data folder's own token.
    """

    name: str
    issuer: str
    role: Role
    identity: int
    expires_at: int | None


class Touched(NamedTuple):
    """The actor that a command changed, and its journal's sequence numbers around that."""

    actor: ActorKey
    seq_before: int
    seq_after: int | None


class Peer(Protocol):
    """The operator's end of the channel."""

    def begin(self, work: Coroutine[object, object, None], stop: Callable[[], None]) -> int:
        """Run work once the command is answered; it is cancelled when the operator leaves.

        ``stop`` asks it to come to its end. Answers its number on this connection.

        Raises:
            CommandError: ``limit.quota_exceeded``.
        """

    def end(self, number: int) -> bool:
        """Ask such work to come to its end; False when that was done already, or it never was."""

    def at_end(self, act: Callable[[], None]) -> None:
        """Do something once the command is answered, or when nobody waits for that any more."""

    async def notify(self, method: str, params: Mapping[str, object]) -> None:
        """Send a notification; waits while the operator does not read."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The parts of a running server that commands look at and act on.

    Attributes:
        settings: the effective settings.
        sources: for each of their keys, where its value came from.
        store_description: what the store said of itself when it was opened.
        clock: microseconds since the Unix epoch.
        started_at: by that clock.
        end: asks the server to stop, as a signal does.
    """

    settings: Settings
    sources: Mapping[str, str]
    host: Host
    store: Store
    store_description: StoreDescription
    gateway: Gateway
    metrics: Metrics
    operations: Operations
    audit: Audit
    bans: Bans
    draining: Draining
    feeds: Feeds
    clock: Callable[[], int]
    started_at: int
    end: Callable[[], None]


@dataclass(slots=True, eq=False)
class AdminContext:
    """One run of a command.

    Attributes:
        parts: what can be looked at and acted on.
        operator: who asks.
        peer: where notifications go.
        reason: why it is asked; empty where nothing is changed.
        touched: what the audit shall say was changed; set by ``touching``.
    """

    parts: Parts
    operator: Operator
    peer: Peer
    reason: str = ""
    touched: Touched | None = field(default=None, init=False)

    @property
    def host(self) -> Host:
        """The actors' host."""
        return self.parts.host

    @asynccontextmanager
    async def touching(self, key: ActorKey) -> AsyncIterator[None]:
        """Note for the audit how far an actor's journal was before and after what is done inside.

        The actor is brought into memory; raises ReducerError when it cannot be.
        """
        host = self.parts.host
        await host.activate([key])
        before = host.core(key).seq
        self.touched = Touched(key, before, None)
        try:
            yield
        finally:
            after = host.core(key).seq if host.is_active(key) else None
            self.touched = Touched(key, before, after)
