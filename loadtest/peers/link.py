"""Link: one websocket to any server, which counts messages of one shape at the least cost.

While a conversation begins its messages are received one by one. Once one message of the kind that
the load brings has been seen, whole reads are counted: as long as they hold nothing but frames of
that size, a few slices do for all of them, so that the server is what is measured.
Source: RFC 6455.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, cast

from websockets.client import ClientProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri
from websockets.utils import apply_mask

from loadtest.errors import ConnectionEndedError, WireError
from loadtest.limits import ANSWER_SECONDS_MAX, HANDSHAKE_BYTES_MAX

__all__ = ["Link", "Shape", "Taker", "masked_frame"]

_TEXT = 0x1
_BINARY = 0x2
_CLOSE = 0x8
_PING = 0x9
_PONG = 0xA
_FINAL = 0x80
_MASKED = 0x80
_KEY = bytes.fromhex("37fa213d")
"""Not zeros, which one of the servers takes for no mask at all. Always the same one: frames can be
spelled before the load begins."""


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((_FINAL | opcode, _MASKED | size))
    else:
        head = bytes((_FINAL | opcode, _MASKED | 126)) + size.to_bytes(2, "big")
    return head + _KEY + bytes(apply_mask(payload, _KEY))


def masked_frame(payload: bytes, *, is_text: bool) -> bytes:
    """Spell one whole message of a client, up to 65,535 bytes."""
    return _frame(_TEXT if is_text else _BINARY, payload)


class Shape(NamedTuple):
    """Messages of one size that hold a total.

    Attributes:
        size: bytes of one message.
        total_at: offset of the total in it, None when it holds none.
        total_bytes: bytes of the total.
        read: reads a total.
        joined: how many bytes a frame has before several messages in a row; None when each message
            is a frame of its own.
    """

    size: int
    total_at: int | None
    total_bytes: int
    read: Callable[[bytes], int]
    joined: int | None

    @classmethod
    def of(
        cls, payload: bytes, spelled: bytes, read: Callable[[bytes], int], joined: int | None
    ) -> Shape:
        """The shape of a frame's payload that holds one message; ``spelled`` is its total."""
        message = payload[joined or 0 :]
        at = message.find(spelled)
        return cls(len(message), None if at < 0 else at, len(spelled), read, joined)

    def total(self, data: bytes, start: int) -> int | None:
        """The total of the message that begins at ``start``."""
        if self.total_at is None:
            return None
        at = start + self.total_at
        return self.read(data[at : at + self.total_bytes])


class Taker(Protocol):
    """Who gets what was counted. Loop thread; must not raise."""

    def took(self, count: int, total: int | None) -> None:
        """Take so many messages, of which the last holds this total."""

    def ended(self, reason: str) -> None:
        """The link is over, or brought what nobody expected; called once."""


