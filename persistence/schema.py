"""Schema of the SQLite store: tables, statements, and how its file is opened.

Every statement here answers with one row or none. The interpreter lock is given up and taken
back once per step of a statement, and with a busy loop thread each take can cost a whole switch
interval (5 ms). So a group of any size is written by one insert into a view whose trigger does
the work, in a transaction of its own, and is read as one row of JSON with bytes in hexadecimal.

Commits do not come here: they are durable in a log beside this file (``commit_log``). Later, many
at once, their records are filed into their actors' journals, where consecutive records of an actor
are one row, a run; 1.6 us for each record, against 4.4 us for a row and an index entry for each.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from persistence.errors import StoreFormatError
from persistence.limits import BUSY_TIMEOUT_MS, CACHE_KIB_MAX, RUN_RECORDS_MAX, WAL_PAGES_MAX
from persistence.record import TIME_PLACE

__all__ = [
    "APPLICATION_ID",
    "FORMAT_VERSION",
    "READ_ACTORS",
    "READ_DUE",
    "READ_ENDS",
    "READ_EPOCH",
    "READ_FILED",
    "READ_FOLDS",
    "READ_HISTORY",
    "READ_LOG",
    "READ_META",
    "READ_RUNS",
    "READ_SNAPSHOTS",
    "READ_TIPS",
    "WRITE_FILINGS",
    "WRITE_FOLDS",
    "WRITE_META",
    "describe_durability",
    "open_reader",
    "open_writer",
]

APPLICATION_ID = 0x47454E41
FORMAT_VERSION = 3

_TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE owner(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL,
    log_epoch INTEGER NOT NULL DEFAULT 0,
    lap INTEGER NOT NULL DEFAULT 0
);
INSERT INTO owner(one, epoch) VALUES (1, 0);
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE actor(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    base_seq INTEGER NOT NULL DEFAULT 0,
    base_time INTEGER NOT NULL DEFAULT 0,
    wake INTEGER NOT NULL DEFAULT 0,
    kept_bytes INTEGER,
    trimmed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX actor_due ON actor(wake, name) WHERE wake != 0;
CREATE TABLE journal(
    actor_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    count INTEGER NOT NULL DEFAULT 1,
    places BLOB,
    record BLOB NOT NULL
);
CREATE UNIQUE INDEX journal_place ON journal(actor_id, seq);
CREATE TABLE row(
    actor_id INTEGER NOT NULL,
    table_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    row BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (actor_id, table_id, key)
) WITHOUT ROWID;
PRAGMA application_id = 1195724353;
PRAGMA user_version = 3;
COMMIT;
"""

_UPGRADES = {
    1: """
BEGIN IMMEDIATE;
ALTER TABLE actor ADD COLUMN kept_bytes INTEGER;
PRAGMA user_version = 2;
COMMIT;
""",
    2: """
BEGIN IMMEDIATE;
ALTER TABLE owner ADD COLUMN log_epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE owner ADD COLUMN lap INTEGER NOT NULL DEFAULT 0;
ALTER TABLE journal ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
ALTER TABLE journal ADD COLUMN places BLOB;
ALTER TABLE actor ADD COLUMN trimmed INTEGER NOT NULL DEFAULT 0;
UPDATE actor SET trimmed =
    coalesce((SELECT min(seq) - 1 FROM journal WHERE actor_id = actor.id), base_seq);
PRAGMA user_version = 3;
COMMIT;
""",
}
"""What makes a file one version newer."""

