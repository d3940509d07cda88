"""Chimes: rows of scheduled tables, with people and in one tower, that ring well or badly."""

from __future__ import annotations

from actors import (
    ActorKind,
    Audience,
    ConnectionId,
    Identity,
    ReducerContext,
    ReducerError,
    ScheduleAt,
    ScheduleInterval,
    ScheduleTime,
    Timestamp,
    i64,
    reducer,
    replace,
    table,
    u64,
)

PERSON = ActorKind("person", Audience.CALLER)


@table(
    public=True,
    primary_key="id",
    auto_increment="id",
    index=["text"],
    scheduled="ring",
    actor=PERSON,
)
class Chime:
    id: u64
    scheduled_at: ScheduleAt
    text: str


@table(public=True, primary_key="id", auto_increment="id", actor=PERSON)
class Rung:
    id: u64
    text: str
    due: Timestamp
    at: Timestamp
    sender: Identity
    connection: ConnectionId
    is_trusted: bool


@table(primary_key="id", scheduled="toll", catch_up=3)
class Bell:
    id: u64
    times: u64
    scheduled_at: ScheduleAt


@table(public=True, primary_key="id", auto_increment="id")
class Tolled:
    id: u64
    bell: u64
    due: Timestamp


@reducer(actor=PERSON)
def set_chime(ctx: ReducerContext, at: i64, text: str) -> None:
    ctx.db[Chime].insert(Chime(0, ScheduleTime(at), text))


@reducer(actor=PERSON)
def set_interval(ctx: ReducerContext, micros: i64, text: str) -> None:
    ctx.db[Chime].insert(Chime(0, ScheduleInterval(micros), text))


@reducer(actor=PERSON)
def rename(ctx: ReducerContext, text: str, now: str) -> None:
    for chime in ctx.db[Chime].filter(text=text):
        ctx.db[Chime].update(replace(chime, text=now))


@reducer(actor=PERSON)
def move(ctx: ReducerContext, text: str, at: i64) -> None:
    for chime in ctx.db[Chime].filter(text=text):
        ctx.db[Chime].update(replace(chime, scheduled_at=ScheduleTime(at)))


@reducer(actor=PERSON)
def drop(ctx: ReducerContext, text: str) -> None:
    for chime in ctx.db[Chime].filter(text=text):
        ctx.db[Chime].delete(chime.id)


@reducer(actor=PERSON)
def ring(ctx: ReducerContext, chime: Chime) -> None:
    assert ctx.due is not None
    assert ctx.db[Chime].find(chime.id) == chime
    ctx.db[Rung].insert(
        Rung(
            0,
            chime.text,
            ctx.due,
            ctx.timestamp,
            ctx.sender,
            ctx.connection_id,
            ctx.claims is not None,
        )
    )
    if chime.text == "refuses":
        raise ReducerError("chime.refused", "as asked")
    if chime.text == "breaks":
        raise ZeroDivisionError("as asked")
    if chime.text == "once more":
        again = ScheduleTime(ctx.timestamp + 10_000_000)
        ctx.db[Chime].update(replace(chime, scheduled_at=again, text="last time"))
    if chime.text == "only once":
        ctx.db[Chime].delete(chime.id)


@reducer
def hang(ctx: ReducerContext, bell: u64, micros: i64) -> None:
    ctx.db[Bell].upsert(Bell(bell, 0, ScheduleInterval(micros)))


@reducer
def toll(ctx: ReducerContext, bell: Bell) -> None:
    assert ctx.due is not None
    ctx.db[Bell].update(replace(bell, times=bell.times + 1))
    ctx.db[Tolled].insert(Tolled(0, bell.id, ctx.due))
