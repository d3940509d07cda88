"""A town: people (callers' actors), rooms that they enter, and a hall in two shards.

Nothing in it is idempotent by itself: what happens twice is seen twice.
"""

from __future__ import annotations

from typing import Protocol

from actors import (
    ActorKey,
    ActorKind,
    Audience,
    EffectContext,
    ProcedureContext,
    Rate,
    ReducerContext,
    ReducerError,
    Timestamp,
    ViewContext,
    client_connected,
    client_disconnected,
    effect,
    init,
    message,
    procedure,
    reducer,
    replace,
    struct,
    table,
    u32,
    u64,
    view,
)

PERSON = ActorKind("person", Audience.CALLER, ("user_id", "place"), names=("u_",))
ROOM = ActorKind("room", Audience.ATTACHED, ("room_id", "place"), names=("a", "b"))
ROOMY = ActorKind("roomy", Audience.ATTACHED, ("room_id",))
HALL = ActorKind("hall", Audience.EVERYONE, ("topic",), shards=2)
DESK = ActorKind("desk", Audience.EVERYONE)

ODD_JOBS = Rate("odd jobs", per_minute=7, burst=2)


@table(public=True, primary_key="user_id", actor=PERSON)
class Purse:
    user_id: str
    coins: u64


@table(public=True, primary_key="number", auto_increment="number", actor=PERSON)
class Entry:
    """What happened to a person, in order."""

    number: u64
    text: str


@table(primary_key="word", actor=PERSON)
class Trap:
    """As long as it is there, messages of this word break."""

    word: str


def _room_of(key: Key) -> ActorKey | None:
    return ActorKey(key.room) if key.is_open else None


@table(public=True, primary_key="room", actor=PERSON, attaches=_room_of)
class Key:
    room: str
    is_open: bool


@table(public=True, primary_key="id", index=["colour"], actor=ROOM)
class Chair:
    id: u32
    colour: str


@table(public=True, primary_key="id", actor=ROOMY)
class Sofa:
    id: u32
    colour: str


@table(public=True, primary_key="pot", index=["colour"], actor=(PERSON, ROOM))
class Plant:
    """Grows wherever it is put: with a person, or in a room."""

    pot: str
    colour: str


@table(public=True, primary_key="topic", actor=HALL)
class Notice:
    topic: str
    text: str


@table(public=True, primary_key="number", auto_increment="number", actor=DESK)
class Arrival:
    number: u64
    text: str


# What people are told to do


@struct
class Give:
    request_id: str
    to: str
    coins: u64


@struct
class Say:
    request_id: str
    to: str
    word: str
    hops: u32


@struct
class Coins:
    coins: u64
    origin: str


@struct
class Thanks:
    coins: u64


@struct
class Word:
    word: str
    hops: u32
    back_to: str


@struct
class Ring:
    word: str


@struct
class Letter:
    text: str


@struct
class Furnish:
    room_id: str
    id: u32
    colour: str


@struct
class Grow:
    place: str | None
    pot: str
    colour: str


@struct
class Garden:
    plants: list[Plant]


@struct
class Visit:
    place: str | None


@struct
class Post:
    topic: str
    text: str


def _note(ctx: ReducerContext, text: str) -> None:
    ctx.db[Entry].insert(Entry(0, text))


def _earn(ctx: ReducerContext, coins: int) -> None:
    purse = ctx.db[Purse].find(ctx.key) or Purse(ctx.key, 0)
    ctx.db[Purse].upsert(replace(purse, coins=purse.coins + coins))


@reducer(actor=PERSON)
def earn(ctx: ReducerContext, coins: u64) -> None:
    _earn(ctx, coins)


@reducer(actor=PERSON)
def give(ctx: ReducerContext, input: Give) -> Purse:
    purse = ctx.db[Purse].find(ctx.key)
    if purse is None or purse.coins < input.coins:
        raise ReducerError("purse.empty", "not enough coins", missing=input.coins)
    purse = ctx.db[Purse].update(replace(purse, coins=purse.coins - input.coins))
    ctx.send(PERSON.key(input.to), Coins(input.coins, ctx.key))
    _note(ctx, f"gave {input.coins}")
    return purse