# Each writer makes these for itself, in its connection's temporary schema: the file holds data
# only. The first statement of each trigger is the fence.
_WRITES = """
CREATE TEMP VIEW filing AS
    SELECT 0 AS epoch, 0 AS lap, '' AS names, '' AS runs, x'' AS bytes, '' AS wakes;
CREATE TEMP TRIGGER file_group INSTEAD OF INSERT ON filing BEGIN
    SELECT raise(ROLLBACK, 'fenced') WHERE (SELECT epoch FROM main.owner) IS NOT new.epoch;
    UPDATE owner SET log_epoch = new.epoch, lap = new.lap
        WHERE log_epoch IS NOT new.epoch OR lap IS NOT new.lap;
    INSERT INTO actor(id, name) SELECT value->>0, value->>1 FROM json_each(new.names);
    INSERT INTO journal(actor_id, seq, count, places, record)
        SELECT value->>0, value->>1, value->>2,
            CASE WHEN value->>4 THEN substr(new.bytes, (value->>3) + 1, value->>4) END,
            substr(new.bytes, (value->>3) + (value->>4) + 1, value->>5)
        FROM json_each(new.runs);
    UPDATE actor SET wake = due.value->>1
        FROM json_each(new.wakes) AS due WHERE actor.id = due.value->>0;
END;
CREATE TEMP VIEW folding AS
    SELECT 0 AS epoch, '' AS actors, '' AS deletes, '' AS places, x'' AS bytes;
CREATE TEMP TRIGGER fold_group INSTEAD OF INSERT ON folding BEGIN
    SELECT raise(ROLLBACK, 'fenced') WHERE (SELECT epoch FROM main.owner) IS NOT new.epoch;
    DELETE FROM row WHERE (actor_id, table_id, key) IN (
        SELECT value->>0, value->>1, substr(new.bytes, (value->>2) + 1, value->>3)
        FROM json_each(new.deletes));
    INSERT OR REPLACE INTO row(actor_id, table_id, key, row, checksum)
        SELECT value->>0, value->>1, substr(new.bytes, (value->>2) + 1, value->>3),
            substr(new.bytes, (value->>2) + (value->>3) + 1, value->>4), value->>5
        FROM json_each(new.places);
    UPDATE actor SET base_seq = folded.value->>1, base_time = folded.value->>2,
            trimmed = folded.value->>3, kept_bytes = folded.value->>4
        FROM json_each(new.actors) AS folded WHERE actor.id = folded.value->>0;
    DELETE FROM journal WHERE rowid IN (
        SELECT journal.rowid FROM json_each(new.actors) AS folded CROSS JOIN journal
        ON journal.actor_id = folded.value->>0 AND journal.seq <= folded.value->>3
        WHERE journal.seq + journal.count - 1 <= folded.value->>3);
END;
"""

WRITE_FILINGS = "INSERT INTO filing VALUES (?, ?, ?, ?, ?, ?)"
"""epoch; lap of its log from which on nothing is filed but what is in the journals; [[id, name]] of
new actors; [[id, seq, count, offset, size of the places, size of the records]]; joined places and
records; [[id, wake]]."""

WRITE_FOLDS = "INSERT INTO folding VALUES (?, ?, ?, ?, ?)"
"""epoch; [[id, through, time, trim through, kept bytes]]; [[id, table, offset, key size]] of
deleted rows;
[[id, table, offset, key size, row size, checksum]]; joined keys and rows. A run goes from a journal
when the last of its records does; until then the reader passes over those that are trimmed."""

WRITE_META = """
INSERT INTO meta(key, value) SELECT ?, ? WHERE (SELECT epoch FROM owner) = ?
ON CONFLICT(key) DO UPDATE SET value = excluded.value
"""

READ_EPOCH = "SELECT epoch FROM owner"

READ_LOG = "SELECT log_epoch, lap FROM owner"
"""The log that may hold more than the journals: its owner's epoch, and its lap."""

READ_FILED = """
SELECT json_group_array(json_array(
    actor.id, max(actor.base_seq, coalesce((
        SELECT seq + count - 1 FROM journal WHERE actor_id = actor.id
        ORDER BY seq DESC LIMIT 1), 0))))
FROM json_each(?) AS wanted CROSS JOIN actor ON actor.id = wanted.value
"""
"""Of [id]: [[id, last filed]] of the known ones."""

