"""Store locator: from a URL to the store that it names."""

from __future__ import annotations

from pathlib import Path

from persistence.errors import StoreUnsupportedError
from persistence.memory import MemoryStore
from persistence.redis_store import RedisStore
from persistence.redis_url import REDIS_SCHEMES, hide_password, parse_redis_url
from persistence.retention import DEFAULT_RETENTION, RetentionPolicy
from persistence.sqlite import SqliteStore
from persistence.store import Store

__all__ = ["SUPPORTED_URLS", "open_store"]

SUPPORTED_URLS = ("sqlite", "sqlite:///path/to/file", "redis://host:port/db", "memory:")

_FILE_NAME = "journal.sqlite3"
_SQLITE_PREFIX = "sqlite://"


def open_store(
    url: str,
    data_dir: Path,
    *,
    name: str = "genarrative",
    redis_password: str | None = None,
    retention: RetentionPolicy = DEFAULT_RETENTION,
) -> Store:
    """Make the store that ``url`` names; it is not opened yet.

    ``sqlite`` is a file in ``data_dir``; ``sqlite:///path`` the file ``/path``, absolute as in
    any file URL; ``memory:`` forgets; ``redis://`` and its kin are read by ``parse_redis_url``.

    Args:
        url: the URL.
        data_dir: folder of this server.
        name: prefix of keys where several stores share a server, unless the URL says another.
        redis_password: used when a Redis URL has none.
        retention: how much of the actors' history is kept.

    Raises:
        StoreUnsupportedError: no store of this program is named so.
        StoreAddressError: a Redis URL that cannot be understood.
    """
    if url == "sqlite":
        return SqliteStore(data_dir / _FILE_NAME, retention=retention)
    if url == "memory:":
        return MemoryStore(retention=retention)
    path = Path(url.removeprefix(_SQLITE_PREFIX))
    if url.startswith(_SQLITE_PREFIX) and path.is_absolute() and path.name:
        return SqliteStore(path, retention=retention)
    if url.partition("://")[0] in REDIS_SCHEMES:
        return RedisStore(parse_redis_url(url, name, redis_password), retention=retention)
    raise StoreUnsupportedError(hide_password(url), SUPPORTED_URLS)
