"""Routes under ``/v1/database/:db``: which address does what, and for whom (wire spec 1.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from server.databases import Database, Databases
from server.http.bearers import authenticated
from server.http.database_facts import DatabaseFacts
from server.http.function_routes import FunctionRoutes
from server.http.log_routes import LogRoutes
from server.identity.tokens import Authenticator, Bearer

__all__ = ["database_routes"]

_Handler = Callable[[Request, Bearer, Database], Awaitable[Response]]


def database_routes(
    authenticator: Authenticator,
    databases: Databases,
    facts: DatabaseFacts,
    functions: FunctionRoutes | None,
    logs: LogRoutes | None,
) -> list[Route]:
    """Build the routes; without ``functions`` or ``logs`` there are none of theirs.

    Whoever comes without a token is somebody new.
    """

    def route(method: str, path: str, handler: _Handler) -> Route:
        async def handle(request: Request, bearer: Bearer) -> Response:
            name = request.path_params["database"]
            database = databases.find(name)
            if database is None:
                return PlainTextResponse(f"`{name}` not found", 404)
            return await handler(request, bearer, database)

        endpoint = authenticated(authenticator, handle, anonymous=True)
        return Route(f"/v1/database/{{database}}{path}", endpoint, methods=[method])

    routes = [
        route("GET", "", facts.info),
        route("GET", "/identity", facts.identity),
        route("GET", "/names", facts.names),
        route("GET", "/schema", facts.schema),
        route("GET", "/unstable/timestamp", facts.timestamp),
        route("GET", "/subscribe", facts.subscribe),
    ]
    if functions is not None:
        routes.append(route("POST", "/call/{function}", functions.call))
        routes.append(route("POST", "/sql", functions.sql))
    if logs is not None:
        routes.append(route("GET", "/logs", logs.show))
    return routes
