"""JSON in: bodies of strangers as values, and values by their shapes (domain 1.9, 11.5)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, NoReturn, TypeAlias
from uuid import UUID

import orjson

from actors.errors import ReducerError
from actors.module.types import ConnectionId, Identity
from server.http.shapes import Choice, Field, Integer, ListOf, Option, Record, Scalar, Shape
from server.limits import JSON_DEPTH_MAX, JSON_INTEGER_MAX, JSON_NODES_MAX

__all__ = ["Reader", "parse_object", "read_fields", "reader_of", "value_of_text"]

Reader: TypeAlias = Callable[[object, str], Any]
"""Makes a value of JSON that stands at a path; raises ReducerError ``input.*`` naming the path."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER: Final = re.compile(r"(0|-?[1-9][0-9]{0,19})\Z")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})\Z"
)
_ABSENT: Final = object()


def parse_object(data: bytes) -> dict[str, object]:
    """The JSON object that bytes spell.

    Raises:
        ReducerError: ``input.json_malformed``: no JSON in UTF-8, no object, a key that comes twice
            in its object, an integer beyond 2^53, half of a surrogate pair, more than 16 levels or
            20,000 values.
    """
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_constant=_no_number,
        )
        if not isinstance(value, dict):
            raise ValueError("the body is no object")  # noqa: TRY004 - one error for all of it
        if _count(value, JSON_DEPTH_MAX) > JSON_NODES_MAX:
            raise ValueError(f"more than {JSON_NODES_MAX} values")
    except json.JSONDecodeError as error:
        text = f"not JSON: {error.msg} at character {error.pos}"
        raise ReducerError("input.json_malformed", text) from None
    except UnicodeError:
        raise ReducerError("input.json_malformed", "not text in UTF-8") from None
    except ValueError as error:
        raise ReducerError("input.json_malformed", str(error)) from None
    except RecursionError:
        raise ReducerError("input.json_malformed", "nested too deeply") from None
    return value


def read_fields(fields: tuple[Field, ...], found: dict[str, object], path: str) -> list[Any]:
    """The values of fields from a JSON object, which may hold more.

    Raises:
        ReducerError: ``input.missing_field``, or what a value's reader raises.
    """
    values = []
    for field in fields:
        value = found.get(field.key, _ABSENT)
        where = f"{path}.{field.key}" if path else field.key
        if value is not _ABSENT and (value is not None or field.is_required):
            values.append(reader_of(field.shape)(value, where))
        elif field.is_required:
            raise ReducerError("input.missing_field", f"{where} is missing", path=where)
        else:
            values.append(field.default)
    return values


@cache
def reader_of(shape: Shape) -> Reader:
    """What makes a value of JSON in a shape."""
    if isinstance(shape, Record):
        return _record_reader(shape)
    if isinstance(shape, ListOf):
        return _list_reader(shape)
    if isinstance(shape, Option):
        inner = reader_of(shape.inner)
        return lambda value, path: None if value is None else inner(value, path)
    if isinstance(shape, Choice):
        return _choice_reader(shape)
    if isinstance(shape, Integer):
        return _integer_reader(shape)
    return _SCALARS[shape]


def value_of_text(shape: Shape, text: str) -> object:
    """What a text of an address would be in JSON; one that is no value of the shape stays text."""
    if isinstance(shape, Option):
        return value_of_text(shape.inner, text) if text else None
    if isinstance(shape, ListOf):
        return value_of_text(shape.element, text)
    if isinstance(shape, Integer):
        return int(text) if _INTEGER.match(text) else text
    if shape is Scalar.BOOLEAN:
        return {"true": True, "false": False}.get(text, text)
    return text


def _wrong(path: str, wanted: str) -> ReducerError:
    return ReducerError("input.invalid_type", f"{path} must be {wanted}", path=path)


def _record_reader(shape: Record) -> Reader:
    def read(value: object, path: str) -> object:
        if not isinstance(value, dict):
            raise _wrong(path, "an object")
        return shape.struct(*read_fields(shape.fields, value, path))

    return read


def _list_reader(shape: ListOf) -> Reader:
    element = reader_of(shape.element)

    def read(value: object, path: str) -> object:
        if not isinstance(value, list):
            raise _wrong(path, "an array")
        return [element(entry, f"{path}[{index}]") for index, entry in enumerate(value)]

    return read


def _choice_reader(shape: Choice) -> Reader:
    members = {member.name.lower(): member for member in shape.members}

    def read(value: object, path: str) -> object:
        if not isinstance(value, str):
            raise _wrong(path, "a string")
        if value not in members:
            known = ", ".join(members)
            raise ReducerError("input.unknown_variant", f"{path} is one of {known}", path=path)
        return members[value]

    return read


def _integer_reader(shape: Integer) -> Reader:
    low, high = shape.low, shape.high

    def read(value: object, path: str) -> object:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(path, "an integer")
        if not low <= value <= high:
            text = f"{path} must be {low} to {high}"
            raise ReducerError("input.out_of_range", text, path=path)
        return value

    return read


def _boolean(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(path, "true or false")
    return value


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise _wrong(path, "a string")
    return value


def _number(value: object, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(path, "a number")
    return float(value)


def _moment(value: object, path: str) -> int:
    try:
        if not isinstance(value, str) or not _MOMENT.match(value):
            raise ValueError("no RFC 3339")
        return (datetime.fromisoformat(value) - _EPOCH) // timedelta(microseconds=1)
    except ValueError:
        raise _wrong(path, "a moment as in 2030-01-31T12:00:00.000000Z") from None


def _parsed(parse: Callable[[str], object], wanted: str) -> Reader:
    def read(value: object, path: str) -> object:
        try:
            return parse(_text(value, path))
        except ValueError:
            raise _wrong(path, wanted) from None

    return read


def _anything(value: object, path: str) -> object:
    del path
    return value


def _embedded(value: object, path: str) -> str:
    del path
    return orjson.dumps(value).decode()


_SCALARS: Final[dict[Scalar, Reader]] = {
    Scalar.ANYTHING: _anything,
    Scalar.EMBEDDED: _embedded,
    Scalar.BOOLEAN: _boolean,
    Scalar.TEXT: _text,
    Scalar.NUMBER: _number,
    Scalar.MOMENT: _moment,
    Scalar.BYTES: _parsed(lambda text: base64.b64decode(text, validate=True), "base64"),
    Scalar.IDENTITY: _parsed(Identity.from_hex, "an identity: 64 hexadecimal digits"),
    Scalar.CONNECTION: _parsed(ConnectionId.from_hex, "a connection id: 32 hexadecimal digits"),
    Scalar.UUID: _parsed(UUID, "a UUID"),
}


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key comes twice in its object")
    return fields


def _integer(digits: str) -> int:
    value = int(digits) if len(digits) <= len(str(-JSON_INTEGER_MAX)) else JSON_INTEGER_MAX + 1
    if abs(value) > JSON_INTEGER_MAX:
        raise ValueError("an integer is beyond 2^53")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _count(value: object, levels: int) -> int:
    """How many values there are; raises ValueError below the last level and for half pairs."""
    if isinstance(value, str):
        value.encode()
    if not isinstance(value, dict | list):
        return 1
    if levels == 0:
        raise ValueError(f"more than {JSON_DEPTH_MAX} levels")
    if isinstance(value, list):
        return 1 + sum(_count(entry, levels - 1) for entry in value)
    for key in value:
        key.encode()
    return 1 + sum(_count(entry, levels - 1) for entry in value.values())