class Link(asyncio.Protocol):
    """One open websocket; made by :meth:`open`.

    Args:
        handshake: of the upgrade.
        is_text: whether messages are text.
        heartbeat: answers a message that asks whether the client is there; None when it does not.
    """

    def __init__(
        self,
        handshake: ClientProtocol,
        *,
        is_text: bool,
        heartbeat: Callable[[bytes], bytes | None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self._handshake = handshake
        self._is_text = is_text
        self._first = _FINAL | (_TEXT if is_text else _BINARY)
        self._heartbeat = heartbeat
        self._opened: asyncio.Future[None] = loop.create_future()
        self._lost: asyncio.Future[None] = loop.create_future()
        self._is_open = False
        self._rest = b""
        self._is_even = True
        self._inbox: deque[bytes] = deque()
        self._arrival: asyncio.Future[None] | None = None
        self._reason = ""
        self._shape: Shape | None = None
        self._taker: Taker
        self._transport: asyncio.Transport

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        is_text: bool,
        heartbeat: Callable[[bytes], bytes | None] = lambda _payload: None,
        subprotocol: str | None = None,
    ) -> Link:
        """Connect and shake hands.

        Raises:
            ConnectionEndedError: the server refused the upgrade or went away.
        """
        uri = parse_uri(url)
        offered = None if subprotocol is None else [Subprotocol(subprotocol)]
        handshake = ClientProtocol(uri, subprotocols=offered)
        handshake.send_request(handshake.connect())
        _, link = await asyncio.get_running_loop().create_connection(
            lambda: cls(handshake, is_text=is_text, heartbeat=heartbeat), uri.host, uri.port
        )
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await link._opened  # noqa: SLF001 - the class's own
        return link

    async def receive(self) -> bytes:
        """The next message, heartbeats excepted.

        Raises:
            ConnectionEndedError: there will be none.
        """
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            while not self._inbox:
                if self._reason:
                    raise ConnectionEndedError(self._reason)
                self._arrival = asyncio.get_running_loop().create_future()
                await self._arrival
        return self._inbox.popleft()

    def send(self, payload: bytes) -> None:
        """Send one message."""
        self._transport.write(masked_frame(payload, is_text=self._is_text))

    def write(self, frames: bytes) -> None:
        """Send frames that are spelled already."""
        self._transport.write(frames)

    def count(self, shape: Shape, taker: Taker) -> None:
        """From now on only messages of one shape come, and are counted."""
        assert not self._inbox, "everything before them was received"
        self._shape, self._taker = shape, taker

    def pause(self) -> int:
        """Let somebody else read, and hand on what comes in; answers the socket's descriptor."""
        self._transport.pause_reading()
        return int(self._transport.get_extra_info("socket").fileno())

    def resume(self) -> None:
        """Read again; harmless when the link is over."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def take_read(self, data: bytes) -> bool:
        """Take what somebody else has read.

        Returns:
            Whether it was whole messages of the shape and nothing else.
        """
        self._is_even = not self._rest
        self.data_received(data)
        return self._is_even and not self._rest

    async def close(self) -> None:
        """End the connection and wait for its end; harmless twice."""
        if not self._reason:
            self._reason = "closed"
            self._transport.write(_frame(_CLOSE, b"\x03\xe8"))
            self._transport.close()
        await asyncio.shield(self._lost)

    # --- asyncio's protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        for data in self._handshake.data_to_send():
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Take the answer to the upgrade first, frames from then on."""
        if self._rest:
            data = self._rest + data
        if not self._is_open:
            data = self._end_handshake(data)
            if not self._is_open:
                self._rest = data
                return
        shape = self._shape
        self._rest = b""
        try:
            if shape is None or shape.joined is not None or not self._take_even(shape, data):
                for opcode, payload in self._frames(data):
                    self._take(opcode, payload)
        except WireError as error:
            self._end(str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._end("the connection was lost" if exc is None else str(exc))
        self._lost.set_result(None)

    def _end_handshake(self, data: bytes) -> bytes:
        head, separator, rest = data.partition(b"\r\n\r\n")
        if not separator and len(head) <= HANDSHAKE_BYTES_MAX:
            return data
        self._handshake.receive_data(head + separator)
        if not head.startswith(b"HTTP/1.1 101 ") or self._handshake.handshake_exc is not None:
            self._end(f"no upgrade: {head[:100]!r} {self._handshake.handshake_exc or ''}")
            return b""
        self._is_open = True
        self._opened.set_result(None)
        return rest

    def _take_even(self, shape: Shape, data: bytes) -> bool:
        """Count a read that holds nothing but frames of the shape, the last one perhaps in part."""
        size = shape.size + 2
        if len(data) == size and data[0] == self._first and data[1] == shape.size:
            self._taker.took(1, shape.total(data, 2))  # one call in flight: as most reads are
            return True
        count = len(data) // size
        end = count * size
        rest = data[end:]
        if (
            shape.size > 125
            or data[:end:size].count(self._first) != count
            or data[1:end:size].count(shape.size) != count
            or rest[:2] != bytes((self._first, shape.size))[: len(rest)]
        ):
            return False
        self._rest = rest
        if count:
            self._taker.took(count, shape.total(data, end - shape.size))
        return True

    def _frames(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Opcode and payload of each whole frame; what is left waits for the next read."""
        offset, size = 0, len(data)
        while size - offset >= 2:
            start, length = offset + 2, data[offset + 1]
            if length > 125:
                start += 2 if length == 126 else 8
                if start > size:
                    break
                length = int.from_bytes(data[offset + 2 : start], "big")
            if start + length > size:
                break
            if not data[offset] & _FINAL:
                raise WireError("a message in pieces")
            yield data[offset] & 0x0F, data[start : start + length]
            offset = start + length
        self._rest = data[offset:]

    def _take(self, opcode: int, payload: bytes) -> None:
        if self._shape is None or opcode not in {_TEXT, _BINARY}:
            self._is_even = False
        if opcode == _PING:
            self._transport.write(_frame(_PONG, payload))
        elif opcode == _CLOSE:
            self._end(f"closed by the server: {payload!r}")
        elif (answer := self._heartbeat(payload)) is not None:
            self._is_even = False
            self.send(answer)
        elif self._shape is not None:
            self._take_counted(self._shape, payload)
        else:
            self._inbox.append(payload)
            self._wake()

    def _take_counted(self, shape: Shape, payload: bytes) -> None:
        skipped = shape.joined or 0
        count, rest = divmod(len(payload) - skipped, shape.size)
        if rest or not count or (count > 1 and shape.joined is None):
            raise WireError(f"not what was expected: {payload[:200]!r}")
        self._taker.took(count, shape.total(payload, len(payload) - shape.size))

    def _end(self, reason: str) -> None:
        if self._reason:
            return
        self._reason = reason
        self._is_even = False
        self._transport.close()
        if not self._opened.done():
            self._opened.set_exception(ConnectionEndedError(reason))
        if self._shape is not None:
            self._taker.ended(reason)
        self._wake()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
