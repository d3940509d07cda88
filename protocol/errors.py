"""Everything that ``protocol`` raises on purpose: one tree with one root.

    ProtocolError
    |-- DecodeError    bytes or JSON from outside that are not a value of the declared type
    |-- EncodeError    a Python value that is not a value of the declared type
    |-- SqlError       a query that does not parse, does not resolve or is not supported
    |-- SchemaError    a schema or a type that cannot be declared
    `-- FrameError     a peer broke the framing; its connection has to be closed

A message describes the fault and never holds server state, so it may be shown to the peer.
"""

from __future__ import annotations

__all__ = [
    "DecodeError",
    "EncodeError",
    "FrameError",
    "ProtocolError",
    "SchemaError",
    "SqlError",
]


class ProtocolError(Exception):
    """Root of the tree.

    Attributes:
        message: what is wrong, one line, fit for the peer.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class DecodeError(ProtocolError):
    """Input from outside is not a value of the declared type.

    Attributes:
        offset: byte position of the fault in the decoded data, None where there is none to name.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset

    def __str__(self) -> str:
        if self.offset is None:
            return self.message
        return f"{self.message} at byte {self.offset}"


class EncodeError(ProtocolError):
    """A Python value has the wrong type, shape or range for the declared type."""


class SqlError(ProtocolError):
    """A query does not parse, names something unknown, or asks for what is not supported."""


class SchemaError(ProtocolError):
    """A declared type, table or function cannot be part of a schema."""


class FrameError(ProtocolError):
    """A peer broke the rules of the connection, which has to be closed.

    Attributes:
        close_code: websocket close code to answer with (wire spec 8.3).
        reason: close reason, the same text as ``message``; RFC 6455 allows 123 bytes of UTF-8.
    """

    def __init__(self, close_code: int, reason: str) -> None:
        super().__init__(reason)
        self.close_code = close_code
        self.reason = reason
