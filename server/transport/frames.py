"""Websocket frames after the handshake: bytes to messages and back, without I/O.

The server's side of RFC 6455, made for many small messages: one frame in one read costs one pass.
Unmasking is the C function of ``websockets``. Its one extension is that of ``transport.deflate``.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple, TypeAlias

try:
    from websockets.speedups import apply_mask
except ImportError:  # the wheel of this platform has no C extension
    from websockets.utils import apply_mask

from server.transport.deflate import Deflate

__all__ = [
    "Close",
    "Event",
    "Failure",
    "FrameParser",
    "Ping",
    "Pong",
    "binary_frames",
    "close_echo",
    "close_frame",
    "data_frames",
    "ping_frame",
    "pong_frame",
]

_unmask: Final = apply_mask
_CONTINUATION: Final = 0x0
_TEXT: Final = 0x1
_BINARY: Final = 0x2
_CLOSE: Final = 0x8
_PING: Final = 0x9
_PONG: Final = 0xA
_FINAL: Final = 0x80
_MASKED: Final = 0x80
_COMPRESSED: Final = 0x40
_RESERVED: Final = 0x70
_WHOLE_BINARY: Final = _FINAL | _BINARY
_WHOLE_TEXT: Final = _FINAL | _TEXT

_PROTOCOL_ERROR: Final = 1002
_INVALID_DATA: Final = 1007
_TOO_BIG: Final = 1009
_CLOSE_CODES = frozenset((1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)))
"""Codes that may be in a frame: RFC 6455 7.4 and the registry; 1004 to 1006 and 1015 may not."""

_U16 = Struct(">H")
_U64 = Struct(">Q")
_HEAD_U16 = Struct(">BBH")
_HEAD_U64 = Struct(">BBQ")


class Ping(NamedTuple):
    """Must be answered by a pong with the same payload."""

    payload: bytes


class Pong(NamedTuple):
    """The peer lives; no answer."""

    payload: bytes


class Close(NamedTuple):
    """The peer closes; the payload is echoed in answer. Nothing after it is read."""

    payload: bytes


class Failure(NamedTuple):
    """The peer broke the protocol; close with this. Nothing after it is read."""

    code: int
    reason: str


Event: TypeAlias = bytes | str | Ping | Pong | Close | Failure
"""What a read brought: a whole binary or text message, or a control frame, or the end."""


class FrameParser:
    """Parser of one connection's inbound bytes, in any cut; holds at most one message."""

    __slots__ = (
        "_deflate",
        "_ended",
        "_is_compressed",
        "_message",
        "_message_bytes_max",
        "_message_opcode",
        "_needed",
        "_rest",
    )

    def __init__(self, message_bytes_max: int, deflate: Deflate | None = None) -> None:
        """Refuse messages of more than ``message_bytes_max`` bytes, fragments taken together.

        With ``deflate``, messages may come compressed; the limit is for what they become.
        """
        assert message_bytes_max >= 125, "short messages are not measured"
        self._message_bytes_max = message_bytes_max
        self._rest = bytearray()
        self._needed = 0
        self._message = bytearray()
        self._message_opcode = _CONTINUATION
        self._deflate = deflate
        self._is_compressed = False
        self._ended = False

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes and return what became whole, in order.

        Never raises: a broken rule is a ``Failure``, the last event there will be.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        events: list[Event] = []
        offset = 0
        size = len(data)
        while offset < size and not self._ended:
            # The hot path: a whole, short, unfragmented binary message.
            if size - offset >= 6 and data[offset] == _WHOLE_BINARY and not self._message_opcode:
                head_end = offset + 6
                end = head_end + data[offset + 1] - _MASKED
                if head_end <= end <= size and data[offset + 1] < _MASKED | 126:
                    events.append(_unmask(data[head_end:end], data[offset + 2 : head_end]))
                    offset = end
                    continue
            frame_end = self._frame(data, offset, events)
            if frame_end is None:
                self._rest += memoryview(data)[offset:]
                break
            offset = frame_end
        return events

    def _frame(self, data: bytes, offset: int, events: list[Event]) -> int | None:
        """Parse the frame at ``offset``; its end, or None when it is not whole yet."""
        available = len(data) - offset
        if available < 2:
            self._needed = 2
            return None
        first = data[offset]
        length = data[offset + 1]
        masked = length & _MASKED
        length &= 0x7F
        start = offset + 2
        if length >= 126:
            start += 2 if length == 126 else 8
            if len(data) < start:
                self._needed = start - offset
                return None
            unpack = (_U16 if length == 126 else _U64).unpack_from
            (length,) = unpack(data, offset + 2)
        if failure := self._fault_of_head(first, masked, length):
            events.append(failure)
            self._ended = True
            return start
        end = start + 4 + length
        if len(data) < end:
            self._needed = end - offset
            return None
        payload = _unmask(data[start + 4 : end], data[start : start + 4])
        if first == _WHOLE_BINARY:
            events.append(payload)
        else:
            self._accept(first, payload, events)
        return end

    def _fault_of_head(self, first: int, masked: int, length: int) -> Failure | None:
        if (
            first == _WHOLE_BINARY
            and masked
            and length <= self._message_bytes_max
            and not self._message_opcode
        ):
            return None
        opcode = first & 0x0F
        if opcode not in (_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG):
            return Failure(_PROTOCOL_ERROR, "invalid opcode")
        if not masked:
            return Failure(_PROTOCOL_ERROR, "incorrect masking")
        if length > self._message_bytes_max - (0 if opcode & 0x8 else len(self._message)):
            return self._too_big()
        if first & _RESERVED and not self._begins_compressed(first):
            return Failure(_PROTOCOL_ERROR, "reserved bits must be 0")
        if opcode & 0x8:
            return _fault_of_control(first, length)
        if opcode == _CONTINUATION and not self._message_opcode:
            return Failure(_PROTOCOL_ERROR, "unexpected continuation frame")
        if opcode != _CONTINUATION and self._message_opcode:
            return Failure(_PROTOCOL_ERROR, "expected a continuation frame")
        return None

    def _begins_compressed(self, first: int) -> bool:
        """Whether the reserved bits are those of a compressed message's first frame."""
        is_data = first & 0x0F in (_TEXT, _BINARY)
        return self._deflate is not None and is_data and first & _RESERVED == _COMPRESSED

    def _accept(self, first: int, payload: bytes, events: list[Event]) -> None:
        """Take a whole frame whose head is in order, other than an unfragmented binary one."""
        opcode = first & 0x0F
        if opcode == _PING:
            events.append(Ping(payload))
        elif opcode == _PONG:
            events.append(Pong(payload))
        elif opcode == _CLOSE:
            events.append(self._closed(payload))
            self._ended = True
        else:
            if opcode:
                self._message_opcode = opcode
                self._is_compressed = bool(first & _COMPRESSED)
            self._message += payload
            if first & _FINAL:
                events.append(self._whole_message())

    def _whole_message(self) -> bytes | str | Failure:
        message = bytes(self._message)
        opcode = self._message_opcode
        self._message = bytearray()
        self._message_opcode = _CONTINUATION
        try:
            if self._is_compressed:
                assert self._deflate is not None, "compressed frames are refused without"
                whole = self._deflate.decompress(message, self._message_bytes_max)
                if whole is None:
                    self._ended = True
                    return self._too_big()
                message = whole
            return message if opcode == _BINARY else message.decode()
        except UnicodeDecodeError:
            failure = Failure(_INVALID_DATA, "text is not UTF-8")
        except ValueError:
            failure = Failure(_INVALID_DATA, "the message is not compressed as it says")
        self._ended = True
        return failure

    def _too_big(self) -> Failure:
        return Failure(_TOO_BIG, f"message is larger than {self._message_bytes_max} bytes")

    def _closed(self, payload: bytes) -> Close | Failure:
        if self._message_opcode:
            return Failure(_PROTOCOL_ERROR, "incomplete fragmented message")
        if len(payload) == 1:
            return Failure(_PROTOCOL_ERROR, "close frame too short")
        if payload:
            try:
                payload[2:].decode()
            except UnicodeDecodeError:
                return Failure(_INVALID_DATA, "close reason is not UTF-8")
            if _U16.unpack_from(payload)[0] not in _CLOSE_CODES:
                return Failure(_PROTOCOL_ERROR, "invalid status code")
        return Close(payload)


