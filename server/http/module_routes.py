"""Module routes: a module's own addresses among those of the server (wire spec 1.1)."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from server.databases import Databases
from server.http.facade import Facade

__all__ = ["DatabaseModuleRoutes", "ModuleRoutes"]

_PATH: Final = re.compile(r"/v1/database/([^/]+)/route(/.*)?", re.DOTALL)
_TEMPLATE: Final = "/v1/database/{database}/route/{path:path}"
_UNKNOWN: Final = "Database has not registered a handler for this route"


class ModuleRoutes(BaseRoute):
    """All addresses below the roots of a module's routes, whatever characters they have."""

    def __init__(self, facade: Facade) -> None:
        self._facade = facade
        self._roots = tuple(f"{root}/" for root in facade.roots)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for the module; the facade says what becomes of it."""
        is_ours = scope["type"] == "http" and f"{scope['path']}/".startswith(self._roots)
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        await self._facade(scope, receive, send)


class DatabaseModuleRoutes(BaseRoute):
    """The same addresses below ``/v1/database/:db/route``, with any method.

    Nobody but the route itself asks who comes: ``Authorization`` may be meant for the module.
    """

    def __init__(self, facade: Facade, databases: Databases) -> None:
        self._facade = facade
        self._databases = databases

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for a route of a database's module."""
        is_ours = scope["type"] == "http" and _PATH.fullmatch(scope["path"]) is not None
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        match = _PATH.fullmatch(scope["path"])
        assert match is not None, "only what matches is handled"
        scope["template"] = _TEMPLATE
        name, path = match[1], match[2] or ""
        if self._databases.find(name) is None:
            await PlainTextResponse(f"`{name}` not found", 404)(scope, receive, send)
        elif not self._facade.has_address(path):
            await PlainTextResponse(_UNKNOWN, 404)(scope, receive, send)
        else:
            inner = {**scope, "path": path, "raw_path": path.encode()}
            await self._facade(inner, receive, send)
