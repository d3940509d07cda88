"""Limits of the actor system: every queue, cache and loop, with what happens beyond it."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACTIVATIONS_PER_COLLECTION",
    "ACTIVATIONS_PER_LOAD",
    "ACTIVATION_SECONDS_BUDGET",
    "ACTOR_BYTES",
    "ATTACHED_ACTORS_MAX",
    "BUCKET_CHARS_MAX",
    "CENSUS_CELLS_PER_SLICE",
    "CHECKPOINT_BYTES",
    "CHECKPOINT_RECORDS",
    "CHECKPOINT_STEP_RECORDS",
    "DEDUPED_CALLS_MAX",
    "EFFECT_SECONDS_MAX",
    "EVOLUTION_RECORD_BYTES",
    "FAILURE_CHARS_MAX",
    "FIRINGS_PER_TURN",
    "IDLE_SECONDS",
    "INSPECTED_CHARS_MAX",
    "INSPECTED_CONNECTIONS_MAX",
    "INSPECTED_ITEMS_MAX",
    "INSPECTION_SLICE",
    "JOURNAL_LOOK_BACK_RECORDS",
    "LETTER_ACTORS_MAX",
    "MAILBOX_MESSAGES_MAX",
    "MEMORY_BYTES_DEFAULT",
    "OBJECT_KEY_CHARS_MAX",
    "OUTBOX_ATTEMPTS_MAX",
    "OUTBOX_RETRY_SECONDS_MAX",
    "PASSIVATIONS_PER_SWEEP",
    "PINNED_SECONDS",
    "PROCEDURE_SECONDS_MAX",
    "QUARANTINE_FAILURES",
    "QUERIES_CACHED_MAX",
    "QUERY_SETS_MAX",
    "RECEIPT_MICROS",
    "RESIDENT_SECONDS_MIN",
    "ROW_BYTES",
    "ROW_EXPANSION",
    "SCHEDULE_MICROS_MAX",
    "SCHEDULE_MICROS_MIN",
    "SEQUENCE_CHUNK",
    "SLEEPER_RECORDS_MAX",
    "SWEEP_SECONDS",
    "SWEEP_SECONDS_BUDGET",
    "TABLE_BYTES",
    "TURNS_PER_DRAIN",
    "TURN_SECONDS_BUDGET",
    "WAKES_PER_LOOK",
    "WAKES_WAITING_MAX",
    "WAKE_BACKLOG_SECONDS",
    "WAKE_HORIZON_SECONDS",
    "WAKE_PAUSE_SECONDS",
    "WINDOW_RESERVE_ROWS",
]

CHECKPOINT_STEP_RECORDS: Final = 64
"""How often an actor is asked whether its checkpoint is due."""

MAILBOX_MESSAGES_MAX = 16_384
"""Messages waiting at one actor; one more is refused with ``state.actor_unavailable``."""

TURNS_PER_DRAIN: Final = 256
"""Turns of one actor before the loop may look at others; the rest waits for the next loop turn."""

TURN_SECONDS_BUDGET: Final = 0.05
"""A turn that takes longer is logged and counted. It is not stopped: a turn is a transaction."""

QUARANTINE_FAILURES: Final = 16
"""Unexpected failures in a row after which an actor refuses calls until it is released."""

CENSUS_CELLS_PER_SLICE = 256
"""Actors that are counted for metrics before the loop may go on with turns: about 1 ms."""

IDLE_SECONDS = 600
"""Without a message for so long, an actor is checkpointed and leaves memory."""

MEMORY_BYTES_DEFAULT = 1024 * 1024 * 1024
"""What actors in memory may take together, by estimate, unless the settings say otherwise. Beyond
it those leave that were used least recently."""

ACTOR_BYTES = 1_024
"""What an actor takes in memory beside its rows, by estimate."""

TABLE_BYTES = 1_536
"""What a table that an actor has used takes in memory beside its rows, by estimate."""

ROW_BYTES = 512
"""What a row takes in memory whatever it holds, by estimate."""

ROW_EXPANSION = 2
"""How often a row's BSATN is in memory, by estimate: as bytes, and as the values that they mean."""

RESIDENT_SECONDS_MIN = 1.0
"""So long after its last turn an actor stays, whatever the budget: who waits for it finds it."""

PINNED_SECONDS = 30.0
"""When an actor that cannot leave is looked at again, if the budget is exceeded."""

SWEEP_SECONDS_BUDGET = 0.002
"""How long one look for who may leave memory takes; the rest waits for the next loop turn."""

SWEEP_SECONDS = 5.0
"""How often it is looked whether an actor can leave, as long as the budget is not exceeded."""

PASSIVATIONS_PER_SWEEP = 64
"""Actors looked at in one callback of the loop; more follow in later ones."""

SLEEPER_RECORDS_MAX = 32
"""Journal records with which an actor leaves memory for room without a checkpoint: reading them
at its next activation costs less than writing it."""

