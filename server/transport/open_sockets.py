"""Open sockets: every connection that is through its handshake, for those who look or wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.claims import Claims
from protocol.values import ConnectionId

if TYPE_CHECKING:
    from server.transport.gateway import SessionPort, Sink

__all__ = ["OpenSocket", "OpenSockets"]


@dataclass(frozen=True, slots=True, eq=False)
class OpenSocket:
    """One connection. Loop thread.

    Attributes:
        claims: who is connected.
        connection_id: the id that the client chose, or was given.
        subprotocol: the version of the wire that it speaks.
        opened_at: when that was, in seconds of the loop's clock.
        session: its end at the actors.
        sink: its end at the peer; ``abort`` closes it.
    """

    claims: Claims
    connection_id: ConnectionId
    subprotocol: str
    opened_at: float
    session: SessionPort
    sink: Sink
    transport: asyncio.Transport

    @property
    def address(self) -> str:
        """The peer's address."""
        host, port, *_ = self.transport.get_extra_info("peername") or ("", 0)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def waiting_bytes(self) -> int:
        """Bytes that the peer has not taken yet."""
        return self.transport.get_write_buffer_size()

    @property
    def is_read(self) -> bool:
        """Whether its requests are taken: not while too many of them wait for answers."""
        return self.transport.is_reading()


class OpenSockets:
    """The open connections of one listener, the oldest first. Loop thread."""

    def __init__(self) -> None:
        self._sockets: dict[Sink, OpenSocket] = {}
        self._waiters: list[asyncio.Future[None]] = []

    def __len__(self) -> int:
        """Count them."""
        return len(self._sockets)

    def __iter__(self) -> Iterator[OpenSocket]:
        """Go through those of this moment."""
        return iter(tuple(self._sockets.values()))

    def add(self, socket: OpenSocket) -> None:
        """A connection is open."""
        self._sockets[socket.sink] = socket

    def discard(self, sink: Sink) -> None:
        """A connection has ended; harmless twice."""
        self._sockets.pop(sink, None)
        if not self._sockets:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    async def until_empty(self) -> None:
        """Wait until no connection is open."""
        while self._sockets:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
