"""Route input: the arguments of a route's function, from path, query, headers and body."""

from __future__ import annotations

import inspect
import re
import typing
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.requests import Request

from actors.errors import DeclarationError, ReducerError
from actors.module.routes import Route, Upload
from server.http.addresses import parameters_of
from server.http.json_reading import read_fields, reader_of, value_of_text
from server.http.shapes import (
    Field,
    Integer,
    ListOf,
    Option,
    Record,
    Scalar,
    fields_of_call,
    shape_of,
)
from server.limits import PAGE_ENTRIES_DEFAULT

__all__ = ["BODY_METHODS", "RouteInput", "route_input"]

BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})

_LAST_EVENT: Final = "last_event_id"
_REQUEST: Final = "request_id"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_:.\-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class RouteInput:
    """Where the fields of a route's input come from.

    Attributes:
        struct: what they make up; None when the function takes them one by one, or none.
        fields: all of them, in order.
        path, query, body: those that come from there.
        has_request_id: one is the request id.
        has_last_event: one is what a stream goes on behind.
    """

    route: Route
    struct: type | None
    fields: tuple[Field, ...]
    path: tuple[Field, ...]
    query: tuple[Field, ...]
    body: tuple[Field, ...]
    has_request_id: bool
    has_last_event: bool

    @property
    def may_lack_body(self) -> bool:
        """Whether nothing in a body must be there: then none is as good as an empty object."""
        return not self.route.is_upload and not any(field.is_required for field in self.body)

    def arguments(
        self, request: Request, parameters: Mapping[str, str], body: dict[str, object]
    ) -> tuple[Any, ...]:
        """The function's arguments.

        Raises:
            ReducerError: ``input.*``; the details name the field's path.
        """
        found: dict[str, object] = {}
        for field in self.path:
            text = parameters[field.name]
            found[field.name] = reader_of(field.shape)(value_of_text(field.shape, text), field.key)
        if self.has_request_id:
            found[_REQUEST] = request_id_of(request)
        queried = _queried(self.query, request)
        last_event = request.headers.get("last-event-id")
        if self.has_last_event and last_event:
            queried["lastEventId"] = last_event
        for fields, given in ((self.query, queried), (self.body, body)):
            values = read_fields(fields, given, "")
            found.update(zip((field.name for field in fields), values, strict=True))
        values = [found[field.name] for field in self.fields]
        if self.struct is None:
            return tuple(values)
        value = self.struct(*values)
        return (value if self.route.read is None else self.route.read(value),)


def request_id_of(request: Request) -> str:
    """The call's request id (domain 1.5): the client's, or one that nobody used before."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return f"http_{uuid.uuid4().hex}"
    if not _REQUEST_ID.match(given):
        raise ReducerError(
            "input.invalid_id", "Idempotency-Key has 1 to 64 characters A-Za-z0-9_:.-"
        )
    return given


def route_input(route: Route) -> RouteInput:
    """Find out where the fields of a route's input come from.

    Raises:
        DeclarationError: a parameter of the path is no field, or a type has no JSON.
    """
    struct, fields = _declared(route)
    by_name = {field.name: field for field in fields}
    names = parameters_of(route.path)
    unknown = set() if route.is_upload else set(names) - by_name.keys()
    if unknown:
        raise DeclarationError(f"{route.path}: the input has no field {min(unknown)}")
    path = tuple(by_name[name] for name in names if name in by_name)
    rest = tuple(field for field in fields if field not in path and field.name != _REQUEST)
    has_body = route.method in BODY_METHODS
    query = tuple(field for field in rest if not has_body or field.name == _LAST_EVENT)
    for field in query:
        if not _is_queryable(field):
            raise DeclarationError(f"{route.path}: {field.name} does not fit into a query")
    return RouteInput(
        route,
        struct,
        fields,
        path,
        tuple(map(_limited, query)),
        tuple(field for field in rest if field not in query),
        _REQUEST in by_name,
        _LAST_EVENT in by_name,
    )


def _declared(route: Route) -> tuple[type | None, tuple[Field, ...]]:
    """The struct that is read, if the function takes one, and the fields."""
    if route.is_upload:
        _check_upload(route)
        return None, ()
    if route.read is not None:
        record = _read_record(route)
        return record.struct, record.fields
    fields = fields_of_call(route.function)
    if len(fields) == 1 and isinstance(fields[0].shape, Record):
        record = fields[0].shape
        return record.struct, record.fields
    return None, fields


def _read_record(route: Route) -> Record:
    hints = typing.get_type_hints(route.read, include_extras=True)
    hints.pop("return", None)
    shapes = [shape_of(hint) for hint in hints.values()]
    if len(shapes) != 1 or not isinstance(shapes[0], Record):
        raise DeclarationError(f"{route.path}: the reading function takes one struct")
    return shapes[0]


def _check_upload(route: Route) -> None:
    hints = typing.get_type_hints(route.function)
    names = list(inspect.signature(route.function).parameters)[1:]
    if len(names) != 1 or hints[names[0]] is not Upload or route.method not in BODY_METHODS:
        raise DeclarationError(f"{route.path}: an upload's function takes a context and an Upload")


def _limited(field: Field) -> Field:
    """A page has at least one entry, and a usual size."""
    shape = field.shape.inner if isinstance(field.shape, Option) else field.shape
    if field.name != "limit" or not isinstance(shape, Integer):
        return field
    default = PAGE_ENTRIES_DEFAULT if field.is_required else field.default
    return replace(
        field,
        shape=replace(shape, low=max(1, shape.low)),
        default=PAGE_ENTRIES_DEFAULT if default is None else default,
    )


def _is_queryable(field: Field) -> bool:
    shape = field.shape.inner if isinstance(field.shape, Option) else field.shape
    shape = shape.element if isinstance(shape, ListOf) else shape
    return not isinstance(shape, Record | ListOf | Option) and shape not in {
        Scalar.EMBEDDED,
        Scalar.ANYTHING,
    }


def _queried(fields: tuple[Field, ...], request: Request) -> dict[str, object]:
    """What a query says of fields, as JSON; an option that is empty is not there."""
    found: dict[str, object] = {}
    for field in fields:
        texts = request.query_params.getlist(field.key)
        shape = field.shape.inner if isinstance(field.shape, Option) else field.shape
        if isinstance(shape, ListOf):
            if texts or field.is_required:
                found[field.key] = [value_of_text(shape, text) for text in texts]
        elif len(texts) > 1:
            text = f"{field.key} is given more than once"
            raise ReducerError("input.invalid_type", text, path=field.key)
        elif texts:
            found[field.key] = value_of_text(field.shape, texts[0])
    return found
