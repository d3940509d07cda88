"""JSON out: values of a module by their shapes, and by themselves where nobody declared any."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import cache
from typing import Any, Final, TypeAlias

import orjson

from actors.module.types import ConnectionId, Identity
from server.http.shapes import Choice, ListOf, Option, Record, Scalar, Shape, record_of

__all__ = ["json_bytes", "write_anything", "writer_of"]

Writer: TypeAlias = Callable[[Any], object]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def json_bytes(value: object) -> bytes:
    """The JSON text of what a writer has made."""
    return orjson.dumps(value)


@cache
def writer_of(shape: Shape) -> Writer:
    """What turns a value of a shape into something that ``json_bytes`` takes."""
    if isinstance(shape, Record):
        return _record_writer(shape)
    if isinstance(shape, ListOf):
        element = writer_of(shape.element)
        return lambda value: [element(entry) for entry in value]
    if isinstance(shape, Option):
        inner = writer_of(shape.inner)
        return lambda value: None if value is None else inner(value)
    if isinstance(shape, Choice):
        members = shape.members
        return lambda value: members(value).name.lower()
    if isinstance(shape, Scalar):
        return _SCALARS.get(shape, _same)
    return _same


def write_anything(value: object) -> object:
    """A value by what it is itself: a moment is an integer then, and keys stay what they are."""
    if value is None or isinstance(value, bool | str | float):
        return value
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, Identity | ConnectionId):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, bytes):
        return _base64(value)
    if isinstance(value, Mapping):
        return {str(key): write_anything(entry) for key, entry in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return writer_of(record_of(type(value)))(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [write_anything(entry) for entry in value]
    return str(value)


def _record_writer(shape: Record) -> Writer:
    parts = [(field.key, writer_of(field.shape)) for field in shape.fields]

    def write(value: tuple[object, ...]) -> object:
        return {key: part(entry) for (key, part), entry in zip(parts, value, strict=True)}

    return write


def _same(value: object) -> object:
    return value


def _moment(micros: int) -> str:
    """RFC 3339; a moment outside the years that it has is the nearest that it has."""
    moment = _EPOCH + timedelta(microseconds=min(max(micros, _FIRST), _LAST))
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _embedded(text: str) -> object:
    """JSON that is text already goes out as it is; nothing at all is null."""
    return orjson.Fragment(text) if text else None


_SCALARS: Final[dict[Scalar, Writer]] = {
    Scalar.ANYTHING: write_anything,
    Scalar.EMBEDDED: _embedded,
    Scalar.MOMENT: _moment,
    Scalar.BYTES: _base64,
    Scalar.IDENTITY: str,
    Scalar.CONNECTION: str,
    Scalar.UUID: str,
}