@message(PERSON)
def on_coins(ctx: ReducerContext, coins: Coins) -> None:
    _earn(ctx, coins.coins)
    _note(ctx, f"got {coins.coins}")
    ctx.send(PERSON.key(coins.origin), Thanks(coins.coins))


@message(PERSON)
def on_thanks(ctx: ReducerContext, thanks: Thanks) -> None:
    _note(ctx, f"thanked for {thanks.coins}")


@reducer(actor=PERSON)
def say(ctx: ReducerContext, input: Say) -> None:
    """Let a word go to and fro between two people."""
    _note(ctx, f"said {input.word}")
    ctx.send(PERSON.key(input.to), Word(input.word, input.hops, ctx.key))


@message(PERSON)
def on_word(ctx: ReducerContext, word: Word) -> None:
    if ctx.db[Trap].find(word.word) is not None:
        raise RuntimeError("trapped")
    _note(ctx, f"heard {word.word} {word.hops}")
    if word.hops:
        ctx.send(PERSON.key(word.back_to), Word(word.word, word.hops - 1, ctx.key))


@reducer(actor=PERSON)
def set_trap(ctx: ReducerContext, word: str, is_set: bool) -> None:
    if is_set:
        ctx.db[Trap].upsert(Trap(word))
    else:
        ctx.db[Trap].delete(word)


@reducer(actor=PERSON)
def remind(ctx: ReducerContext, word: str, at: Timestamp) -> None:
    ctx.send_at(at, Ring(word), timer_id=f"ring:{word}")


@reducer(actor=PERSON)
def forget(ctx: ReducerContext, word: str) -> None:
    if not ctx.cancel(f"ring:{word}"):
        raise ReducerError("reminder.not_found", word)


@message(PERSON)
def on_ring(ctx: ReducerContext, ring: Ring) -> None:
    if ctx.db[Trap].find(ring.word) is not None:
        raise RuntimeError("trapped")
    _note(ctx, f"rang {ring.word}")


@reducer(actor=PERSON)
def write_letter(ctx: ReducerContext, text: str) -> None:
    ctx.request_effect("mail", Letter(text))


class Press(Protocol):
    """Prints letters, when there is one."""

    async def print(self, text: str) -> None: ...


@effect
async def print_letter(ctx: EffectContext, press: Press, letter: Letter) -> None:
    """Print, unless the person no longer wants it; what was printed goes to who asked."""
    async with ctx.unless(ctx.source, lambda view: view.db[Trap].find(letter.text)):
        await press.print(letter.text)
        await ctx.call(printed, Printed(ctx.for_user, letter.text))


@struct
class Printed:
    user_id: str
    text: str


@reducer(actor=PERSON, roles=["service"])
def printed(ctx: ReducerContext, input: Printed) -> None:
    _note(ctx, f"printed {input.text}")


@reducer(actor=PERSON)
def ask_to_print(ctx: ReducerContext, text: str) -> None:
    if not ctx.serves("print_letter"):
        raise ReducerError("town.no_press", text)
    ctx.request_effect("print_letter", Letter(text))


@effect
async def hang_out(ctx: EffectContext, letter: Letter) -> None:
    """Show a letter in the window, printed if there is a press."""
    press = ctx.port(Press)
    if press is not None:
        await press.print(letter.text)
    how = "written" if press is None else "printed"
    await ctx.call(printed, Printed(ctx.for_user, f"{letter.text} ({how})"))


@reducer(actor=PERSON)
def ask_to_hang_out(ctx: ReducerContext, text: str) -> None:
    _note(ctx, "press here" if ctx.provides(Press) else "no press")
    ctx.request_effect("hang_out", Letter(text))


@reducer(actor=PERSON)
def fall(ctx: ReducerContext, word: str) -> None:
    _note(ctx, word)
    ctx.send(PERSON.key(ctx.key), Thanks(1))
    raise RuntimeError(word)


@reducer(actor=PERSON)
def refuse(ctx: ReducerContext, word: str) -> None:
    _note(ctx, word)
    raise ReducerError("town.refused", word)


