"""Store locator: from a URL to the store that it names."""

from __future__ import annotations

from pathlib import Path

from persistence.errors import StoreUnsupportedError
from persistence.memory import MemoryStore
from persistence.redis_url import REDIS_SCHEMES, RedisAddress, hide_password, parse_redis_url
from persistence.retention import DEFAULT_RETENTION, RetentionPolicy
from persistence.sqlite import SqliteStore
from persistence.store import Store

__all__ = ["SUPPORTED_URLS", "find_place", "open_store"]

SUPPORTED_URLS = ("sqlite", "sqlite:///path/to/file", "redis://host:port/db", "memory:")

_FILE_NAME = "journal.sqlite3"
_SQLITE_PREFIX = "sqlite://"


def find_place(
    url: str, data_dir: Path, *, name: str = "genarrative", redis_password: str | None = None
) -> Path | RedisAddress | None:
    """Where the store that ``url`` names keeps its data; None for the one that forgets.

    ``sqlite`` is a file in ``data_dir``; ``sqlite:///path`` the file ``/path``, absolute as in
    any file URL; ``memory:`` forgets; ``redis://`` and its kin are read by ``parse_redis_url``.

    Args:
        url: the URL.
        data_dir: folder of this server.
        name: prefix of keys where several stores share a server, unless the URL says another.
        redis_password: used when a Redis URL has none.

    Raises:
        StoreUnsupportedError: no store of this program is named so.
        StoreAddressError: a Redis URL that cannot be understood.
    """
    if url == "sqlite":
        return data_dir / _FILE_NAME
    if url == "memory:":
        return None
    path = Path(url.removeprefix(_SQLITE_PREFIX))
    if url.startswith(_SQLITE_PREFIX) and path.is_absolute() and path.name:
        return path
    if url.partition("://")[0] in REDIS_SCHEMES:
        return parse_redis_url(url, name, redis_password)
    raise StoreUnsupportedError(hide_password(url), SUPPORTED_URLS)


def open_store(
    url: str,
    data_dir: Path,
    *,
    name: str = "genarrative",
    redis_password: str | None = None,
    retention: RetentionPolicy = DEFAULT_RETENTION,
) -> Store:
    """Make the store that ``url`` names; it is not opened yet.

    ``retention`` is how much of the actors' history is kept; the rest is as in ``find_place``.
    """
    place = find_place(url, data_dir, name=name, redis_password=redis_password)
    if place is None:
        return MemoryStore(retention=retention)
    if isinstance(place, RedisAddress):
        # What speaks to Redis takes a seventh of a start: it is imported where it is used.
        from persistence.redis_store import RedisStore  # noqa: PLC0415 - see above

        return RedisStore(place, retention=retention)
    return SqliteStore(place, retention=retention)
