"""Schedules: rows of scheduled tables, fired by their actor when they are due (wire spec 11).

When a row is due next is a row of the actor's own, ``ScheduledRow``, which moves on in the
transaction that the row called: whatever crashes, each slot takes effect once. The slots of an
interval are counted from the first one, so lateness does not add up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actors.datastore import Database, Table
from actors.errors import ConstraintError, ReducerError
from actors.host.tallies import ScheduleTally
from actors.limits import FIRINGS_PER_TURN, SCHEDULE_MICROS_MAX, SCHEDULE_MICROS_MIN
from actors.module.context import ReducerContext
from actors.module.schedules import ScheduleDeclaration
from actors.module.system import ScheduledRow
from actors.module.types import ScheduleInterval, ScheduleTime, replace
from protocol.values import Timestamp

if TYPE_CHECKING:
    from actors.host.core import ActorCore

__all__ = ["Schedule", "fire_due_rows", "follow_rows", "has_strays", "keep_strays"]

log = logging.getLogger("actors.turn")

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """A scheduled table, compiled; one object for all actors.

    Attributes:
        name: of the reducer.
        column: position of the column that says when; ``key`` is that of the primary key.
        catch_up: how many overdue slots of an interval fire.
        tally: how its rows fired.
    """

    table: str
    row: type
    name: str
    function: Callable[[ReducerContext, Any], None]
    column: int
    key: int
    catch_up: int
    tally: ScheduleTally = field(default_factory=ScheduleTally)

    @classmethod
    def compile(cls, declared: ScheduleDeclaration) -> Schedule:
        """Compile a declaration."""
        return cls(
            table=declared.table.name,
            row=declared.table.row,
            name=declared.reducer.name,
            function=declared.reducer.function,
            column=declared.column,
            key=declared.key,
            catch_up=declared.table.catch_up,
        )

    def place(self, key: object) -> str:
        """What the due time of the row with a key is kept by."""
        return f"{self.table}:{key}"

    def first_due(self, when: ScheduleInterval | ScheduleTime, now: int) -> Timestamp:
        """The first slot of a row that is scheduled now; raises ConstraintError for none."""
        if isinstance(when, ScheduleTime):
            return Timestamp(when.micros)
        return Timestamp(now + self.every(when))

    def every(self, when: ScheduleInterval) -> int:
        """Microseconds between two slots: a negative interval counts by its magnitude."""
        every = abs(when.micros)
        if not SCHEDULE_MICROS_MIN <= every <= SCHEDULE_MICROS_MAX:
            raise ConstraintError(
                f"{self.table}.invalid_schedule",
                f"an interval has {SCHEDULE_MICROS_MIN} to {SCHEDULE_MICROS_MAX} microseconds",
            )
        return every

    def slot(self, when: ScheduleInterval | ScheduleTime, due: int, now: int) -> tuple[int, int]:
        """The slot that fires next, and how many before it are skipped because they are late."""
        if isinstance(when, ScheduleTime):
            return due, 0
        every = self.every(when)
        skipped = max(0, (now - due) // every + 1 - self.catch_up)
        return due + skipped * every, skipped


def follow_rows(database: Database, schedules: Mapping[type, Schedule], now: int) -> bool:
    """Let due times follow the rows that the transaction touched; answers whether any changed.

    Called before a commit. A row that is updated and scheduled as before keeps its slots.

    Raises:
        ConstraintError: a row's interval is too short.
    """
    is_changed = False
    for row, schedule in schedules.items():
        touched: list[tuple[object, Any, Any]] = database.touched(row)
        for key, old, new in touched:
            if new is None:
                is_changed |= database[ScheduledRow].delete(schedule.place(key))
            elif old is None or old[schedule.column] != new[schedule.column]:
                _keep(database, schedule, new, now)
                is_changed = True
    return is_changed


def has_strays(database: Database, schedules: Mapping[type, Schedule]) -> bool:
    """Whether rows have no due time: their table was not scheduled when they were written."""
    return any(True for _ in _strays(database, schedules))


def keep_strays(database: Database, schedules: Mapping[type, Schedule], now: int) -> bool:
    """Give rows a due time that have none; answers whether any got one."""
    is_changed = False
    for schedule, row in list(_strays(database, schedules)):
        try:
            _keep(database, schedule, row, now)
            is_changed = True
        except ConstraintError as error:
            # It is older than the schedule: nobody could refuse it, and it never calls.
            log.warning("%s is not scheduled: %s", schedule.place(row[schedule.key]), error)
    return is_changed


def fire_due_rows(core: ActorCore, now: int) -> None:
    """Fire the rows that are due, the earliest first, each in a transaction of its own.

    Of very many some wait for the next turn, which follows at once.
    """
    for _ in range(FIRINGS_PER_TURN):
        due = core.database.lowest(ScheduledRow, "due_at")
        if due is None or due.due_at > now:
            return
        schedule = core.schedule_of(due.table_name)
        row: Any = None if schedule is None else core.database[schedule.row].find(due.key)
        if schedule is None or row is None:
            # Its table is not scheduled any more.
            core.context(now)
            core.database[ScheduledRow].delete(due.place)
            core.mail.is_changed = True
            core.commit("schedule.drop", b"", b"")
        else:
            _fire(core, schedule, due, row, now)


def _fire(core: ActorCore, schedule: Schedule, due: ScheduledRow, row: Any, now: int) -> None:
    when, tally = row[schedule.column], schedule.tally
    slot, skipped = schedule.slot(when, due.due_at, now)
    tally.skipped += skipped
    tally.late_seconds.note((now - slot) / _MICROS)
    context = core.context(now, core.module_identity).called_by_schedule(Timestamp(slot))
    try:
        schedule.function(context, row)
        _move_on(core, schedule, due, row, slot)
        args = core.database[schedule.row].layout.encode(row)
        core.commit(schedule.name, core.module_identity.to_bytes(32, "little"), args)
    except Exception as error:  # noqa: BLE001 - a turn answers for everything inside it
        if isinstance(error, ReducerError):
            core.rollback()
            if not core.is_quarantined:
                core.evidence = ()
            log.warning(
                "%s refused a row of %s in %s: %s", schedule.name, due.place, core.key, error
            )
        else:
            core.fail(schedule.name, error)
        tally.failed += 1
        # The slot is over all the same: a row that fails must not fire for ever.
        core.context(now)
        _move_on(core, schedule, due, row, slot)
        core.commit("schedule.failed", b"", b"")
    else:
        tally.fired += 1


def _move_on(core: ActorCore, schedule: Schedule, due: ScheduledRow, row: Any, slot: int) -> None:
    """The slot is over: a row with a time goes, one with an interval waits for its next slot.

    Unless the reducer has scheduled the row anew, or deleted it.
    """
    core.mail.is_changed = True
    table: Table[Any] = core.database[schedule.row]
    when = row[schedule.column]
    found: Any = table.find(due.key)
    if found is None or found[schedule.column] != when:
        return
    if isinstance(when, ScheduleTime):
        table.delete(due.key)
    else:
        next_at = Timestamp(slot + schedule.every(when))
        core.database[ScheduledRow].upsert(replace(due, due_at=next_at))


def _keep(database: Database, schedule: Schedule, row: Any, now: int) -> None:
    key = row[schedule.key]
    due_at = schedule.first_due(row[schedule.column], now)
    kept = ScheduledRow(schedule.place(key), schedule.table, key, due_at)
    database[ScheduledRow].upsert(kept)


def _strays(
    database: Database, schedules: Mapping[type, Schedule]
) -> Iterator[tuple[Schedule, Any]]:
    for schedule in schedules.values():
        rows: list[Any] = database.rows(schedule.row)
        for row in rows:
            if database[ScheduledRow].find(schedule.place(row[schedule.key])) is None:
                yield schedule, row
