"""Routes: a module's HTTP addresses, as data; the server answers them (domain 11).

A module lists them in tuples named ``ROUTES``: ``ROUTES = (Route("GET", "/api/...", function),)``.
A route maps an address to a function of the module; the server reads the request by the types of
its input, calls it as the request's caller, and writes the answer by the types of its answer.

The fields of the input come from the path, the others from the query of a GET or DELETE and from
the JSON object of a POST or PUT, under camelCase names. A field may be absent when it is an option
or has a default. Some names mean more:

| field | what it gets |
|---|---|
| ``request_id`` | the header ``Idempotency-Key``, or a new id |
| ``last_event_id`` | the header ``Last-Event-ID``, or the query's ``lastEventId`` |
| ``limit`` | at least 1; 20 when the query does not say |
| ``..._json`` | a text that holds JSON: the value under the name without ``_json``, both ways |

Answers are written as they are typed: a struct as an object of all its fields, enum members by
their snake_case names, moments as RFC 3339 with microseconds, keys of a plain ``dict`` unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from actors.module.rates import Rate

__all__ = [
    "Access",
    "ObjectBody",
    "Route",
    "ServerEvent",
    "Upload",
]


class Access(Enum):
    """Who may use a route."""

    ANYONE = "anyone"
    """No token is needed; a caller without one is somebody new."""
    USER = "user"
    """A valid token is needed."""


class Upload(NamedTuple):
    """A file that a client has sent, whole.

    Attributes:
        data: its bytes, as they came.
        fields: the other fields of the form, or of the JSON object whose ``dataUrl`` held it,
            under the names that they came with, which are camelCase; those of the path as well.
    """

    data: bytes
    fields: dict[str, str]


class ObjectBody(NamedTuple):
    """An answer that is a stored object; the server streams it from the ``ObjectStore``.

    Attributes:
        content_hash: lower-case SHA-256; the entity tag.
        is_public: anybody may keep it for ever.
    """

    bucket: str
    key: str
    content_type: str
    content_length: int
    content_hash: str
    is_public: bool


class ServerEvent(NamedTuple):
    """One event of a stream.

    Attributes:
        event: its name.
        data: a struct or a JSON value; written on one line.
        id: what a client names to go on after it; None when it cannot.
    """

    event: str
    data: object
    id: str | None = None


@dataclass(frozen=True)
class Route:
    """One address.

    Attributes:
        method: GET, POST, PUT or DELETE; HEAD follows GET.
        path: with parameters in braces, which are fields of the input: ``/api/x/{profile_id}``.
            A last one may take the rest of the path with its slashes: ``/objects/{key:path}``.
        function: a declared reducer or procedure; or ``async def name(ctx: ProcedureContext,
            input: Struct) -> T``, which only HTTP knows; or an asynchronous generator of that
            shape, whose ``ServerEvent``s are streamed: what it raises before the first one is an
            ordinary answer, and it is closed when the client goes.
        answer: makes the body's struct or JSON object of the function's answer; its annotated
            return type describes the body. Without it the answer itself is the body.
        read: makes the function's input of the struct that its parameter is annotated with, when
            the body has another shape than the input.
        access: who may use it.
        roles: roles of which the caller needs one; empty means everybody.
        status: of a good answer; 204 has no body. A function of the answer when it varies.
        is_upload: the function takes an ``Upload``.
        body_bytes_max: largest body; the server's own limit for JSON when absent.
        rate: how often a user may use it, with whatever else has that rate; a declared function
            brings its own.
    """

    method: str
    path: str
    function: Callable[..., Any]
    answer: Callable[[Any], object] | None = None
    read: Callable[[Any], object] | None = None
    access: Access = Access.USER
    roles: frozenset[str] = frozenset()
    status: int | Callable[[Any], int] = 200
    is_upload: bool = False
    body_bytes_max: int | None = None
    rate: Rate | None = None
