"""Unfiled: what is durable in the commit log and not in the journals yet, by actor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

from persistence.commit_log import Commit

__all__ = ["Unfiled", "UnfiledActor", "join_unfiled"]


def join_unfiled(
    filed: Sequence[tuple[int, bytes]], unfiled: Sequence[tuple[int, bytes]]
) -> list[tuple[int, bytes]]:
    """Join an actor's records from its journal with those that were not filed before."""
    last = filed[-1][0] if filed else 0
    return [*filed, *(item for item in unfiled if item[0] > last)]


class UnfiledActor:
    """What of one actor is not in its journal: records from number ``seq`` on.

    ``wake`` is None when none of them set it; ``is_new`` says that the file has never heard of it.
    """

    __slots__ = ("actor_id", "is_new", "name", "records", "seq", "wake")

    def __init__(self, actor_id: int, name: str, seq: int, *, is_new: bool) -> None:
        self.actor_id = actor_id
        self.name = name
        self.seq = seq
        self.is_new = is_new
        self.records: list[bytes] = []
        self.wake: int | None = None

    def copy(self) -> UnfiledActor:
        """As it is now; the records are shared."""
        copied = UnfiledActor(self.actor_id, self.name, self.seq, is_new=self.is_new)
        copied.records = self.records[:]
        copied.wake = self.wake
        return copied

    def drop(self, filed: UnfiledActor) -> None:
        """What an earlier copy of it says is in the journal now."""
        del self.records[: len(filed.records)]
        self.seq += len(filed.records)
        self.is_new = False
        if self.wake == filed.wake:
            self.wake = None


class Unfiled:
    """Records of the lap that is written now, and of the sealed one until that is filed.

    Whoever appends adds to it, the writer's thread takes from it, anybody reads it. A reader takes
    what it needs *before* it looks into the file: what is filed in between it then sees twice, and
    nothing not at all.
    """

    __slots__ = ("_fresh", "_lock", "_sealed")

    def __init__(self) -> None:
        self._sealed: dict[str, UnfiledActor] = {}
        self._fresh: dict[str, UnfiledActor] = {}
        self._lock = Lock()

    def add(self, actors: Iterable[str], commit: Commit) -> None:
        """Take what has become durable, with each record's actor in its order; hot path."""
        new = {actor_id for actor_id, _ in commit.names} if commit.names else ()
        with self._lock:
            known = self._fresh
            for name, place, record in zip(actors, commit.places, commit.records, strict=True):
                actor_id, seq, _, wake = place
                found = known.get(name)
                if found is None:
                    is_new = actor_id in new
                    found = known[name] = UnfiledActor(actor_id, name, seq, is_new=is_new)
                found.records.append(record)
                if wake is not None:
                    found.wake = wake

    def seal(self) -> None:
        """The lap is over: what comes from now on is of the next one."""
        with self._lock:
            assert not self._sealed, "one lap at a time is filed"
            self._sealed, self._fresh = self._fresh, self._sealed

    def sealed(self) -> list[UnfiledActor]:
        """What the sealed lap holds; it does not change any more."""
        return list(self._sealed.values())

    def forget_sealed(self) -> None:
        """The sealed lap is filed."""
        with self._lock:
            self._sealed = {}

    def of(self, actors: Iterable[str]) -> list[UnfiledActor]:
        """What there is of these actors at this moment, the sealed lap's first."""
        with self._lock:
            laps = (self._sealed, self._fresh)
            return [lap[name].copy() for name in actors for lap in laps if name in lap]

    def forget(self, filed: Iterable[UnfiledActor]) -> None:
        """These, as ``of`` gave them, are filed; what has come since is not."""
        with self._lock:
            for each in filed:
                lap = self._sealed if each.name in self._sealed else self._fresh
                lap[each.name].drop(each)
                if not lap[each.name].records:
                    del lap[each.name]

    def numbered(self, actors: Iterable[str]) -> dict[str, list[tuple[int, bytes]]]:
        """The records of these actors with their numbers, of one moment between two commits."""
        numbered: dict[str, list[tuple[int, bytes]]] = {}
        for each in self.of(actors):
            numbered.setdefault(each.name, []).extend(enumerate(each.records, each.seq))
        return numbered

    def wakes(self) -> dict[str, int]:
        """The wakes that were set, by actor."""
        with self._lock:
            laps = (self._sealed, self._fresh)
            return {
                name: found.wake
                for lap in laps
                for name, found in lap.items()
                if found.wake is not None
            }

    def names(self) -> list[str]:
        """The actors of whom the file has never heard."""
        with self._lock:
            laps = (self._sealed, self._fresh)
            return [name for lap in laps for name, found in lap.items() if found.is_new]
