"""Gateway: what all sockets of a server share, and the ports they reach the actors through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Protocol

from actors import Rate
from actors.claims import Claims
from protocol.messages import ClientMessage, Wire, Wires
from protocol.schema import ModuleSchema
from protocol.values import ConnectionId
from server.databases import Databases
from server.identity.tokens import Authenticator
from server.metrics import Metrics
from server.transport.framing import Framing
from server.transport.open_sockets import OpenSockets
from server.transport.wheel import TimerWheel

__all__ = ["Admission", "FrameTracer", "Gateway", "SessionPort", "Sessions", "Sink"]

Admission = Callable[[Claims, int, Rate | None], bool]
"""Takes a token of a caller's bucket at a time in microseconds: of the one for all calls, or of a
rate's; False when there is none."""


class Sink(Protocol):
    """Where a session's messages go; the socket implements it. Loop thread."""

    def deliver(self, messages: list[bytes]) -> None:
        """Send encoded messages, in order, after all earlier ones. Never raises, never waits."""

    def abort(self, close_code: int, reason: str) -> None:
        """Close the connection; what was delivered before still leaves if the peer reads."""


class SessionPort(Protocol):
    """One connection as the actors know it. Loop thread."""

    @property
    def pending(self) -> int:
        """Requests received and not answered yet."""
        ...

    async def connect(self) -> None:
        """Run ``client_connected``; the first message follows. Raises SessionRefusedError."""

    def receive(self, messages: list[ClientMessage]) -> None:
        """Take requests, in order; before ``connect`` has ended they wait behind it."""

    async def disconnect(self) -> None:
        """End everything that the connection holds and run ``client_disconnected``; idempotent."""


class FrameTracer(Protocol):
    """Who follows calls from the moment that their bytes arrive."""

    def frame_received(self) -> None:
        """Bytes came; what they hold is handed on before anything else happens."""


class Sessions(Protocol):
    """The actors' host, as far as sockets need it."""

    def open_session(
        self,
        *,
        claims: Claims,
        connection_id: ConnectionId,
        token: str,
        wire: Wire,
        confirmed: bool,
        sink: Sink,
        subprotocol: str,
        admission: Admission | None,
    ) -> SessionPort:
        """Begin the session of a connection whose handshake is done."""
        ...


@dataclass(slots=True, eq=False)
class Gateway:
    """Shared by every socket of one listener; everything in it lives on the loop's thread.

    Attributes:
        sessions: the actors' host.
        authenticator: says who a token is.
        databases: names that may stand in an address.
        wheel: deadlines of all sockets.
        metrics: counters.
        admission: the rate limit, None when there is none.
        message_bytes_max: size of one inbound message.
        wires: the versions of the wire.
        deflate: whether clients that offer permessage-deflate get it.
        framing: turns messages into frames, once for equal ones.
        tasks: beginnings and ends of sessions that are still running.
        sockets: the connections that are open.
        tracer: follows calls; None mostly.
        is_access_logged: whether sockets' beginnings and ends are logged.
        accepting: False once the server stops: upgrades are refused, requests are not heard.
        is_draining: upgrades are refused; connections that are open go on.
    """

    sessions: Sessions
    authenticator: Authenticator
    databases: Databases
    wheel: TimerWheel
    metrics: Metrics
    admission: Admission | None
    message_bytes_max: int
    wires: Wires = field(default_factory=lambda: Wires(ModuleSchema(), time.perf_counter))
    deflate: bool = True
    framing: Framing = field(default_factory=Framing)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    sockets: OpenSockets = field(default_factory=OpenSockets)
    tracer: FrameTracer | None = None
    is_access_logged: bool = False
    accepting: bool = True
    is_draining: bool = False

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run ``work`` as a task that is known until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
