"""Shapes: what the types of a module's functions look like in JSON (domain 11.1)."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cache
from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from actors.errors import DeclarationError
from actors.module.naming import camel
from actors.module.types import ConnectionId, Identity, TimeDuration, Timestamp
from protocol import types as sats

__all__ = [
    "Choice",
    "Field",
    "Integer",
    "ListOf",
    "Option",
    "Record",
    "Scalar",
    "Shape",
    "fields_of_call",
    "record_of",
    "shape_of",
]

REQUIRED: Final = inspect.Parameter.empty
_JSON: Final = "_json"


class Scalar(Enum):
    """Shapes without parts."""

    ANYTHING = "any JSON value, typed by itself"
    EMBEDDED = "a text that holds JSON, shown as the value"
    BOOLEAN = "true or false"
    TEXT = "a string"
    NUMBER = "a number"
    MOMENT = "a string: RFC 3339, UTC, with microseconds"
    BYTES = "a string: base64"
    IDENTITY = "a string: 64 hexadecimal digits"
    CONNECTION = "a string: 32 hexadecimal digits"
    UUID = "a string: a UUID"


@dataclass(frozen=True, slots=True)
class Integer:
    """A number without fraction, both bounds included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Option:
    """A value, or null."""

    inner: Shape


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array."""

    element: Shape


@dataclass(frozen=True, slots=True)
class Choice:
    """A member of an enum, by its snake_case name."""

    members: type[IntEnum]


@dataclass(frozen=True, slots=True)
class Field:
    """A part of an object.

    Attributes:
        name: in Python.
        key: in JSON.
        default: what it has when it is absent; ``REQUIRED`` when it must not be.
    """

    name: str
    key: str
    shape: Shape
    default: object = REQUIRED

    @property
    def is_required(self) -> bool:
        """Whether a client must send it."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Record:
    """An object of a struct's fields, in their order."""

    struct: type
    fields: tuple[Field, ...]


Shape: TypeAlias = Scalar | Integer | Option | ListOf | Choice | Record

_SCALARS: Final[dict[object, Shape]] = {
    bool: Scalar.BOOLEAN,
    str: Scalar.TEXT,
    float: Scalar.NUMBER,
    bytes: Scalar.BYTES,
    Timestamp: Scalar.MOMENT,
    TimeDuration: Integer(-(2**63), 2**63 - 1),
    Identity: Scalar.IDENTITY,
    ConnectionId: Scalar.CONNECTION,
    UUID: Scalar.UUID,
    object: Scalar.ANYTHING,
    Any: Scalar.ANYTHING,
    dict: Scalar.ANYTHING,
    Mapping: Scalar.ANYTHING,
}

_MARKS: Final[dict[object, Shape]] = {
    **{
        mark: Integer(0, 2**bits - 1)
        for bits, mark in ((8, sats.U8), (16, sats.U16), (32, sats.U32), (64, sats.U64))
    },
    **{
        mark: Integer(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        for bits, mark in ((8, sats.I8), (16, sats.I16), (32, sats.I32), (64, sats.I64))
    },
    sats.F32: Scalar.NUMBER,
    sats.F64: Scalar.NUMBER,
}


@cache
def shape_of(hint: object) -> Shape:
    """The shape of an annotation.

    Raises:
        DeclarationError: it has none: integers wider than 64 bits, schedules, unions of structs.
    """
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated and arguments[1] in _MARKS:
        return _MARKS[arguments[1]]
    if origin is list:
        return ListOf(shape_of(arguments[0]))
    if origin in {dict, Mapping}:
        return Scalar.ANYTHING
    if origin in {types.UnionType, typing.Union}:
        some = [argument for argument in arguments if argument is not types.NoneType]
        if len(some) == 1 and len(arguments) == 2:
            return Option(shape_of(some[0]))
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return Choice(hint)
    if isinstance(hint, type) and hasattr(hint, "_fields"):
        return record_of(hint)
    raise DeclarationError(f"{hint!r} cannot be spelled in JSON")


@cache
def record_of(struct: type) -> Record:
    """The shape of a struct class; raises as ``shape_of`` does."""
    hints = typing.get_type_hints(struct, include_extras=True)
    names = typing.cast("tuple[str, ...]", struct._fields)  # type: ignore[attr-defined]
    return Record(struct, _fields(struct, hints, list(names)))


def fields_of_call(function: typing.Callable[..., object]) -> tuple[Field, ...]:
    """The parameters of a function behind its context, as fields; raises as ``shape_of`` does."""
    hints = typing.get_type_hints(function, include_extras=True)
    return _fields(function, hints, list(inspect.signature(function).parameters)[1:])


def _fields(
    called: typing.Callable[..., object], hints: dict[str, object], names: list[str]
) -> tuple[Field, ...]:
    parameters = inspect.signature(called).parameters
    fields = tuple(_field(name, hints[name], parameters[name].default) for name in names)
    if len({field.key for field in fields}) < len(fields):
        raise DeclarationError(f"{called!r} has two fields of one name in JSON")
    return fields


def _field(name: str, hint: object, default: object) -> Field:
    shape = shape_of(hint)
    key = camel(name.rstrip("_"))
    if name.endswith(_JSON) and shape in {Scalar.TEXT, Option(Scalar.TEXT)}:
        key = camel(name.removesuffix(_JSON))
        embedded: Shape = Scalar.EMBEDDED
        shape = embedded if shape is Scalar.TEXT else Option(embedded)
    if default is REQUIRED and isinstance(shape, Option):
        default = None
    return Field(name, key, shape, default)
