"""Checkpoints of the SQLite store: those that wait become one plan, and that one statement.

Rows that the host gave are passed on as they are; only checkpoints without them, or whose changes
cannot be believed, read records back and fold them, which costs ten times as much per record.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple
from zlib import crc32

import orjson

from persistence.errors import (
    CorruptActorError,
    FencedError,
    SequenceConflictError,
    StoreError,
)
from persistence.group_commit import FailedCheckpoints, FoldJob, Outcome, TrimJob
from persistence.retention import UNBOUNDED, BoundsOf
from persistence.runs import Run, cut_run
from persistence.schema import READ_ENDS, READ_FOLDS, READ_RUNS, WRITE_FOLDS
from persistence.sqlite_excess import Excess
from persistence.sqlite_owner import SqliteOwner, to_json
from persistence.store import is_actor_name
from persistence.tail import Fold, fold_changes, fold_journal

__all__ = ["SqliteCheckpoints"]


class _Ends(NamedTuple):
    """Where an actor's stored rows and its journal end; all 0 for one never heard of.

    The records through ``trimmed`` are gone, those through ``trim`` are to go, and what stays of
    the folded ones then is ``kept_bytes`` long; None when nobody needs to know.
    """

    actor_id: int
    base_seq: int
    base_time: int
    last_seq: int
    trimmed: int
    trim: int
    kept_bytes: int | None


_NO_ENDS = _Ends(0, 0, 0, 0, 0, 0, 0)


class _Plan:
    """What one commit of checkpoints is going to change, in the shape of its statement."""

    __slots__ = ("actors", "deletes", "parts", "places", "size_bytes")

    def __init__(self) -> None:
        self.actors: list[tuple[int, int, int, int, int | None]] = []
        self.deletes: list[tuple[int, int, int, int]] = []
        self.places: list[tuple[int, int, int, int, int, int]] = []
        self.parts: list[bytes] = []
        self.size_bytes = 0

    def trim(self, ends: _Ends, through: int, time: int) -> None:
        """Add where one actor's rows are of, and what goes from its journal."""
        self.actors.append((ends.actor_id, through, time, ends.trim, ends.kept_bytes))

    def fold(self, ends: _Ends, through: int, fold: Fold) -> None:
        """Add one checkpoint; hot path of hot actors, since it holds the interpreter lock."""
        self.trim(ends, through, fold.time)
        actor_id = ends.actor_id
        offset = self.size_bytes
        parts, places = self.parts, self.places
        for (table_id, key), row in fold.changes.items():
            key_size = len(key)
            parts.append(key)
            if row is None:
                self.deletes.append((actor_id, table_id, offset, key_size))
                offset += key_size
            else:
                size = len(row)
                places.append((actor_id, table_id, offset, key_size, size, crc32(row)))
                parts.append(row)
                offset += key_size + size
        self.size_bytes = offset


