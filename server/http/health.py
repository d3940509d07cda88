"""Health: whether the process answers, takes calls, and does all that it should (domain 11)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from persistence.errors import FencedError, StoreError
from persistence.store import Store
from server import __version__
from server.canary import CanaryState
from server.limits import HEALTH_SECONDS_MAX, REFUSAL_SECONDS

__all__ = ["HealthProbe", "health_routes"]

_FRESH_SECONDS = 1.0
_META_KEY = "health"
_REFUSES = "the store does not take writes"


class HealthProbe:
    """Writes a small value and says what came of it; callers at the same time share one write."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        since_refusal: Callable[[], float],
        is_draining: Callable[[], bool] = lambda: False,
    ) -> None:
        """Probe ``store``; ``clock`` is in seconds and never goes back.

        ``since_refusal`` says how many seconds ago the store refused a batch of the actors;
        ``is_draining`` whether new connections are refused.
        """
        self._store = store
        self._clock = clock
        self._since_refusal = since_refusal
        self._is_draining = is_draining
        self._checked_at = float("-inf")
        self._fault: str | None = None
        self._lock = asyncio.Lock()

    async def fault(self) -> str | None:
        """Say what is wrong, or None; at most ``_FRESH_SECONDS`` old."""
        if self._is_draining():
            return "the server is draining"
        async with self._lock:
            if self._clock() - self._checked_at >= _FRESH_SECONDS:
                self._fault = await self._write()
                self._checked_at = self._clock()
            if self._fault is None and self._since_refusal() < REFUSAL_SECONDS:
                return _REFUSES
            return self._fault

    async def _write(self) -> str | None:
        try:
            async with asyncio.timeout(HEALTH_SECONDS_MAX):
                await self._store.write_meta(_META_KEY, b"\x01")
        except TimeoutError:
            return "the store is too slow"
        except FencedError:
            return "another server owns the store"
        except StoreError:
            return _REFUSES
        return None


def health_routes(probe: HealthProbe, canary: Callable[[], CanaryState]) -> list[Route]:
    """Build ``/livez``, ``/readyz``, ``/healthz`` and the two that the wire knows.

    A process that is up answers ``/livez``, whatever its store does: starting it again would not
    help. ``/readyz`` answers 503 with a reason while calls cannot be acknowledged. ``/healthz``
    answers 503 with the part that is broken, and since when, while the canary finds one.
    """

    async def livez(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def healthz(_request: Request) -> Response:
        broken, since, beat_seconds = canary()
        if broken is None:
            return JSONResponse({"status": "ok", "beat_seconds": beat_seconds})
        content = {
            "status": "failing",
            "part": broken.name.lower(),
            "reason": broken.value,
            "since": datetime.fromtimestamp(since // 1_000_000, UTC).isoformat(),
            "beat_seconds": beat_seconds,
        }
        return JSONResponse(content, 503)

    async def readyz(_request: Request) -> Response:
        fault = await probe.fault()
        if fault is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reason": fault}, 503)

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
        Route("/livez", livez, methods=["GET"]),
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/v1/ping", ping, methods=["GET"]),
        Route("/v1/health", health, methods=["GET"]),
    ]
