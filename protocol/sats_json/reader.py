"""Compiles functions from JSON structures to values, in every input form the host accepts."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from protocol.errors import DecodeError
from protocol.sats_json.scalars import (
    read_bool,
    read_bytes,
    read_f32,
    read_f64,
    read_text,
    reader_of_integer,
)
from protocol.sats_json.writer import special_field
from protocol.types import (
    TIME_DURATION,
    TIMESTAMP,
    U8,
    UNIT,
    AlgebraicType,
    ArrayType,
    EnumType,
    Field,
    OptionType,
    Primitive,
    ProductType,
    ResultType,
    SumType,
)
from protocol.values import ConnectionId, Identity, ScheduleInterval, ScheduleTime, Variant

__all__ = ["Read", "reader_of"]

Read = Callable[[object], object]
"""A JSON structure to a value; raises DecodeError."""


def reader_of(declared: AlgebraicType) -> Read:
    """The function that reads values of a checked type."""
    match declared:
        case Primitive(name):
            return _primitive(name)
        case ArrayType(element):
            return read_bytes if element == U8 else _array(reader_of(element))
        case OptionType(some):
            return _option(some)
        case ProductType(elements):
            fields = _fields(elements)
            construct = declared.construct
            return fields if construct is None else lambda structure: construct(fields(structure))
        case EnumType(variants):
            return _enum(declared, tuple(Field(name, UNIT) for name in variants))
        case ResultType(ok, err):
            either = _variants((Field("ok", ok), Field("err", err)))
            return lambda structure: Variant(*either(structure))
        case SumType(variants):
            chosen = _variants(variants)
            if declared.classes is not None:
                return lambda structure: chosen(structure)[1]
            return lambda structure: Variant(*chosen(structure))


def _primitive(name: str) -> Read:
    if name == "ScheduleAt":
        return _schedule()
    scalar = _scalar(name)
    field = special_field(name)
    if field is None:
        return scalar

    def read_special(structure: object) -> object:
        match structure:
            case [only]:
                return scalar(only)
            case dict() if structure.keys() == {field}:
                return scalar(structure[field])
            case _:
                raise DecodeError(f'expected {{"{field}": ...}} or an array of one')

    return read_special


def _scalar(name: str) -> Read:
    match name:
        case "Bool":
            return read_bool
        case "F32":
            return read_f32
        case "F64":
            return read_f64
        case "String":
            return read_text
    integer = reader_of_integer(name)
    match name:
        case "Identity":
            return lambda structure: Identity(integer(structure))
        case "ConnectionId":
            return lambda structure: ConnectionId(integer(structure))
        case "Uuid":
            return lambda structure: UUID(int=integer(structure))
        case _:
            return integer


def _array(read: Read) -> Read:
    def read_array(structure: object) -> object:
        if not isinstance(structure, list):
            raise DecodeError("expected an array")
        return [read(item) for item in structure]

    return read_array


def _fields(elements: tuple[Field, ...]) -> Callable[[object], tuple[object, ...]]:
    names = [element.name for element in elements]
    readers = [reader_of(element.type) for element in elements]

    def read_fields(structure: object) -> tuple[object, ...]:
        if isinstance(structure, dict):
            for name in structure:
                if name not in names:
                    raise DecodeError(f"unknown field {name!r}")
            for name in names:
                if name not in structure:
                    raise DecodeError(f"missing field {name!r}")
            parts = [structure[name] for name in names]
        elif isinstance(structure, list):
            parts = structure
            if len(parts) != len(names):
                raise DecodeError(f"expected {len(names)} fields, not {len(parts)}")
        else:
            raise DecodeError("expected an object or an array of fields")
        return tuple(map(_read_named, names, readers, parts))

    return read_fields


def _read_named(name: str, read: Read, structure: object) -> object:
    try:
        return read(structure)
    except DecodeError as error:
        raise DecodeError(f"{name}: {error.message}") from None


def _variants(variants: tuple[Field, ...]) -> Callable[[object], tuple[int, object]]:
    """Reads ``{"Name": payload}``, ``{"0": payload}`` and ``[0, payload]``; a name comes first."""
    names = [variant.name for variant in variants]
    readers = [reader_of(variant.type) for variant in variants]
    tags = {str(tag): tag for tag in range(len(names))}
    tags.update((name, tag) for tag, name in enumerate(names))

    def read_variant(structure: object) -> tuple[int, object]:
        tag: int | None = None
        payload: object = None
        match structure:
            case dict() if len(structure) == 1:
                ((key, payload),) = structure.items()
                tag = tags.get(key)
            case [int(number), payload] if 0 <= number < len(names):
                tag = None if isinstance(number, bool) else number
            case _:
                pass
        if tag is None:
            raise DecodeError(f"expected one of the variants {', '.join(names)}")
        return tag, _read_named(names[tag], readers[tag], payload)

    return read_variant


def _option(some: AlgebraicType) -> Read:
    chosen = _variants((Field("some", some), Field("none", UNIT)))

    def read_option(structure: object) -> object:
        if structure is None:
            return None
        tag, value = chosen(structure)
        return value if tag == 0 else None

    return read_option


def _enum(declared: EnumType, variants: tuple[Field, ...]) -> Read:
    chosen = _variants(variants)
    construct = declared.construct
    if construct is None:
        return lambda structure: chosen(structure)[0]
    return lambda structure: construct(chosen(structure)[0])


def _schedule() -> Read:
    chosen = _variants((Field("Interval", TIME_DURATION), Field("Time", TIMESTAMP)))

    def read_schedule(structure: object) -> object:
        tag, micros = chosen(structure)
        assert isinstance(micros, int)
        return ScheduleInterval(micros) if tag == 0 else ScheduleTime(micros)

    return read_schedule
