"""Listener: one bound port, HTTP by uvicorn, websockets by our own protocol class."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from asyncio import AbstractEventLoop, Protocol
from typing import TYPE_CHECKING, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from server.errors import BindRefusedError, PortInUseError, SettingsError
from server.limits import HEAD_SECONDS_MAX, HEADER_BYTES_MAX

if TYPE_CHECKING:
    from uvicorn._types import (
        ASGI3Application,
        ASGIReceiveCallable,
        ASGISendCallable,
        ASGISendEvent,
        Scope,
    )

__all__ = ["Listener", "bind_port", "is_loopback"]

_GRACE_SECONDS = 2


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``; a name other than localhost is not trusted."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bind_port(
    host: str, port: int, *, allow_public: bool, flag: str = "allow_public_bind"
) -> socket.socket:
    """Take a port; whoever connects before the start is done waits in the kernel's queue.

    ``flag`` is the setting that permits a public address.

    Raises:
        BindRefusedError: a public address without permission.
        PortInUseError: somebody has the port.
        SettingsError: there is no such address on this machine.
    """
    if not allow_public and not is_loopback(host):
        raise BindRefusedError(host, flag)
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, number)
    except OSError as error:
        raise SettingsError(f"host {host}: {error.strerror}") from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(1)  # of two that are bound only one can listen: the other learns it here
    except OSError as error:
        sock.close()
        if isinstance(error, PermissionError):
            raise SettingsError(f"port {port} on {host}: {error.strerror}") from None
        raise PortInUseError(host, port) from None
    return sock


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's HTTP protocol with bounds on a request's head: its bytes and its time.

    Who closes, or is closed, while a request is answered is no error: the answer goes nowhere.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._head_is_there()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to wait for a head; called by the parser."""
        self._head_bytes = 0
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop waiting; called by the parser."""
        self._head_is_there()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; give up on a head that does not end."""
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEADER_BYTES_MAX and not self.transport.is_closing():
                self.send_400_response("Request header fields are too large.")

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Answer a request; called by the base, which would write to a closed connection."""
        transport = self.transport

        async def answer(
            scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
        ) -> None:
            async def say(message: ASGISendEvent) -> None:
                if transport.is_closing():
                    cycle.disconnected = True
                await send(message)

            await app(scope, receive, say)

        super()._start_asgi_task(cycle, answer)

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS_MAX, self.transport.close)

    def _head_is_there(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class Listener:
    """Serves an application and upgrades on one bound socket, on the running loop.

    It is stopped in two steps, so that what is under way can still be answered in between.
    """

    def __init__(self, sock: socket.socket, site: ASGIApp, socket_class: type[Protocol]) -> None:
        self._sock = sock
        self._server = uvicorn.Server(
            Config(
                site,
                http=BoundedHttp,
                ws=socket_class,
                lifespan="off",
                loop="none",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._main: asyncio.Task[None] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that clients connect to."""
        host, port, *_ = self._sock.getsockname()
        return cast("str", host), cast("int", port)

    async def start(self) -> None:
        """Accept connections from now on."""
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[self._sock])
        self._main = asyncio.get_running_loop().create_task(self._server.main_loop())

    def stop_accepting(self) -> None:
        """Take no further connection; those that are open go on."""
        for server in getattr(self._server, "servers", ()):
            server.close()

    async def stop(self) -> None:
        """Close every connection, idle ones at once, others after a moment of grace."""
        if self._main is None:
            return
        self._main.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._main
        await self._server.shutdown(sockets=[self._sock])