READ_TIPS = """
SELECT coalesce((SELECT max(id) FROM actor), 0), json_group_array(json_array(
    actor.name, actor.id, max(actor.base_seq, coalesce((
        SELECT seq + count - 1 FROM journal WHERE actor_id = actor.id
        ORDER BY seq DESC LIMIT 1), 0))))
FROM json_each(?) AS wanted CROSS JOIN actor ON actor.name = wanted.value
"""
"""Of [name]: the highest id of all actors, and [[name, id, last filed]] of the known ones."""

READ_ENDS = """
SELECT json_group_array(json_array(
    actor.name, actor.id, actor.base_seq, actor.base_time, max(actor.base_seq, coalesce((
        SELECT seq + count - 1 FROM journal WHERE actor_id = actor.id
        ORDER BY seq DESC LIMIT 1), 0)),
    actor.trimmed, actor.kept_bytes))
FROM json_each(?) AS wanted CROSS JOIN actor ON actor.name = wanted.value
"""
"""Of [name]: [[name, id, base seq, base time, last filed, trimmed through, kept bytes]]."""

# Below, a run holds what follows a record if its last one does, and such a run begins less than the
# greatest length of a run before: that is what the index can find.

READ_RUNS = """
SELECT json_group_array(json_array(actor_id, seq, count, size, hex(places))) FROM (
    SELECT journal.actor_id, journal.seq, journal.count, length(journal.record) AS size,
        coalesce(journal.places, substr(journal.record, 10, 8)) AS places
    FROM json_each(?) AS wanted
    CROSS JOIN journal ON journal.actor_id = wanted.value->>0
        AND journal.seq > (wanted.value->>1) - 256 AND journal.seq <= wanted.value->>2
    WHERE journal.seq + journal.count - 1 > wanted.value->>1
    ORDER BY journal.actor_id, journal.seq)
"""
"""Of [[id, after, through]]: [[id, seq, count, size, places]] of the runs with any record between;
a run of one record has its time for places. What the records hold is not read."""

READ_FOLDS = """
SELECT json_group_array(json_array(actor_id, base_seq, seq, hex(places), hex(record))) FROM (
    SELECT journal.*, actor.base_seq
    FROM json_each(?) AS wanted
    CROSS JOIN actor ON actor.id = wanted.value->>0
    CROSS JOIN journal ON journal.actor_id = actor.id
        AND journal.seq > actor.base_seq - 256 AND journal.seq <= wanted.value->>1
    WHERE journal.seq + journal.count - 1 > actor.base_seq
    ORDER BY journal.actor_id, journal.seq)
"""
"""Of [[id, through]]: the runs [[id, base seq, seq, places, records]] to be folded."""

READ_SNAPSHOTS = """
SELECT
    (SELECT json_group_array(json_array(actor.name, actor.id, actor.base_seq, actor.base_time))
        FROM json_each(?) AS wanted CROSS JOIN actor ON actor.name = wanted.value),
    (SELECT json_group_array(json_array(actor_id, table_id, checksum, hex(row))) FROM (
        SELECT row.actor_id, row.table_id, row.checksum, row.row
        FROM json_each(?) AS wanted
        CROSS JOIN actor ON actor.name = wanted.value
        CROSS JOIN row ON row.actor_id = actor.id
        ORDER BY row.actor_id, row.table_id, row.key)),
    (SELECT json_group_array(json_array(actor_id, seq, hex(places), hex(record))) FROM (
        SELECT journal.*
        FROM json_each(?) AS wanted
        CROSS JOIN actor ON actor.name = wanted.value
        CROSS JOIN journal ON journal.actor_id = actor.id
            AND journal.seq > actor.base_seq - 256
        WHERE journal.seq + journal.count - 1 > actor.base_seq
        ORDER BY journal.actor_id, journal.seq))
"""
"""Of [name], given three times: [[name, id, base seq, base time]], [[id, table, checksum, row]] and
the runs [[id, seq, places, records]]; one statement, so of one moment."""

