"""Filing: what is durable in the commit log goes into its actors' journals, many commits at once.

What is not filed yet is also in memory, where readers find it; after a crash it is filed from the
log of the owner before. A record that is in both places is the same one: the log is behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from threading import Lock

import orjson

from persistence.commit_log import Commit, CommitLog, fence_logs, read_commits
from persistence.errors import StoreFormatError
from persistence.runs import join_runs
from persistence.schema import READ_FILED, READ_LOG, WRITE_FILINGS
from persistence.sqlite_owner import SqliteOwner, to_json
from persistence.unfiled import Unfiled, UnfiledActor

__all__ = ["Filing"]


class Filing:
    """Moves what the commit log holds into the journals; used by the writer's thread.

    Whoever else appends holds ``gate`` while doing so.
    """

    __slots__ = ("_gate", "_log", "_owner", "_unfiled")

    def __init__(self, owner: SqliteOwner, unfiled: Unfiled, log: CommitLog, gate: Lock) -> None:
        self._owner = owner
        self._unfiled = unfiled
        self._log = log
        self._gate = gate

    def file_lap(self) -> None:
        """Seal the lap, unless one is sealed that could not be filed, and write it into journals.

        Raises sqlite3.Error, FencedError.
        """
        log = self._log
        if log.sealed_bytes:
            filed = self._owner.connection.execute(READ_LOG).fetchone()
            if filed == (self._owner.epoch, log.lap):
                self._forget_sealed()  # the medium did it, and could not tell
                return
        else:
            with self._gate:
                self._unfiled.seal()
                log.begin_lap()
        self._write(self._unfiled.sealed(), log.lap)
        self._forget_sealed()

    def file(self, actors: Iterable[str]) -> None:
        """Write what waits of these actors into their journals; the log still holds it as well."""
        waiting = self._unfiled.of(actors)
        if waiting:
            self._write(waiting, self._log.unfiled_lap)
            self._unfiled.forget(waiting)

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
        log = logs.get(log_epoch)
        left = [] if log is None else self._left(log, read_commits(log, lap))
        self._write(left, self._log.lap)
        for paths in logs.values():
            for obsolete in paths:
                obsolete.unlink(missing_ok=True)

    def _forget_sealed(self) -> None:
        self._unfiled.forget_sealed()
        self._log.forget_sealed()

    def _left(self, log: Sequence[Path], commits: Sequence[Commit]) -> list[UnfiledActor]:
        """What of a log is in no journal yet."""
        names = {actor_id: name for commit in commits for actor_id, name in commit.names}
        ids = {place[0] for commit in commits for place in commit.places}
        statement = self._owner.connection.execute(READ_FILED, (to_json(sorted(ids)),))
        filed: dict[int, int] = dict(orjson.loads(statement.fetchone()[0]))
        left: dict[int, UnfiledActor] = {}
        for commit in commits:
            for (actor_id, seq, _, wake), record in zip(commit.places, commit.records, strict=True):
                last = filed.get(actor_id, 0)
                if seq <= last:
                    continue
                found = left.get(actor_id)
                if found is None:
                    name, is_new = names.get(actor_id, ""), actor_id not in filed
                    found = left[actor_id] = UnfiledActor(actor_id, name, last + 1, is_new=is_new)
                is_known = not found.is_new or found.name
                if seq != found.seq + len(found.records) or not is_known:
                    reason = f"record {seq} of actor {actor_id} does not continue its journal"
                    raise StoreFormatError(str(log[0]), reason)
                found.records.append(record)
                if wake is not None:
                    found.wake = wake
        return list(left.values())

    def _write(self, waiting: Sequence[UnfiledActor], lap: int) -> None:
        """Write records, in their order for each actor; what comes before ``lap`` is filed then."""
        names: list[tuple[int, str]] = []
        wakes: dict[int, int] = {}
        runs: list[tuple[int, int, int, int, int, int]] = []
        parts: list[bytes] = []
        offset = 0
        for found in sorted(waiting, key=attrgetter("actor_id", "seq")):
            if found.is_new:
                names.append((found.actor_id, found.name))
            if found.wake is not None:
                wakes[found.actor_id] = found.wake
            for seq, count, places, records in join_runs(found.seq, found.records):
                runs.append((found.actor_id, seq, count, offset, len(places), len(records)))
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
                to_json(list(wakes.items())),
            ),
        )
