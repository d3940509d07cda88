"""Limits of the store: every size and count it may reach, and what happens beyond."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACTOR_NAME_BYTES_MAX",
    "APPEND_OVERHEAD_BYTES",
    "BACKGROUND_NICENESS",
    "BUSY_TIMEOUT_MS",
    "CACHE_KIB_MAX",
    "CALLER_BYTES",
    "CALL_BYTES_MAX",
    "CHANGES_BYTES_MAX",
    "CHANGE_OVERHEAD_BYTES",
    "FAILED_CHECKPOINTS_MAX",
    "FILING_BYTES",
    "FILING_SECONDS",
    "FOLD_GROUP_MAX",
    "GROUP_BYTES_MAX",
    "LOAD_GROUP_MAX",
    "LOOP_GATHER_SECONDS",
    "LOOP_GATHER_TURNS",
    "LOOP_WRITE_BYTES_MAX",
    "LOOP_WRITE_RETRY_SECONDS",
    "LOOP_WRITE_SECONDS_MAX",
    "META_KEY_BYTES_MAX",
    "PENDING_BYTES_MAX",
    "RECORD_BYTES_MAX",
    "REDIS_BACKOFF_SECONDS_MAX",
    "REDIS_BACKOFF_SECONDS_MIN",
    "REDIS_GROUPS_MAX",
    "REDIS_NAME_BYTES_MAX",
    "REDIS_OUTAGE_SECONDS_DEFAULT",
    "REDIS_REPLY_SECONDS_DEFAULT",
    "RETAINED_AGE_SECONDS_DEFAULT",
    "RETAINED_BYTES_DEFAULT",
    "RETAINED_RECORDS_DEFAULT",
    "RUNS_LOOK_RECORDS",
    "RUN_BYTES_MAX",
    "RUN_RECORDS_MAX",
    "SWEEP_ACTORS_MAX",
    "SWEEP_PAUSE_SECONDS",
    "SWEEP_ROUND_SECONDS",
    "SWITCH_INTERVAL_S_MAX",
    "TIP_CACHE_MAX",
    "UNFILED_BYTES_MAX",
    "WAL_PAGES_MAX",
]

CALLER_BYTES: Final = 32
"""A caller is one identity (256 bits) or absent; any other length is a programmer's error."""

CALL_BYTES_MAX: Final = 0xFFFF
"""Longest name of a call in UTF-8: its length field has 16 bits."""

RECORD_BYTES_MAX = 32 * 1024 * 1024
"""Largest encoded record. Encoding a larger one is a programmer's error; reading says corrupt."""

ACTOR_NAME_BYTES_MAX = 512
"""Longest actor name in UTF-8; a batch with a longer one fails with ActorNameError."""

META_KEY_BYTES_MAX = 512
"""Longest key of the store's own small values; a longer one is a programmer's error."""

APPEND_OVERHEAD_BYTES: Final = 128
"""What one append weighs in the queue besides its record: tuple, integers, references."""

PENDING_BYTES_MAX = 256 * 1024 * 1024
"""Accepted and not yet settled. Beyond it a batch is refused with StoreOverloadedError, which
is a failure like any other: batches after it fail too, until the reset. The host reads
``pending_bytes`` and slows its callers down long before."""

GROUP_BYTES_MAX = 16 * 1024 * 1024
"""Most that one commit writes; what is left waits for the next one. One batch, or the changes of
one checkpoint, may exceed it alone, since they are never split."""

CHANGES_BYTES_MAX = 64 * 1024 * 1024
"""Row changes of checkpoints that wait. Beyond it a checkpoint's own are not kept and it folds the
journal instead: slower, with the same result."""

CHANGE_OVERHEAD_BYTES = 128
"""What one row change weighs besides its bytes."""

FAILED_CHECKPOINTS_MAX = 65_536
"""Actors of which a store remembers that a checkpoint failed; beyond it all checkpoints fold the
journal, until the store is opened again."""

FOLD_GROUP_MAX = 256
"""Most checkpoints in one commit; bounds the time that appends wait behind them."""

LOAD_GROUP_MAX = 256
"""Most actors read by one statement; bounds the memory of its answer."""

LOOP_WRITE_SECONDS_MAX = 0.0005
LOOP_WRITE_RETRY_SECONDS = 1.0
"""Average time of a commit up to which SQLite's is written on the loop's thread, and the pause
after which a slower medium is tried there again.

A round trip to the writer's thread costs as much: measured on one core with 64 callers, one call in
flight each, commits took 0.5 ms by way of it, of which the medium was busy for 0.1 ms."""

