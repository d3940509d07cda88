"""Compiles functions from values to JSON structures, in each of the host's output forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast
from uuid import UUID

from protocol.sats_json.scalars import hex_of, number_of_f32, number_of_f64
from protocol.types import (
    U8,
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
from protocol.values import ScheduleInterval, ScheduleTime, Variant

__all__ = ["ROW", "TYPED", "UNTYPED", "Form", "Write", "special_field", "writer_of"]

Write = Callable[[object], object]


class Form(NamedTuple):
    """Whether products and sums are written with names or by position (wire spec 4)."""

    has_field_names: bool
    has_variant_names: bool


TYPED = Form(has_field_names=True, has_variant_names=True)
UNTYPED = Form(has_field_names=False, has_variant_names=False)
ROW = Form(has_field_names=True, has_variant_names=False)
"""Rows of v1.json's initial results."""

_SPECIAL_FIELDS = {
    "Identity": "__identity__",
    "ConnectionId": "__connection_id__",
    "Timestamp": "__timestamp_micros_since_unix_epoch__",
    "TimeDuration": "__time_duration_micros__",
    "Uuid": "__uuid__",
}


def special_field(name: str) -> str | None:
    """The one field's name of a special type that is a product; None for other primitives."""
    return _SPECIAL_FIELDS.get(name)


def writer_of(declared: AlgebraicType, form: Form) -> Write:
    """The function that writes values of a checked type in one form."""
    match declared:
        case Primitive(name):
            return _primitive(name, form)
        case ArrayType(element):
            return _bytes_to_hex if element == U8 else _array(writer_of(element, form))
        case OptionType(some):
            return _option(writer_of(some, form), form)
        case ProductType(elements):
            return _product(elements, form)
        case EnumType(variants):
            wraps = [_wrapper(tag, name, form) for tag, name in enumerate(variants)]
            return lambda value: wraps[_tag(value, len(wraps))]([])
        case ResultType(ok, err):
            return _variant((Field("ok", ok), Field("err", err)), None, form)
        case SumType(variants):
            return _variant(variants, declared.classes, form)


def _primitive(name: str, form: Form) -> Write:
    if name == "ScheduleAt":
        return _schedule(form)
    field = special_field(name)
    scalar = _scalar(name)
    if field is None:
        return scalar
    if form.has_field_names:
        return lambda value: {field: scalar(value)}
    return lambda value: [scalar(value)]


def _scalar(name: str) -> Write:
    match name:
        case "Bool":
            return lambda value: _instance(value, bool)
        case "F32":
            return lambda value: number_of_f32(cast("float", value))
        case "F64":
            return lambda value: number_of_f64(cast("float", value))
        case "String":
            return lambda value: _instance(value, str)
        case "U256" | "I256" | "Identity":
            return lambda value: hex_of(_integer(value))
        case "Uuid":
            return lambda value: cast("UUID", _instance(value, UUID)).int
        case _:
            return _integer


def _integer(value: object) -> int:
    return int(cast("int", _instance(value, int)))


def _instance(value: object, kind: type) -> object:
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, not {type(value).__name__}")
    return value


def _tag(value: object, count: int) -> int:
    tag = _integer(value)
    if not 0 <= tag < count:
        raise ValueError("unknown variant")
    return tag


def _bytes_to_hex(value: object) -> object:
    return cast("bytes", _instance(value, bytes)).hex()


def _array(write: Write) -> Write:
    def write_array(value: object) -> object:
        if not isinstance(value, (list, tuple)):
            raise TypeError("expected list")
        return [write(item) for item in value]

    return write_array


def _wrapper(tag: int, name: str, form: Form) -> Write:
    """Puts a written payload into its variant."""
    if form.has_variant_names:
        return lambda payload: {name: payload}
    return lambda payload: [tag, payload]


def _option(write: Write, form: Form) -> Write:
    some, none = _wrapper(0, "some", form), _wrapper(1, "none", form)
    return lambda value: none([]) if value is None else some(write(value))


def _schedule(form: Form) -> Write:
    span, moment = _primitive("TimeDuration", form), _primitive("Timestamp", form)
    interval, time = _wrapper(0, "Interval", form), _wrapper(1, "Time", form)

    def write_schedule(value: object) -> object:
        match value:
            case ScheduleInterval(micros):
                return interval(span(micros))
            case ScheduleTime(micros):
                return time(moment(micros))
            case _:
                raise TypeError("expected ScheduleInterval or ScheduleTime")

    return write_schedule


def _product(elements: tuple[Field, ...], form: Form) -> Write:
    names = [element.name for element in elements]
    writers = [writer_of(element.type, form) for element in elements]

    def write_fields(value: object) -> list[object]:
        fields = cast("tuple[object, ...]", _instance(value, tuple))
        return [write(field) for write, field in zip(writers, fields, strict=True)]

    # The unit is the empty array in every form.
    if not form.has_field_names or not elements:
        return write_fields
    return lambda value: dict(zip(names, write_fields(value), strict=True))


def _variant(variants: tuple[Field, ...], classes: tuple[type, ...] | None, form: Form) -> Write:
    writers = [writer_of(variant.type, form) for variant in variants]
    wraps = [_wrapper(tag, variant.name, form) for tag, variant in enumerate(variants)]
    tags = {kind: tag for tag, kind in enumerate(classes or ())}

    def write_variant(value: object) -> object:
        if classes is not None:
            tag, payload = tags[type(value)], value
        else:
            tag, payload = cast("Variant", _instance(value, Variant))
            tag = _tag(tag, len(writers))
        return wraps[tag](writers[tag](payload))

    return write_variant