CHECKPOINT_RECORDS = 16_384
"""Journal records after which an actor is checkpointed while it goes on working. A longer tail
takes longer to read at activation, about 5 us a record; a shorter one rewrites hot rows."""

CHECKPOINT_BYTES = 16 * 1024 * 1024
"""Bytes of large journal records after which an actor is checkpointed as well. Records below the
quotient of both count as nothing: so many of them weigh less than this together."""

DEDUPED_CALLS_MAX = 512
"""Receipts kept for each user and actor (domain 1.5); the oldest goes first."""

RECEIPT_MICROS = 24 * 3600 * 1_000_000
"""Age at which a receipt goes (domain 1.5)."""

OUTBOX_RETRY_SECONDS_MAX = 60
"""Longest pause between two deliveries of one message (domain 12.1); it doubles from 1 second."""

OUTBOX_ATTEMPTS_MAX = 10
"""Unexpected failures of one message's handler after which it is parked as a dead letter."""

FAILURE_CHARS_MAX = 500
"""What is kept of an error in a dead letter or as evidence; the rest is in the log."""

EFFECT_SECONDS_MAX = 600
"""The lease of an effect: after so long its run is cut short, and the request comes again."""

FIRINGS_PER_TURN = 64
"""Rows of scheduled tables that an actor fires in one turn; the rest waits for its next one, which
follows at once."""

SCHEDULE_MICROS_MIN = 1_000
"""Shortest interval of a scheduled row; a shorter one is refused with ``<table>.invalid_schedule``.
"""

SCHEDULE_MICROS_MAX = 2**62
"""Longest interval of a scheduled row, 146,000 years; its slots are moments still."""

EVOLUTION_RECORD_BYTES = 1024 * 1024
"""Rows of an older layout that an actor writes anew in one journal record; more take several."""

SEQUENCE_CHUNK = 1024
"""Auto-increment values reserved in one journaled step; a restart skips the unused rest."""

QUERY_SETS_MAX = 1_024
"""Live query sets of one connection; one more is answered with a subscription error."""

WINDOW_RESERVE_ROWS = 4_096
"""Rows kept in order behind the first rows of a live window, for those that go: 1 MB for each
such query with as many rows. When deletions have used them up, all rows are looked at again."""

QUERIES_CACHED_MAX = 4_096
"""Compiled queries kept for all connections; the least recently used goes first."""

ATTACHED_ACTORS_MAX = 64
"""Session actors that one caller's queries read (domain 1.6); further ones are not attached."""

ACTIVATIONS_PER_LOAD = 512
"""Actors read from the store in one look; more wait for the next one."""

ACTIVATION_SECONDS_BUDGET = 0.002
"""Actors that were read come into memory for so long; then the loop looks after the others."""

ACTIVATIONS_PER_COLLECTION = 256
"""Activations after which the garbage collector looks at what they made: 5 ms of the loop."""

WAKE_HORIZON_SECONDS = 5
"""How often the store's due index is asked for actors that sleep."""

WAKES_PER_LOOK = 10_000
"""Sleeping actors taken from the due index in one look; more wait for the next one."""

WAKE_BACKLOG_SECONDS = 1
"""The next look after one that found as many as it may."""

WAKES_WAITING_MAX = 512
"""Activations that wait for the store when no further sleeper is woken: callers go first."""

WAKE_PAUSE_SECONDS = 0.02
"""When it is tried again to wake the others."""

INSPECTION_SLICE = 100
"""Actors, plans or rows that an inspection looks at before the loop may look after others."""

INSPECTED_CHARS_MAX = 1_000
"""Longest text of a value that an inspection shows; of a longer one the beginning."""

INSPECTED_ITEMS_MAX = 100
"""Elements of an array that an inspection shows; the first of them."""

INSPECTED_CONNECTIONS_MAX = 20
"""Subscribers of a plan that an inspection names; all are counted."""

JOURNAL_LOOK_BACK_RECORDS = 512
"""Turns before those that are shown in which their rows' earlier states are looked for, when the
checkpoint is too new to have them."""

LETTER_ACTORS_MAX = 4_096
"""Actors that are remembered to keep dead letters; further ones are found in the log only."""

BUCKET_CHARS_MAX = 63
"""Longest name of a bucket of objects; ``asset.invalid_locator``."""

OBJECT_KEY_CHARS_MAX = 512
"""Longest key of an object; ``asset.invalid_locator``."""

PROCEDURE_SECONDS_MAX = 10
"""Default deadline of a procedure's waits (domain 1.4): then ``dependency.timeout``."""

assert CHECKPOINT_RECORDS % CHECKPOINT_STEP_RECORDS == 0
assert TURNS_PER_DRAIN < MAILBOX_MESSAGES_MAX
assert WAKE_BACKLOG_SECONDS < WAKE_HORIZON_SECONDS
assert WAKES_WAITING_MAX < WAKES_PER_LOOK
assert RESIDENT_SECONDS_MIN < PINNED_SECONDS < IDLE_SECONDS
assert WINDOW_RESERVE_ROWS > 0, "a window that is not whole keeps a row to compare with"
