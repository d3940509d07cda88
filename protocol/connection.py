"""Server side of one connection without I/O: frames in, messages out, and messages into frames.

The driver owns the socket; it feeds whole websocket data frames to :meth:`Connection.receive_frame`
and writes what :meth:`Connection.frames` returns as frames of data: text for v1.json, binary for
all others. Source: wire spec 5, 6.3, 8.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from protocol.close_codes import CLOSE_INTERNAL_ERROR, CLOSE_TOO_BIG, CLOSE_TRY_LATER
from protocol.errors import DecodeError, FrameError
from protocol.limits import (
    CLOSE_REASON_BYTES_MAX,
    FRAME_JOINED_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    MESSAGES_PER_FRAME_MAX,
)
from protocol.messages.requests import ClientMessage
from protocol.messages.wire import Wire
from protocol.upgrade import Subprotocol

__all__ = ["Connection", "close_reason"]


_UNCOMPRESSED: Final = b"\x00"


def close_reason(text: str) -> str:
    """Cut a text to what fits a close frame, never within a character."""
    return text.encode()[:CLOSE_REASON_BYTES_MAX].decode(errors="ignore")


class Connection:
    """Framing of one connection; open until a frame breaks the rules or the driver closes it.

    Once closing, requests that were still in flight are ignored and nothing more is framed: a peer
    may go on sending after its close frame, and answers to it must not raise (wire spec 15.19).

    Attributes:
        subprotocol: what was chosen at the upgrade.
        wire: spells the messages of this connection.
        is_text: frames are text, and begin with no tag.
        trailing_bytes: bytes after the one message of v2 frames so far; tolerated, worth a log.
    """

    __slots__ = ("_closing", "_joins", "is_text", "subprotocol", "trailing_bytes", "wire")

    def __init__(self, subprotocol: Subprotocol, wire: Wire) -> None:
        self.subprotocol = subprotocol
        self.wire = wire
        self.is_text = subprotocol is Subprotocol.V1_JSON
        self.trailing_bytes = 0
        self._joins = subprotocol is Subprotocol.V3_BSATN
        self._closing = False

    @property
    def closing(self) -> bool:
        """Whether the connection accepts and frames nothing any more."""
        return self._closing

    def close(self) -> None:
        """Stop accepting and framing messages; idempotent."""
        self._closing = True

    def receive_frame(self, data: bytes | str) -> list[ClientMessage]:
        """Decode the messages of one inbound frame, in order.

        A frame is taken whole or not at all: an error anywhere in it delivers none of it.

        Args:
            data: payload of one binary frame, or the text of a text frame.

        Raises:
            FrameError: text where frames are binary or the other way round, an empty v3 frame,
                undecodable bytes, or beyond a limit. The connection is closing from then on; the
                driver sends the close frame.
        """
        if self._closing:
            return []
        try:
            return self._decode_frame(data)
        except FrameError:
            self._closing = True
            raise

    def frames(self, messages: Sequence[bytes]) -> list[bytes]:
        """Put messages into as few frames as the version allows, keeping their order."""
        if self._closing:
            return []
        if self.is_text:
            return list(messages)
        if len(messages) == 1:
            return [_UNCOMPRESSED + messages[0]]
        if not self._joins:
            return [_UNCOMPRESSED + message for message in messages]
        frames = []
        parts = [_UNCOMPRESSED]
        size = 0
        for message in messages:
            if size and size + len(message) > FRAME_JOINED_BYTES_MAX:
                frames.append(b"".join(parts))
                parts = [_UNCOMPRESSED]
                size = 0
            parts.append(message)
            size += len(message)
        if size:
            frames.append(b"".join(parts))
        return frames

    def _decode_frame(self, data: bytes | str) -> list[ClientMessage]:
        if isinstance(data, str):
            if not self.is_text:
                raise FrameError(CLOSE_INTERNAL_ERROR, "this protocol has binary frames only")
            data = data.encode()
        elif self.is_text:
            raise FrameError(CLOSE_INTERNAL_ERROR, "this protocol has text frames only")
        size = len(data)
        if size > MESSAGE_BYTES_MAX:
            raise FrameError(CLOSE_TOO_BIG, f"message is larger than {MESSAGE_BYTES_MAX} bytes")
        try:
            message, end = self.wire.decode_client_message(data, 0)
            messages = [message]
            if not self._joins:
                self.trailing_bytes += size - end
            elif end < size:
                self._decode_joined(data, end, messages)
        except DecodeError as error:
            raise FrameError(CLOSE_INTERNAL_ERROR, close_reason(str(error))) from None
        return messages

    def _decode_joined(self, data: bytes, offset: int, messages: list[ClientMessage]) -> None:
        """Decode what follows the first message of a v3 frame."""
        decode = self.wire.decode_client_message
        size = len(data)
        while offset < size:
            if len(messages) == MESSAGES_PER_FRAME_MAX:
                raise FrameError(CLOSE_TRY_LATER, "too many requests")
            message, offset = decode(data, offset)
            messages.append(message)
