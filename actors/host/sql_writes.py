"""SQL writes: INSERT, UPDATE and DELETE as a turn of the one actor that owns the rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from actors.datastore import Table
from actors.errors import ReducerError
from actors.host.caller import Caller
from actors.host.core import ActorCore
from actors.host.turns import CallFailedError, Reply, Turn, TurnNote, unavailable
from actors.module.tables import TableDeclaration
from protocol.errors import SqlError
from protocol.sql import Predicate, compile_predicate
from protocol.sql.writes import ResolvedDelete, ResolvedInsert, ResolvedUpdate, ResolvedWrite

__all__ = ["ChangedRows", "SqlWrite"]

_CALL = "sql"
"""What the journal names such a turn."""

_Rows = Table[tuple[Any, ...]]


class ChangedRows(NamedTuple):
    """How many rows a write has changed."""

    inserted: int
    deleted: int
    updated: int


class SqlWrite(Turn):
    """A write to one table, in one transaction; answers ChangedRows.

    Args:
        write: what is to change.
        table: the table, which this actor's kind owns.
        caller: the owner of the database.
        reply: learns the answer, or SqlError where a constraint does not hold.
    """

    __slots__ = ("_caller", "_error", "_reply", "_table", "_write")

    def __init__(
        self, write: ResolvedWrite, table: TableDeclaration, caller: Caller, reply: Reply
    ) -> None:
        self._write = write
        self._table = table
        self._caller = caller
        self._reply = reply
        self._error: Exception | None = None

    def turn(self, core: ActorCore, now: int) -> None:
        """Change the rows, all of them or none."""
        caller = self._caller
        if core.is_quarantined:
            self.refuse(unavailable())
            return
        context = core.context(now, caller.identity, caller.connection_id, caller.claims)
        try:
            changed = self._change(core.database[self._table.row])
            core.commit(_CALL, caller.identity_bytes, b"")
        except ReducerError as error:
            core.rollback()
            self._fail(context.timestamp, SqlError(str(error)))
        except Exception as error:  # noqa: BLE001 - a turn answers for everything inside it
            core.fail(_CALL, error)
            self._fail(context.timestamp, CallFailedError(_CALL))
        else:
            self._reply.succeed(context.timestamp, None, changed)

    def refuse(self, error: ReducerError) -> None:
        """Tell the caller."""
        self._fail(0, error)

    def note(self) -> TurnNote:
        """Name the table."""
        return "call", f"{_CALL} {self._table.name}", self._caller, self._error

    def _fail(self, timestamp: int, error: Exception) -> None:
        self._error = error
        self._reply.fail(timestamp, error)

    def _change(self, rows: _Rows) -> ChangedRows:
        write = self._write
        make = self._table.row._make  # type: ignore[attr-defined]
        if isinstance(write, ResolvedInsert):
            before = len(rows)
            for values in write.rows:
                rows.insert(make(values))
            # A row that is there already changes nothing in a table without a primary key.
            inserted = len(write.rows) if self._table.is_event else len(rows) - before
            return ChangedRows(inserted, 0, 0)
        found = self._matching(rows, write.predicate)
        for row in found:
            self._delete(rows, row)
        if isinstance(write, ResolvedDelete):
            return ChangedRows(0, len(found), 0)
        for row in found:
            rows.insert(make(_updated(row, write)))
        return ChangedRows(0, 0, len(found))

    def _matching(self, rows: _Rows, predicate: Predicate) -> list[tuple[Any, ...]]:
        test = compile_predicate(predicate)
        return [row for row in rows if test is None or test(row, self._caller.identity)]

    def _delete(self, rows: _Rows, row: tuple[Any, ...]) -> None:
        primary = self._table.primary_key_position
        if primary is None:
            rows.delete_row(row)
        else:
            rows.delete(row[primary])


def _updated(row: tuple[Any, ...], write: ResolvedUpdate) -> list[Any]:
    values = list(row)
    for position, value in write.values:
        values[position] = value
    return values
