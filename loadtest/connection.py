"""Connection: one websocket to a server, as callbacks, with nothing between socket and receiver.

The handshake is the Sans-I/O client of ``websockets``; after it every whole message is handed to
the receiver as bytes, tag included (wire spec 5.2). All of it belongs to the loop's thread.
"""

from __future__ import annotations

import asyncio
import resource
from typing import NamedTuple, Protocol, cast
from urllib.parse import urlencode

from websockets.client import ClientProtocol
from websockets.typing import Subprotocol as OfferedProtocol
from websockets.uri import parse_uri

from loadtest.errors import ConnectionEndedError, WireError
from loadtest.frames import FrameReader, binary_frame, close_frame, pong_frame, text_frame
from loadtest.limits import ANSWER_SECONDS_MAX, HANDSHAKE_BYTES_MAX, OPEN_FILES_SPARE
from protocol.upgrade import Subprotocol

__all__ = ["Address", "Connection", "Receiver", "allow_connections"]

_NORMAL_CLOSURE = 1000


class Address(NamedTuple):
    """Where a database is served."""

    host: str
    port: int
    database: str

    def url(self, path: str, scheme: str = "http") -> str:
        """Address of something below the database, e.g. ``subscribe``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/v1/database/{self.database}/{path}"


class Receiver(Protocol):
    """Who gets what comes in. Loop thread; must not raise."""

    def message_received(self, data: bytes) -> None:
        """Take one websocket message: the tag, then one message (v2) or several (v3); or a text."""

    def connection_ended(self, reason: str) -> None:
        """The connection is over; called once, whoever ended it."""


class Connection(asyncio.Protocol):
    """One open websocket; made by :meth:`open`.

    Attributes:
        subprotocol: what the server chose.
    """

    def __init__(self, receiver: Receiver, handshake: ClientProtocol) -> None:
        self.subprotocol = Subprotocol.V3_BSATN
        self._receiver = receiver
        self._handshake = handshake
        self._head = b""
        self._reader: FrameReader | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reason = "the connection was lost"
        self._transport: asyncio.Transport

    @classmethod
    async def open(
        cls,
        address: Address,
        receiver: Receiver,
        *,
        token: str | None = None,
        subprotocol: Subprotocol = Subprotocol.V3_BSATN,
        confirmed: bool | None = None,
    ) -> Connection:
        """Connect and shake hands; the server's first message then comes to the receiver.

        Args:
            address: which database.
            receiver: gets what comes.
            token: who to be; a new anonymous identity without one.
            subprotocol: the only one that is offered.
            confirmed: whether answers wait for durability; None leaves it to the server.

        Raises:
            ConnectionEndedError: the server refused the upgrade or went away.
        """
        query = {"compression": "None"}
        if confirmed is not None:
            query["confirmed"] = "true" if confirmed else "false"
        uri = parse_uri(f"{address.url('subscribe', 'ws')}?{urlencode(query)}")
        offered = [OfferedProtocol(subprotocol.value)]
        handshake = ClientProtocol(uri, subprotocols=offered)
        loop = asyncio.get_running_loop()
        request = handshake.connect()
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        handshake.send_request(request)
        _, connection = await loop.create_connection(
            lambda: cls(receiver, handshake), address.host, address.port
        )
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await connection._opened  # noqa: SLF001 - the class's own
        return connection

    def send(self, payload: bytes, *, is_text: bool = False) -> None:
        """Send one message, binary unless it is text in UTF-8."""
        self._transport.write(text_frame(payload) if is_text else binary_frame(payload))

    def write(self, frames: bytes) -> None:
        """Send frames that are spelled already (``frames.binary_frame``)."""
        self._transport.write(frames)

    async def close(self) -> None:
        """Close with a close frame and wait for the end; harmless twice."""
        if not self._lost.done():
            self._reason = "closed"
            self._transport.write(close_frame(_NORMAL_CLOSURE))
            self._transport.close()
        await asyncio.shield(self._lost)

    def cut(self) -> None:
        """Break the connection off without a word, as a lost network does."""
        if not self._lost.done():
            self._reason = "cut off"
            self._transport.abort()

    @property
    def descriptor(self) -> int:
        """The socket's, for who reads it instead (:meth:`pause`) and hands on what comes in."""
        return int(self._transport.get_extra_info("socket").fileno())

    @property
    def is_between(self) -> bool:
        """Whether what came in so far is whole messages."""
        return self._reader is not None and self._reader.is_between

    def pause(self) -> None:
        """Read nothing more, so that the server's bytes pile up."""
        self._transport.pause_reading()

    def resume(self) -> None:
        """Read again; harmless when the connection is over."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    # --- asyncio's protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        for data in self._handshake.data_to_send():
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Take the answer to the upgrade first, frames from then on."""
        if self._reader is None:
            data = self._end_handshake(data)
            if self._reader is None:
                return
        try:
            messages, pings, close = self._reader.feed(data)
        except WireError as error:
            self._fail(str(error))
            return
        for message in messages:
            self._receiver.message_received(message)
        for ping in pings:
            self._transport.write(pong_frame(ping))
        if close is not None:
            self._fail(f"closed by the server: {close[0]} {close[1]}")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits, and the receiver if the connection ever stood."""
        if exc is not None:
            self._reason = f"{self._reason}: {exc}"
        if not self._opened.done():
            self._opened.set_exception(ConnectionEndedError(self._reason))
        elif self._reader is not None:
            self._receiver.connection_ended(self._reason)
        self._lost.set_result(None)

    def _end_handshake(self, data: bytes) -> bytes:
        """Take a piece of the answer to the upgrade; what follows it are frames."""
        self._head += data
        head, separator, rest = self._head.partition(b"\r\n\r\n")
        if not separator:
            if len(head) > HANDSHAKE_BYTES_MAX:
                self._fail("the answer to the upgrade does not end")
            return b""
        status = head.split(b"\r\n", 1)[0].decode(errors="replace")
        if not status.startswith("HTTP/1.1 101 "):
            self._fail(f"the upgrade was refused: {status}")
            return b""
        handshake = self._handshake
        handshake.receive_data(head + separator)
        chosen = handshake.subprotocol
        if handshake.handshake_exc is not None or chosen is None:
            self._fail(f"the upgrade is none: {handshake.handshake_exc}")
            return b""
        self.subprotocol = Subprotocol(chosen)
        self._reader = FrameReader()
        self._head = b""
        self._opened.set_result(None)
        return rest

    def _fail(self, reason: str) -> None:
        self._reason = reason
        self._transport.close()


def allow_connections(connections: int) -> None:
    """Let this process, and the servers that it starts, open as many sockets as they need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + OPEN_FILES_SPARE
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, hard), hard))
