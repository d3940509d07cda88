"""Site: all HTTP routes of one server as one application."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from protocol.schema import ModuleSchema
from server.canary import CanaryState
from server.databases import Databases
from server.http.cors import CrossOrigin
from server.http.database_routes import database_routes
from server.http.facade import Facade
from server.http.health import HealthProbe, health_routes
from server.http.identity_routes import identity_routes
from server.http.traffic import RequestTraces, Traffic
from server.identity.tokens import Authenticator
from server.metrics import HttpTally
from server.telemetry.families import Sources

if TYPE_CHECKING:
    from server.telemetry.exposition import Exposition

__all__ = ["build_site"]


class _ModuleRoutes(BaseRoute):
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


_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def _metrics_route(sources: Sources) -> Route:
    exposition: Exposition | None = None

    async def show(_request: Request) -> Response:
        nonlocal exposition
        if exposition is None:
            from server.telemetry.exposition import Exposition  # noqa: PLC0415 - start-up

            exposition = Exposition(sources)
        return Response(await exposition.text(), headers={"content-type": _METRICS_TYPE})

    return Route("/metrics", show, methods=["GET"])


def build_site(
    *,
    authenticator: Authenticator,
    databases: Databases,
    schema: ModuleSchema,
    probe: HealthProbe,
    canary: Callable[[], CanaryState],
    tally: HttpTally,
    metrics: Sources | None,
    facade: Facade | None = None,
    traces: RequestTraces | None = None,
    access_log: bool = False,
) -> Starlette:
    """Build the application.

    Without ``metrics`` there is no ``/metrics``; without ``facade`` the module has no routes.
    Requests are counted in ``tally`` all the same.
    """
    routes: list[BaseRoute] = [
        *health_routes(probe, canary),
        *identity_routes(authenticator),
        *database_routes(authenticator, databases, schema),
    ]
    if metrics is not None:
        routes.append(_metrics_route(metrics))
    if facade is not None:
        routes.append(_ModuleRoutes(facade))
    traffic = Middleware(Traffic, tally, traces, is_logged=access_log)
    return Starlette(routes=routes, middleware=[traffic, Middleware(CrossOrigin)])
