"""Store locator: from a URL to the store that it names."""

from __future__ import annotations

from pathlib import Path

from persistence.errors import StoreUnsupportedError
from persistence.memory import MemoryStore
from persistence.sqlite import SqliteStore
from persistence.store import Store

__all__ = ["SUPPORTED_URLS", "open_store"]

SUPPORTED_URLS = ("sqlite", "sqlite:///path/to/file", "memory:")

_FILE_NAME = "journal.sqlite3"
_SQLITE_PREFIX = "sqlite://"


def open_store(url: str, data_dir: Path) -> Store:
    """Make the store that ``url`` names; it is not opened yet.

    ``sqlite`` is a file in ``data_dir``; ``sqlite:///path`` the file ``/path``, absolute as in
    any file URL; ``memory:`` forgets. Raises StoreUnsupportedError for anything else.
    """
    if url == "sqlite":
        return SqliteStore(data_dir / _FILE_NAME)
    if url == "memory:":
        return MemoryStore()
    path = Path(url.removeprefix(_SQLITE_PREFIX))
    if url.startswith(_SQLITE_PREFIX) and path.is_absolute() and path.name:
        return SqliteStore(path)
    raise StoreUnsupportedError(url, SUPPORTED_URLS)
