"""A vault: rows of every visibility, whose texts are the secrets of those who may read them.

Diaries are their owners', letters their readers', seats those of whoever is in the room; nobody
reads the safe, and each sees a share of it through a view. Everybody may call everything: what a
caller may not change is not what is looked at here.
"""

from __future__ import annotations

from actors import (
    ActorKey,
    ActorKind,
    Audience,
    ReducerContext,
    ReducerError,
    ViewContext,
    procedure,
    reducer,
    struct,
    table,
    u64,
    view,
)

PERSON = ActorKind("person", Audience.CALLER, names=("u_",))
ROOM = ActorKind("room", Audience.ATTACHED, ("room_id",), names=("r_",))
DESK = ActorKind("desk", Audience.EVERYONE)


@table(public=True, primary_key="page", actor=PERSON)
class Diary:
    page: u64
    text: str


def room_of(key: Key) -> ActorKey | None:
    return ROOM.key(key.room_id) if key.is_open else None


@table(public=True, primary_key="room_id", actor=PERSON, attaches=room_of)
class Key:
    room_id: str
    is_open: bool


@table(public=True, primary_key="id", actor=ROOM)
class Seat:
    id: u64
    text: str


def reader_of(row: Letter | Whisper) -> str | None:
    return row.reader or None


@table(public=True, primary_key="id", index=["reader"], actor=DESK, readers=reader_of)
class Letter:
    id: u64
    reader: str
    text: str


@table(public=True, event=True, actor=DESK, readers=reader_of)
class Whisper:
    reader: str
    text: str


@table(public=True, primary_key="id", index=["letter_id"], actor=DESK)
class Stamp:
    """Anybody sees stamps; not which letters they are on."""

    id: u64
    letter_id: u64
    colour: str


@table(primary_key="id", index=["owner"], actor=DESK)
class Safe:
    id: u64
    owner: str
    text: str


@view(actor=DESK)
def my_share(ctx: ViewContext) -> list[Safe]:
    return [row for row in ctx.db[Safe] if row.owner == str(ctx.sender)]


@view(actor=DESK, anonymous=True)
def open_letters(ctx: ViewContext) -> list[Letter]:
    return [row for row in ctx.db[Letter] if not row.reader]


@struct
class Sit:
    room_id: str
    id: u64
    text: str


@reducer(actor=PERSON)
def write_diary(ctx: ReducerContext, page: u64, text: str) -> None:
    ctx.db[Diary].upsert(Diary(page, text))


@reducer(actor=PERSON)
def turn_key(ctx: ReducerContext, room_id: str, is_open: bool) -> None:
    ctx.db[Key].upsert(Key(room_id, is_open))


@reducer(actor=ROOM)
def sit(ctx: ReducerContext, input: Sit) -> None:
    ctx.db[Seat].upsert(Seat(input.id, input.text))


@reducer(actor=DESK)
def send_letter(ctx: ReducerContext, id: u64, reader: str, text: str) -> None:
    ctx.db[Letter].upsert(Letter(id, reader, text))
    ctx.db[Stamp].upsert(Stamp(id, id, "red"))


@reducer(actor=DESK)
def burn_letter(ctx: ReducerContext, id: u64) -> None:
    ctx.db[Letter].delete(id)


@reducer(actor=DESK)
def whisper_to(ctx: ReducerContext, reader: str, text: str) -> None:
    ctx.db[Whisper].insert(Whisper(reader, text))


@reducer(actor=DESK)
def lock_away(ctx: ReducerContext, id: u64, text: str) -> None:
    ctx.db[Safe].upsert(Safe(id, str(ctx.sender), text))


@reducer(actor=DESK)
def stumble(ctx: ReducerContext, id: u64) -> None:
    """Break with a secret in hand."""
    raise RuntimeError(ctx.db[Safe].get(id).text)


@reducer(actor=DESK)
def take(ctx: ReducerContext, id: u64) -> None:
    """Take from the safe what is one's own."""
    row = ctx.db[Safe].get(id)
    if row.owner != str(ctx.sender):
        raise ReducerError("safe.not_owner", "this is not yours")
    ctx.db[Safe].delete(id)


@procedure(actor=PERSON)
def pages(ctx: ViewContext) -> list[Diary]:
    return list(ctx.db[Diary])
