"""Routes that run something in a database: one call of a function, one SQL statement (spec 1.4)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from actors.errors import ReducerError, SessionRefusedError
from actors.host import Admission, Caller, Host, NamedCalls, admit
from actors.host.procedures import FATAL as PROCEDURE_FATAL
from actors.host.session import FATAL as REDUCER_FATAL
from actors.host.turns import CallFailedError
from protocol.errors import SqlError
from protocol.sats_json import compile_json, dumps
from protocol.schema_json import product_json
from server.databases import Database
from server.http.bodies import Bodies, media_type_of
from server.http.facade import by_address
from server.http.queries import read_flag
from server.http.refusals import REDUCER_FAILED, refused
from server.http.single_call import single_call
from server.identity.tokens import Bearer
from server.limits import JSON_BODY_BYTES_MAX
from server.transport.gateway import Gateway

__all__ = ["FunctionRoutes"]

_JSON: Final = "application/json"
_DURATION: Final = "spacetime-execution-duration-micros"
_ENERGY: Final = "spacetime-energy-used"


class _Exchange(NamedTuple):
    """A request with its body, its caller and the caller's rates."""

    request: Request
    text: bytes
    caller: Caller
    admission: Admission | None


_Run: TypeAlias = Callable[[_Exchange], Awaitable[Response]]


class FunctionRoutes:
    """Runs functions and statements for callers without a socket.

    Each request has a connection of its own: the module's ``client_connected`` runs before it, and
    ``client_disconnected`` after it, whatever comes of it. What an answer tells is durable, unless
    the request says ``confirmed=false``.
    """

    def __init__(self, gateway: Gateway, host: Host, calls: NamedCalls) -> None:
        self._gateway = gateway
        self._host = host
        self._calls = calls
        self._bodies = Bodies()

    async def call(self, request: Request, bearer: Bearer, _database: Database) -> Response:
        """``POST /v1/database/:db/call/:function`` with the arguments as JSON."""
        if "content-type" not in request.headers:
            return PlainTextResponse("Header of type `content-type` was missing", 400)
        if media_type_of(request) != _JSON:
            text = "Expected request with `Content-Type: application/json`"
            return PlainTextResponse(text, 415)
        return await self._run(request, bearer, self._call)

    async def sql(self, request: Request, bearer: Bearer, _database: Database) -> Response:
        """``POST /v1/database/:db/sql`` with one statement as the body."""
        return await self._run(request, bearer, self._sql)

    async def _run(self, request: Request, bearer: Bearer, run: _Run) -> Response:
        try:
            if self._gateway.is_draining or not self._gateway.accepting:
                return refused(ReducerError("state.actor_unavailable", "the server stops"))
            admission = self._admission(request)
            admit(admission, bearer.claims, self._host.clock(), None)
            async with self._text(request) as text, self._connected(bearer) as caller:
                return await run(_Exchange(request, text, caller, admission))
        except ReducerError as error:
            return refused(error)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it

    def _admission(self, request: Request) -> Admission | None:
        """The caller's rates; those of the address for who has no token."""
        admission = self._gateway.admission
        if "authorization" in request.headers:
            return admission
        return by_address(admission, request.client.host if request.client else "")

    @asynccontextmanager
    async def _text(self, request: Request) -> AsyncIterator[bytes]:
        async with self._bodies.body(request, JSON_BODY_BYTES_MAX) as body:
            try:
                body.decode()
            except UnicodeDecodeError:
                text = "Request body didn't contain valid UTF-8"
                raise ReducerError("input.invalid_type", text) from None
            yield body

    @asynccontextmanager
    async def _connected(self, bearer: Bearer) -> AsyncIterator[Caller]:
        try:
            async with single_call(self._gateway, bearer.claims) as caller:
                yield caller
        except SessionRefusedError as error:
            cause = error.__cause__
            if isinstance(cause, ReducerError) and cause.code == "state.actor_unavailable":
                raise cause from None
            raise ReducerError("auth.forbidden", str(error)) from None

    async def _call(self, exchange: _Exchange) -> Response:
        name = exchange.request.path_params["function"]
        call = self._calls.prepare(name, exchange.text, exchange.caller, exchange.admission)
        began = time.perf_counter_ns()
        try:
            value = await call.run()
        except CallFailedError:
            if call.is_procedure:
                return PlainTextResponse(PROCEDURE_FATAL, 500)
            return PlainTextResponse(REDUCER_FATAL, REDUCER_FAILED, _cost(began))
        except ReducerError as error:
            if error.code == "state.actor_unavailable":
                raise
            return PlainTextResponse(str(error), REDUCER_FAILED, _cost(began))
        if call.is_procedure:
            return Response(dumps(value), 200, _cost(began), _JSON)
        return Response(b"", 200, _cost(began))

    async def _sql(self, exchange: _Exchange) -> Response:
        is_confirmed = read_flag(exchange.request, "confirmed", default=True)
        host, caller = self._host, exchange.caller
        began = time.perf_counter_ns()
        restarts = host.rounds.restarts
        try:
            answer = await host.sql(exchange.text.decode(), caller, caller.is_privileged)
        except SqlError as error:
            return PlainTextResponse(str(error), 400)
        if is_confirmed and (not await host.durable() or host.rounds.restarts != restarts):
            raise ReducerError("state.actor_unavailable", "try again later")
        write = compile_json(answer.schema).to_untyped
        cost = _cost(began)
        statement = {
            "schema": product_json(answer.schema),
            "rows": [write(row) for row in answer.rows],
            "total_duration_micros": int(cost[_DURATION]),
            "stats": {
                "rows_inserted": answer.rows_inserted,
                "rows_deleted": answer.rows_deleted,
                "rows_updated": answer.rows_updated,
            },
        }
        return Response(dumps([statement]), 200, {_DURATION: cost[_DURATION]}, _JSON)


def _cost(began: int) -> dict[str, str]:
    """What a call took; energy is not counted here, and clients expect the header."""
    micros = (time.perf_counter_ns() - began) // 1_000
    return {_ENERGY: "0", _DURATION: str(micros)}
