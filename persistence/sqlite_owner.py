"""Owner of the SQLite file: one writing connection, its epoch, and what its refusals mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import orjson

from persistence.errors import FencedError, StoreError, StoreWriteError
from persistence.schema import READ_EPOCH

__all__ = ["SqliteOwner", "to_json"]


class SqliteOwner:
    """A connection that writes as the owner of an epoch; used by one thread."""

    def __init__(self, connection: sqlite3.Connection, epoch: int) -> None:
        self.connection = connection
        self.epoch = epoch

    def fenced(self) -> FencedError | None:
        """Whether another owner has opened the file since. Raises sqlite3.Error."""
        (newer,) = self.connection.execute(READ_EPOCH).fetchone()
        return None if newer == self.epoch else FencedError(self.epoch, newer)

    def guarded(self, work: Callable[..., None], *arguments: object) -> StoreError | None:
        """Run a step against the medium; what it raises becomes the answer."""
        try:
            work(*arguments)
        except StoreError as error:
            return error
        except sqlite3.Error as error:
            return self._refusal(error)
        except OSError as error:
            return StoreWriteError(str(error))
        except Exception as error:  # noqa: BLE001 -- who waits must be told; the thread goes on
            return StoreWriteError(repr(error))
        return None

    def _refusal(self, error: sqlite3.Error) -> StoreError:
        try:
            if self.connection.in_transaction:
                self.connection.rollback()
            return self.fenced() or StoreWriteError(str(error))
        except sqlite3.Error:
            return StoreWriteError(str(error))


def to_json(value: object) -> str:
    """Text of a statement's parameter: SQLite's functions of JSON take no blobs."""
    return orjson.dumps(value).decode()
