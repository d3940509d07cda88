"""Single call: a connection that lasts for one request over HTTP (wire spec 1.4)."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from actors.claims import Claims
from actors.host import Caller
from protocol.messages import V2
from protocol.values import ConnectionId
from server.transport.gateway import Gateway

__all__ = ["single_call"]

_PROTOCOL: Final = "http"


class _Nobody:
    """The sink of a connection without a socket: nobody hears what is sent to it."""

    def deliver(self, messages: list[bytes]) -> None:
        """The first message of the connection."""

    def abort(self, close_code: int, reason: str) -> None:
        """The store failed; the call learns it by itself."""


@asynccontextmanager
async def single_call(gateway: Gateway, claims: Claims) -> AsyncIterator[Caller]:
    """Run the module's ``client_connected`` before, and ``client_disconnected`` after, always.

    Raises:
        SessionRefusedError: the module refuses the caller.
    """
    connection_id = ConnectionId(secrets.randbits(128) or 1)
    session = gateway.sessions.open_session(
        claims=claims,
        connection_id=connection_id,
        token="",
        wire=V2,
        confirmed=True,
        sink=_Nobody(),
        subprotocol=_PROTOCOL,
        admission=None,
    )
    await session.connect()
    try:
        yield Caller(claims, connection_id, _PROTOCOL)
    finally:
        await session.disconnect()
