"""A module to be called over HTTP: guests who come and go, words, and every way to refuse."""

from __future__ import annotations

import logging
from enum import IntEnum

from actors import (
    Access,
    Identity,
    ProcedureContext,
    Rate,
    ReducerContext,
    ReducerError,
    Route,
    ViewContext,
    client_connected,
    client_disconnected,
    i256,
    init,
    procedure,
    reducer,
    replace,
    struct,
    table,
    u32,
    u64,
    u128,
)

log = logging.getLogger("parlour")


class Hue(IntEnum):
    RED = 0
    GREEN = 1


@struct
class Dot:
    x: u32


@struct
class Line:
    length: u64


@struct
class Everything:
    huge: u128
    debt: i256
    hue: Hue
    form: Dot | Line
    note: str | None
    data: bytes
    who: Identity
    ratios: list[float]


@table(public=True, primary_key="identity")
class Guest:
    identity: Identity
    arrivals: u32
    departures: u32


@table(public=True, primary_key="id", auto_increment="id")
class Word:
    id: u64
    text: str


@init
def furnish(ctx: ReducerContext) -> None:
    ctx.db[Word].insert(Word(0, "welcome"))


@client_connected
def arrive(ctx: ReducerContext) -> None:
    if ctx.claims is not None and ctx.claims.display_name == "Intruder":
        raise ReducerError("visitor.refused", "not you")
    guests = ctx.db[Guest]
    guest = guests.find(ctx.sender) or Guest(ctx.sender, 0, 0)
    guests.upsert(replace(guest, arrivals=guest.arrivals + 1))


@client_disconnected
def leave(ctx: ReducerContext) -> None:
    guests = ctx.db[Guest]
    guest = guests.get(ctx.sender)
    guests.update(replace(guest, departures=guest.departures + 1))


@reducer
def say(ctx: ReducerContext, text: str, loud: bool) -> None:
    if not text:
        raise ReducerError("word.empty", "say something")
    log.warning("somebody speaks", extra={"text": text})
    ctx.db[Word].insert(Word(0, text.upper() if loud else text))


@reducer
def be_refused_after_writing(ctx: ReducerContext) -> None:
    ctx.db[Word].insert(Word(0, "never"))
    raise ReducerError("auth.forbidden", "the reducer says so")


@reducer
def break_down(ctx: ReducerContext) -> None:
    raise ZeroDivisionError("a secret of the server")


@reducer(rate=Rate("bells", per_minute=1, burst=2))
def ring(ctx: ReducerContext) -> None:
    pass


@reducer(roles=["service"])
def sweep(ctx: ReducerContext) -> None:
    for word in list(ctx.db[Word]):
        ctx.db[Word].delete(word.id)


@procedure
def echo(ctx: ViewContext, given: Everything) -> Everything:
    return given


@procedure
def count_words(ctx: ViewContext) -> u64:
    return len(ctx.db[Word])


@procedure
def decline(ctx: ViewContext) -> u64:
    raise ReducerError("word.declined", "rather not")


@procedure
def divide(ctx: ViewContext, by: u64) -> u64:
    return 1 // by


@procedure
async def say_twice(ctx: ProcedureContext, text: str) -> None:
    await ctx.call(say, text, False)
    await ctx.call(say, text, False)


@struct
class Greeting:
    name: str


async def greet(ctx: ProcedureContext, input: Greeting) -> Greeting:
    return input


ROUTES = (Route("GET", "/api/greetings/{name}", greet, access=Access.ANYONE),)
