"""Health: whether the store takes writes and the loop turns, asked at most once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from persistence.errors import StoreError
from persistence.store import Store
from server import __version__
from server.limits import HEALTH_SECONDS_MAX

__all__ = ["HealthProbe", "health_routes"]

_FRESH_SECONDS = 1.0
_META_KEY = "health"


class HealthProbe:
    """Writes a small value and says what came of it; callers at the same time share one write."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        """Probe ``store``; ``clock`` is in seconds and never goes back."""
        self._store = store
        self._clock = clock
        self._checked_at = float("-inf")
        self._fault: str | None = None
        self._lock = asyncio.Lock()

    async def fault(self) -> str | None:
        """Say what is wrong, or None; at most ``_FRESH_SECONDS`` old."""
        async with self._lock:
            if self._clock() - self._checked_at >= _FRESH_SECONDS:
                self._fault = await self._write()
                self._checked_at = self._clock()
            return self._fault

    async def _write(self) -> str | None:
        try:
            async with asyncio.timeout(HEALTH_SECONDS_MAX):
                await self._store.write_meta(_META_KEY, b"\x01")
        except TimeoutError:
            return "the store is too slow"
        except StoreError:
            return "the store does not take writes"
        return None


def health_routes(probe: HealthProbe) -> list[Route]:
    """Build ``/healthz`` and the two that the wire knows."""

    async def healthz(_request: Request) -> Response:
        fault = await probe.fault()
        if fault is None:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "failing", "reason": fault}, 503)

    async def ping(_request: Request) -> Response:
        return Response()

    async def health(_request: Request) -> Response:
        return JSONResponse(
            {
                "package_name": "genarrative-server",
                "version": __version__,
                "nodes": [],
                "schedulable": await probe.fault() is None,
            }
        )

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/v1/ping", ping, methods=["GET"]),
        Route("/v1/health", health, methods=["GET"]),
    ]
