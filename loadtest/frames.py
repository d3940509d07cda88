"""Websocket frames as a client writes and reads them: bytes to payloads, without I/O.

Made for load: a frame costs a client as little as it can, so that the server is what is measured.
Source: RFC 6455; wire spec 5.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from loadtest.errors import WireError
from loadtest.limits import MESSAGE_BYTES_MAX

__all__ = [
    "FrameReader",
    "Reading",
    "binary_frame",
    "close_frame",
    "pong_frame",
    "server_frame_bytes",
    "text_frame",
]

_TEXT = 0x1
_BINARY = 0x2
_CLOSE = 0x8
_PING = 0x9
_PONG = 0xA
_FINAL = 0x80
_MASKED = 0x80
_WHOLE_BINARY = _FINAL | _BINARY
_DATA = (_TEXT, _BINARY)

_NO_MASK = bytes(4)
"""The key of all zeros leaves a payload as it is. A server unmasks it like any other, at the same
cost; it protects proxies that a load test does not have."""

_U16 = Struct(">H")
_U64 = Struct(">Q")
_HEAD_U16 = Struct(">BBH")
_HEAD_U64 = Struct(">BBQ")


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    first = _FINAL | opcode
    if size < 126:
        head = bytes((first, _MASKED | size))
    elif size < 65_536:
        head = _HEAD_U16.pack(first, _MASKED | 126, size)
    else:
        head = _HEAD_U64.pack(first, _MASKED | 127, size)
    return head + _NO_MASK + payload


def binary_frame(payload: bytes) -> bytes:
    """Spell one whole binary message."""
    return _frame(_BINARY, payload)


def text_frame(payload: bytes) -> bytes:
    """Spell one whole text message, given in UTF-8."""
    return _frame(_TEXT, payload)


def pong_frame(payload: bytes) -> bytes:
    """Spell the answer to a ping."""
    return _frame(_PONG, payload)


def close_frame(code: int) -> bytes:
    """Spell a close without a reason."""
    return _frame(_CLOSE, _U16.pack(code))


def server_frame_bytes(size: int) -> int:
    """Bytes of a server's frame that is a whole message of so many bytes."""
    return size + (2 if size < 126 else 4 if size < 65_536 else 10)


class Reading(NamedTuple):
    """What one read brought, in order; ``pings`` want their pongs.

    ``close`` is the code and reason of the server's close frame, after which nothing comes; 1005
    stands for a close frame without a code.
    """

    messages: list[bytes]
    pings: list[bytes]
    close: tuple[int, str] | None


class FrameReader:
    """Reader of one connection's inbound bytes, in any cut; holds at most one message."""

    __slots__ = ("_message", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._message: bytearray | None = None

    @property
    def is_between(self) -> bool:
        """Whether what was read so far is whole messages."""
        return not self._rest and self._message is None

    def feed(self, data: bytes) -> Reading:
        """Take the next bytes and return what became whole.

        Raises:
            WireError: a frame that a server may not send, or a message above the limit.
        """
        if self._rest:
            data = self._rest + data
        messages: list[bytes] = []
        reading = Reading(messages, [], None)
        offset, size = 0, len(data)
        while size - offset >= 2:
            first, length = data[offset], data[offset + 1]
            start = offset + 2
            if length > 125:
                if length & _MASKED:
                    raise WireError("a server does not mask")
                start += 2 if length == 126 else 8
                if start > size:
                    break
                (length,) = (_U16 if length == 126 else _U64).unpack_from(data, offset + 2)
                if length > MESSAGE_BYTES_MAX:
                    raise WireError(f"a frame of {length} bytes")
            end = start + length
            if end > size:
                break
            if first == _WHOLE_BINARY and self._message is None:
                messages.append(data[start:end])
            else:
                reading = self._other(first, data[start:end], reading)
            offset = end
        self._rest = data[offset:]
        return reading

    def _other(self, first: int, payload: bytes, reading: Reading) -> Reading:
        """Take a frame that is no whole binary message; texts are rare, and as good."""
        opcode = first & 0x0F
        if opcode == _PING:
            reading.pings.append(payload)
        elif opcode == _CLOSE:
            code = _U16.unpack_from(payload)[0] if len(payload) >= 2 else 1005
            return reading._replace(close=(code, payload[2:].decode(errors="replace")))
        elif opcode in _DATA or (opcode == 0 and self._message is not None):
            if (opcode in _DATA) != (self._message is None):
                raise WireError("a message begins inside another one")
            self._message = (self._message or bytearray()) + payload
            if len(self._message) > MESSAGE_BYTES_MAX:
                raise WireError(f"a message of {len(self._message)} bytes")
            if first & _FINAL:
                reading.messages.append(bytes(self._message))
                self._message = None
        elif opcode != _PONG:
            raise WireError(f"a frame with opcode {opcode}")
        return reading
