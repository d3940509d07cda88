"""Draining: no new connections, those that are open go on until they end."""

from __future__ import annotations

import asyncio

from server.transport.gateway import Gateway

__all__ = ["Draining"]


class Draining:
    """Whether this server lets go of its clients. Loop thread."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._resumed = asyncio.Event()

    @property
    def is_active(self) -> bool:
        """Whether new connections are refused and readiness says so."""
        return self._gateway.is_draining

    def begin(self) -> None:
        """Refuse new connections with 503, and let ``/readyz`` say why."""
        self._gateway.is_draining = True
        self._resumed.clear()

    def end(self) -> None:
        """Let new connections in again."""
        self._gateway.is_draining = False
        self._resumed.set()

    async def wait(self, seconds: float) -> int:
        """Wait until no connection is open, for so long; answers how many still are.

        Once it is over, because somebody has ended the draining, there is nothing to wait for.
        """
        sockets = self._gateway.sockets
        ends = [
            asyncio.create_task(sockets.until_empty()),
            asyncio.create_task(self._resumed.wait()),
        ]
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        return len(sockets)
