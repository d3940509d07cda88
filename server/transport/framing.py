"""Framing: messages as the bytes of one write, made once for connections that get the same."""

from __future__ import annotations

from protocol.connection import Connection
from protocol.upgrade import Subprotocol
from server.transport.deflate import Deflate
from server.transport.frames import binary_frames, data_frames

__all__ = ["Framing"]


class Framing:
    """Remembers the last write.

    Subscribers of one plan are sent equal messages one after another, and comparing lists of the
    same objects costs a fraction of joining, let alone compressing, them again.
    """

    __slots__ = ("_data", "_messages", "_subprotocol", "_window_bits")

    def __init__(self) -> None:
        self._messages: list[bytes] = []
        self._subprotocol: Subprotocol | None = None
        self._window_bits = 0
        self._data = b""

    def frame(
        self, connection: Connection, messages: list[bytes], deflate: Deflate | None = None
    ) -> bytes:
        """The frames of an open connection's messages; the list must not change afterwards."""
        window_bits = 0 if deflate is None else deflate.window_bits
        if (
            messages != self._messages
            or connection.subprotocol is not self._subprotocol
            or window_bits != self._window_bits
        ):
            payloads = connection.frames(messages)
            if deflate is None and not connection.is_text:
                self._data = binary_frames(payloads)
            else:
                is_text = connection.is_text
                self._data = data_frames(payloads, is_text=is_text, deflate=deflate)
            self._messages = messages
            self._subprotocol = connection.subprotocol
            self._window_bits = window_bits
        return self._data
