"""Site: all HTTP routes of one server as one application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from protocol.schema import ModuleSchema
from server.databases import Databases
from server.http.cors import CrossOrigin
from server.http.database_routes import database_routes
from server.http.health import HealthProbe, health_routes
from server.http.identity_routes import identity_routes
from server.identity.tokens import Authenticator
from server.metrics import Metrics

__all__ = ["build_site"]

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def _metrics_route(metrics: Metrics) -> Route:
    async def show(_request: Request) -> Response:
        return Response(metrics.exposition(), headers={"content-type": _METRICS_TYPE})

    return Route("/metrics", show, methods=["GET"])


def build_site(
    *,
    authenticator: Authenticator,
    databases: Databases,
    schema: ModuleSchema,
    probe: HealthProbe,
    metrics: Metrics | None,
) -> Starlette:
    """Build the application; without ``metrics`` there is no ``/metrics``."""
    routes: list[BaseRoute] = [
        *health_routes(probe),
        *identity_routes(authenticator),
        *database_routes(authenticator, databases, schema),
    ]
    if metrics is not None:
        routes.append(_metrics_route(metrics))
    return Starlette(routes=routes, middleware=[Middleware(CrossOrigin)])
