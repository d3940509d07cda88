"""Socket: one client's connection, from the upgrade to the last byte.

The HTTP server hands a connection over when its request is an upgrade; from then on it is driven
here, on the loop's thread, by callbacks alone. Source: wire spec 1.2, 5 and 8.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import structlog

from actors.errors import SessionRefusedError
from protocol.close_codes import CLOSE_INTERNAL_ERROR, CLOSE_RESTART, CLOSE_TRY_LATER
from protocol.connection import Connection, close_reason
from protocol.errors import FrameError
from protocol.keepalive import Keepalive, KeepaliveAction
from protocol.messages import ClientMessage
from server.limits import (
    CLOSE_SECONDS_MAX,
    INBOUND_PENDING_HIGH,
    INBOUND_PENDING_LOW,
    INBOUND_PENDING_MAX,
    OUTBOUND_BYTES_MAX,
    RESUME_SECONDS_MAX,
)
from server.transport.deflate import Deflate
from server.transport.frames import (
    Close,
    Event,
    Failure,
    FrameParser,
    Ping,
    Pong,
    close_echo,
    close_frame,
    ping_frame,
    pong_frame,
)
from server.transport.gateway import Gateway, SessionPort
from server.transport.handshake import Accepted, shake_hands
from server.transport.open_sockets import OpenSocket

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

__all__ = ["Socket", "bound_socket"]

log = structlog.get_logger(__name__)
access = structlog.get_logger("server.access")


class Socket(asyncio.Protocol):
    """One websocket. States: shaking hands, open, closing (our close frame is out), lost.

    It is the session's ``Sink``: ``deliver`` and ``abort`` may be called in any state and do
    nothing once the connection is closing, since a session may still be answering requests that
    came before the end (wire spec, surprise 19).
    """

    def __init__(self, gateway: Gateway, connections: set[asyncio.Protocol]) -> None:
        self._gateway = gateway
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._parser: FrameParser
        self._deflate: Deflate | None = None
        self._transport: asyncio.Transport
        self._handshake: asyncio.Task[None] | None = None
        self._core: Connection | None = None
        self._session: SessionPort | None = None
        self._beginning: asyncio.Task[None] | None = None
        self._keepalive: Keepalive
        self._give_up: asyncio.TimerHandle | None = None
        self._reading = True
        self._is_slow = False  # the peer has left too many bytes unread
        self._closing = False
        self._name = ""  # the connection id, for logs
        self._opened_at = 0.0

    # --- asyncio's protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over from the HTTP server, which replays its request next."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Take the upgrade request first, frames from then on."""
        if self._core is None:
            self._begin_handshake(data)
            return
        gateway = self._gateway
        if gateway.tracer is not None:
            gateway.tracer.frame_received()
        self._keepalive.received(gateway.wheel.now)
        gateway.metrics.bytes_received += len(data)
        requests: list[ClientMessage] = []
        ending: Event | FrameError | None = None
        for event in self._parser.feed(data):
            if type(event) is bytes or type(event) is str:
                try:
                    requests += self._core.receive_frame(event)
                except FrameError as error:
                    ending = error
                    break
            elif not self._is_keepalive(event):
                ending = event
        if requests and not self._closing and gateway.accepting:
            self._receive(requests)
        if ending is not None:
            self._end(ending)

    def pause_writing(self) -> None:
        """More than ``OUTBOUND_BYTES_MAX`` wait to leave: whatever comes next is too much."""
        self._is_slow = True

    def resume_writing(self) -> None:
        """The peer has read enough of what waited."""
        self._is_slow = False

    def eof_received(self) -> None:
        """The peer wrote its last byte without a close frame: the connection is over."""
        self._closing = True
        self._transport.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Let go of everything; the session's end runs as a task of its own."""
        self._closing = True
        self._connections.discard(self)
        self._gateway.wheel.cancel(self)
        if self._give_up is not None:
            self._give_up.cancel()
        if self._handshake is not None:
            self._handshake.cancel()  # harmless once it is done
        if self._core is not None:
            self._core.close()
            self._gateway.metrics.connections_open -= 1
            if self._gateway.is_access_logged:
                seconds = round(self._loop.time() - self._opened_at, 3)
                access.info("socket closed", connection=self._name, seconds=seconds)
            self._gateway.sockets.discard(self)
        if self._session is not None:
            self._gateway.spawn(self._end_session(self._session))

    def shutdown(self) -> None:
        """Close because the server stops; called by the HTTP server for each of its connections."""
        if self._core is None:
            self._transport.close()
        else:
            self.abort(CLOSE_RESTART, "server restarts")

    # --- the session's sink

    def deliver(self, messages: list[bytes]) -> None:
        """Send messages in one write, unless the peer has left too many bytes unread."""
        core = self._core
        if core is None or self._closing:
            return
        metrics = self._gateway.metrics
        if self._is_slow:
            metrics.slow_readers += 1
            self.abort(CLOSE_TRY_LATER, "too slow")
            return
        data = self._gateway.framing.frame(core, messages, self._deflate)
        metrics.messages_sent += len(messages)
        metrics.bytes_sent += len(data)
        self._transport.write(data)
        if not self._reading:
            self._resume_if_answered()

    def abort(self, close_code: int, reason: str) -> None:
        """Send a close frame and give the peer a moment to answer it; idempotent."""
        if self._closing or self._core is None:
            return
        self._closing = True
        self._core.close()
        self._transport.write(close_frame(close_code, close_reason(reason)))
        self._resume_reading()
        self._give_up = self._loop.call_later(CLOSE_SECONDS_MAX, self._drop)

    # --- keep-alive, called by the wheel

    def on_deadline(self, now: float) -> float | None:
        """Ping or drop, as the keep-alive rules say; the next time to look."""
        if self._closing or self._core is None:
            return None
        keepalive = self._keepalive
        if not self._reading:
            keepalive.received(now)  # while we do not read, the silence is ours
            self._resume_if_answered()
        action = keepalive.poll(now)
        if action is KeepaliveAction.DROP:
            self._cut()
            return None
        if action is KeepaliveAction.PING:
            self._transport.write(ping_frame())
        if not self._reading:
            return now + RESUME_SECONDS_MAX
        return keepalive.deadline()

    # --- beginning

    def _begin_handshake(self, raw_request: bytes) -> None:
        if self._handshake is not None:
            return  # a client that talks before it was answered is not heard
        # Bytes that follow the request stay in the kernel until somebody can read frames.
        self._transport.pause_reading()
        self._handshake = self._gateway.spawn(self._shake_hands(raw_request))

    async def _shake_hands(self, raw_request: bytes) -> None:
        try:
            outcome = await shake_hands(raw_request, self._gateway)
            self._transport.write(outcome.response)
            if isinstance(outcome, Accepted):
                self._open(outcome)
                return
        except Exception:
            log.exception("handshake failed")
        self._gateway.metrics.handshakes_refused += 1
        self._transport.close()

    def _open(self, accepted: Accepted) -> None:
        """Start the session: the 101 has been written, nothing else yet."""
        gateway = self._gateway
        now = self._loop.time()
        core = Connection(accepted.subprotocol, gateway.wires.open(accepted.subprotocol))
        self._core = core
        self._handshake = None
        self._deflate = accepted.deflate
        self._parser = FrameParser(gateway.message_bytes_max, accepted.deflate)
        self._keepalive = Keepalive(now)
        self._transport.set_write_buffer_limits(OUTBOUND_BYTES_MAX, OUTBOUND_BYTES_MAX)
        gateway.metrics.connections += 1
        gateway.metrics.connections_open += 1
        self._session = gateway.sessions.open_session(
            claims=accepted.bearer.claims,
            connection_id=accepted.connection_id,
            token=accepted.bearer.token,
            wire=core.wire,
            confirmed=accepted.options.confirmed,
            sink=self,
            subprotocol=core.subprotocol.value,
            admission=gateway.admission,
        )
        gateway.sockets.add(
            OpenSocket(
                accepted.bearer.claims,
                accepted.connection_id,
                core.subprotocol.value,
                now,
                self._session,
                self,
                self._transport,
            )
        )
        self._name, self._opened_at = str(accepted.connection_id), now
        if gateway.is_access_logged:
            who = str(accepted.bearer.claims.identity)
            access.info("socket opened", connection=self._name, identity=who)
        self._beginning = gateway.spawn(self._connect(self._session))
        deadline = self.on_deadline(now)
        if deadline is not None:
            gateway.wheel.schedule(self, deadline)
        self._transport.resume_reading()

    async def _connect(self, session: SessionPort) -> None:
        try:
            await session.connect()
            self._beginning = None  # a task weighs two kilobytes, and clients are many
        except SessionRefusedError as error:
            reason = str(error)
            log.info("connection refused by the module", reason=reason, connection=self._name)
            self._cut()
        except Exception:
            log.exception("connection failed to begin", connection=self._name)
            self.abort(CLOSE_INTERNAL_ERROR, "internal error")

    # --- requests

    def _receive(self, requests: list[ClientMessage]) -> None:
        session = self._session
        assert session is not None, "frames are read after the session began"
        self._gateway.metrics.requests += len(requests)
        if session.pending + len(requests) > INBOUND_PENDING_MAX:
            self.abort(CLOSE_TRY_LATER, "too many requests")
            return
        try:
            session.receive(requests)
        except Exception:
            log.exception("requests could not be taken", connection=self._name)
            self.abort(CLOSE_INTERNAL_ERROR, "internal error")
            return
        if session.pending > INBOUND_PENDING_HIGH and self._reading and not self._closing:
            self._reading = False
            self._transport.pause_reading()
            wheel = self._gateway.wheel
            wheel.schedule(self, wheel.now + RESUME_SECONDS_MAX)

    def _resume_if_answered(self) -> None:
        if self._session is not None and self._session.pending <= INBOUND_PENDING_LOW:
            self._resume_reading()

    def _resume_reading(self) -> None:
        if not self._reading:
            self._reading = True
            self._transport.resume_reading()

    def _is_keepalive(self, event: Event) -> bool:
        """Answer a ping, note a pong; False for any other event."""
        if type(event) is Ping:
            if not self._closing:
                self._transport.write(pong_frame(event.payload))
        elif type(event) is Pong:
            wheel = self._gateway.wheel
            self._keepalive.pong_received(wheel.now)
            wheel.schedule(self, self._keepalive.deadline())
        else:
            return False
        return True

    # --- end

    def _end(self, ending: Event | FrameError) -> None:
        """Answer the peer's close, or close because it broke a rule."""
        if isinstance(ending, Close):
            if not self._closing:
                self._closing = True
                self._transport.write(close_echo(ending))
            self._transport.close()
        elif isinstance(ending, FrameError):
            self.abort(ending.close_code, ending.reason)
        elif isinstance(ending, Failure):
            self.abort(ending.code, ending.reason)

    def _cut(self) -> None:
        """End the connection without a close frame, as the wire wants it in some cases."""
        self._closing = True
        self._transport.abort()

    def _drop(self) -> None:
        """End the wait after our close frame; what the peer did not read by now is thrown away."""
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    async def _end_session(self, session: SessionPort) -> None:
        if self._beginning is not None:
            await asyncio.wait((self._beginning,))
        try:
            await session.disconnect()
        except Exception:
            log.exception("connection failed to end", connection=self._name)


def bound_socket(gateway: Gateway) -> type[asyncio.Protocol]:
    """Make what uvicorn takes as its websocket implementation (``ws=``).

    It is declared as a class there, and is only ever called, with uvicorn's own arguments.
    """

    def socket(
        *, config: Config, server_state: ServerState, app_state: dict[str, object]
    ) -> Socket:
        del config, app_state
        return Socket(gateway, cast("set[asyncio.Protocol]", server_state.connections))

    return cast("type[asyncio.Protocol]", socket)
