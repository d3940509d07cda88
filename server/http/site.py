"""Site: all HTTP routes of one server as one application."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from protocol.schema import ModuleSchema
from server.canary import CanaryState
from server.clock import now_micros
from server.databases import Databases
from server.http.cors import CrossOrigin
from server.http.database_facts import DatabaseFacts
from server.http.database_openapi import describing_route
from server.http.database_routes import database_routes
from server.http.facade import Facade
from server.http.function_routes import FunctionRoutes
from server.http.health import HealthProbe, health_routes
from server.http.identity_routes import identity_routes
from server.http.log_routes import LogRoutes
from server.http.module_routes import DatabaseModuleRoutes, ModuleRoutes
from server.http.traffic import RequestTraces, Traffic
from server.identity.tokens import Authenticator
from server.metrics import HttpTally
from server.telemetry.families import Sources

if TYPE_CHECKING:
    from server.telemetry.exposition import Exposition

__all__ = ["build_site"]


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
    clock: Callable[[], int] = now_micros,
    facade: Facade | None = None,
    functions: FunctionRoutes | None = None,
    logs: LogRoutes | None = None,
    traces: RequestTraces | None = None,
    access_log: bool = False,
) -> Starlette:
    """Build the application.

    Without ``metrics`` there is no ``/metrics``; without ``facade`` the module has no routes;
    without ``functions`` nothing is called and queried over HTTP, and without ``logs`` there are no
    logs. Requests are counted in ``tally`` all the same.
    """
    facts = DatabaseFacts(schema, clock)
    routes: list[BaseRoute] = [
        *health_routes(probe, canary),
        *identity_routes(authenticator, databases),
        *database_routes(authenticator, databases, facts, functions, logs),
        describing_route(schema),
    ]
    if metrics is not None:
        routes.append(_metrics_route(metrics))
    if facade is not None:
        routes += (ModuleRoutes(facade), DatabaseModuleRoutes(facade, databases))
    traffic = Middleware(Traffic, tally, traces, is_logged=access_log)
    return Starlette(routes=routes, middleware=[traffic, Middleware(CrossOrigin)])
