"""Cross-origin rules: any page may call ``/v1`` (wire spec 1.5), known ones a module's routes.

Tokens travel in headers and never in cookies, so no answer allows credentials.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.limits import PREFLIGHT_SECONDS

__all__ = ["CrossOrigin", "Origins"]

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_EXPOSED: Final = "x-request-id, retry-after, etag, allow"
_PREFLIGHT: Final = {
    "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE",
    "access-control-allow-headers": (
        "authorization, accept, content-type, idempotency-key, if-none-match, last-event-id, "
        "x-request-id"
    ),
    "access-control-max-age": str(PREFLIGHT_SECONDS),
}

_HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "*",
    "access-control-allow-headers": "authorization,accept,content-type",
}


class CrossOrigin:
    """Middleware: answers preflights and puts the headers on every other answer, errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await Response(headers=_HEADERS)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Origins:
    """The sites whose pages may call a module's routes (domain 11.1).

    Args:
        allowed: their origins, as in ``https://play.example``; ``*`` stands for all.
        loopback: whether pages of this machine may call, from any port.
    """

    def __init__(self, allowed: tuple[str, ...], *, loopback: bool) -> None:
        self._allowed = frozenset(allowed)
        self._loopback = loopback

    def headers(self, origin: str | None) -> dict[str, str]:
        """The headers of an answer to a page."""
        if origin is None or not self._allows(origin):
            return {"vary": "Origin"}
        return {
            "vary": "Origin",
            "access-control-allow-origin": origin,
            "access-control-expose-headers": _EXPOSED,
        }

    def preflight(self, origin: str | None) -> dict[str, str]:
        """The further headers of an answer to a page that asks first."""
        return dict(_PREFLIGHT) if origin is not None and self._allows(origin) else {}

    def _allows(self, origin: str) -> bool:
        if "*" in self._allowed or origin in self._allowed:
            return True
        try:
            return self._loopback and urlsplit(origin).hostname in _LOOPBACK
        except ValueError:
            return False
