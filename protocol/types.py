"""Algebraic types: what a value on the wire may be, as plain frozen data.

Types say nothing about bytes; codecs are compiled from them (``protocol.bsatn``,
``protocol.sats_json``). Two types are equal when they are the same on the wire: names and the
Python classes that hold their values do not take part. Source: wire spec sections 2, 3 and 13.

How values look in Python:

| type | value |
|---|---|
| Bool, integers, F32/F64, String | bool, int, float, str |
| Array of U8 | bytes |
| Array of T | list |
| Option of T | the value, or None |
| Product | a tuple; ``construct`` (a tuple class) when one is given |
| Enum (all variants unit) | an int: its tag; ``construct`` (an IntEnum) when one is given |
| Sum | an instance of ``classes[tag]`` when classes are given, else ``Variant(tag, value)`` |
| Result | ``Variant(0, ok)`` or ``Variant(1, err)`` |
| Identity, ConnectionId | ``protocol.values.Identity``, ``ConnectionId`` (int subclasses) |
| Timestamp, TimeDuration | int of microseconds |
| Uuid | ``uuid.UUID`` |
| ScheduleAt | ``ScheduleInterval`` or ``ScheduleTime`` |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

__all__ = [
    "BOOL",
    "BYTES",
    "CONNECTION_ID",
    "F32",
    "F64",
    "I8",
    "I16",
    "I32",
    "I64",
    "I128",
    "I256",
    "IDENTITY",
    "SCHEDULE_AT",
    "STRING",
    "TIMESTAMP",
    "TIME_DURATION",
    "U8",
    "U16",
    "U32",
    "U64",
    "U128",
    "U256",
    "UNIT",
    "UUID",
    "AlgebraicType",
    "ArrayType",
    "EnumType",
    "Field",
    "OptionType",
    "Primitive",
    "ProductType",
    "ResultType",
    "SumType",
]


@dataclass(frozen=True, slots=True)
class Primitive:
    """A scalar, or one of the special types that the wire knows by structure."""

    name: str


@dataclass(frozen=True, slots=True)
class ArrayType:
    """Any number of elements of one type; of U8 its value is bytes."""

    element: AlgebraicType


@dataclass(frozen=True, slots=True)
class OptionType:
    """A value or None. An option of an option has no Python value and is refused by codecs."""

    some: AlgebraicType


@dataclass(frozen=True, slots=True)
class ResultType:
    """``ok`` or ``err``; decode side mostly (wire spec, surprise 8)."""

    ok: AlgebraicType
    err: AlgebraicType


class Field(NamedTuple):
    """A named element of a product or variant of a sum; order is the wire order."""

    name: str
    type: AlgebraicType


@dataclass(frozen=True, slots=True)
class ProductType:
    """Fields in wire order. ``name`` is the type's name in the schema, None when anonymous."""

    elements: tuple[Field, ...]
    name: str | None = field(default=None, compare=False)
    construct: Callable[[tuple[object, ...]], tuple[object, ...]] | None = field(
        default=None, compare=False
    )
    """Turns a plain tuple of the fields into the value: a tuple subclass's ``_make``."""


@dataclass(frozen=True, slots=True)
class EnumType:
    """A sum whose variants are all unit; the tag is the position."""

    variants: tuple[str, ...]
    name: str | None = field(default=None, compare=False)
    construct: type[int] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SumType:
    """One of several payloads, told apart by the variant's position."""

    variants: tuple[Field, ...]
    name: str | None = field(default=None, compare=False)
    classes: tuple[type, ...] | None = field(default=None, compare=False)
    """The Python class of each variant's payload, in order, all different."""


AlgebraicType: TypeAlias = (
    Primitive | ArrayType | OptionType | ResultType | ProductType | EnumType | SumType
)

BOOL = Primitive("Bool")
U8 = Primitive("U8")
U16 = Primitive("U16")
U32 = Primitive("U32")
U64 = Primitive("U64")
U128 = Primitive("U128")
U256 = Primitive("U256")
I8 = Primitive("I8")
I16 = Primitive("I16")
I32 = Primitive("I32")
I64 = Primitive("I64")
I128 = Primitive("I128")
I256 = Primitive("I256")
F32 = Primitive("F32")
F64 = Primitive("F64")
STRING = Primitive("String")
IDENTITY = Primitive("Identity")
CONNECTION_ID = Primitive("ConnectionId")
TIMESTAMP = Primitive("Timestamp")
TIME_DURATION = Primitive("TimeDuration")
UUID = Primitive("Uuid")
SCHEDULE_AT = Primitive("ScheduleAt")
BYTES = ArrayType(U8)
UNIT = ProductType(())
