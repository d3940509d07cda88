"""Reminders: rows that act when their time has come, in a table that has grown since its first day.

A ``Reminder`` is a timer that clients can see. Its reducer ``remind`` is called with the row when
``scheduled_at`` is due, by nobody but the clock: a row with a time goes with the call, one with an
interval calls again and again. After a night without a server a daily reminder is said once, or
as often as ``catch_up`` allows.

The first version of this module had neither ``urgency`` nor ``Urgency.HIGH``. Both came last and
``urgency`` came with a default, so stores of that version are served as they are;
``genarrative migrate plan --module examples.reminders`` tells what changes before a start.
"""

from __future__ import annotations

from enum import IntEnum

from actors import (
    Identity,
    ReducerContext,
    ReducerError,
    ScheduleAt,
    ScheduleInterval,
    ScheduleTime,
    Timestamp,
    init,
    reducer,
    replace,
    table,
    u32,
    u64,
)

DAY = 24 * 3600 * 1_000_000
SNOOZE = 5 * 60 * 1_000_000
SAID_FOR = 7 * DAY


class Urgency(IntEnum):
    LOW = 0
    NORMAL = 1
    HIGH = 2


@table(
    public=True,
    primary_key="id",
    auto_increment="id",
    index=["owner"],
    scheduled="remind",
    catch_up=3,
)
class Reminder:
    id: u64
    scheduled_at: ScheduleAt
    owner: Identity
    text: str
    urgency: Urgency = Urgency.NORMAL


@table(public=True, primary_key="id", auto_increment="id", index=["owner", "due"])
class Said:
    """What was said, for a week: ``due`` is the slot that it was for."""

    id: u64
    owner: Identity
    text: str
    due: Timestamp
    urgency: Urgency = Urgency.NORMAL


@table(primary_key="id", auto_increment="id", scheduled="tidy")
class Tidying:
    """One row that returns every day: a private table is a timer that only the module knows."""

    id: u64
    scheduled_at: ScheduleAt


@init
def begin(ctx: ReducerContext) -> None:
    ctx.db[Tidying].insert(Tidying(0, ScheduleInterval(DAY)))


@reducer
def remind_at(ctx: ReducerContext, at: Timestamp, text: str) -> None:
    if not text:
        raise ReducerError("Reminders must not be empty")
    ctx.db[Reminder].insert(Reminder(0, ScheduleTime(at), ctx.sender, text))


@reducer
def remind_every(ctx: ReducerContext, seconds: u32, text: str) -> None:
    every = ScheduleInterval(seconds * 1_000_000)
    ctx.db[Reminder].insert(Reminder(0, every, ctx.sender, text, Urgency.LOW))


@reducer
def snooze(ctx: ReducerContext, reminder_id: u64) -> None:
    later = ScheduleTime(ctx.timestamp + SNOOZE)
    ctx.db[Reminder].update(
        replace(_own(ctx, reminder_id), scheduled_at=later, urgency=Urgency.HIGH)
    )


@reducer
def forget(ctx: ReducerContext, reminder_id: u64) -> None:
    ctx.db[Reminder].delete(_own(ctx, reminder_id).id)


@reducer
def remind(ctx: ReducerContext, reminder: Reminder) -> None:
    assert ctx.due is not None
    said = Said(0, reminder.owner, reminder.text, ctx.due, reminder.urgency)
    ctx.db[Said].insert(said)


@reducer
def tidy(ctx: ReducerContext, tidying: Tidying) -> None:
    del tidying
    for said in ctx.db[Said].range("due", None, ctx.timestamp - SAID_FOR):
        ctx.db[Said].delete(said.id)


def _own(ctx: ReducerContext, reminder_id: u64) -> Reminder:
    reminder = ctx.db[Reminder].find(reminder_id)
    if reminder is None or reminder.owner != ctx.sender:
        raise ReducerError("This is no reminder of yours")
    return reminder
