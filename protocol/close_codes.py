"""Close codes that the server sends, in the wire's sense (wire spec 8.3, RFC 6455 7.4)."""

from __future__ import annotations

__all__ = [
    "CLOSE_BANNED",
    "CLOSE_INTERNAL_ERROR",
    "CLOSE_KICKED",
    "CLOSE_RESTART",
    "CLOSE_TOO_BIG",
    "CLOSE_TRY_LATER",
]

CLOSE_TOO_BIG = 1009
CLOSE_INTERNAL_ERROR = 1011
CLOSE_RESTART = 1012
CLOSE_TRY_LATER = 1013
CLOSE_KICKED = 4000
"""An operator closed the connection; the client may connect again."""
CLOSE_BANNED = 4003
"""Operators do not let the client in any more; its next handshakes are answered 403."""
