"""A store with very many users of the game, made from one who really came.

One user comes and goes through a host; its rows and its journal are then copied for everybody
else, with the user's own id and identity, straight into the file: a million in a minute.
"""

from __future__ import annotations

import shutil
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from crowd import Deaf, claims_of, running_host

from actors.host import Host
from actors.keys import user_id_of
from actors.module.types import ConnectionId, Identity
from persistence import SqliteStore
from persistence.runs import cut_run
from protocol.messages import V2

GAME = "actors.domains.entry"
FILE = "journal.sqlite3"
USERS_PER_COMMIT = 20_000
CHECKSUM = struct.Struct("<I")


class Stored(NamedTuple):
    """What a store holds of one user: checkpoint, and the journal's tail."""

    base_seq: int
    base_time: int
    rows: list[tuple[int, bytes, bytes]]
    records: list[tuple[int, bytes]]


async def come_and_go(host: Host, number: int, connection: int) -> None:
    """Let a user come once, and go."""
    session = host.open_session(
        claims=claims_of(number),
        connection_id=ConnectionId(connection),
        token="token",
        wire=V2,
        confirmed=True,
        sink=Deaf(),
    )
    await session.connect()
    await session.disconnect()


async def store_users(folder: Path, count: int, records_each: int = 0) -> None:
    """Make a store of so many users, each with so many records that no checkpoint has folded."""
    async with running_host(GAME, "sqlite", folder) as host:
        await come_and_go(host, 0, 1)
        await host.durable()
        await host.orders.checkpoint_all()
        for visit in range(records_each // 2):
            await come_and_go(host, 0, 2 + visit)
        await host.durable()
        left = await recovered(folder / FILE)
    user = stored_user(left)
    left.unlink()
    copy_users(folder / FILE, user, count)


async def recovered(path: Path) -> Path:
    """A copy of a store in use, as it is after a crash now: all is in the journals."""
    copy = path.with_name("left.sqlite3")
    for end in ("", "-wal"):
        shutil.copyfile(f"{path}{end}", f"{copy}{end}")
    store = SqliteStore(copy)
    await store.open()
    await store.close()
    return copy


def key_of(number: int) -> str:
    return f"user/{user_id_of(claims_of(number).identity)}"


def stored_user(path: Path) -> Stored:
    """The first user, as the file has it."""
    connection = sqlite3.connect(path)
    actor_id, base_seq, base_time = connection.execute(
        "SELECT id, base_seq, base_time FROM actor WHERE name = ?", (key_of(0),)
    ).fetchone()
    rows = connection.execute("SELECT table_id, key, row FROM row WHERE actor_id = ?", (actor_id,))
    runs = connection.execute(
        "SELECT seq, coalesce(places, x''), record FROM journal WHERE actor_id = ? ORDER BY seq",
        (actor_id,),
    )
    records = [item for run in runs for item in cut_run(*run) if item[0] > base_seq]
    stored = Stored(base_seq, base_time, rows.fetchall(), records)
    connection.close()
    return stored


def copy_users(path: Path, user: Stored, count: int) -> None:
    """Write copies of the first user until there are so many."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    (last_id,) = connection.execute("SELECT max(id) FROM actor").fetchone()
    for first in range(1, count, USERS_PER_COMMIT):
        numbers = range(first, min(first + USERS_PER_COMMIT, count))
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO actor(id, name, base_seq, base_time) VALUES (?, ?, ?, ?)",
            ((last_id + n, key_of(n), user.base_seq, user.base_time) for n in numbers),
        )
        connection.executemany(
            "INSERT INTO row VALUES (?, ?, ?, ?, ?)", rows_of(user, last_id, numbers)
        )
        connection.executemany(
            "INSERT INTO journal(actor_id, seq, record) VALUES (?, ?, ?)",
            records_of(user, last_id, numbers),
        )
        connection.execute("COMMIT")
    connection.close()


def names_of(number: int) -> tuple[bytes, bytes]:
    """What is a user's own in rows and records: the id, and the identity as both keep it."""
    identity: Identity = claims_of(number).identity
    return user_id_of(identity).encode(), identity.to_bytes(32, "little")


def rows_of(
    user: Stored, last_id: int, numbers: range
) -> Iterator[tuple[int, int, bytes, bytes, int]]:
    old_name, old_identity = names_of(0)
    for number in numbers:
        name, identity = names_of(number)
        for table_id, key, row in user.rows:
            copied = row.replace(old_name, name).replace(old_identity, identity)
            own_key = key.replace(old_name, name)
            yield last_id + number, table_id, own_key, copied, crc32(copied)


def records_of(user: Stored, last_id: int, numbers: range) -> Iterator[tuple[int, int, bytes]]:
    old_name, old_identity = names_of(0)
    for number in numbers:
        name, identity = names_of(number)
        for seq, record in user.records:
            body = record[: -CHECKSUM.size].replace(old_name, name).replace(old_identity, identity)
            yield last_id + number, seq, body + CHECKSUM.pack(crc32(body))
