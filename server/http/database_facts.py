"""Facts about a database: what it is called, who owns it, what it publishes (wire spec 1.1, 13)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from blake3 import blake3
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from protocol.sats_json import compile_json, dumps
from protocol.schema import ModuleSchema
from protocol.schema_json import to_v9_json, to_v10_json
from protocol.types import IDENTITY, TIMESTAMP, U256, UNIT, Field, ProductType, SumType
from protocol.values import Variant
from server.databases import Database
from server.identity.tokens import Bearer

__all__ = ["DatabaseFacts"]

_JSON: Final = "application/json"

_INFO: Final = compile_json(
    ProductType(
        (
            Field("database_identity", IDENTITY),
            Field("owner_identity", IDENTITY),
            Field("host_type", SumType((Field("Wasm", UNIT), Field("Js", UNIT)))),
            Field("initial_program", U256),
        )
    )
)
_HOST_TYPE: Final = Variant(0, ())
"""Clients know two sorts of modules, and Python is neither: the one that all of them know."""


class DatabaseFacts:
    """Answers questions that change nothing.

    The schema is spelled once: it does not change while the server runs.
    """

    def __init__(self, schema: ModuleSchema, clock: Callable[[], int]) -> None:
        """Tell of ``schema``; ``clock`` is in microseconds since the Unix epoch."""
        self._clock = clock
        self._definitions = {
            "9": json.dumps(to_v9_json(schema)).encode(),
            "10": json.dumps(to_v10_json(schema)).encode(),
        }
        self._program = int.from_bytes(blake3(self._definitions["10"]).digest(), "little")

    async def info(self, _request: Request, _bearer: Bearer, database: Database) -> Response:
        """``GET /v1/database/:db``; the program's hash is that of what it publishes."""
        facts = (database.identity, database.owner, _HOST_TYPE, self._program)
        return Response(dumps(_INFO.to_typed(facts)), media_type=_JSON)

    async def identity(self, _request: Request, _bearer: Bearer, database: Database) -> Response:
        """``GET /v1/database/:db/identity``: 64 hex digits."""
        return PlainTextResponse(str(database.identity))

    async def names(self, _request: Request, _bearer: Bearer, database: Database) -> Response:
        """``GET /v1/database/:db/names``."""
        return JSONResponse({"names": [database.name]})

    async def schema(self, request: Request, _bearer: Bearer, _database: Database) -> Response:
        """``GET /v1/database/:db/schema?version=9|10``: the bare definition."""
        definition = self._definitions.get(request.query_params.get("version", ""))
        if definition is None:
            return PlainTextResponse("version is 9 or 10", 400)
        return Response(definition, media_type=_JSON)

    async def timestamp(self, _request: Request, _bearer: Bearer, _database: Database) -> Response:
        """``GET /v1/database/:db/unstable/timestamp``: the server's time."""
        return Response(dumps(compile_json(TIMESTAMP).to_typed(self._clock())), media_type=_JSON)

    async def subscribe(self, _request: Request, _bearer: Bearer, _database: Database) -> Response:
        """``GET /v1/database/:db/subscribe`` that is no upgrade."""
        text = "this address is for websockets"
        return PlainTextResponse(text, 426, {"upgrade": "websocket"})