LOOP_GATHER_TURNS = 3
LOOP_GATHER_SECONDS = 0.001
"""Turns of the loop that must bring no batch before what is gathered is written on its thread, and
how long that may take: as many as a request takes from its socket to the store. The loop stands
still during a write, so fewer and larger ones serve everybody."""

LOOP_WRITE_BYTES_MAX = 1024 * 1024
"""Largest batch that is written on the loop's thread."""

SWITCH_INTERVAL_S_MAX = 0.0001
"""Longest switch interval of the interpreter under which a store's threads make progress.

A thread that waits for the interpreter lock asks for it after this time without a release. A busy
loop polls its selector more often than the default of 5 ms, and each poll lets go of the lock too
briefly to be used and starts the wait anew: measured, commits of a busy server then waited for
seconds, 2 k records/s instead of 17 k in batches of 10."""

BACKGROUND_NICENESS = 5
"""By how much the thread that files the commit log is nicer than the loop.

Where both have one core, it then gets a quarter of it while the loop is busy, which is enough to
keep up: of 138,000 commits/s without an idle moment the log grew to 3 MiB. At half load, calls that
had to wait at all waited two to four times as long for a thread as nice as the loop."""

TIP_CACHE_MAX = 262_144
"""Actors whose last sequence number the writer remembers; beyond it all are forgotten and
looked up again, in one statement per commit."""

FILING_BYTES = 1024 * 1024
FILING_SECONDS = 1.0
"""Size of the commit log, and age of its first commit, from which on it is filed into journals.

More would share the cost of filing among more records, and take the processor for longer at once; a
copy of the file alone, as ``.backup`` makes it, is as old as the log."""

UNFILED_BYTES_MAX = 64 * 1024 * 1024
"""What the commit log may hold while filing fails; beyond it appends fail with what filing met."""

RUN_RECORDS_MAX = 256
RUN_BYTES_MAX = 64 * 1024
"""Most records of an actor in one row of its journal, and the weight from which on another begins.
Reading one record reads its run."""

RUNS_LOOK_RECORDS = 2048
"""So far into an actor's history one look goes for what is to be trimmed; then comes another."""

WAL_PAGES_MAX = 8192
"""Pages of the write-ahead log after which SQLite moves them into the file (32 MiB)."""

BUSY_TIMEOUT_MS = 5000
"""How long a statement waits for another process's lock before it fails."""

assert RECORD_BYTES_MAX < PENDING_BYTES_MAX
assert GROUP_BYTES_MAX < PENDING_BYTES_MAX
assert GROUP_BYTES_MAX < CHANGES_BYTES_MAX

CACHE_KIB_MAX = 65_536
"""Pages that each of the two SQLite connections keeps in memory."""

REDIS_NAME_BYTES_MAX = 128
"""Longest name of a Redis store: it is a part of each of its keys."""

REDIS_GROUPS_MAX = 2
"""Groups of batches on their way to Redis at once: one is written while the next one travels.

Beyond it what comes gathers in a larger group. Measured with 64 batches of one record waiting and
``appendfsync always``: 30 k records/s with 2 groups, 6 k with 8, since each costs a sync."""

REDIS_REPLY_SECONDS_DEFAULT = 5.0
"""How long one reply of Redis may take; then the connection counts as lost, and another one asks
what was written."""

REDIS_OUTAGE_SECONDS_DEFAULT = 10.0
"""How long writes and reads wait for a Redis that went away; then they fail, until it is back."""

REDIS_BACKOFF_SECONDS_MIN = 0.02
REDIS_BACKOFF_SECONDS_MAX = 1.0
"""Pauses between attempts to connect double from the one to the other; chance takes up to half off
each, so that servers which lost the same Redis do not come back together."""

RETAINED_RECORDS_DEFAULT = 256
RETAINED_BYTES_DEFAULT = 64 * 1024
RETAINED_AGE_SECONDS_DEFAULT = 7 * 86_400
"""Folded records of one actor that stay for ``history``: the last ones, up to the first of these
limits. Beyond it the oldest are removed by the actor's next checkpoint or by the sweep."""

SWEEP_ACTORS_MAX = 64
"""Actors whose history is looked at in one transaction of the sweep."""

SWEEP_PAUSE_SECONDS = 0.5
"""Pause after each transaction of the sweep: 460,000 actors are looked at in an hour."""

SWEEP_ROUND_SECONDS = 3600.0
"""Pause after all actors have been looked at; history can be this much older than its limit."""
