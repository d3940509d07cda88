"""Framing: messages as the bytes of one write, made once for connections that get the same."""

from __future__ import annotations

from protocol.connection import Connection
from protocol.upgrade import Subprotocol
from server.transport.frames import binary_frames

__all__ = ["Framing"]


class Framing:
    """Remembers the last write.

    Subscribers of one plan are sent equal messages one after another, and comparing lists of the
    same objects costs a fraction of joining them again.
    """

    __slots__ = ("_data", "_messages", "_subprotocol")

    def __init__(self) -> None:
        self._messages: list[bytes] = []
        self._subprotocol: Subprotocol | None = None
        self._data = b""

    def frame(self, connection: Connection, messages: list[bytes]) -> bytes:
        """The frames of an open connection's messages; the list must not change afterwards."""
        if messages != self._messages or connection.subprotocol is not self._subprotocol:
            self._data = binary_frames(connection.frames(messages))
            self._messages = messages
            self._subprotocol = connection.subprotocol
        return self._data
