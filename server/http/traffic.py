"""Traffic: counts HTTP requests by route, and logs them when that is wanted."""

from __future__ import annotations

import time
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.metrics import HttpTally

__all__ = ["Traffic"]

log = structlog.get_logger("server.access")

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNANSWERED: Final = "none"
"""The status of a request whose client left before it was answered."""


class Traffic:
    """Wraps an application (ASGI).

    Args:
        app: answers. It notes the address that a request matched in the scope: as ``template``, or
            as Starlette does, the ``route`` whose path it is.
        tally: where requests are counted.
        is_logged: whether each request is logged, without its query.
    """

    def __init__(self, app: ASGIApp, tally: HttpTally, *, is_logged: bool) -> None:
        self._app = app
        self._tally = tally
        self._is_logged = is_logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered, and note what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
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


def _template_of(scope: Scope) -> str:
    """The address that was matched, with its parameters' names: of these there are few."""
    template = scope.get("template") or getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) else "unknown"
