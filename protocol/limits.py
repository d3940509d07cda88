"""Limits of the protocol: sizes, counts and depths, each with what happens beyond it."""

from __future__ import annotations

__all__ = [
    "CLOSE_REASON_BYTES_MAX",
    "CODECS_MAX",
    "FIXED_ROW_BYTES_MAX",
    "MESSAGE_BYTES_MAX",
    "NESTING_MAX",
    "SQL_BYTES_MAX",
    "TYPE_NODES_MAX",
    "VARIANTS_MAX",
]

MESSAGE_BYTES_MAX = 33_554_432
"""One message of a client, whole; a longer one closes the connection (wire spec 8.3)."""

SQL_BYTES_MAX = 50_000
"""UTF-8 bytes of one query; a longer one is a SqlError (wire spec 8.3, 10)."""

CLOSE_REASON_BYTES_MAX = 123
"""UTF-8 bytes of a close reason (RFC 6455, 5.5); longer texts are cut."""

NESTING_MAX = 32
"""Levels of types within types; a deeper declaration is a SchemaError when it is compiled."""

TYPE_NODES_MAX = 4_096
"""Types inside one declared type, all levels; more is a SchemaError when it is compiled."""

VARIANTS_MAX = 256
"""Variants of a sum or an enum: the tag is one byte (wire spec 3); more is a SchemaError."""

CODECS_MAX = 8_192
"""Compiled codecs kept for reuse, of each kind; beyond it the oldest is compiled anew when asked."""

FIXED_ROW_BYTES_MAX = 65_535
"""Largest row size that a row list's u16 size hint can state (wire spec 5.4)."""

assert SQL_BYTES_MAX < MESSAGE_BYTES_MAX
assert FIXED_ROW_BYTES_MAX < MESSAGE_BYTES_MAX
