"""OpenAPI: a document about a module's routes, made from their types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any, Final

from actors.module.routes import Access
from server import __version__
from server.http.compiled_route import NO_CONTENT, CompiledRoute
from server.http.event_stream import MEDIA_TYPE
from server.http.json_schema import Schema, Schemas
from server.http.route_input import BODY_METHODS
from server.http.uploads import DATA_URL, FILE

__all__ = ["OPENAPI_PATH", "describe"]

OPENAPI_PATH: Final = "/api/openapi.json"

_JSON: Final = "application/json"
_OPEN_STATUSES: Final = (200, 201, 202, 204)
"""What a good answer may have whose status depends on it."""

_PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "Why a request was refused.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details", "requestId"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {"type": "object"},
                "requestId": {"type": "string"},
            },
        }
    },
}
_REQUEST_ID: Final[Schema] = {"type": "string", "pattern": r"^[A-Za-z0-9_:.\-]{1,64}$"}


def describe(routes: Iterable[CompiledRoute]) -> dict[str, object]:
    """The document, as a JSON value."""
    schemas = Schemas(Problem=_PROBLEM)
    paths: dict[str, dict[str, object]] = {}
    for compiled in routes:
        path = re.sub(r"\{([a-z0-9_]+)(:path)?\}", r"{\1}", compiled.route.path)
        operation = _operation(compiled, schemas)
        paths.setdefault(path, {})[compiled.route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "HTTP routes of the module", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(compiled: CompiledRoute, schemas: Schemas) -> dict[str, object]:
    route = compiled.route
    operation: dict[str, object] = {
        "summary": (inspect.getdoc(route.function) or "").partition("\n")[0],
        "parameters": _parameters(compiled, schemas),
        "responses": _responses(compiled, schemas),
        "security": [{"bearer": []}, *([{}] if route.access is Access.ANYONE else [])],
    }
    if route.roles:
        operation["description"] = f"Needs one of the roles: {', '.join(sorted(route.roles))}."
    if route.method in BODY_METHODS:
        operation["requestBody"] = {
            "required": not compiled.input.may_lack_body,
            "content": _contents(compiled, schemas),
        }
    return operation


def _parameters(compiled: CompiledRoute, schemas: Schemas) -> list[dict[str, object]]:
    given = compiled.input
    parameters: list[dict[str, object]] = [
        {
            "name": field.name,
            "in": "path",
            "required": True,
            "schema": {**schemas.schema(field.shape, sent=True)},
        }
        for field in given.path
    ]
    for field in given.query:
        schema = schemas.schema(field.shape, sent=True)
        if not field.is_required and isinstance(field.default, int | str):
            schema["default"] = field.default
        parameters.append(
            {"name": field.key, "in": "query", "required": field.is_required, "schema": schema}
        )
    if given.has_request_id:
        parameters.append({"name": "Idempotency-Key", "in": "header", "schema": _REQUEST_ID})
    if given.has_last_event:
        text: Any = {"type": "string"}
        parameters.append({"name": "Last-Event-ID", "in": "header", "schema": text})
    return parameters


def _contents(compiled: CompiledRoute, schemas: Schemas) -> dict[str, object]:
    if not compiled.route.is_upload:
        return {_JSON: {"schema": schemas.object_schema(compiled.input.body, sent=True)}}
    return {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [FILE],
                "properties": {FILE: {"type": "string", "contentMediaType": "image/*"}},
            }
        },
        _JSON: {
            "schema": {
                "type": "object",
                "required": [DATA_URL],
                "properties": {DATA_URL: {"type": "string"}},
                "additionalProperties": {"type": "string"},
            }
        },
    }


def _responses(compiled: CompiledRoute, schemas: Schemas) -> dict[str, object]:
    status = compiled.route.status
    statuses = _OPEN_STATUSES if callable(status) else (status,)
    good = {str(number): _good(compiled, schemas, number) for number in statuses}
    error = {"schema": {"$ref": "#/components/schemas/Problem"}}
    refused = {"description": "Refused.", "content": {_JSON: error}}
    if compiled.is_object:
        good["304"] = {"description": "The client has it."}
    return {**good, "default": refused}


def _good(compiled: CompiledRoute, schemas: Schemas, status: int) -> dict[str, object]:
    if status == NO_CONTENT:
        return {"description": "Done."}
    if compiled.is_object:
        return {"description": "The object.", "content": {"*/*": {}}}
    if compiled.is_stream:
        return {
            "description": "Events, until the work is done.",
            "content": {MEDIA_TYPE: {}},
        }
    schema = schemas.schema(compiled.body)
    return {"description": "Done.", "content": {_JSON: {"schema": schema}}}
