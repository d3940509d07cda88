"""Declared types: Python classes and annotations as algebraic types.

An author writes classes and annotations; this module turns them into the types that codecs and
schemas are compiled from:

| Python | algebraic type |
|---|---|
| ``bool``, ``str``, ``bytes``, ``float`` | Bool, String, array of U8, F64 |
| ``u8`` … ``i256``, ``f32`` | the integer or float of that width |
| ``Identity``, ``ConnectionId``, ``Timestamp``, ``TimeDuration``, ``UUID``, ``ScheduleAt`` | same |
| ``T | None`` | Option |
| ``list[T]`` | Array |
| an ``IntEnum`` class | Enum; ``SPAR_COMPLETE`` is spelled ``SparComplete`` in the schema |
| a ``@struct`` class | Product |
| ``A | B`` of struct classes | Sum, a variant for each class, in order |
| ``Annotated[A | B, "Name"]`` | the same, with a name of its own in the schema |

A struct is an immutable tuple with named fields: as cheap to make, compare, hash and pack as a
tuple, and checked by the type checker as a frozen dataclass is.
"""

from __future__ import annotations

import collections
import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, TypeVar, dataclass_transform
from uuid import UUID

from actors.errors import DeclarationError
from protocol import types as sats
from protocol.values import (
    ConnectionId,
    Identity,
    ScheduleInterval,
    ScheduleTime,
    TimeDuration,
    Timestamp,
)

if TYPE_CHECKING:
    from dataclasses import replace
else:  # structs are frozen dataclasses for the type checker alone
    from actors.module.copies import replace


__all__ = [
    "UUID",
    "ConnectionId",
    "Identity",
    "ScheduleAt",
    "ScheduleInterval",
    "ScheduleTime",
    "TimeDuration",
    "Timestamp",
    "algebraic_type",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "i256",
    "product_type",
    "replace",
    "struct",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "u256",
]

u8 = Annotated[int, sats.U8]
u16 = Annotated[int, sats.U16]
u32 = Annotated[int, sats.U32]
u64 = Annotated[int, sats.U64]
u128 = Annotated[int, sats.U128]
u256 = Annotated[int, sats.U256]
i8 = Annotated[int, sats.I8]
i16 = Annotated[int, sats.I16]
i32 = Annotated[int, sats.I32]
i64 = Annotated[int, sats.I64]
i128 = Annotated[int, sats.I128]
i256 = Annotated[int, sats.I256]
f32 = Annotated[float, sats.F32]
f64 = Annotated[float, sats.F64]
ScheduleAt = Annotated[ScheduleInterval | ScheduleTime, sats.SCHEDULE_AT]

T = TypeVar("T")

_SCALARS: dict[object, sats.AlgebraicType] = {
    bool: sats.BOOL,
    str: sats.STRING,
    bytes: sats.BYTES,
    float: sats.F64,
    Identity: sats.IDENTITY,
    ConnectionId: sats.CONNECTION_ID,
    Timestamp: sats.TIMESTAMP,
    TimeDuration: sats.TIME_DURATION,
    UUID: sats.UUID,
    None: sats.UNIT,
    type(None): sats.UNIT,
}

_TAKEN_OVER = frozenset({"__dict__", "__weakref__", "__annotations__", "__slots__"})


