"""Limits of the protocol: sizes, counts and depths, each with what happens beyond it."""

from __future__ import annotations

from typing import Final

__all__ = [
    "CLIENT_FRAME_BYTES_MAX",
    "CLOSE_REASON_BYTES_MAX",
    "CODECS_MAX",
    "FIXED_ROW_BYTES_MAX",
    "FRAME_JOINED_BYTES_MAX",
    "IDLE_SECONDS_MAX",
    "MESSAGES_PER_FRAME_MAX",
    "MESSAGE_BYTES_MAX",
    "NESTING_MAX",
    "PING_INTERVAL_SECONDS",
    "SQL_BYTES_MAX",
    "SQL_NESTING_MAX",
    "SQL_ORDER_TERMS_MAX",
    "SQL_PAIRS_MAX",
    "SQL_TABLES_MAX",
    "SQL_TERMS_MAX",
    "SQL_TOKENS_MAX",
    "SUBSCRIBE_QUERIES_MAX",
    "TYPE_NODES_MAX",
    "VARIANTS_MAX",
    "WINDOW_ROWS_MAX",
]

MESSAGE_BYTES_MAX: Final = 33_554_432
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
"""Compiled codecs kept for reuse, of each kind; beyond it the oldest is compiled again."""

FIXED_ROW_BYTES_MAX: Final = 65_535
"""Largest row size that a row list's u16 size hint can state (wire spec 5.4)."""

SQL_NESTING_MAX = 32
"""Parentheses within parentheses; a deeper query is a SqlError."""

SQL_TOKENS_MAX = 8_192
"""Words and marks of one query, more than its comparisons can need; reading tens of thousands of
brackets, only to find that they are nested too deep, would keep everybody else waiting."""

SQL_TERMS_MAX = 512
"""Comparisons of one query; more are a SqlError, as every commit may evaluate each of them."""

SQL_ORDER_TERMS_MAX = 16
"""Columns of one ORDER BY; more are a SqlError."""

SQL_TABLES_MAX = 8
"""Tables that one query of the larger grammar joins; more are a SqlError."""

SQL_PAIRS_MAX = 1_000_000
"""Rows that a query of the larger grammar may hold at a time while it joins; more are a SqlError,
as nobody else is served meanwhile."""

WINDOW_ROWS_MAX = 1_000
"""LIMIT of a subscription; a higher one is a SqlError."""

CLIENT_FRAME_BYTES_MAX = 256 * 1024
"""Messages joined in one v3 frame by a client; one larger message goes alone (wire spec 5.2)."""

FRAME_JOINED_BYTES_MAX: Final = 512 * 1024
"""Body of a v3 frame that joins messages; one larger message goes alone (wire spec 5.2)."""

MESSAGES_PER_FRAME_MAX: Final = 16_384
"""Messages in one v3 frame; more close the connection with 1013 (wire spec 8.3)."""

SUBSCRIBE_QUERIES_MAX = 16_384
"""Queries of one Subscribe; more are a DecodeError, which closes the connection."""

PING_INTERVAL_SECONDS = 15.0
"""From one ping to the next; the first is due right after the upgrade."""

IDLE_SECONDS_MAX = 30.0
"""Silence of the peer after which its connection is dropped without a close frame."""

assert SQL_BYTES_MAX < MESSAGE_BYTES_MAX
assert FIXED_ROW_BYTES_MAX < MESSAGE_BYTES_MAX