READ_HISTORY = """
WITH
wanted AS MATERIALIZED (
    SELECT id, trimmed, max(trimmed, ?2) AS after FROM actor WHERE name = ?1),
run AS MATERIALIZED (
    SELECT journal.rowid AS place, journal.seq, sum(count) OVER (ORDER BY seq) - count AS before
    FROM wanted CROSS JOIN journal
        ON journal.actor_id = wanted.id AND journal.seq > wanted.after - 256
    WHERE journal.seq + journal.count - 1 > wanted.after)
SELECT (SELECT trimmed FROM wanted),
    json_group_array(json_array(seq, hex(places), hex(record)))
FROM (
    SELECT journal.seq, journal.places, journal.record
    FROM run CROSS JOIN journal ON journal.rowid = run.place
    WHERE before < ?3 + 256 ORDER BY run.seq)
"""
"""Of an actor, the records after a number, at most so many: through which record its history is
trimmed, null for an actor never heard of, and the runs [[seq, places, records]] that hold them."""

READ_DUE = """
SELECT json_group_array(json_array(name, wake)) FROM (
    SELECT name, wake FROM actor WHERE wake != 0 AND wake <= ? ORDER BY wake, name LIMIT ?)
"""

READ_ACTORS = """
SELECT json_group_array(name) FROM (
    SELECT name FROM actor WHERE name > ? AND name >= ? AND (? IS NULL OR name < ?)
    ORDER BY name LIMIT ?)
"""
"""After a name, from a prefix to before its successor (twice), at most so many: [name]."""

READ_META = "SELECT value FROM meta WHERE key = ?"

_SYNCHRONOUS = ("OFF", "NORMAL", "FULL", "EXTRA")


def open_writer(path: Path, pages_max: int | None) -> tuple[sqlite3.Connection, int]:
    """Open or create the file and take ownership; the connection belongs to this thread.

    Returns the connection and the new epoch. Raises StoreFormatError, or sqlite3.Error when the
    medium refuses.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        connection = _connect(path)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise StoreFormatError(str(path), "not a SQLite file") from error
        raise
    try:
        _check_format(connection, path)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES_MAX:d}")
        if pages_max is not None:
            connection.execute(f"PRAGMA max_page_count = {pages_max:d}")
        connection.executescript(_WRITES)
        (epoch,) = connection.execute(
            "UPDATE owner SET epoch = epoch + 1 RETURNING epoch"
        ).fetchone()
    except BaseException:
        connection.close()
        raise
    assert isinstance(epoch, int)
    return connection, epoch


def open_reader(path: Path) -> sqlite3.Connection:
    """Open a connection that cannot write; it belongs to this thread."""
    connection = _connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


def describe_durability(connection: sqlite3.Connection) -> str:
    """Say how durable a commit is, by asking the connection rather than ourselves."""
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    (level,) = connection.execute("PRAGMA synchronous").fetchone()
    return f"{str(mode).upper()}, synchronous={_SYNCHRONOUS[level]}"


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)
    try:
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB_MAX:d}")
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables == 0:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_TABLES)
    elif application != APPLICATION_ID:
        raise StoreFormatError(str(path), "a SQLite file of another program")
    elif version != FORMAT_VERSION and version not in _UPGRADES:
        raise StoreFormatError(str(path), f"format {version}, this program knows {FORMAT_VERSION}")
    else:
        connection.execute("PRAGMA journal_mode = WAL")
        for older in range(version, FORMAT_VERSION):
            connection.executescript(_UPGRADES[older])


assert f"application_id = {APPLICATION_ID:d};" in _TABLES
assert f"user_version = {FORMAT_VERSION:d};" in _TABLES
assert range(9, 17) == TIME_PLACE, "READ_RUNS reads the time of a record"
assert RUN_RECORDS_MAX == 256, "the statements above count on it"