@reducer(actor=PERSON)
def write_nonsense(ctx: ReducerContext) -> None:
    _earn(ctx, -1 - (1 << 70))


@reducer(actor=PERSON)
def send_nowhere(ctx: ReducerContext, to: str) -> None:
    ctx.send(ActorKey(to), Thanks(1))


@reducer(actor=PERSON)
def note(ctx: ReducerContext, text: str) -> None:
    _note(ctx, text)


@reducer(actor=PERSON)
def turn_key(ctx: ReducerContext, room: str, is_open: bool) -> None:
    ctx.db[Key].upsert(Key(room, is_open))


@reducer(actor=ROOM)
def furnish(ctx: ReducerContext, input: Furnish) -> None:
    ctx.db[Chair].upsert(Chair(input.id, input.colour))


@reducer(actor=ROOMY)
def furnish_roomy(ctx: ReducerContext, input: Furnish) -> None:
    ctx.db[Sofa].upsert(Sofa(input.id, input.colour))


@reducer(actor=(PERSON, ROOM))
def grow(ctx: ReducerContext, input: Grow) -> None:
    ctx.db[Plant].upsert(Plant(f"{ctx.key}.{input.pot}", input.colour))


@procedure(actor=(PERSON, ROOM))
def garden(ctx: ViewContext, input: Visit) -> Garden:
    return Garden(list(ctx.db[Plant]))


@reducer(actor=HALL)
def post(ctx: ReducerContext, input: Post) -> None:
    ctx.db[Notice].upsert(Notice(input.topic, input.text))


@reducer(actor=DESK, roles=["service"])
def sweep(ctx: ReducerContext) -> None:
    for arrival in ctx.db[Arrival]:
        ctx.db[Arrival].delete(arrival.number)


@view(actor=PERSON)
def my_wealth(ctx: ViewContext) -> list[Purse]:
    return [purse for purse in ctx.db[Purse] if purse.coins > 0]


@procedure(actor=PERSON)
def wealth(ctx: ViewContext) -> u64:
    purse = ctx.db[Purse].find(ctx.key)
    return 0 if purse is None else purse.coins


@procedure
async def earn_twice(ctx: ProcedureContext, coins: u64) -> u64:
    await ctx.call(earn, coins)
    await ctx.call(earn, coins)
    purse = await ctx.read(PERSON.key(ctx.user_id), lambda view: view.db[Purse].get(view.key))
    return purse.coins


@reducer(actor=PERSON, rate=ODD_JOBS)
def sweep_yard(ctx: ReducerContext, coins: u64) -> None:
    _earn(ctx, coins)


@procedure(actor=PERSON, rate=ODD_JOBS)
def count_chickens(ctx: ViewContext) -> u64:
    return len(ctx.db[Plant])


@procedure
async def do_both(ctx: ProcedureContext, as_service: bool) -> None:
    await (ctx.as_service() if as_service else ctx).call(sweep_yard, 1)


@procedure
async def wait_for_coins(ctx: ProcedureContext, coins: u64) -> bool:
    """Wait until there are so many; False after the deadline, which is at once for 0."""
    found = await ctx.until(
        PERSON.key(ctx.user_id),
        lambda view: next((True for purse in view.db[Purse] if purse.coins >= coins), None),
        None if coins else 0,
    )
    return found is not None


# The desk


@init(actor=DESK)
def open_desk(ctx: ReducerContext) -> None:
    ctx.db[Arrival].insert(Arrival(0, "opened"))


@client_connected(actor=DESK)
def arrive(ctx: ReducerContext) -> None:
    if ctx.has_role("moderator"):
        raise ReducerError("desk.refused", "not today")
    if ctx.has_role("admin"):
        raise RuntimeError("the desk broke")
    ctx.db[Arrival].insert(Arrival(0, f"came {ctx.connection_id:d}"))


@client_disconnected(actor=DESK)
def depart(ctx: ReducerContext) -> None:
    ctx.db[Arrival].insert(Arrival(0, f"went {ctx.connection_id:d}"))
    if ctx.sender == 0:
        raise RuntimeError("a goodbye by nobody")
