"""Facade: a module's routes, answered over HTTP (domain 11).

It keeps no state of the module: it says who asks, reads the request by the route's types, has the
function called, and writes the answer by its types.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias, cast

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from actors.claims import Claims
from actors.errors import ReducerError
from actors.host import Admission, Caller, HttpCalls, admit
from actors.module.object_store import ObjectStore
from actors.module.routes import Access, ObjectBody, Route
from protocol.identity import identity_from_claims
from protocol.values import ConnectionId
from server.errors import BannedError, TokenError, TokenExpiredError
from server.http.addresses import Addresses
from server.http.bodies import Bodies, has_body, media_type_of
from server.http.compiled_route import CompiledRoute, compile_route
from server.http.cors import Origins
from server.http.event_stream import EventStream
from server.http.json_reading import parse_object
from server.http.json_writing import json_bytes
from server.http.objects import object_response
from server.http.openapi import OPENAPI_PATH, describe
from server.http.problems import INTERNAL_ERROR, problem_response
from server.http.route_input import BODY_METHODS
from server.http.uploads import read_upload
from server.http.visits import Visits
from server.transport.gateway import Gateway

__all__ = ["Facade", "by_address"]

log = structlog.get_logger(__name__)

_JSON: Final = "application/json"
_FORM: Final = "multipart/form-data"
_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9_:.\-]{1,160}\Z")

_Handler: TypeAlias = Callable[["_Exchange"], Awaitable[Response | None]]
"""Answers a request; None when it has sent the answer itself."""


class _Exchange(NamedTuple):
    """A request, and how it is answered by who wants to do that alone."""

    request: Request
    parameters: Mapping[str, str]
    headers: dict[str, str]
    receive: Receive
    send: Send


class _Asking(NamedTuple):
    """Who asks; ``is_known`` if by a token."""

    claims: Claims
    admission: Admission | None
    is_known: bool


class Facade:
    """The routes of one module as an ASGI application, for one running loop.

    Args:
        routes: what is served.
        calls: runs their functions.
        gateway: tokens, sessions and rates, which sockets share.
        origins: pages of which sites may call.
        store: where stored objects are; None without one.

    Raises:
        DeclarationError: a route cannot be read or written.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        calls: HttpCalls,
        gateway: Gateway,
        origins: Origins,
        store: ObjectStore | None,
    ) -> None:
        self.visits = Visits(gateway)
        self._calls = calls
        self._gateway = gateway
        self._origins = origins
        self._store = store
        self._bodies = Bodies()
        self._closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._addresses: Addresses[_Handler] = Addresses()
        compiled = [compile_route(route) for route in routes]
        for entry in compiled:
            path = entry.route.path
            self._addresses.add(entry.route.method, path, partial(self._answer, entry))
        document = json_bytes(describe(compiled))
        self._addresses.add("GET", OPENAPI_PATH, partial(_show, document))
        self.roots = sorted({f"/{entry.route.path.split('/')[1]}" for entry in compiled} | {"/api"})

    def has_address(self, path: str) -> bool:
        """Whether there is anything at an address, for any method."""
        return self._addresses.find("GET", path) is not None

    def close(self) -> None:
        """End the streams, and refuse what comes from now on."""
        if not self._closing.done():
            self._closing.set_result(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        request = Request(scope, receive)
        request_id = _id_of(request)
        headers = {
            "x-request-id": request_id,
            "x-content-type-options": "nosniff",
            **self._origins.headers(request.headers.get("origin")),
        }
        response: Response | None
        try:
            response = await self._respond(request, headers, send)
        except ClientDisconnect:
            return
        except ReducerError as error:
            response = problem_response(error, request_id)
        except Exception:
            log.exception("a request failed", request_id=request_id, method=request.method)
            response = problem_response(INTERNAL_ERROR, request_id)
        if response is not None:
            response.headers.update(headers)
            response.headers.setdefault("cache-control", "no-store")
            await response(scope, receive, send)

    async def _respond(
        self, request: Request, headers: dict[str, str], send: Send
    ) -> Response | None:
        if self._closing.done():
            raise ReducerError("state.actor_unavailable", "the server stops")
        method = "GET" if request.method == "HEAD" else request.method
        found = self._addresses.find(method, request.scope["path"])
        if found is None:
            raise ReducerError("input.unknown_endpoint", "there is nothing at this address")
        if found.target is not None:
            exchange = _Exchange(request, found.parameters, headers, request.receive, send)
            return await found.target(exchange)
        allowed = found.methods | {"OPTIONS"} | ({"HEAD"} if "GET" in found.methods else set())
        allow = {"allow": ", ".join(sorted(allowed))}
        if method == "OPTIONS":
            preflight = self._origins.preflight(request.headers.get("origin"))
            return Response(status_code=204, headers={**allow, **preflight})
        error = ReducerError("input.method_not_allowed", f"{method} is not for this address")
        return problem_response(error, headers["x-request-id"], allow)

    async def _answer(self, compiled: CompiledRoute, exchange: _Exchange) -> Response | None:
        """Answer by a route."""
        request, route = exchange.request, compiled.route
        request.scope["template"] = route.path
        asking = await self._who(request, route.access)
        if route.roles and asking.claims.roles.isdisjoint(route.roles):
            raise ReducerError("auth.forbidden", "this address needs another role")
        admit(asking.admission, asking.claims, self._calls.now(), None)
        async with (
            self._arguments(compiled, exchange) as arguments,
            self._calling(asking) as caller,
        ):
            if compiled.is_stream:
                await self._stream(compiled, arguments, caller, asking.admission, exchange)
                return None
            value = await self._calls.call(route, arguments, caller, asking.admission)
            if compiled.is_object:
                return await object_response(request, cast("ObjectBody", value), self._store)
            status, body = compiled.answer(value)
            if body is None:
                return Response(status_code=status)
            return Response(json_bytes(body), status, media_type=_JSON)

    async def _stream(
        self,
        compiled: CompiledRoute,
        arguments: tuple[Any, ...],
        caller: Caller,
        admission: Admission | None,
        exchange: _Exchange,
    ) -> None:
        events = self._calls.stream(compiled.route, arguments, caller, admission)
        async with aclosing(events):
            stream = EventStream(events, self._closing)
            await stream.begin()
            is_head = exchange.request.method == "HEAD"
            await stream.run(exchange.receive, exchange.send, exchange.headers, is_head=is_head)

    async def _who(self, request: Request, access: Access) -> _Asking:
        """Who asks. Without a token it is somebody new; the rates then count by address."""
        gateway = self._gateway
        header = request.headers.get("authorization")
        if header is not None:
            try:
                bearer = await gateway.authenticator.authenticate(header)
            except TokenExpiredError as error:
                raise ReducerError("auth.token_expired", str(error)) from None
            except BannedError as error:
                raise ReducerError("auth.forbidden", str(error)) from None
            except TokenError as error:
                raise ReducerError("auth.unauthenticated", str(error)) from None
            return _Asking(bearer.claims, gateway.admission, is_known=True)
        if access is not Access.ANYONE:
            raise ReducerError("auth.unauthenticated", "a token is required")
        claims = gateway.authenticator.mint_anonymous().claims
        host = request.client.host if request.client else ""
        return _Asking(claims, by_address(gateway.admission, host), is_known=False)

    @asynccontextmanager
    async def _calling(self, asking: _Asking) -> AsyncIterator[Caller]:
        """A caller whom a token proves is connected while calling; nobody else has an account."""
        if not asking.is_known:
            yield Caller(asking.claims, ConnectionId(0), "http")
            return
        async with self.visits.visit(asking.claims) as caller:
            yield caller

    @asynccontextmanager
    async def _arguments(
        self, compiled: CompiledRoute, exchange: _Exchange
    ) -> AsyncIterator[tuple[Any, ...]]:
        """The arguments of a route's function; its body is in memory meanwhile."""
        request, parameters = exchange.request, exchange.parameters
        route = compiled.route
        is_bodiless = compiled.input.may_lack_body and not has_body(request)
        if route.method not in BODY_METHODS or is_bodiless:
            yield compiled.input.arguments(request, parameters, {})
            return
        media_types = {_JSON, _FORM} if route.is_upload else {_JSON}
        if media_type_of(request) not in media_types:
            wanted = " or ".join(sorted(media_types))
            raise ReducerError("input.unsupported_media", f"the body must be {wanted}")
        async with self._bodies.body(request, compiled.body_bytes_max) as body:
            if route.is_upload:
                yield (await read_upload(request, body, parameters),)
            else:
                yield compiled.input.arguments(request, parameters, parse_object(body))


async def _show(document: bytes, _exchange: _Exchange) -> Response:
    return Response(document, media_type=_JSON)


def by_address(admission: Admission | None, host: str) -> Admission | None:
    """The rates of everybody who comes from an address without a token."""
    if admission is None:
        return None
    identity = identity_from_claims("address", host)
    return lambda claims, now, rate: admission(claims._replace(identity=identity), now, rate)


def _id_of(request: Request) -> str:
    """The id that the answer and the log have: the client's, if it is one."""
    given = request.headers.get("x-request-id", "")
    return given if _GIVEN_ID.match(given) else f"req_{uuid.uuid4().hex}"
