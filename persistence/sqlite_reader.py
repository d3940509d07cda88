"""Reader thread of the SQLite store: answers all waiting loads in one go."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias
from zlib import crc32

import orjson

from persistence.errors import CorruptActorError, StoreError, StoreReadError
from persistence.limits import LOAD_GROUP_MAX
from persistence.runs import cut_run
from persistence.schema import READ_SNAPSHOTS
from persistence.store import Snapshot, is_actor_name
from persistence.tail import verify_tail
from persistence.unfiled import Unfiled, join_unfiled

__all__ = ["Answer", "LoadJob", "QueryJob", "SqliteReader"]

Answer: TypeAlias = "Snapshot | CorruptActorError"


class LoadJob(NamedTuple):
    """Actors wanted; ``report`` gets one answer per name, in order, or the error of the medium."""

    actors: Sequence[str]
    report: Callable[[list[Answer] | StoreError], None]


class QueryJob(NamedTuple):
    """One statement that answers with one row or none."""

    statement: str
    parameters: tuple[str | int | None, ...]
    report: Callable[[tuple[object, ...] | StoreError | None], None]


class SqliteReader:
    """One connection that only reads; used by one thread, on which ``report`` is called."""

    def __init__(self, connection: sqlite3.Connection, unfiled: Unfiled) -> None:
        self._connection = connection
        self._unfiled = unfiled

    def answer(self, jobs: Iterable[LoadJob | QueryJob]) -> None:
        """Answer what waits: short queries first, then all loads together."""
        loads = []
        for job in jobs:
            if isinstance(job, LoadJob):
                loads.append(job)
                continue
            try:
                row = self._connection.execute(job.statement, job.parameters).fetchone()
            except sqlite3.Error as error:
                job.report(StoreReadError(str(error)))
            except Exception as error:  # noqa: BLE001 -- who waits must be told
                job.report(StoreReadError(repr(error)))
            else:
                job.report(row)
        if loads:
            self._answer_loads(loads)

    def _answer_loads(self, jobs: Sequence[LoadJob]) -> None:
        answers: dict[str, Answer] = {}
        names = list(dict.fromkeys(name for job in jobs for name in job.actors))
        try:
            for start in range(0, len(names), LOAD_GROUP_MAX):
                self._load(names[start : start + LOAD_GROUP_MAX], answers)
        except Exception as error:  # noqa: BLE001 -- who waits must be told; the thread goes on
            reason = str(error) if isinstance(error, sqlite3.Error) else repr(error)
            for job in jobs:
                job.report(StoreReadError(reason))
            return
        for job in jobs:
            job.report([answers[name] for name in job.actors])

    def _load(self, names: Sequence[str], answers: dict[str, Answer]) -> None:
        """Read actors by one statement; where that cannot be, by halves down to the one at fault.

        A page that is damaged fails every statement that meets it, and an answer has a largest
        size: both are the matter of some actors and not of the others.
        """
        wanted = orjson.dumps([name for name in names if is_actor_name(name)]).decode()
        unfiled = self._unfiled.numbered(names)
        try:
            statement = self._connection.execute(READ_SNAPSHOTS, (wanted, wanted, wanted))
            known, rows, records = statement.fetchone()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_TOOBIG}:
                raise
            if len(names) == 1:
                answers[names[0]] = CorruptActorError(names[0], 0, str(error))
                return
            middle = len(names) // 2
            self._load(names[:middle], answers)
            self._load(names[middle:], answers)
        else:
            _assemble(names, answers, (known, rows, records), unfiled)


def _assemble(
    names: Sequence[str],
    answers: dict[str, Answer],
    columns: tuple[str, str, str],
    unfiled: Mapping[str, list[tuple[int, bytes]]],
) -> None:
    """Put one statement's columns and what was not filed before it together, actor by actor."""
    known, rows, records = columns
    rows_of: dict[int, list[tuple[int, bytes]]] = {}
    damaged: set[int] = set()
    for actor_id, table_id, checksum, text in orjson.loads(rows):
        row = bytes.fromhex(text)
        if crc32(row) != checksum:
            damaged.add(actor_id)
        rows_of.setdefault(actor_id, []).append((table_id, row))
    records_of: dict[int, list[tuple[int, bytes]]] = {}
    for actor_id, seq, places, text in orjson.loads(records):
        run = cut_run(seq, bytes.fromhex(places), bytes.fromhex(text))
        records_of.setdefault(actor_id, []).extend(run)
    ends = {name: (actor_id, seq, time) for name, actor_id, seq, time in orjson.loads(known)}
    for name in names:
        # Of an actor whose first records are not filed yet the file has never heard.
        actor_id, base_seq, base_time = ends.get(name, (0, 0, 0))
        if actor_id in damaged:
            answers[name] = CorruptActorError(name, base_seq, "a stored row is altered")
            continue
        numbered = join_unfiled(records_of.get(actor_id, []), unfiled.get(name, ()))
        try:
            tail = verify_tail(name, base_seq, [item for item in numbered if item[0] > base_seq])
        except CorruptActorError as error:
            answers[name] = error
        else:
            answers[name] = Snapshot(name, base_seq, base_time, rows_of.get(actor_id, []), tail)
