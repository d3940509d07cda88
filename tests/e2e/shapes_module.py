"""A module for tests: every kind of table, column and function, and ways to misbehave."""

from __future__ import annotations

import time
from enum import IntEnum
from uuid import UUID

from actors import (
    ConnectionId,
    Identity,
    ReducerContext,
    ReducerError,
    TimeDuration,
    Timestamp,
    ViewContext,
    f32,
    i8,
    i64,
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


class Hue(IntEnum):
    DEEP_RED = 0
    GREEN = 1
    BLUE = 2


@struct
class Point:
    x: i64
    y: i64


@struct
class Circle:
    center: Point
    radius: u32


@struct
class Polygon:
    corners: list[Point]


@table(
    public=True,
    primary_key="id",
    auto_increment="id",
    unique=["label"],
    index=["owner", "layer_id"],
)
class Shape:
    id: u64
    label: str
    owner: Identity
    layer_id: u32
    hue: Hue
    outline: Circle | Polygon
    nickname: str | None
    grades: list[i8]
    picture: bytes
    weight: f32
    ratio: float
    tally: u128
    debt: i256
    mark: UUID
    seen: Timestamp
    span: TimeDuration
    drawn_by: ConnectionId
    is_hidden: bool


@table(public=True, primary_key="id", index=["name"])
class Layer:
    id: u32
    name: str
    is_shown: bool


@table(public=True, index=["layer_id"])
class Tag:
    layer_id: u32
    text: str


@table(public=True, event=True)
class Drawn:
    label: str
    hue: Hue


@table(primary_key="id")
class Draft:
    id: u32


@struct
class Summary:
    count: u32
    heaviest: str | None
    hues: list[Hue]


@view()
def my_shape(ctx: ViewContext) -> list[Shape]:
    return [shape for shape in ctx.db[Shape] if shape.owner == ctx.sender]


@view(anonymous=True)
def shown_layer(ctx: ViewContext) -> list[Layer]:
    return [layer for layer in ctx.db[Layer] if layer.is_shown]


@procedure
def summary(ctx: ViewContext, layer_id: u32) -> Summary:
    shapes = [shape for shape in ctx.db[Shape] if shape.layer_id == layer_id]
    heaviest = max(shapes, key=lambda shape: (shape.weight, shape.label), default=None)
    return Summary(
        len(shapes),
        None if heaviest is None else heaviest.label,
        [shape.hue for shape in sorted(shapes, key=lambda shape: shape.label)],
    )


@procedure
def add_two(ctx: ViewContext, a: u64, b: u64) -> u64:
    return a + b


@procedure
def divide(ctx: ViewContext, a: u64, b: u64) -> u64:
    return a // b


@reducer
def put_layer(ctx: ReducerContext, id: u32, name: str, is_shown: bool) -> None:
    ctx.db[Layer].upsert(Layer(id, name, is_shown))


@reducer
def drop_layer(ctx: ReducerContext, id: u32) -> None:
    ctx.db[Layer].delete(id)


@reducer
def put_tag(ctx: ReducerContext, layer_id: u32, text: str) -> None:
    ctx.db[Tag].insert(Tag(layer_id, text))


@reducer
def drop_tag(ctx: ReducerContext, layer_id: u32, text: str) -> None:
    ctx.db[Tag].delete_row(Tag(layer_id, text))


@reducer
def draw(
    ctx: ReducerContext,
    label: str,
    layer_id: u32,
    hue: Hue,
    outline: Circle | Polygon,
    nickname: str | None,
    grades: list[i8],
    picture: bytes,
    weight: f32,
    ratio: float,
    tally: u128,
    debt: i256,
    mark: UUID,
    span: TimeDuration,
) -> None:
    ctx.db[Shape].insert(
        Shape(
            id=0,
            label=label,
            owner=ctx.sender,
            layer_id=layer_id,
            hue=hue,
            outline=outline,
            nickname=nickname,
            grades=grades,
            picture=picture,
            weight=weight,
            ratio=ratio,
            tally=tally,
            debt=debt,
            mark=mark,
            seen=ctx.timestamp,
            span=span,
            drawn_by=ctx.connection_id,
            is_hidden=False,
        )
    )
    ctx.db[Drawn].insert(Drawn(label, hue))


@reducer
def move(ctx: ReducerContext, label: str, layer_id: u32) -> None:
    for shape in list(ctx.db[Shape]):
        if shape.label == label:
            ctx.db[Shape].update(replace(shape, layer_id=layer_id))


@reducer
def hide(ctx: ReducerContext, label: str, is_hidden: bool) -> None:
    for shape in list(ctx.db[Shape]):
        if shape.label == label:
            ctx.db[Shape].update(replace(shape, is_hidden=is_hidden))


@reducer
def erase(ctx: ReducerContext, label: str) -> None:
    for shape in list(ctx.db[Shape]):
        if shape.label == label:
            ctx.db[Shape].delete(shape.id)


@reducer
def erase_and_redraw(ctx: ReducerContext, label: str) -> None:
    for shape in list(ctx.db[Shape]):
        if shape.label == label:
            ctx.db[Shape].delete(shape.id)
            ctx.db[Shape].insert(shape)


@reducer
def refuse_after_writing(ctx: ReducerContext) -> None:
    _write_everywhere(ctx)
    raise ReducerError("shapes.refused", "as asked")


@reducer
def break_after_writing(ctx: ReducerContext) -> None:
    _write_everywhere(ctx)
    raise ZeroDivisionError("a secret of the server")


@reducer
def break_down(ctx: ReducerContext) -> None:
    raise ZeroDivisionError("a secret of the server")


@reducer
def take_too_long(ctx: ReducerContext, milliseconds: u32) -> None:
    ends = time.perf_counter() + milliseconds / 1000
    while time.perf_counter() < ends:
        pass


def _write_everywhere(ctx: ReducerContext) -> None:
    ctx.db[Draft].upsert(Draft(1))
    ctx.db[Layer].upsert(Layer(4_000_000_000, "never", is_shown=True))
    ctx.db[Tag].insert(Tag(4_000_000_000, "never"))
    ctx.db[Drawn].insert(Drawn("never", Hue.BLUE))
    for shape in list(ctx.db[Shape]):
        ctx.db[Shape].delete(shape.id)
    for layer in list(ctx.db[Layer]):
        ctx.db[Layer].update(replace(layer, name="never"))
