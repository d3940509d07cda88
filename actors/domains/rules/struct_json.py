"""Structs from JSON and back: camelCase keys, enum members by their snake_case names (1.1)."""

from __future__ import annotations

import types
import typing
from enum import IntEnum
from functools import cache
from typing import Annotated, Any, Final, TypeVar, cast

from actors.module.types import Timestamp
from protocol import types as sats

__all__ = ["camel_case", "enum_from_json", "struct_from_json", "struct_to_json"]

_INTEGER_BOUNDS: Final = {
    sats.U32: (0, 2**32 - 1),
    sats.I32: (-(2**31), 2**31 - 1),
}
_MICROS_MAX: Final = 2**53
"""Moments are integers that JSON carries exactly (domain 1.9)."""

E = TypeVar("E", bound=IntEnum)
T = TypeVar("T")


def camel_case(name: str) -> str:
    """``drop_table`` as ``dropTable``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def enum_from_json(cls: type[E], value: object) -> E:
    """The member with a snake_case name.

    Raises:
        ValueError: there is none.
    """
    if isinstance(value, str) and value == value.lower() and value.upper() in cls.__members__:
        return cls[value.upper()]
    raise ValueError(f"{value!r} is no {cls.__name__}")


def struct_from_json(cls: type[T], value: object) -> T:
    """A struct from a JSON object.

    What an author may leave out: numbers (0), booleans (false), lists (empty), options (none) and
    structs of such fields. Texts and enum members must be there.

    Raises:
        ValueError: not an object, an unknown key, a missing or ill-typed value.
    """
    if isinstance(value, cls):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"{cls.__name__} must be an object")  # noqa: TRY004 - the reader's error
    fields = _fields(cast("type", cls))
    unknown = sorted(set(value) - set(fields))
    if unknown:
        raise ValueError(f"{cls.__name__} has no {unknown[0]}")
    return cls(*(_read(hint, value.get(key), key) for key, hint in fields.items()))


def struct_to_json(value: object) -> dict[str, object]:
    """The JSON object of a struct; ``struct_from_json`` makes the same struct of it again.

    Options that hold nothing are left out.
    """
    fields = cast("dict[str, object]", cast("Any", value)._asdict())
    return {camel_case(key): _write(field) for key, field in fields.items() if field is not None}


def _write(value: object) -> object:
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, list):
        return [_write(element) for element in value]
    return struct_to_json(value) if isinstance(value, tuple) else value


@cache
def _fields(cls: type) -> dict[str, object]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return {camel_case(name): hint for name, hint in hints.items()}


def _read(hint: object, value: object, key: str) -> object:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        low, high = _INTEGER_BOUNDS[arguments[1]]
        return _integer(0 if value is None else value, low, high, key)
    if origin in {types.UnionType, typing.Union}:
        return None if value is None else _read(arguments[0], value, key)
    if origin is list:
        if not isinstance(value, list | None):
            raise ValueError(f"{key} must be a list")
        return [_read(arguments[0], element, key) for element in value or ()]
    if hint is Timestamp:
        return _integer(value, 0, _MICROS_MAX, key)
    if hint is bool or hint is str:
        value = False if value is None and hint is bool else value
        if not isinstance(value, hint):
            raise ValueError(f"{key} must be a {hint.__name__}")
        return value
    if not isinstance(hint, type):
        raise TypeError(f"{key}: structs of {hint!r} cannot be read")
    if issubclass(hint, IntEnum):
        return enum_from_json(hint, value)
    return struct_from_json(hint, {} if value is None else value)


def _integer(value: object, low: int, high: int, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{key} must be an integer from {low} to {high}")
    return value
