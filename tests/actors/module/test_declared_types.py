"""Annotations as algebraic types: what authors write, and what the wire knows it as."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

import pytest

from actors import errors
from actors.module.types import (
    UUID,
    ConnectionId,
    Identity,
    ScheduleAt,
    TimeDuration,
    Timestamp,
    algebraic_type,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    i128,
    i256,
    product_type,
    replace,
    struct,
    u8,
    u16,
    u32,
    u64,
    u128,
    u256,
)
from protocol import types as sats
from protocol.bsatn import compile_codec


class Mood(IntEnum):
    CALM = 0
    VERY_ANGRY = 1


class Gap(IntEnum):
    ONE = 1
    THREE = 3


@struct
class Point:
    x: i32
    y: i32 = 0

    @property
    def is_origin(self) -> bool:
        return self.x == self.y == 0

    def moved(self, by: int) -> Point:
        return replace(self, x=self.x + by)


@struct
class Circle:
    center: Point
    radius: u32


@struct
class Drawing:
    """All the kinds of fields."""

    title: str
    mood: Mood
    shapes: list[Point | Circle]
    best: Circle | None
    data: bytes
    owner: Identity
    at: Timestamp


SCALARS = [
    (bool, sats.BOOL),
    (str, sats.STRING),
    (bytes, sats.BYTES),
    (float, sats.F64),
    (u8, sats.U8),
    (u16, sats.U16),
    (u32, sats.U32),
    (u64, sats.U64),
    (u128, sats.U128),
    (u256, sats.U256),
    (i8, sats.I8),
    (i16, sats.I16),
    (i32, sats.I32),
    (i64, sats.I64),
    (i128, sats.I128),
    (i256, sats.I256),
    (f32, sats.F32),
    (f64, sats.F64),
    (Identity, sats.IDENTITY),
    (ConnectionId, sats.CONNECTION_ID),
    (Timestamp, sats.TIMESTAMP),
    (TimeDuration, sats.TIME_DURATION),
    (UUID, sats.UUID),
    (ScheduleAt, sats.SCHEDULE_AT),
    (None, sats.UNIT),
    (list[str], sats.ArrayType(sats.STRING)),
    (list[list[u16]], sats.ArrayType(sats.ArrayType(sats.U16))),
    (str | None, sats.OptionType(sats.STRING)),
    (u32 | None, sats.OptionType(sats.U32)),
    (list[str] | None, sats.OptionType(sats.ArrayType(sats.STRING))),
    (Annotated[str, "a remark"], sats.STRING),
    (Mood, sats.EnumType(("Calm", "VeryAngry"))),
    (Point, sats.ProductType((sats.Field("x", sats.I32), sats.Field("y", sats.I32)))),
]


@pytest.mark.parametrize(("annotation", "expected"), SCALARS, ids=lambda value: repr(value)[:40])
def test_an_annotation_has_its_type(annotation, expected):
    assert algebraic_type(annotation) == expected


def test_a_union_of_structs_is_a_sum_in_order():
    union = algebraic_type(Circle | Point)
    assert isinstance(union, sats.SumType)
    assert [variant.name for variant in union.variants] == ["Circle", "Point"]
    assert union.classes == (Circle, Point)
    optional = algebraic_type(Circle | Point | None)
    assert optional == sats.OptionType(union)


def test_values_survive_their_bytes_as_instances():
    codec = compile_codec(product_type(Drawing))
    row = Drawing(
        title="a",
        mood=Mood.VERY_ANGRY,
        shapes=[Circle(Point(1), 2), Point(3, 4)],
        best=None,
        data=b"\1",
        owner=Identity(5),
        at=Timestamp(6),
    )
    again = codec.decode_all(codec.encode(row))
    assert again == row
    assert isinstance(again, Drawing)
    assert isinstance(again.mood, Mood)
    assert [type(shape) for shape in again.shapes] == [Circle, Point]
    assert isinstance(again.shapes[0].center, Point)
    assert isinstance(again.owner, Identity)


@pytest.mark.parametrize(
    "annotation",
    [
        int,
        object,
        list,
        list[u8],
        dict[str, str],
        tuple[str, str],
        set[str],
        str | int,
        Mood | Point,
        Point | str,
        Gap,
        "Point",
    ],
    ids=repr,
)
def test_what_has_no_type_is_refused(annotation):
    with pytest.raises(errors.DeclarationError):
        algebraic_type(annotation)


def test_a_struct_is_an_immutable_tuple_with_names():
    point = Point(1, y=2)
    assert point == (1, 2)
    assert hash(point) == hash((1, 2))
    assert Point(5) == Point(5, 0)
    assert Point(0).is_origin
    assert point.moved(3) == Point(4, 2)
    assert repr(point) == "Point(x=1, y=2)"
    with pytest.raises(AttributeError):
        point.x = 7
    with pytest.raises(AttributeError):
        point.z = 7
    with pytest.raises(TypeError):
        Point()
    assert Drawing.__doc__ == "All the kinds of fields."


def test_a_struct_without_fields_or_with_parents_is_refused():
    with pytest.raises(errors.DeclarationError, match="has no fields"):

        @struct
        class Empty:
            pass

    with pytest.raises(errors.DeclarationError, match="must not inherit"):

        @struct
        class Child(Point):
            z: i32


def test_a_default_before_a_field_without_one_is_refused():
    with pytest.raises(errors.DeclarationError, match="default come last"):

        @struct
        class Muddled:
            x: i32 = 1
            y: i32


def test_a_hidden_field_is_refused():
    with pytest.raises(errors.DeclarationError, match="underscore"):

        @struct
        class Hidden:
            _x: i32


def test_a_copy_has_the_fields_that_were_changed_and_shares_the_others() -> None:
    circle = Circle(Point(1, 2), 3)
    copy = replace(circle, radius=4)
    assert (type(copy), copy) == (Circle, Circle(Point(1, 2), 4))
    assert copy.center is circle.center
    assert replace(circle, radius=5, center=Point(0, 0)) == Circle(Point(0, 0), 5)
    with pytest.raises(TypeError, match="Circle has no field 'diameter'"):
        replace(circle, diameter=8)
    assert circle == Circle(Point(1, 2), 3)
