"""Limits of the load test: how long things are waited for, and how much is opened at once."""

from __future__ import annotations

__all__ = [
    "ANSWER_SECONDS_MAX",
    "CONNECTS_AT_ONCE",
    "DRAIN_SECONDS_MAX",
    "HANDSHAKE_BYTES_MAX",
    "LATENCY_MICROS_MAX",
    "MESSAGE_BYTES_MAX",
    "OPEN_FILES_SPARE",
    "SAMPLE_SECONDS",
    "STACK_DEPTH_MAX",
    "START_SECONDS_MAX",
    "STOP_SECONDS_MAX",
]

START_SECONDS_MAX = 30.0
"""From the start of a server's process to its ready line."""

STOP_SECONDS_MAX = 15.0
"""From the signal to the end of a server's process; then it is killed."""

ANSWER_SECONDS_MAX = 30.0
"""One answer of a server that is not under load."""

DRAIN_SECONDS_MAX = 30.0
"""After the load has stopped: until everything that was asked is answered."""

CONNECTS_AT_ONCE = 32
"""Handshakes under way at once; a server's accept queue is finite."""

HANDSHAKE_BYTES_MAX = 65_536
"""A server's answer to the upgrade, up to its empty line."""

MESSAGE_BYTES_MAX = 64 * 1024 * 1024
"""One message of the server; a snapshot of a large table is one message."""

LATENCY_MICROS_MAX = 60_000_000
"""Longest latency that histograms tell apart; longer ones count as this."""

OPEN_FILES_SPARE = 256
"""Open files beside one for each connection."""

SAMPLE_SECONDS = 0.001
"""Processor time between two samples of a profile."""

STACK_DEPTH_MAX = 64
"""Innermost functions of a stack that a profile keeps."""