class SqliteCheckpoints:
    """Settles checkpoints; remembers which actors' changes cannot be believed. For one thread."""

    def __init__(self, owner: SqliteOwner, bounds_of: BoundsOf) -> None:
        self._owner = owner
        self._bounds_of = bounds_of
        self._failed = FailedCheckpoints()

    def settle(self, jobs: Sequence[FoldJob]) -> list[Outcome]:
        """Write checkpoints of different actors; what a job meets is told to it, never raised."""
        return self._note(jobs, self._write(jobs))

    def _note(self, jobs: Sequence[FoldJob], errors: Sequence[StoreError | None]) -> list[Outcome]:
        for job, error in zip(jobs, errors, strict=True):
            if error is not None:
                self._failed.note(job.actor, job.through)
        return [(job.done, error) for job, error in zip(jobs, errors, strict=True)]

    def refuse(self, jobs: Sequence[FoldJob], failure: StoreError) -> list[Outcome]:
        """Fail checkpoints of which nothing was tried."""
        return self._note(jobs, [job.refusal or failure for job in jobs])

    def trim(self, job: TrimJob) -> Outcome:
        """Apply retention to actors as far as they are folded."""
        plan = _Plan()
        failure = self._owner.guarded(self._plan_trims, job.actors, plan)
        if failure is None and plan.actors:
            failure = self._owner.guarded(self._execute, plan)
        return job.done, failure

    def _plan_trims(self, actors: Sequence[str], plan: _Plan) -> None:
        fenced = self._owner.fenced()
        if fenced is not None:
            raise fenced
        for ends in self._read_ends([(actor, None) for actor in actors]).values():
            if ends.trim > ends.trimmed:
                plan.trim(ends, ends.base_seq, ends.base_time)

    def _write(self, jobs: Sequence[FoldJob]) -> list[StoreError | None]:
        plan = _Plan()
        errors: list[StoreError | None] = []
        failure = self._owner.guarded(self._plan, jobs, plan, errors)
        if failure is None and plan.actors:
            failure = self._owner.guarded(self._execute, plan)
        if failure is None:
            return errors
        if len(jobs) > 1 and not isinstance(failure, FencedError):
            # One of them may be at fault, or they are too much for one statement.
            return list(chain.from_iterable(self._write([job]) for job in jobs))
        return [job.refusal or failure for job in jobs]

    def _plan(self, jobs: Sequence[FoldJob], plan: _Plan, errors: list[StoreError | None]) -> None:
        """Plan what can be done; ``errors`` gets an entry per job."""
        ends = self._read_ends([(job.actor, job.through) for job in jobs])
        given = {
            job.actor: job.changes
            for job in jobs
            if self._failed.allow_changes(job.actor, ends[job.actor].base_seq)
        }
        journals = self._read_journals(
            [
                (ends[job.actor].actor_id, job.through)
                for job in jobs
                if given.get(job.actor) is None
            ]
        )
        for job in jobs:
            found = ends[job.actor]
            base_seq = found.base_seq
            error = job.refusal
            if error is not None or job.through <= base_seq:
                errors.append(error)
                continue
            try:
                if job.through > found.last_seq:
                    raise SequenceConflictError(job.actor, found.last_seq, job.through)
                changes = given.get(job.actor)
                if changes is None:
                    numbered = journals.get(found.actor_id, ())
                    fold = fold_journal(job.actor, base_seq, job.through, numbered)
                else:
                    fold = fold_changes(changes, job.time)
            except (CorruptActorError, SequenceConflictError) as refused:
                error = self._owner.fenced() or refused
            else:
                plan.fold(found, job.through, fold)
            errors.append(error)

    def _read_ends(self, goals: Sequence[tuple[str, int | None]]) -> dict[str, _Ends]:
        """Ends of actors' journals if they were folded through these records, or as they are."""
        ends = {actor: _NO_ENDS for actor, _ in goals}
        throughs = dict(goals)
        names = [actor for actor in throughs if is_actor_name(actor)]
        (known,) = self._owner.connection.execute(READ_ENDS, (to_json(names),)).fetchone()
        excesses: dict[str, Excess] = {}
        for name, actor_id, base_seq, base_time, last_seq, trimmed, kept_bytes in orjson.loads(
            known
        ):
            through = throughs[name]
            through = base_seq if through is None else min(through, last_seq)
            ends[name] = _Ends(actor_id, base_seq, base_time, last_seq, trimmed, trimmed, None)
            bounds = self._bounds_of(name)
            if bounds != UNBOUNDED and through >= base_seq:
                excesses[name] = Excess(actor_id, bounds, base_seq, trimmed, kept_bytes, through)
        self._count_excesses(list(excesses.values()))
        for name, excess in excesses.items():
            ends[name] = ends[name]._replace(trim=excess.trim, kept_bytes=excess.kept_bytes)
        return ends

    def _count_excesses(self, excesses: list[Excess]) -> None:
        """Look into histories until it is known of each how much of it must go."""
        while wanted := [(look, excess) for excess in excesses for look in excess.looks()]:
            statement = self._owner.connection.execute(
                READ_RUNS, (to_json([look for look, _ in wanted]),)
            )
            runs: dict[int, dict[int, Run]] = {}
            for actor_id, seq, count, size, places in orjson.loads(statement.fetchone()[0]):
                found = runs.setdefault(actor_id, {})
                found[seq] = Run(seq, seq + count - 1, size, bytes.fromhex(places))
            for excess in dict.fromkeys(excess for _, excess in wanted):
                excess.look_at(list(runs.get(excess.actor_id, {}).values()))

    def _read_journals(
        self, wanted: Sequence[tuple[int, int]]
    ) -> dict[int, list[tuple[int, bytes]]]:
        """The records from each actor's rows to a number."""
        numbered: dict[int, list[tuple[int, bytes]]] = {}
        if wanted:
            throughs = dict(wanted)
            statement = self._owner.connection.execute(READ_FOLDS, (to_json(wanted),))
            for actor_id, base_seq, seq, places, records in orjson.loads(statement.fetchone()[0]):
                numbered.setdefault(actor_id, []).extend(
                    entry
                    for entry in cut_run(seq, bytes.fromhex(places), bytes.fromhex(records))
                    if base_seq < entry[0] <= throughs[actor_id]
                )
        return numbered

    def _execute(self, plan: _Plan) -> None:
        self._owner.connection.execute(
            WRITE_FOLDS,
            (
                self._owner.epoch,
                to_json(plan.actors),
                to_json(plan.deletes),
                to_json(plan.places),
                b"".join(plan.parts),
            ),
        )
