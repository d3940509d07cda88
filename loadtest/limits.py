"""Limits of the load test: how long things are waited for, and how much is opened at once."""

from __future__ import annotations

__all__ = [
    "ANSWER_SECONDS_MAX",
    "BATCH_MAX",
    "BATTLE_PAUSE_SECONDS",
    "BROKEN_TOLD_MAX",
    "CONNECTS_AT_ONCE",
    "DEMO_STEPS",
    "DRAIN_SECONDS_MAX",
    "FIGHTS_OF_A_STORY_MAX",
    "GENERATOR_CPU_MAX",
    "GENERATOR_LAG_MS_MAX",
    "GENERATOR_STRAINED_MAX",
    "HANDSHAKE_BYTES_MAX",
    "LANE_TICK_SECONDS",
    "LATENCY_MICROS_MAX",
    "LEVEL_MAX",
    "MESSAGE_BYTES_MAX",
    "OPEN_FILES_SPARE",
    "OPERATION_SECONDS_MAX",
    "READS_KNOWN_MAX",
    "SAMPLE_SECONDS",
    "SCRAPE_SECONDS_MAX",
    "SCRIPT_PIECE_CHARS",
    "SHARED_READ_BYTES",
    "SOAK_COST_RATIO_MAX",
    "SOAK_GROWTH_BYTES_MIN",
    "SOAK_GROWTH_RATIO_MAX",
    "SOAK_SECONDS_MIN",
    "STACK_DEPTH_MAX",
    "START_SECONDS_MAX",
    "STEPS_MAX",
    "STOP_SECONDS_MAX",
    "STORY_SECONDS_MAX",
    "STREAM_PIECES_MAX",
    "USER_CALLS_BURST_MAX",
    "USER_CALLS_PER_SECOND_MAX",
    "WORKER_LINE_BYTES_MAX",
    "WRITES_IN_FLIGHT_MAX",
]

START_SECONDS_MAX = 30.0
"""From the start of a server's process to its ready line."""

STOP_SECONDS_MAX = 15.0
"""From the signal to the end of a server's process; then it is killed."""

BATCH_MAX = 256
"""Most calls that fall due together on one connection, which is one round of its calls; the command
line refuses more."""

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

READS_KNOWN_MAX = 4_096
"""Reads that are known again when they come for somebody else; then it begins anew."""

SHARED_READ_BYTES = 65_536
"""Most bytes of one read of many sockets."""

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

LANE_TICK_SECONDS = 0.001
"""How late a call of a lane may leave, which counts as latency; none leaves too soon."""

BROKEN_TOLD_MAX = 20
"""Different broken rules that a process puts in words; further ones are counted."""

GENERATOR_CPU_MAX = 0.9
"""Of its core, that a process of the load generator may use before it is itself the limit."""

GENERATOR_LAG_MS_MAX = 50.0
"""How late the generator's loop may come back before its lateness is taken for the server's."""

GENERATOR_STRAINED_MAX = 0.1
"""Part of the measured seconds in which the generator may be strained all the same."""

SCRAPE_SECONDS_MAX = 5.0
"""One answer of ``/metrics``; a second without it has no server metrics."""

WORKER_LINE_BYTES_MAX = 16 * 1024 * 1024
"""One line that a process of the generator tells: a second's histograms, or what it noted."""

WRITES_IN_FLIGHT_MAX = 64
"""Unanswered calls of one writer that all others follow; later ones wait, which is latency."""

FIGHTS_OF_A_STORY_MAX = 10
"""Battles that are fought in one story before another one is begun: what is told of them stays."""

SOAK_SECONDS_MIN = 16
"""Measured seconds that a slope needs: two quarters of four are compared."""

SOAK_GROWTH_BYTES_MIN = 16 * 1024 * 1024
"""Growth of the server's memory that proves nothing: allocators and caches fill up."""

SOAK_GROWTH_RATIO_MAX = 0.05
"""Part of its memory by which a server may grow from the second quarter to the last."""

SOAK_COST_RATIO_MAX = 1.5
"""Times the processor time of a call in the second quarter that one in the last may take."""