def _fault_of_control(first: int, length: int) -> Failure | None:
    if length > 125:
        return Failure(_PROTOCOL_ERROR, "control frame too long")
    if not first & _FINAL:
        return Failure(_PROTOCOL_ERROR, "fragmented control frame")
    return None


def _spell_binary_head(size: int) -> bytes:
    if size < 126:
        return bytes((_WHOLE_BINARY, size))
    if size < 65_536:
        return _HEAD_U16.pack(_WHOLE_BINARY, 126, size)
    return _HEAD_U64.pack(_WHOLE_BINARY, 127, size)


_SPELLED: Final = 1_024
_BINARY_HEADS: Final = tuple(_spell_binary_head(size) for size in range(_SPELLED))
"""Of the sizes that most messages have."""


def _binary_head(size: int) -> bytes:
    return _BINARY_HEADS[size] if size < _SPELLED else _spell_binary_head(size)


def binary_frames(payloads: list[bytes]) -> bytes:
    """Spell one unfragmented binary frame per payload, joined for one write."""
    if len(payloads) == 1:
        payload = payloads[0]
        return _binary_head(len(payload)) + payload
    parts: list[bytes] = []
    for payload in payloads:
        parts.append(_binary_head(len(payload)))
        parts.append(payload)
    return b"".join(parts)


def data_frames(payloads: list[bytes], *, is_text: bool, deflate: Deflate | None) -> bytes:
    """Spell one unfragmented frame per payload; compressed where that is agreed and worth it."""
    parts: list[bytes] = []
    for payload in payloads:
        first = _WHOLE_TEXT if is_text else _WHOLE_BINARY
        compressed = None if deflate is None else deflate.compress(payload)
        if compressed is not None:
            first |= _COMPRESSED
        data = payload if compressed is None else compressed
        parts.append(bytes((first,)) + _binary_head(len(data))[1:])
        parts.append(data)
    return b"".join(parts)


def _control(opcode: int, payload: bytes) -> bytes:
    assert len(payload) <= 125, "control frames are short"
    return bytes((_FINAL | opcode, len(payload))) + payload


def ping_frame() -> bytes:
    """Spell a ping without payload: any pong answers it."""
    return _control(_PING, b"")


def pong_frame(payload: bytes) -> bytes:
    """Spell the answer to a ping, whose payload it repeats."""
    return _control(_PONG, payload)


def close_frame(code: int, reason: str) -> bytes:
    """Spell a close frame; ``reason`` has at most 123 bytes of UTF-8."""
    assert code in _CLOSE_CODES, "this code is not for the wire"
    return _control(_CLOSE, _U16.pack(code) + reason.encode())


def close_echo(close: Close) -> bytes:
    """Spell the answer to the peer's close frame, which repeats it."""
    return _control(_CLOSE, close.payload)
