"""Draining: no new connections, those that are open go on until they end."""

from __future__ import annotations

import asyncio

from server.transport.gateway import Gateway

__all__ = ["Draining"]


class Draining:
    """Whether this server lets go of its clients. Loop thread."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def is_active(self) -> bool:
        """Whether new connections are refused and readiness says so."""
        return self._gateway.is_draining

    def begin(self) -> None:
        """Refuse new connections with 503, and let ``/readyz`` say why."""
        self._gateway.is_draining = True

    def end(self) -> None:
        """Let new connections in again."""
        self._gateway.is_draining = False

    async def wait(self, seconds: float) -> int:
        """Wait until no connection is open, for so long; answers how many still are."""
        sockets = self._gateway.sockets
        try:
            async with asyncio.timeout(seconds):
                await sockets.until_empty()
        except TimeoutError:
            pass
        return len(sockets)
