"""Actor core: one actor's state and its turns, without I/O.

A turn takes a message and the time, runs to completion inside one transaction, and leaves its
outputs with the actor's ``Outlet``: a journal record, messages for other actors, deltas pushed to
subscribers. The same code runs under the event loop and under a simulator (architecture 3).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from actors.datastore import Database, EncodedRow, Table, TableDelta
from actors.host.kind import KindRuntime, reserve_numbers
from actors.host.mail import Mail, MessageTypes
from actors.host.old_rows import OldRows
from actors.host.receipts import Receipts
from actors.host.schedules import Schedule, follow_rows, has_strays, keep_strays
from actors.host.watch import CommitWatch
from actors.keys import ActorKey
from actors.limits import (
    ATTACHED_ACTORS_MAX,
    FAILURE_CHARS_MAX,
    QUARANTINE_FAILURES,
)
from actors.module.context import ReducerContext, ViewContext
from actors.module.functions import ViewDeclaration
from actors.module.system import OutboxMessage
from actors.subscriptions import Board, Subscriber
from actors.subscriptions.views import Evaluation
from persistence.record import RowChange, decode_record, encode_record
from persistence.store import PlainAppend, Snapshot
from protocol.bsatn import compile_codec
from protocol.close_codes import CLOSE_INTERNAL_ERROR
from protocol.values import ConnectionId, Identity, Timestamp

__all__ = ["ActorCore", "Failure", "Outlet", "Shared", "failure_text"]

log = logging.getLogger("actors.turn")

NOBODY = Identity(0)
NO_CONNECTION = ConnectionId(0)


class Outlet(Protocol):
    """Where a turn's outputs go; nothing of it blocks."""

    commit_watch: CommitWatch | None
    """Who follows what turns change."""

    def append(self, entry: PlainAppend) -> None:
        """Journal a record, with all others of this round."""

    def post(self, source: ActorKey, message: OutboxMessage) -> None:
        """Hand a message on to its destination."""

    def acknowledge(self, source: ActorKey, by: ActorKey, through: int) -> None:
        """Tell the sender how far its messages were taken."""

    def refuse(self, source: ActorKey, by: ActorKey, number: int) -> None:
        """Tell the sender that a message's handler failed and shall be tried again."""

    def attachments_changed(self, key: ActorKey) -> None:
        """Say that the actor's attaching rows may have changed."""

    def letter_parked(self, key: ActorKey) -> None:
        """Say that the actor keeps a dead letter."""


class Shared(NamedTuple):
    """What all actors of a host share."""

    secret: bytes
    messages: MessageTypes
    outlet: Outlet
    identity: Identity = NOBODY


class Failure(NamedTuple):
    """A turn that ended with an unexpected exception: which call, what was raised, and when."""

    call: str
    error: str
    time: Timestamp


def failure_text(error: Exception) -> str:
    """What is kept of an unexpected exception; the rest is in the log."""
    return f"{type(error).__name__}: {error}"[:FAILURE_CHARS_MAX]


