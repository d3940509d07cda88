"""Meta survey: values kept beside the actors, read by somebody who neither owns nor changes them.

Opening a store takes it away from whoever serves it; this is harmless beside a running server.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import MovedError, RedisError

from persistence.errors import StoreReadError
from persistence.limits import BUSY_TIMEOUT_MS
from persistence.redis_faults import reason_of
from persistence.redis_keys import RedisKeys
from persistence.redis_url import RedisAddress
from persistence.schema import READ_META
from persistence.sqlite_survey import survey_sqlite

__all__ = ["survey_meta"]


async def survey_meta(
    place: Path | RedisAddress | None, keys: Sequence[str]
) -> dict[str, bytes | None]:
    """Read values of the store at a place (see ``find_place``); None for those not there.

    Raises:
        StoreFormatError: the file is none of ours, or of a newer version.
        StoreReadError: the store cannot be read.
    """
    if isinstance(place, RedisAddress):
        return await _ask_redis(place, keys)
    return dict.fromkeys(keys) if place is None else _read_sqlite(place, keys)


def _read_sqlite(path: Path, keys: Sequence[str]) -> dict[str, bytes | None]:
    if not path.exists():
        return dict.fromkeys(keys)
    survey_sqlite(path, check_bytes_max=0)
    uri = f"{path.absolute().as_uri()}?mode=ro"
    found: dict[str, bytes | None] = {}
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_MS / 1000)) as connection:
            for key in keys:
                row = connection.execute(READ_META, (key,)).fetchone()
                found[key] = None if row is None else bytes(row[0])
    except sqlite3.DatabaseError as error:
        raise StoreReadError(str(error)) from error
    return found


async def _ask_redis(address: RedisAddress, keys: Sequence[str]) -> dict[str, bytes | None]:
    reason = "there is no node"
    nodes = list(address.nodes)
    for host, port in nodes:
        try:
            return await _ask_node(address, host, port, keys)
        except MovedError as error:
            # A node of a cluster that knows who has the keys.
            moved = (error.host, error.port)
            if moved not in nodes:
                nodes.append(moved)
        except (RedisError, OSError) as error:
            reason = f"{host}:{port}: {reason_of(error)}"
    raise StoreReadError(reason)


async def _ask_node(
    address: RedisAddress, host: str, port: int, keys: Sequence[str]
) -> dict[str, bytes | None]:
    client: Any = Redis(
        host=host,
        port=port,
        db=address.db,
        username=address.username,
        password=address.password,
        ssl=address.is_tls,
        ssl_ca_certs=address.ca_file,
        socket_timeout=address.reply_seconds,
        socket_connect_timeout=address.reply_seconds,
        retry=Retry(NoBackoff(), 0),
    )
    async with client:
        meta = RedisKeys(address.name).meta
        return {key: await client.hget(meta, key) for key in keys}
