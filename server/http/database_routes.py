"""Routes under ``/v1/database/:db`` that only read: names, identity, schema (wire spec 1, 13)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from protocol.schema import ModuleSchema
from protocol.schema_json import to_v9_json, to_v10_json
from server.databases import Database, Databases
from server.http.bearers import authenticated
from server.identity.tokens import Authenticator, Bearer

__all__ = ["database_routes"]

_DatabaseHandler = Callable[[Request, Database], Awaitable[Response]]


def database_routes(
    authenticator: Authenticator, databases: Databases, schema: ModuleSchema
) -> list[Route]:
    """Build the routes. The schema is spelled once: it does not change while the server runs."""
    definitions = {
        "9": json.dumps(to_v9_json(schema)).encode(),
        "10": json.dumps(to_v10_json(schema)).encode(),
    }

    def route(path: str, handler: _DatabaseHandler) -> Route:
        async def handle(request: Request, _bearer: Bearer) -> Response:
            name = request.path_params["database"]
            database = databases.find(name)
            if database is None:
                return PlainTextResponse(f"`{name}` not found", 404)
            return await handler(request, database)

        endpoint = authenticated(authenticator, handle, anonymous=True)
        return Route(f"/v1/database/{{database}}/{path}", endpoint, methods=["GET"])

    async def identity(_request: Request, database: Database) -> Response:
        return PlainTextResponse(str(database.identity))

    async def names(_request: Request, database: Database) -> Response:
        return JSONResponse({"names": [database.name]})

    async def show_schema(request: Request, _database: Database) -> Response:
        definition = definitions.get(request.query_params.get("version", ""))
        if definition is None:
            return PlainTextResponse("version is 9 or 10", 400)
        return Response(definition, media_type="application/json")

    async def subscribe(_request: Request, _database: Database) -> Response:
        return PlainTextResponse(
            "this address is for websockets", 426, headers={"upgrade": "websocket"}
        )

    return [
        route("identity", identity),
        route("names", names),
        route("schema", show_schema),
        route("subscribe", subscribe),
    ]
