"""A street of houses, one for each caller; some of what is asked of them breaks."""

from __future__ import annotations

from enum import IntEnum

from actors import (
    ActorKind,
    Audience,
    ReducerContext,
    ReducerError,
    message,
    reducer,
    replace,
    struct,
    table,
    u32,
    u64,
)

HOUSE = ActorKind("house", Audience.CALLER, ("owner",), names=("u_",))


class Mood(IntEnum):
    CALM = 0
    VERY_ANGRY = 1


@table(primary_key="owner", actor=HOUSE)
class Purse:
    """Nobody's business but the owner's and operators'."""

    owner: str
    coins: u64
    mood: Mood


@table(public=True, primary_key="number", auto_increment="number", actor=HOUSE)
class Diary:
    number: u64
    text: str


@struct
class Gift:
    owner: str
    coins: u32
    mood: Mood
    note: str | None
    request_id: str


@struct
class Bell:
    text: str


@reducer(actor=HOUSE)
def write(ctx: ReducerContext, text: str) -> None:
    ctx.db[Diary].insert(Diary(0, text))


@reducer(actor=HOUSE, roles=["service"])
def gift(ctx: ReducerContext, input: Gift) -> Purse:
    """Give coins. Nobody else may."""
    if not input.coins:
        raise ReducerError("gift.empty", "a gift is something", owner=input.owner)
    purse = ctx.db[Purse].find(ctx.key) or Purse(ctx.key, 0, Mood.CALM)
    purse = ctx.db[Purse].upsert(replace(purse, coins=purse.coins + input.coins, mood=input.mood))
    if input.note is not None:
        ctx.db[Diary].insert(Diary(0, input.note))
    return purse


@reducer(actor=HOUSE)
def set_bell(ctx: ReducerContext, text: str, at: u64) -> None:
    ctx.send_at(at, Bell(text), timer_id=f"bell:{text}")


@message(HOUSE)
def on_bell(ctx: ReducerContext, bell: Bell) -> None:
    """Ring, which breaks as long as the diary says that it is broken."""
    if ctx.db[Diary].first(text="broken") is not None:
        raise RuntimeError("the bell is broken")
    ctx.db[Diary].insert(Diary(0, f"rang {bell.text}"))


@reducer(actor=HOUSE)
def mend(ctx: ReducerContext) -> None:
    broken = ctx.db[Diary].first(text="broken")
    if broken is not None:
        ctx.db[Diary].delete(broken.number)


@reducer(actor=HOUSE)
def fall(ctx: ReducerContext) -> None:
    raise RuntimeError("over the doorstep")
