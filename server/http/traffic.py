"""Traffic: counts HTTP requests by route, and logs them when that is wanted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final, Protocol

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.metrics import HttpTally

__all__ = ["RequestSpan", "RequestTraces", "Traffic"]

log = structlog.get_logger("server.access")

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNANSWERED: Final = "none"
"""The status of a request whose client left before it was answered."""


class RequestSpan(Protocol):
    """A request that is followed."""

    def update_name(self, name: str) -> None:
        """Name it."""

    def set_attribute(self, key: str, value: str) -> None:
        """Say something of it."""


class RequestTraces(Protocol):
    """Chooses the requests that are followed."""

    def request(
        self, method: str, headers: Mapping[str, str]
    ) -> AbstractContextManager[RequestSpan | None]:
        """Follow a request while the body runs; None when it is not chosen."""


class Traffic:
    """Wraps an application (ASGI).

    Args:
        app: answers. It notes the address that a request matched in the scope: as ``template``, or
            as Starlette does, the ``route`` whose path it is.
        tally: where requests are counted.
        traces: follow requests; None mostly.
        is_logged: whether each request is logged, without its query.
    """

    def __init__(
        self, app: ASGIApp, tally: HttpTally, traces: RequestTraces | None, *, is_logged: bool
    ) -> None:
        self._app = app
        self._tally = tally
        self._traces = traces
        self._is_logged = is_logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered, and note what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._traces is None:
            await self._answer(scope, receive, send)
        else:
            headers = {
                name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
            }
            with self._traces.request(scope["method"], headers) as span:
                status = await self._answer(scope, receive, send)
                if span is not None:
                    span.update_name(f"{scope['method']} {_template_of(scope)}")
                    span.set_attribute("http.route", _template_of(scope))
                    span.set_attribute("http.response.status_code", status)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> str:
        """Have a request answered, and count it; answers the status."""
        began = time.perf_counter()
        status = _UNANSWERED
        sent_bytes = 0

        async def note(message: Message) -> None:
            nonlocal status, sent_bytes
            if message["type"] == "http.response.start":
                status = str(message["status"])
            else:
                sent_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            seconds = time.perf_counter() - began
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._tally.note(_template_of(scope), method, status, seconds)
            if self._is_logged:
                log.info(
                    "request",
                    method=method,
                    path=scope["path"],
                    status=status,
                    seconds=round(seconds, 6),
                    bytes=sent_bytes,
                )
        return status


def _template_of(scope: Scope) -> str:
    """The address that was matched, with its parameters' names: of these there are few."""
    template = scope.get("template") or getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) else "unknown"
