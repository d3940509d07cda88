"""What is fuzzed: the names of the golden vectors, every kind of column, and rows that stay few.

Whatever anybody calls, there are never more rows than keys below; so memory that grows is the
server's own.
"""

from __future__ import annotations

from enum import IntEnum

from actors import (
    UUID,
    Access,
    Identity,
    ReducerContext,
    ReducerError,
    Route,
    ScheduleAt,
    TimeDuration,
    ViewContext,
    client_connected,
    client_disconnected,
    f32,
    i8,
    i32,
    i256,
    procedure,
    reducer,
    replace,
    struct,
    table,
    u32,
    u64,
    u128,
    view,
)

KEYS = 32
MARKS_PER_LANE = 16
CHARS_MAX = 64


class Hue(IntEnum):
    RED = 0
    GREEN = 1
    BLUE = 2


@struct
class Dot:
    x: i32
    y: i32


@struct
class Path:
    corners: list[Dot]


@table(public=True, primary_key="id", index=["name"])
class Item:
    id: u64
    name: str
    qty: i32


@table(public=True, primary_key="key", index=["item_id"])
class Detail:
    key: u32
    item_id: u64
    hue: Hue
    outline: Dot | Path
    note: str | None
    grades: list[i8]
    picture: bytes
    weight: f32
    tally: u128
    debt: i256
    mark: UUID
    span: TimeDuration
    due: ScheduleAt
    owner: Identity


@table(public=True, index=["item_id"])
class Tag:
    item_id: u64
    text: str


@table(public=True, event=True)
class Boom:
    id: u32
    text: str


@table(primary_key="id")
class Secret:
    id: u32


@table(public=True, primary_key="key", index=["lane"])
class Mark:
    """Written by well-behaved clients only: nobody else knows the name of its reducer."""

    key: u32
    lane: u32
    number: u64


@table(public=True, primary_key="hand")
class Seen:
    hand: u32
    owner: Identity
    is_here: bool


@view()
def my_detail(ctx: ViewContext) -> list[Detail]:
    return [row for row in ctx.db[Detail] if row.owner == ctx.sender]


@view(anonymous=True)
def full_item(ctx: ViewContext) -> list[Item]:
    return [row for row in ctx.db[Item] if row.qty > 0]


@client_connected
def on_connect(ctx: ReducerContext) -> None:
    ctx.db[Seen].upsert(Seen(ctx.sender % KEYS, ctx.sender, is_here=True))


@client_disconnected
def on_disconnect(ctx: ReducerContext) -> None:
    seen = ctx.db[Seen].get(ctx.sender % KEYS)
    ctx.db[Seen].update(replace(seen, is_here=False))


@reducer
def noop(ctx: ReducerContext) -> None:
    pass


@reducer
def add_item(ctx: ReducerContext, name: str, qty: i32) -> None:
    short = name[:CHARS_MAX]
    ctx.db[Item].upsert(Item(len(name) % KEYS, short, qty))
    ctx.db[Boom].insert(Boom(len(name), short))


@reducer
def drop_item(ctx: ReducerContext, id: u64) -> None:
    if ctx.db[Item].find(id) is None:
        raise ReducerError("item.not_found", str(id))
    ctx.db[Item].delete(id)


@reducer
def put_detail(ctx: ReducerContext, detail: Detail) -> None:
    short = replace(
        detail,
        key=detail.key % KEYS,
        note=None if detail.note is None else detail.note[:CHARS_MAX],
        outline=detail.outline if isinstance(detail.outline, Dot) else Path([]),
        grades=detail.grades[:CHARS_MAX],
        picture=detail.picture[:CHARS_MAX],
        owner=ctx.sender,
    )
    ctx.db[Detail].upsert(short)


@reducer
def put_tag(ctx: ReducerContext, item_id: u64, text: str) -> None:
    ctx.db[Tag].insert(Tag(item_id % KEYS, f"t{len(text) % 4}"))


@reducer
def drop_tag(ctx: ReducerContext, item_id: u64, text: str) -> None:
    ctx.db[Tag].delete_row(Tag(item_id % KEYS, f"t{len(text) % 4}"))


@reducer
def refuse(ctx: ReducerContext, text: str) -> None:
    ctx.db[Item].upsert(Item(0, "never", 0))
    raise ReducerError("fuzz.refused", text)


@reducer
def leave_mark(ctx: ReducerContext, lane: u32, number: u64) -> None:
    key = lane * MARKS_PER_LANE + number % MARKS_PER_LANE
    if number % 5 == 4 and ctx.db[Mark].find(key) is not None:
        ctx.db[Mark].delete(key)
    else:
        ctx.db[Mark].upsert(Mark(key, lane, number))


@procedure
def add_two(ctx: ViewContext, a: u64, b: u64) -> u64:
    return (a + b) % 2**64


@procedure
def echo(ctx: ViewContext, detail: Detail) -> Detail:
    return detail


@struct
class Asked:
    id: u64
    words: list[str]
    hue: Hue | None


@struct
class Answered:
    asked: Asked


@procedure
def answer(ctx: ViewContext, input: Asked) -> Answered:
    return Answered(input)


ROUTES = (
    Route("GET", "/api/answers/{id}", answer, access=Access.ANYONE),
    Route("POST", "/api/answers", answer, status=201, access=Access.ANYONE),
)
