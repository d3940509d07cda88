"""SQLite survey: what a store's file is, seen by somebody who neither owns nor changes it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from persistence.commit_log import commit_logs
from persistence.errors import StoreFormatError, StoreReadError
from persistence.limits import BUSY_TIMEOUT_MS
from persistence.schema import APPLICATION_ID, FORMAT_VERSION

__all__ = ["SqliteSurvey", "survey_sqlite"]


class SqliteSurvey(NamedTuple):
    """A file that a server can open.

    Attributes:
        journal_mode: ``wal`` in every file that a server has opened.
        size_bytes: with its write-ahead log and its commit logs.
        damage: what SQLite finds wrong; empty when nothing is, or nobody looked.
    """

    journal_mode: str
    size_bytes: int
    damage: str


def survey_sqlite(path: Path, check_bytes_max: int) -> SqliteSurvey:
    """Look at a file that is there; harmless beside a running server.

    Files of up to ``check_bytes_max`` are read whole to find damage.

    Raises:
        StoreFormatError: no file of ours, or of a newer version.
        StoreReadError: it cannot be read.
    """
    try:
        size_bytes = sum(
            part.stat().st_size
            for part in (path, path.with_name(f"{path.name}-wal"), *commit_logs(path))
            if part.exists()
        )
        with closing(_open(path)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            damage = ""
            if size_bytes <= check_bytes_max:
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                damage = "" if found == "ok" else str(found)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise StoreFormatError(str(path), "not a SQLite file") from error
        raise StoreReadError(str(error)) from error
    except OSError as error:
        raise StoreReadError(str(error)) from error
    return SqliteSurvey(str(mode), size_bytes, damage)


def _open(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_MS / 1000)
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise StoreFormatError(str(path), "a SQLite file of another program")
        if version > FORMAT_VERSION:
            reason = f"format {version}, this program knows {FORMAT_VERSION}"
            raise StoreFormatError(str(path), reason)
    except BaseException:
        connection.close()
        raise
    return connection
