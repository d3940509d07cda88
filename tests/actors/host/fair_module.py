"""A fair: hooks that may fail, events, views over them, and procedures that write."""

from __future__ import annotations

from actors import (
    ActorKind,
    Audience,
    ProcedureContext,
    ReducerContext,
    ReducerError,
    ViewContext,
    client_connected,
    client_disconnected,
    init,
    procedure,
    reducer,
    struct,
    table,
    u32,
    view,
)

PERSON = ActorKind("person", Audience.CALLER)
BOOTH = ActorKind("booth")


@table(public=True, primary_key="name", unique=["place"], actor=BOOTH)
class Stall:
    name: str
    place: u32


@table(public=True, event=True, primary_key="name", actor=BOOTH)
class Shout:
    name: str
    loudness: u32


@table(public=True, primary_key="id", auto_increment="id", actor=PERSON)
class Ticket:
    id: u32
    stall: str


@struct
class Heard:
    name: str
    loudness: u32


@view(anonymous=True, actor=BOOTH)
def loud(ctx: ViewContext) -> list[Shout]:
    return [shout for shout in ctx.db[Shout] if shout.loudness > 1]


@view(anonymous=True, actor=BOOTH)
def stall_heard(ctx: ViewContext) -> list[Heard]:
    shouts = {shout.name: shout.loudness for shout in ctx.db[Shout]}
    return [Heard(stall.name, shouts.get(stall.name, 0)) for stall in ctx.db[Stall]]


@view(actor=PERSON)
def my_ticket(ctx: ViewContext) -> list[Ticket]:
    assert ctx.user_id == ctx.key
    return list(ctx.db[Ticket])


@init(actor=BOOTH)
def open_fair(ctx: ReducerContext) -> None:
    ctx.db[Stall].insert(Stall("gate", 0))


@client_connected(actor=BOOTH)
def come(ctx: ReducerContext) -> None:
    ctx.db[Shout].insert(Shout("come", 1))


@client_disconnected(actor=BOOTH)
def go(ctx: ReducerContext) -> None:
    ctx.db[Shout].insert(Shout("go", 1))
    raise ReducerError("fair.stay", "nobody may leave")


@reducer(actor=BOOTH)
def build(ctx: ReducerContext, name: str, place: u32) -> None:
    ctx.db[Stall].insert(Stall(name, place))


@reducer(actor=BOOTH)
def cry(ctx: ReducerContext, names: list[str], loudness: u32) -> None:
    for name in names:
        ctx.db[Shout].insert(Shout(name, loudness))
        ctx.db[Stall].upsert(Stall(name, loudness * 100 + len(ctx.db[Stall])))
    if loudness > 9:
        raise ReducerError("fair.too_loud", "quiet please")


@procedure
async def buy(ctx: ProcedureContext, stall: str) -> u32:
    """Two transactions in two actors, none of them a reducer."""

    def claim(booth: ReducerContext) -> u32:
        if booth.db[Stall].find(stall) is None:
            raise ReducerError("fair.no_stall", "there is no such stall")
        booth.db[Shout].insert(Shout(stall, 5))
        return len(booth.db[Stall])

    def take(person: ReducerContext) -> u32:
        assert person.sender == ctx.sender
        return person.db[Ticket].insert(Ticket(0, stall)).id

    await ctx.transact(BOOTH.key("0"), claim)
    return await ctx.transact(PERSON.key(ctx.user_id), take)


@procedure
async def stumble(ctx: ProcedureContext) -> u32:
    def fall(booth: ReducerContext) -> u32:
        booth.db[Stall].insert(Stall("never", 4_000))
        return 1 // len(booth.db[Shout])

    return await ctx.transact(BOOTH.key("0"), fall)
