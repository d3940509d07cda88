"""Filing: what is durable in the commit log goes into its actors' journals, many commits at once.

A record is in exactly one place at each moment of the file. What is not filed yet is also in
memory, where readers find it; after a crash it is filed from the log before anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import NamedTuple

import orjson

from persistence.errors import StoreFormatError
from persistence.runs import join_runs
from persistence.schema import READ_LOG, WRITE_FILINGS
from persistence.sqlite_owner import SqliteOwner, to_json

__all__ = ["Filing", "Unfiled", "join_unfiled"]


def join_unfiled(
    filed: Sequence[tuple[int, bytes]], unfiled: Sequence[tuple[int, bytes]]
) -> list[tuple[int, bytes]]:
    """Join an actor's records from its journal with those that were not filed before."""
    last = filed[-1][0] if filed else 0
    return [*filed, *(item for item in unfiled if item[0] > last)]


class _Unfiled(NamedTuple):
    """Records of one actor that are durable and not in its journal, from number ``seq`` on."""

    actor_id: int
    seq: int
    records: list[bytes]


class Unfiled:
    """What is durable and not in the journals, by actor: the writer changes it, anybody reads it.

    A reader takes what it needs *before* it looks into the file: what is filed in between it then
    sees twice, and nothing not at all.

    Attributes:
        size_bytes: weight of the records.
    """

    __slots__ = ("_actors", "_lock", "size_bytes")

    def __init__(self) -> None:
        self._actors: dict[str, _Unfiled] = {}
        self._lock = Lock()
        self.size_bytes = 0

    def __bool__(self) -> bool:
        return bool(self._actors)

    def __contains__(self, actor: str) -> bool:
        return actor in self._actors

    def add(self, appended: Iterable[tuple[str, int, int, bytes]], size_bytes: int) -> None:
        """Take what one commit has made durable: (actor, its id, seq, record); hot path."""
        with self._lock:
            actors = self._actors
            for actor, actor_id, seq, record in appended:
                found = actors.get(actor)
                if found is None:
                    actors[actor] = _Unfiled(actor_id, seq, [record])
                else:
                    found.records.append(record)
        self.size_bytes += size_bytes

    def numbered(self, actors: Iterable[str]) -> dict[str, list[tuple[int, bytes]]]:
        """The records of these actors with their numbers, of one moment between two commits."""
        with self._lock:
            return {
                actor: list(enumerate(found.records, found.seq))
                for actor in actors
                if (found := self._actors.get(actor)) is not None
            }

    def by_actor_id(self) -> list[tuple[int, int, list[bytes]]]:
        """All of it as (actor id, first number, records), by actor id; for the writer."""
        return sorted(self._actors.values())

    def clear(self) -> None:
        """Forget what is filed now."""
        with self._lock:
            self._actors = {}
        self.size_bytes = 0


class Filing:
    """Moves what is in the commit log into the journals; used by the writer's thread."""

    __slots__ = ("_owner", "_unfiled")

    def __init__(self, owner: SqliteOwner, unfiled: Unfiled) -> None:
        self._owner = owner
        self._unfiled = unfiled

    def file(self) -> None:
        """Write all that waits into the journals; raises sqlite3.Error, FencedError."""
        if self._unfiled:
            self._write(self._unfiled.by_actor_id())
            self._unfiled.clear()

    def recover(self) -> None:
        """File what an earlier owner left in the log.

        Raises:
            StoreFormatError: the log is not what an owner writes.
        """
        left: dict[int, _Unfiled] = {}
        (log,) = self._owner.connection.execute(READ_LOG).fetchone()
        for places, text in orjson.loads(log):
            data = bytes.fromhex(text)
            start = 0
            for actor_id, seq, size in places:
                found = left.setdefault(actor_id, _Unfiled(actor_id, seq, []))
                found.records.append(data[start : start + size])
                start += size
            if start != len(data):
                raise StoreFormatError("commit_log", "its records are not where it says")
        if left:
            self._write(sorted(left.values()))

    def _write(self, waiting: Iterable[tuple[int, int, list[bytes]]]) -> None:
        runs: list[tuple[int, int, int, int, int, int]] = []
        parts: list[bytes] = []
        offset = 0
        for actor_id, first, waited in waiting:
            for seq, count, places, records in join_runs(first, waited):
                runs.append((actor_id, seq, count, offset, len(places), len(records)))
                parts += (places, records)
                offset += len(places) + len(records)
        self._owner.connection.execute(
            WRITE_FILINGS, (self._owner.epoch, to_json(runs), b"".join(parts))
        )
