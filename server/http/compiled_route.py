"""Compiled route: how a route's requests are read and its answers written."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType
from typing import Any, Final

from actors.module.routes import ObjectBody, Route
from server.http.json_writing import writer_of
from server.http.route_input import RouteInput, route_input
from server.http.shapes import Scalar, Shape, shape_of
from server.limits import JSON_BODY_BYTES_MAX, UPLOAD_BYTES_MAX

__all__ = ["NO_CONTENT", "CompiledRoute", "compile_route"]

NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """A route, ready to be used.

    Attributes:
        input: where the function's arguments come from.
        body: the shape of a good answer's body.
        is_stream: the answer is a stream of events.
        is_object: the answer is a stored object.
        body_bytes_max: largest body of a request.
    """

    route: Route
    input: RouteInput
    body: Shape
    is_stream: bool
    is_object: bool
    body_bytes_max: int

    def answer(self, value: object) -> tuple[int, object]:
        """Status and body of a good answer, the body ready for ``json_bytes``."""
        route = self.route
        status = route.status(value) if callable(route.status) else route.status
        if status == NO_CONTENT:
            return status, None
        shown = value if route.answer is None else route.answer(value)
        return status, {} if shown is None else writer_of(self.body)(shown)


def compile_route(route: Route) -> CompiledRoute:
    """Compile a route; raises DeclarationError for what cannot be read or written."""
    answered = route.function if route.answer is None else route.answer
    hint = answered if isinstance(answered, type) else _return_hint(answered)
    is_stream = inspect.isasyncgenfunction(route.function)
    is_object = hint is ObjectBody
    is_special = is_stream or is_object
    if route.body_bytes_max is not None:
        limit = route.body_bytes_max
    else:
        limit = UPLOAD_BYTES_MAX if route.is_upload else JSON_BODY_BYTES_MAX
    return CompiledRoute(
        route=route,
        input=route_input(route),
        body=Scalar.ANYTHING if is_special or hint in {None, NoneType} else shape_of(hint),
        is_stream=is_stream,
        is_object=is_object,
        body_bytes_max=limit,
    )


def _return_hint(function: Callable[..., Any]) -> object:
    return typing.get_type_hints(function, include_extras=True).get("return")
