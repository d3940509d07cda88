"""Limits of the actor system: every queue, cache and loop, with what happens beyond it."""

from __future__ import annotations

__all__ = [
    "ACTIVATIONS_PER_FREEZE",
    "ACTIVATIONS_PER_LOAD",
    "ATTACHED_ACTORS_MAX",
    "CHECKPOINT_RECORDS",
    "CHECKPOINT_STEP_RECORDS",
    "DEDUPED_CALLS_MAX",
    "IDLE_SECONDS",
    "MAILBOX_MESSAGES_MAX",
    "OUTBOX_ATTEMPTS_MAX",
    "OUTBOX_RETRY_SECONDS_MAX",
    "PROCEDURE_SECONDS_MAX",
    "QUARANTINE_FAILURES",
    "QUERIES_CACHED_MAX",
    "QUERY_SETS_MAX",
    "RECEIPT_MICROS",
    "SEQUENCE_CHUNK",
    "TURNS_PER_DRAIN",
    "TURN_SECONDS_BUDGET",
    "WAKES_PER_LOOK",
    "WAKE_HORIZON_SECONDS",
]

CHECKPOINT_STEP_RECORDS = 64
"""How often an actor is asked whether its checkpoint is due."""

MAILBOX_MESSAGES_MAX = 16_384
"""Messages waiting at one actor; one more is refused with ``state.actor_unavailable``."""

TURNS_PER_DRAIN = 256
"""Turns of one actor before the loop may look at others; the rest waits for the next loop turn."""

TURN_SECONDS_BUDGET = 0.05
"""A turn that takes longer is logged and counted. It is not stopped: a turn is a transaction."""

QUARANTINE_FAILURES = 16
"""Unexpected failures in a row after which an actor refuses calls until it is released."""

IDLE_SECONDS = 600
"""Without a message for so long, an actor is checkpointed and leaves memory."""

CHECKPOINT_RECORDS = 16_384
"""Journal records after which an actor is checkpointed while it goes on working. A longer tail
takes longer to read at activation, about 5 us a record; a shorter one rewrites hot rows."""

DEDUPED_CALLS_MAX = 512
"""Receipts kept for each user and actor (domain 1.5); the oldest goes first."""

RECEIPT_MICROS = 24 * 3600 * 1_000_000
"""Age at which a receipt goes (domain 1.5)."""

OUTBOX_RETRY_SECONDS_MAX = 60
"""Longest pause between two deliveries of one message (domain 12.1); it doubles from 1 second."""

OUTBOX_ATTEMPTS_MAX = 10
"""Unexpected failures of one message's handler after which it is parked as a dead letter."""

SEQUENCE_CHUNK = 1024
"""Auto-increment values reserved in one journaled step; a restart skips the unused rest."""

QUERY_SETS_MAX = 1_024
"""Live query sets of one connection; one more is answered with a subscription error."""

QUERIES_CACHED_MAX = 4_096
"""Compiled queries kept for all connections; the least recently used goes first."""

ATTACHED_ACTORS_MAX = 64
"""Session actors that one caller's queries read (domain 1.6); further ones are not attached."""

ACTIVATIONS_PER_LOAD = 512
"""Actors read from the store in one look; more wait for the next one."""

ACTIVATIONS_PER_FREEZE = 8_192
"""Activations after which the objects in memory are taken out of the collector's sight."""

WAKE_HORIZON_SECONDS = 5
"""How often the store's due index is asked for actors that sleep."""

WAKES_PER_LOOK = 10_000
"""Sleeping actors taken from the due index in one look; more wait for the next one."""

PROCEDURE_SECONDS_MAX = 10
"""Default deadline of a procedure's waits (domain 1.4): then ``dependency.timeout``."""

assert CHECKPOINT_RECORDS % CHECKPOINT_STEP_RECORDS == 0
assert TURNS_PER_DRAIN < MAILBOX_MESSAGES_MAX
