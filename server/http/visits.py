"""Visits: callers who come by HTTP, connected for as long as they keep calling (domain 1.11).

A module's ``client_connected`` runs before a caller's first call and ``client_disconnected`` some
time after the last one, as if the calls came over one connection. So the first call creates the
account, later ones cost nothing, and others see somebody present who plays by HTTP alone.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final

from actors.claims import Claims
from actors.errors import ReducerError, SessionRefusedError
from actors.host import Caller
from protocol.messages import V2
from protocol.values import ConnectionId, Identity
from server.limits import VISIT_SECONDS, VISITS_MAX
from server.transport.gateway import Gateway

__all__ = ["Visits"]

_PROTOCOL: Final = "http"


class _Visit:
    """One caller's connection without a socket; it is the session's sink, and hears nothing."""

    def __init__(self, visits: Visits, gateway: Gateway, claims: Claims) -> None:
        self.identity = claims.identity
        self.connection_id = ConnectionId(secrets.randbits(128) or 1)
        self.calls = 0
        self.expiry: asyncio.TimerHandle | None = None
        self._visits = visits
        self.session = gateway.sessions.open_session(
            claims=claims,
            connection_id=self.connection_id,
            token="",
            wire=V2,
            confirmed=True,
            sink=self,
            subprotocol=_PROTOCOL,
            admission=None,
        )
        self.beginning = gateway.spawn(self.session.connect())

    def deliver(self, messages: list[bytes]) -> None:
        """The first message of a connection; nobody reads it."""

    def abort(self, close_code: int, reason: str) -> None:
        """The store failed: the next call connects again."""
        del close_code, reason
        self._visits.end(self)


class Visits:
    """The callers of the last while. Loop thread."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._open: dict[Identity, _Visit] = {}

    def __len__(self) -> int:
        """Count them."""
        return len(self._open)

    @asynccontextmanager
    async def visit(self, claims: Claims) -> AsyncIterator[Caller]:
        """Let a caller make a call, as one who is connected.

        Raises:
            ReducerError: ``client_connected`` refuses the caller.
        """
        visit = self._open.pop(claims.identity, None) or _Visit(self, self._gateway, claims)
        self._open[claims.identity] = visit  # The one that was used last stands last.
        self._make_room()
        visit.calls += 1
        if visit.expiry is not None:
            visit.expiry.cancel()
        try:
            await self._connected(visit)
            yield Caller(claims, visit.connection_id, _PROTOCOL)
        finally:
            visit.calls -= 1
            if visit.calls == 0:
                loop = asyncio.get_running_loop()
                visit.expiry = loop.call_later(VISIT_SECONDS, self.end, visit)

    def end(self, visit: _Visit) -> None:
        """End a visit; harmless twice. Calls that are under way go on."""
        if self._open.get(visit.identity) is visit:
            del self._open[visit.identity]
            self._gateway.spawn(self._disconnect(visit))
        if visit.expiry is not None:
            visit.expiry.cancel()

    def end_all(self) -> None:
        """End every visit, because the server stops."""
        for visit in list(self._open.values()):
            self.end(visit)

    async def _connected(self, visit: _Visit) -> None:
        try:
            # Others wait for the same beginning: one who gives up does not take it from them.
            await asyncio.shield(visit.beginning)
        except SessionRefusedError as error:
            self.end(visit)
            if isinstance(error.__cause__, ReducerError):
                raise error.__cause__ from None
            raise

    async def _disconnect(self, visit: _Visit) -> None:
        await asyncio.gather(visit.beginning, return_exceptions=True)
        await visit.session.disconnect()

    def _make_room(self) -> None:
        """End the visits that were used least recently, if there are too many."""
        excess = max(0, len(self._open) - VISITS_MAX)
        for visit in list(islice(self._open.values(), excess)):
            if visit.calls == 0:
                self.end(visit)
