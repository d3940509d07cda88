"""Filing: what is durable in the commit log goes into its actors' journals, many commits at once.

What is not filed yet is also in memory, where readers find it; after a crash it is filed from the
log of the owner before. A record that is in both places is the same one: the log is behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from threading import Lock

import orjson

from persistence.commit_log import Commit, CommitLog, fence_logs, read_commits
from persistence.errors import StoreFormatError
from persistence.runs import join_runs
from persistence.schema import READ_FILED, READ_LOG, WRITE_FILINGS
from persistence.sqlite_owner import SqliteOwner, to_json

__all__ = ["Filing", "Unfiled", "join_unfiled"]


def join_unfiled(
    filed: Sequence[tuple[int, bytes]], unfiled: Sequence[tuple[int, bytes]]
) -> list[tuple[int, bytes]]:
    """Join an actor's records from its journal with those that were not filed before."""
    last = filed[-1][0] if filed else 0
    return [*filed, *(item for item in unfiled if item[0] > last)]


class _Actor:
    """What of one actor is durable and not in its journal: records from number ``seq`` on.

    ``wake`` is None when none of them set it; ``is_new`` says that the file has never heard of it.
    """

    __slots__ = ("actor_id", "is_new", "records", "seq", "wake")

    def __init__(self, actor_id: int, seq: int, *, is_new: bool) -> None:
        self.actor_id = actor_id
        self.seq = seq
        self.is_new = is_new
        self.records: list[bytes] = []
        self.wake: int | None = None


class Unfiled:
    """What is durable and not in the journals, by actor: the writer changes it, anybody reads it.

    A reader takes what it needs *before* it looks into the file: what is filed in between it then
    sees twice, and nothing not at all.
    """

    __slots__ = ("_actors", "_lock")

    def __init__(self) -> None:
        self._actors: dict[str, _Actor] = {}
        self._lock = Lock()

    def __bool__(self) -> bool:
        return bool(self._actors)

    def __contains__(self, actor: str) -> bool:
        return actor in self._actors

    def add(self, actors: Iterable[str], commit: Commit) -> None:
        """Take what has become durable, with each record's actor in its order; hot path."""
        new = {actor_id for actor_id, _ in commit.names} if commit.names else ()
        with self._lock:
            known = self._actors
            for name, place, record in zip(actors, commit.places, commit.records, strict=True):
                actor_id, seq, _, wake = place
                found = known.get(name)
                if found is None:
                    found = known[name] = _Actor(actor_id, seq, is_new=actor_id in new)
                found.records.append(record)
                if wake is not None:
                    found.wake = wake

    def numbered(self, actors: Iterable[str]) -> dict[str, list[tuple[int, bytes]]]:
        """The records of these actors with their numbers, of one moment between two commits."""
        with self._lock:
            return {
                actor: list(enumerate(found.records, found.seq))
                for actor in actors
                if (found := self._actors.get(actor)) is not None
            }

    def wakes(self) -> dict[str, int]:
        """The wakes that were set, by actor."""
        with self._lock:
            return {
                name: found.wake for name, found in self._actors.items() if found.wake is not None
            }

    def names(self) -> list[str]:
        """The actors of whom the file has never heard."""
        with self._lock:
            return [name for name, found in self._actors.items() if found.is_new]

    def by_id(self, actors: Iterable[str] | None) -> list[tuple[int, str, _Actor]]:
        """What there is of these actors, or of all, by their ids; for the writer."""
        wanted = self._actors if actors is None else [name for name in actors if name in self]
        return sorted((self._actors[name].actor_id, name, self._actors[name]) for name in wanted)

    def forget(self, actors: Iterable[str]) -> None:
        """These are filed now."""
        with self._lock:
            for actor in actors:
                del self._actors[actor]


class Filing:
    """Moves what the commit log holds into the journals; used by the writer's thread."""

    __slots__ = ("_log", "_owner", "_unfiled")

    def __init__(self, owner: SqliteOwner, unfiled: Unfiled, log: CommitLog) -> None:
        self._owner = owner
        self._unfiled = unfiled
        self._log = log

    def file_all(self) -> None:
        """Write all that waits into the journals and begin the log anew.

        Raises sqlite3.Error, FencedError.
        """
        if self._log.size_bytes:
            waiting = self._unfiled.by_id(None)
            self._write(waiting, self._log.lap + 1)
            self._log.begin_lap()
            self._unfiled.forget([name for _, name, _ in waiting])

    def file(self, actors: Collection[str]) -> None:
        """Write what waits of these actors into their journals; the log still holds it as well."""
        waiting = self._unfiled.by_id(actors)
        if waiting:
            self._write(waiting, self._log.lap)
            self._unfiled.forget([name for _, name, _ in waiting])

    def recover(self, store: Path) -> None:
        """Take over from the owners before: fence them, file what they left, remove their logs.

        Raises:
            StoreFormatError: a log is not what an owner writes.
            FencedError: somebody else has taken over meanwhile.
        """
        logs = fence_logs(store, self._owner.epoch)
        fenced = self._owner.fenced()
        if fenced is not None:
            raise fenced  # who was first to see all logs has not seen ours
        log_epoch, lap = self._owner.connection.execute(READ_LOG).fetchone()
        path = logs.get(log_epoch)
        left = [] if path is None else self._left(path, read_commits(path, lap))
        self._write(left, self._log.lap)
        for obsolete in logs.values():
            obsolete.unlink(missing_ok=True)

    def _left(self, path: Path, commits: Sequence[Commit]) -> list[tuple[int, str, _Actor]]:
        """What of a log is in no journal yet."""
        names = {actor_id: name for commit in commits for actor_id, name in commit.names}
        ids = {place[0] for commit in commits for place in commit.places}
        statement = self._owner.connection.execute(READ_FILED, (to_json(sorted(ids)),))
        filed: dict[int, int] = dict(orjson.loads(statement.fetchone()[0]))
        left: dict[int, _Actor] = {}
        for commit in commits:
            for (actor_id, seq, _, wake), record in zip(commit.places, commit.records, strict=True):
                last = filed.get(actor_id, 0)
                if seq <= last:
                    continue
                found = left.get(actor_id)
                if found is None:
                    is_new = actor_id not in filed
                    found = left[actor_id] = _Actor(actor_id, last + 1, is_new=is_new)
                is_known = not found.is_new or actor_id in names
                if seq != found.seq + len(found.records) or not is_known:
                    reason = f"record {seq} of actor {actor_id} does not continue its journal"
                    raise StoreFormatError(str(path), reason)
                found.records.append(record)
                if wake is not None:
                    found.wake = wake
        return sorted(
            (actor_id, names.get(actor_id, ""), found) for actor_id, found in left.items()
        )

    def _write(self, waiting: Iterable[tuple[int, str, _Actor]], lap: int) -> None:
        names: list[tuple[int, str]] = []
        wakes: list[tuple[int, int]] = []
        runs: list[tuple[int, int, int, int, int, int]] = []
        parts: list[bytes] = []
        offset = 0
        for actor_id, name, found in waiting:
            if found.is_new:
                names.append((actor_id, name))
            if found.wake is not None:
                wakes.append((actor_id, found.wake))
            for seq, count, places, records in join_runs(found.seq, found.records):
                runs.append((actor_id, seq, count, offset, len(places), len(records)))
                parts += (places, records)
                offset += len(places) + len(records)
        self._owner.connection.execute(
            WRITE_FILINGS,
            (
                self._owner.epoch,
                lap,
                to_json(names),
                to_json(runs),
                b"".join(parts),
                to_json(wakes),
            ),
        )