@dataclass_transform(frozen_default=True)
def struct(cls: type[T]) -> type[T]:
    """Turn a class of annotated fields into an immutable tuple class with those fields.

    Methods and properties of the class stay. Fields with a default come last. The result makes its
    instances from positional or keyword arguments and changes copies with ``replace``.

    Raises:
        DeclarationError: the class has no annotated field, inherits from another one, names a
            field with a leading underscore, or has a field without a default after one with it.
    """
    if cls.__bases__ != (object,):
        raise DeclarationError(f"struct {cls.__name__} must not inherit")
    annotations = dict(getattr(cls, "__annotations__", {}))
    if not annotations:
        raise DeclarationError(f"struct {cls.__name__} has no fields")
    hidden = [name for name in annotations if name.startswith("_")]
    if hidden:
        raise DeclarationError(f"struct {cls.__name__}: {hidden[0]} starts with an underscore")
    optional = [name for name in annotations if name in vars(cls)]
    if optional != list(annotations)[len(annotations) - len(optional) :]:
        raise DeclarationError(f"struct {cls.__name__}: fields with a default come last")
    # The fields are known at run time only, so this is the dynamic form and no NamedTuple class.
    row = collections.namedtuple(  # type: ignore[misc]  # noqa: PYI024
        cls.__name__,
        list(annotations),
        module=cls.__module__,
    )
    row.__new__.__defaults__ = tuple(vars(cls)[name] for name in optional)
    members = {
        name: value
        for name, value in vars(cls).items()
        if name not in _TAKEN_OVER and name not in annotations
    }
    members.update(__slots__=(), __annotations__=annotations, __qualname__=cls.__qualname__)
    return type(cls.__name__, (row,), members)


def algebraic_type(annotation: object) -> sats.AlgebraicType:
    """The algebraic type of an annotation.

    Raises:
        DeclarationError: the annotation has no algebraic type.
    """
    scalar = _SCALARS.get(annotation) if isinstance(annotation, collections.abc.Hashable) else None
    if scalar is not None:
        return scalar
    if isinstance(annotation, type):
        if issubclass(annotation, IntEnum):
            return _enum_type(annotation)
        if issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
            return product_type(annotation)
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is Annotated:
        return _annotated_type(arguments)
    if origin is list:
        element = algebraic_type(arguments[0])
        if element == sats.U8:
            raise DeclarationError("a list of u8 is spelled bytes")
        return sats.ArrayType(element)
    if origin is typing.Union or origin is types.UnionType:
        return _union_type(arguments)
    raise DeclarationError(f"{annotation!r} has no algebraic type")


@cache
def product_type(cls: type) -> sats.ProductType:
    """The product type of a struct class; its values decode to instances of the class."""
    hints: Mapping[str, object] = typing.get_type_hints(cls, include_extras=True)
    fields = typing.cast("tuple[str, ...]", cls._fields)  # type: ignore[attr-defined]
    elements = tuple(sats.Field(name, algebraic_type(hints[name])) for name in fields)
    return sats.ProductType(elements, cls.__name__, cls._make)  # type: ignore[attr-defined]


@cache
def _enum_type(cls: type[IntEnum]) -> sats.EnumType:
    members = list(cls)
    if [member.value for member in members] != list(range(len(members))):
        raise DeclarationError(f"enum {cls.__name__} must count from 0 without gaps")
    return sats.EnumType(tuple(_pascal(member.name) for member in members), cls.__name__, cls)


def _annotated_type(arguments: tuple[object, ...]) -> sats.AlgebraicType:
    for mark in arguments[1:]:
        if isinstance(mark, sats.AlgebraicType):
            return mark
    inner = algebraic_type(arguments[0])
    if isinstance(inner, sats.SumType) and isinstance(arguments[1], str):
        return dataclasses.replace(inner, name=arguments[1])
    return inner


def _union_type(arguments: tuple[object, ...]) -> sats.AlgebraicType:
    some = [argument for argument in arguments if argument is not type(None)]
    if len(some) < len(arguments):
        inner = algebraic_type(some[0]) if len(some) == 1 else _union_type(tuple(some))
        return sats.OptionType(inner)
    classes = tuple(cls for cls in some if isinstance(cls, type) and hasattr(cls, "_fields"))
    if len(classes) < len(some):
        raise DeclarationError(f"a union of {some!r} has no algebraic type")
    variants = tuple(sats.Field(cls.__name__, product_type(cls)) for cls in classes)
    return sats.SumType(variants, "Or".join(cls.__name__ for cls in classes), classes)


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
