"""OpenAPI of ``/v1``: the addresses of every database, and each function with its arguments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from protocol.json_schema import definitions
from protocol.schema import ModuleSchema, visible_part
from server import __version__

__all__ = ["PATH", "describe_database", "describing_route"]

PATH: Final = "/v1/openapi.json"

_JSON: Final = "application/json"
_TEXT: Final = "text/plain"
_REFS: Final = "#/components/schemas/"
_FLAG: Final = {"type": "boolean"}
_ANY: Final[dict[str, object]] = {}

_Content = dict[str, dict[str, object]]


class _Operation(NamedTuple):
    """One method of one address.

    Attributes:
        query: its parameters and their schemas.
        body: what is sent, by media type.
        answer: what a good answer has, by media type; empty for none.
        refused: further statuses and what they say.
        needs_token: whether a caller without a token is refused; None when nobody asks.
    """

    method: str
    path: str
    summary: str
    answer: _Content
    status: int = 200
    query: tuple[tuple[str, Mapping[str, object]], ...] = ()
    body: _Content | None = None
    refused: tuple[tuple[int, str], ...] = ()
    needs_token: bool | None = False


def _json(*names: str) -> _Content:
    """An object of texts."""
    properties = {name: {"type": "string"} for name in names}
    return {_JSON: {"schema": {"type": "object", "properties": properties, "required": [*names]}}}


_ANYTHING: Final[_Content] = {_JSON: {"schema": _ANY}}
_WORDS: Final[_Content] = {_TEXT: {"schema": {"type": "string"}}}
_CALLED: Final = (
    (400, "The arguments do not fit, or the host alone calls the reducer."),
    (403, "The module or an operator does not let the caller in."),
    (404, "There is no such database or function."),
    (413, "The body is too large."),
    (415, "The body is not JSON."),
    (429, "Too many calls; see Retry-After."),
    (503, "The server stops, or its store fails; see Retry-After."),
    (530, "The function refused, in its own words."),
)
_CALL: Final = "/v1/database/{database}/call/{function}"

_OPERATIONS: Final = (
    _Operation("get", "/v1/ping", "Whether a server answers.", {}, needs_token=None),
    _Operation("get", "/v1/health", "What serves, and if it can.", _ANYTHING, needs_token=None),
    _Operation("get", PATH, "This document.", _ANYTHING, needs_token=None),
    _Operation(
        *("post", "/v1/identity", "Make a new identity.", _json("identity", "token")),
        needs_token=None,
    ),
    _Operation(
        *("post", "/v1/identity/websocket-token", "A token for an address, for 60 seconds."),
        _json("token"),
        needs_token=True,
    ),
    _Operation(
        *("get", "/v1/identity/public-key", "The key that tokens are signed with."),
        {"application/pem-certificate-chain": {"schema": {"type": "string"}}},
        needs_token=None,
    ),
    _Operation(
        *("get", "/v1/identity/{identity}/verify", "Whether the token is this identity's.", {}),
        status=204,
        refused=((400, "It is another's, or that is no identity."),),
        needs_token=True,
    ),
    _Operation(
        *("get", "/v1/identity/{identity}/databases", "What an identity owns.", _ANYTHING),
        needs_token=None,
    ),
    _Operation("get", "/v1/database/{database}", "What a database is.", _ANYTHING),
    _Operation("get", "/v1/database/{database}/identity", "Its identity, 64 hex digits.", _WORDS),
    _Operation("get", "/v1/database/{database}/names", "Its names.", _ANYTHING),
    _Operation(
        *("get", "/v1/database/{database}/schema", "Its tables, functions and types.", _ANYTHING),
        query=(("version", {"enum": ["9", "10"]}),),
        refused=((400, "There is no such version."),),
    ),
    _Operation(
        *("get", "/v1/database/{database}/unstable/timestamp", "The server's time.", _ANYTHING),
    ),
    _Operation(
        *("get", "/v1/database/{database}/subscribe", "Become a websocket.", {}),
        status=101,
        query=(
            ("token", {"type": "string"}),
            ("compression", {"enum": ["None", "Brotli", "Gzip"]}),
            ("light", _FLAG),
            ("confirmed", _FLAG),
            ("connection_id", {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"}),
        ),
        refused=((400, "A parameter has no meaning."), (426, "The request is no upgrade.")),
    ),
    _Operation(
        *("post", _CALL, "Call a reducer or a procedure.", _ANYTHING),
        body=_ANYTHING,
        refused=_CALLED,
    ),
    _Operation(
        *("post", "/v1/database/{database}/sql", "Run one SQL statement.", _ANYTHING),
        query=(("confirmed", _FLAG),),
        body=_WORDS,
        refused=((400, "The statement cannot be run."), *_CALLED[1:4], *_CALLED[5:7]),
    ),
    _Operation(
        *("get", "/v1/database/{database}/logs", "The last logs; for the owner."),
        {"application/x-ndjson": {"schema": {"type": "string"}}},
        query=(("num_lines", {"type": "integer", "minimum": 0}), ("follow", _FLAG)),
        refused=((403, "The caller does not own the database."),),
    ),
)


def describe_database(schema: ModuleSchema) -> dict[str, object]:
    """The document, as a JSON value; functions of the module have addresses of their own."""
    visible = visible_part(schema)
    paths: dict[str, dict[str, object]] = {}
    called = [_call(one.name, f"reducers.{one.name}", None) for one in visible.reducers] + [
        _call(one.name, f"procedures.{one.name}", f"procedures.{one.name}.returns")
        for one in visible.procedures
    ]
    for operation in (*_OPERATIONS, *called):
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "HTTP API of the databases", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": definitions(schema, _REFS),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def describing_route(schema: ModuleSchema) -> Route:
    """The address of the document, which is made once."""
    document = json.dumps(describe_database(schema)).encode()

    async def show(_request: Request) -> Response:
        return Response(document, media_type=_JSON)

    return Route(PATH, show, methods=["GET"])


def _call(name: str, arguments: str, returns: str | None) -> _Operation:
    answer: _Content = {}
    if returns is not None:
        # The answer is spelled without names; its definition is for the reader.
        answer = {_JSON: {"schema": {"description": f"{_REFS}{returns}, without names"}}}
    return _Operation(
        "post",
        _CALL.replace("{function}", name),
        f"Call {name}.",
        answer,
        body={_JSON: {"schema": {"$ref": f"{_REFS}{arguments}"}}},
        refused=_CALLED,
    )


def _described(operation: _Operation) -> dict[str, object]:
    good: dict[str, object] = {"description": "Done."}
    if operation.answer:
        good["content"] = operation.answer
    responses: dict[str, object] = {str(operation.status): good}
    refused = list(operation.refused)
    if operation.needs_token is not None:
        refused.append((401, "The token is not accepted."))
    for status, text in refused:
        responses[str(status)] = {"description": text}
    described: dict[str, object] = {
        "summary": operation.summary,
        "parameters": [*_in_path(operation.path), *_in_query(operation)],
        "responses": responses,
    }
    if operation.needs_token is not None:
        described["security"] = [{"bearer": []}, *([] if operation.needs_token else [{}])]
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": operation.body}
    return described


def _in_path(path: str) -> Iterable[dict[str, object]]:
    for segment in path.split("/"):
        if segment.startswith("{"):
            name = segment.strip("{}")
            schema = {"type": "string"}
            yield {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(operation: _Operation) -> Iterable[dict[str, object]]:
    for name, schema in operation.query:
        required = name == "version"
        yield {"name": name, "in": "query", "required": required, "schema": schema}