class ActorCore:
    """One actor: its rows, its sequence number, its subscribers.

    Attributes:
        seq: number of the last journaled turn.
        time: timestamp of the last turn; it grows with every turn.
        recorded_at: timestamp of the last journaled turn.
        base_seq: the last turn that the stored checkpoint holds.
        evidence: the unexpected failures of the last turns in a row, the oldest first.
        is_set_aside: somebody quarantined it; ``evidence`` ends with the reason.
        old_rows: those that are stored in a layout of before; its first turn stores them anew.
    """

    __slots__ = (
        "_board",
        "_changed",
        "_runtime",
        "_shared",
        "base_seq",
        "database",
        "evidence",
        "is_set_aside",
        "key",
        "mail",
        "old_rows",
        "receipts",
        "recorded_at",
        "seq",
        "time",
    )

    def __init__(self, key: ActorKey, runtime: KindRuntime, shared: Shared) -> None:
        self.key = key
        self._runtime = runtime
        self._shared = shared
        self.database = Database(runtime.layouts, reserve_numbers)
        self.mail = Mail(self.database, shared.messages)
        self.receipts = Receipts(self.database)
        self.seq = 0
        self.base_seq = 0
        self.time = Timestamp(0)
        self.recorded_at = Timestamp(0)
        self.evidence: tuple[Failure, ...] = ()
        self.is_set_aside = False
        self._board: Board | None = None
        self._changed: dict[tuple[int, bytes], RowChange] = {}
        self.old_rows = OldRows()

    # Life

    def recover(self, snapshot: Snapshot) -> None:
        """Become what the store holds: rows of the checkpoint, then the tail's changes, in order.

        Raises CorruptRecordError or DecodeError for rows that are not whole.
        """
        layouts, database = self._runtime.layouts_by_id, self.database
        self.base_seq = self.seq = snapshot.base_seq
        self.time = Timestamp(snapshot.base_time)
        for table_id, data in snapshot.rows:
            layout = layouts[table_id]
            if layout.added is not None:
                self.old_rows.read(database[layout.row], layout, None, data)
                continue
            database[layout.row].load(data)
        for entry in snapshot.tail:
            record = decode_record(entry)
            for change in record.changes:
                table_id, key, changed = change
                self._changed[change[:2]] = change
                layout = layouts[table_id]
                if layout.added is not None:
                    self.old_rows.read(database[layout.row], layout, key, changed)
                    continue
                table: Table[Any] = database[layout.row]
                if changed is None:
                    table.unload(key)
                else:
                    table.load(changed)
            self.seq = record.seq
            self.time = Timestamp(record.time)
        self.recorded_at = self.time

    def rewrite(self, now: int, call: str, changes: list[RowChange]) -> None:
        """Journal a turn that changes how rows are stored, and nothing that anybody sees."""
        self.context(now)
        record = encode_record(self.seq + 1, self.time, call, b"", b"", changes)
        self.seq += 1
        self.recorded_at = self.time
        self._changed.update((change[:2], change) for change in changes)
        self.outlet.append((self.key, self.seq, record, None))

    def close(self) -> None:
        """Leave memory: without circles, the rows go at once and no collector has to find them."""
        self.database.close()
        self._board = None

    @property
    def outlet(self) -> Outlet:
        """Where this actor's outputs go."""
        return self._shared.outlet

    @property
    def module_identity(self) -> Identity:
        """The caller of what the database itself begins."""
        return self._shared.identity

    def schedule_of(self, table: str) -> Schedule | None:
        """The schedule of a table; None when it is not scheduled in this actor."""
        found = (entry for entry in self._runtime.schedules.values() if entry.table == table)
        return next(found, None)

    @property
    def has_strays(self) -> bool:
        """Whether rows of scheduled tables have no due time yet."""
        schedules = self._runtime.schedules
        return bool(schedules) and has_strays(self.database, schedules)

    def keep_strays(self, now: int) -> None:
        """Schedule rows that have no due time yet."""
        if self.has_strays:
            self.context(now)
            self.mail.is_changed = keep_strays(self.database, self._runtime.schedules, self.time)
            self.commit("schedule.keep", b"", b"")

    @property
    def is_quarantined(self) -> bool:
        """Whether it takes no calls: it failed too often (architecture 3), or is set aside."""
        return self.is_set_aside or len(self.evidence) >= QUARANTINE_FAILURES

    @property
    def board(self) -> Board:
        """What is subscribed to of this actor."""
        if self._board is None:
            self._board = Board(self.database, self.evaluate)
        return self._board

    @property
    def is_watched(self) -> bool:
        """Whether anybody subscribes to rows of this actor."""
        return bool(self._board)

    def take_changes(self) -> list[RowChange]:
        """The last word on every row that changed since this was asked before.

        For a checkpoint; should that fail, the store reads its journal instead.
        """
        changed, self._changed = self._changed, {}
        for table in self.database.tables():
            for change in table.take_unsaved():
                changed[change[:2]] = change
        return list(changed.values())

    # Turns

    def context(
        self,
        now: int,
        sender: Identity = NOBODY,
        connection_id: ConnectionId = NO_CONNECTION,
        claims: Any = None,
        source: ActorKey | None = None,
    ) -> ReducerContext:
        """Begin a turn: the time moves on, and the context speaks of the next record."""
        time = self.time = Timestamp(now if now > self.time else self.time + 1)
        return ReducerContext(
            self.database,
            sender,
            connection_id,
            claims,
            time,
            self.seq + 1,
            self.key,
            self._shared.secret,
            self.mail,
            source,
        )

    def commit(
        self, call: str, caller: bytes, args: bytes, subscriber: Subscriber | None = None
    ) -> bytes | None:
        """End a turn well: journal it, hand its messages on, push its deltas.

        Args:
            call: the function's name, for the journal.
            caller: the caller's identity, 32 bytes, or nothing.
            args: the arguments' BSATN.
            subscriber: the connection that called; it gets its deltas with its answer.

        Returns:
            The caller's transaction body; None when its query sets are not concerned.

        Raises:
            EncodeError: a row does not fit its table; the turn must be ended by ``rollback``.
            AssertionError: the record is larger than a store takes; likewise.
            ConstraintError: a scheduled row's interval is too short; likewise.
        """
        database, mail = self.database, self.mail
        schedules = self._runtime.schedules
        if schedules and follow_rows(database, schedules, self.time):
            mail.is_changed = True
        outlet = self._shared.outlet
        watch = outlet.commit_watch
        if watch is not None and not watch.wants(self, call):
            watch = None
        is_watched = bool(self._board) or bool(self._runtime.attaching) or watch is not None
        changes, deltas = database.stage(is_watched=is_watched)
        if changes or deltas:
            # A turn that only emits events is journaled too: the next one must not draw its chance.
            seq = self.seq + 1
            record = encode_record(seq, self.time, call, caller, args, changes)
            database.settle()
            self.seq = seq
            self.recorded_at = self.time
            wake = None
            if mail.is_changed:
                wake = mail.wake_at()
                mail.is_changed = False
            outlet.append((self.key, seq, record, wake))
            if watch is not None:
                watch.committed(self, call, deltas)
        else:
            database.settle()
        if mail.posted:
            posted, mail.posted = mail.posted, []
            for message in posted:
                outlet.post(self.key, message)
        if self.evidence and not self.is_quarantined:
            self.evidence = ()
        return self._publish(deltas, subscriber)

    def rollback(self) -> None:
        """End a turn as if it had not been."""
        self.database.rollback()
        self.mail.discard()
        self.receipts.discard()

    def fail(self, call: str, error: Exception) -> None:
        """End a turn after an unexpected exception; too many in a row quarantine the actor."""
        self.rollback()
        was_quarantined = self.is_quarantined
        failure = Failure(call, failure_text(error), self.time)
        self.evidence = (*self.evidence, failure)[-QUARANTINE_FAILURES:]
        log.error("%s failed in %s", call, self.key, exc_info=error)
        if self.is_quarantined and not was_quarantined:
            log.error("%s is quarantined after %d failures", self.key, QUARANTINE_FAILURES)

    def _publish(self, deltas: list[TableDelta], subscriber: Subscriber | None) -> bytes | None:
        body = None
        if self._board is not None and deltas:
            try:
                body = self._board.publish(deltas, subscriber)
            except Exception:
                # The turn is journaled: it stands. Who was not told of it must start over.
                log.exception("deltas of %s could not be told", self.key)
                self._board.abandon(CLOSE_INTERNAL_ERROR, "updates were lost, connect again")
        if self._runtime.attaching:
            changed = {delta.layout.row for delta in deltas}
            if any(table.row in changed for table in self._runtime.attaching):
                self._shared.outlet.attachments_changed(self.key)
        return body

    # Reading

    def attached(self) -> tuple[ActorKey, ...]:
        """The actors whose rows this actor's owner reads, by ascending key, bounded."""
        keys: set[ActorKey] = set()
        for table in self._runtime.attaching:
            assert table.attaches is not None
            keys.update(filter(None, map(table.attaches, self.database[table.row])))
        return tuple(sorted(keys)[:ATTACHED_ACTORS_MAX])

    def evaluate(self, view: ViewDeclaration, caller: Identity) -> Evaluation:
        """A view's rows for a caller, and the tables that it looked at.

        A view that raises has no rows: its failure is ours to see, not the caller's transaction's.
        """
        tracker = _Tracker(self.database)
        context = ViewContext(tracker, caller, self.time, self.key)
        encode = compile_codec(view.row_type).encode
        try:
            rows: Iterable[Any] = list(view.function(context))
            encoded = [EncodedRow(row, encode(row)) for row in rows]
        except Exception:
            log.exception("view %s failed in %s", view.name, self.key)
            encoded = []
        if self.database.is_dirty:
            self.database.rollback()
            log.error("view %s wrote to %s; its writes are gone", view.name, self.key)
        return Evaluation(encoded, frozenset(tracker.reads))

    def read(self, now: int, caller: Identity, claims: Any, query: Callable[..., Any]) -> Any:
        """Run a reading function over the committed rows; it must not write.

        Raises whatever the function raises.
        """
        context = ViewContext(self.database, caller, Timestamp(now), self.key, claims)
        try:
            return query(context)
        finally:
            if self.database.is_dirty:
                self.database.rollback()
                log.error("a reading function wrote to %s; its writes are gone", self.key)


class _Tracker:
    """A database for reading that notes which tables are named."""

    __slots__ = ("_database", "reads")

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads: set[type] = set()

    def __getitem__(self, row: type[Any]) -> Any:
        self.reads.add(row)
        return self._database[row]
