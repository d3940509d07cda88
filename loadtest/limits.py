"""Limits of the load test: how long things are waited for, and how much is opened at once."""

from __future__ import annotations

__all__ = [
    "ANSWER_SECONDS_MAX",
    "BATTLE_PAUSE_SECONDS",
    "CONNECTS_AT_ONCE",
    "DEMO_STEPS",
    "DRAIN_SECONDS_MAX",
    "HANDSHAKE_BYTES_MAX",
    "LATENCY_MICROS_MAX",
    "LEVEL_MAX",
    "MESSAGE_BYTES_MAX",
    "OPEN_FILES_SPARE",
    "OPERATION_SECONDS_MAX",
    "SAMPLE_SECONDS",
    "SCRIPT_PIECE_CHARS",
    "STACK_DEPTH_MAX",
    "START_SECONDS_MAX",
    "STEPS_MAX",
    "STOP_SECONDS_MAX",
    "STORY_SECONDS_MAX",
    "STREAM_PIECES_MAX",
    "USER_CALLS_BURST_MAX",
    "USER_CALLS_PER_SECOND_MAX",
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

OPERATION_SECONDS_MAX = 120.0
"""Until an operation of a creation session has ended; a model has 90 seconds (domain 8.3)."""

LATENCY_MICROS_MAX = 60_000_000
"""Longest latency that histograms tell apart; longer ones count as this."""

OPEN_FILES_SPARE = 256
"""Open files beside one for each connection."""

SAMPLE_SECONDS = 0.001
"""Processor time between two samples of a profile."""

STACK_DEPTH_MAX = 64
"""Innermost functions of a stack that a profile keeps."""

LEVEL_MAX = 50
"""Highest level of a player (domain 3.2)."""

USER_CALLS_PER_SECOND_MAX = 28
"""What a bot lets itself do: servers take 30 calls a second of a user (domain 1.9)."""

USER_CALLS_BURST_MAX = 50
"""Calls of a bot at once, below the 60 that servers take; the rest is for what is in flight."""

BATTLE_PAUSE_SECONDS = 0.25
"""Before an action is tried again that came too soon: a battle takes five a second (domain 4.7)."""

STORY_SECONDS_MAX = 1_800.0
"""How long a guest waits for its next turn while others play."""

STEPS_MAX = 2_000
"""Calls of one playthrough; a story that needs more does not end."""

STREAM_PIECES_MAX = 290
"""Pieces of a reply that tells its times: a reply has at most 1,200 characters (domain 8.3)."""

SCRIPT_PIECE_CHARS = 5
"""Letters of a piece of a scripted answer, about a token."""

DEMO_STEPS = 14
"""Turns that are played of the world that the demonstration makes."""
