"""Channel: the operators' websocket, on a listener of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final
from weakref import WeakKeyDictionary

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from server.admin.context import Operator
from server.admin.dispatch import Dispatcher
from server.admin.jsonrpc import notification_text
from server.admin.tokens import AdminTokens
from server.errors import CommandError, CredentialsError, TokenError
from server.identity.tokens import bearer_token
from server.limits import (
    ADMIN_CONNECTIONS_MAX,
    ADMIN_MESSAGE_BYTES_MAX,
    ADMIN_STOP_SECONDS_MAX,
    ADMIN_WORKS_MAX,
    CLOSE_SECONDS_MAX,
)

__all__ = ["ADMIN_PATH", "ADMIN_SUBPROTOCOL", "BEARER_PREFIX", "AdminChannel"]

ADMIN_PATH: Final = "/admin"
ADMIN_SUBPROTOCOL: Final = Subprotocol("admin.v1.jsonrpc")
BEARER_PREFIX: Final = "bearer."
"""Begins a second subprotocol that carries the token, for browsers, which can set no header."""

log = structlog.get_logger(__name__)


class AdminChannel:
    """Listens on a bound socket and lets operators in. Loop thread; stopped once."""

    def __init__(self, sock: socket.socket, tokens: AdminTokens, dispatcher: Dispatcher) -> None:
        self._sock = sock
        self._tokens = tokens
        self._dispatcher = dispatcher
        self._operators: WeakKeyDictionary[ServerConnection, Operator] = WeakKeyDictionary()
        self._handlers: set[asyncio.Task[object]] = set()
        self._server: Server

    @property
    def url(self) -> str:
        """Where operators connect to."""
        host, port, *_ = self._sock.getsockname()
        return (
            f"ws://[{host}]:{port}{ADMIN_PATH}"
            if ":" in host
            else f"ws://{host}:{port}{ADMIN_PATH}"
        )

    async def start(self) -> None:
        """Let operators in from now on."""
        self._server = await serve(
            self._serve,
            sock=self._sock,
            subprotocols=[ADMIN_SUBPROTOCOL],
            process_request=self._admit,
            max_size=ADMIN_MESSAGE_BYTES_MAX,
            close_timeout=CLOSE_SECONDS_MAX,
            compression=None,
            server_header=None,
        )

    async def stop(self) -> None:
        """Close every connection (1001); commands that do not end soon are cancelled."""
        self._server.close()
        if self._handlers:
            await asyncio.wait(self._handlers, timeout=ADMIN_STOP_SECONDS_MAX)
        for handler in self._handlers:
            handler.cancel()
        await self._server.wait_closed()

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a handshake that is not to be; otherwise note who comes."""
        if request.path != ADMIN_PATH:
            return connection.respond(HTTPStatus.NOT_FOUND, "")
        if len(self._handlers) >= ADMIN_CONNECTIONS_MAX:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "too many operators\n")
        try:
            token = _token_of(request)
            operator = None if token is None else await self._tokens.operator(token)
        except CredentialsError as error:
            return connection.respond(HTTPStatus.BAD_REQUEST, f"{error}\n")
        except TokenError as error:
            return _unauthorized(connection, str(error))
        if token is None:
            return _unauthorized(connection, "a token is required")
        if operator is None:
            log.warning("somebody else than an operator was refused")
            return connection.respond(HTTPStatus.FORBIDDEN, "this token is no operator's\n")
        self._operators[connection] = operator
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        operator = self._operators[connection]
        task = asyncio.current_task()
        assert task is not None, "handlers run as tasks"
        self._handlers.add(task)
        link = _Link(connection)
        log.info("an operator came", operator=operator.name, role=operator.role.claim)
        try:
            async for data in connection:
                answer = await self._dispatcher.answer(data, operator, link)
                if answer is not None:
                    await connection.send(answer, text=True)
                link.answered()
        except ConnectionClosed:
            pass  # in the middle of an answer, or by breaking a rule of the wire
        finally:
            self._handlers.discard(task)
            await link.end_works()


class _Link:
    """One operator's connection as commands know it; implements ``context.Peer``."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._count = 0
        self._waiting: dict[int, Coroutine[object, object, None]] = {}
        self._works: dict[int, asyncio.Task[None]] = {}
        self._stops: dict[int, Callable[[], None]] = {}
        self._acts: list[Callable[[], None]] = []

    def begin(self, work: Coroutine[object, object, None], stop: Callable[[], None]) -> int:
        if len(self._waiting) + len(self._works) >= ADMIN_WORKS_MAX:
            work.close()
            raise CommandError(
                "limit.quota_exceeded", f"at most {ADMIN_WORKS_MAX} tails on one connection"
            )
        self._count += 1
        self._waiting[self._count] = work
        self._stops[self._count] = stop
        return self._count

    def end(self, number: int) -> bool:
        stop = self._stops.pop(number, None)
        if stop is None:
            return False
        stop()
        return True

    def at_end(self, act: Callable[[], None]) -> None:
        self._acts.append(act)

    async def notify(self, method: str, params: Mapping[str, object]) -> None:
        await self._connection.send(notification_text(method, params))

    def answered(self) -> None:
        """Do what the commands have put off and run what they have begun, now that they end."""
        self._act()
        for number, work in self._waiting.items():
            task = asyncio.get_running_loop().create_task(_guarded(work))
            self._works[number] = task
            task.add_done_callback(partial(self._forget, number))
        self._waiting.clear()

    def _act(self) -> None:
        acts, self._acts = self._acts, []
        for act in acts:
            act()

    def _forget(self, number: int, _task: asyncio.Task[None]) -> None:
        del self._works[number]
        self._stops.pop(number, None)

    async def end_works(self) -> None:
        """Cancel everything that was begun; what was put off is done now at the latest."""
        self._act()
        for work in self._waiting.values():
            work.close()
        tasks = list(self._works.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _guarded(work: Coroutine[object, object, None]) -> None:
    try:
        await work
    except ConnectionClosed:
        pass  # the operator left
    except Exception:
        log.exception("what a command began broke")


def _token_of(request: Request) -> str | None:
    """The token of the header or, for browsers, of the subprotocols. Raises CredentialsError."""
    headers = request.headers.get_all("Authorization")
    if len(headers) > 1:
        raise CredentialsError("Authorization is given twice")
    if headers:
        return bearer_token(headers[0])
    offered = ",".join(request.headers.get_all("Sec-WebSocket-Protocol")).split(",")
    tokens = [item.strip() for item in offered if item.strip().startswith(BEARER_PREFIX)]
    return tokens[0].removeprefix(BEARER_PREFIX) if tokens else None


def _unauthorized(connection: ServerConnection, text: str) -> Response:
    response = connection.respond(HTTPStatus.UNAUTHORIZED, f"{text}\n")
    response.headers["WWW-Authenticate"] = "Bearer"
    return response
