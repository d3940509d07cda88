"""Plain JSON: values of declared types as operators read and write them, both ways.

Objects have the names of columns. An enum's member is its name, an option its value or null, a
union ``{"variant": value}``, a moment RFC 3339, identities and bytes hexadecimal digits. Integers
beyond 2^53 are strings of digits, because JSON readers round them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, NoReturn, cast
from uuid import UUID

from actors.module.naming import snake
from protocol.errors import DecodeError
from protocol.type_cache import TypeCache
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
from protocol.values import ConnectionId, Identity, ScheduleInterval, ScheduleTime, Variant

__all__ = ["PlainJson", "moment_text", "plain_json", "shortened", "spelling"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_EXACT_MAX: Final = 2**53


class PlainJson(NamedTuple):
    """One type's two directions.

    Attributes:
        write: a value to dicts, lists, strings, numbers, booleans and None.
        read: such a structure that stands at a path to a value. An absent field is None where
            that is a value of it. Raises DecodeError that names the path.
    """

    write: Callable[[Any], object]
    read: Callable[[object, str], Any]


def plain_json(declared: AlgebraicType) -> PlainJson:
    """The plain JSON of a type; compiled at the first call.

    Raises:
        SchemaError: the type cannot be served (see ``type_rules.check_type``).
    """
    return _known.find(declared)


def moment_text(micros: int) -> str:
    """RFC 3339 with microseconds; digits for a moment outside the years that it has."""
    try:
        moment = _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return str(micros)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def spelling(declared: AlgebraicType) -> str:
    """What values of a type look like, for people: ``{id: string, note?: string}``."""
    match declared:
        case Primitive(name):
            return name.lower()
        case ArrayType(element):
            return "hex" if element == U8 else f"[{spelling(element)}]"
        case OptionType(some):
            return f"{spelling(some)} or null"
        case ProductType(elements):
            return f"{{{', '.join(map(_field_spelling, elements))}}}"
        case EnumType(variants):
            return " | ".join(f'"{snake(variant)}"' for variant in variants)
        case ResultType(ok, err):
            return _variants_spelling((Field("ok", ok), Field("err", err)))
        case SumType(variants):
            return _variants_spelling(variants)


def _field_spelling(field: Field) -> str:
    if isinstance(field.type, OptionType):
        return f"{field.name}?: {spelling(field.type.some)}"
    return f"{field.name}: {spelling(field.type)}"


def _variants_spelling(variants: tuple[Field, ...]) -> str:
    return " | ".join(f"{{{_field_spelling(variant)}}}" for variant in variants)


def shortened(structure: object, chars: int, items: int) -> object:
    """The same with long strings and arrays cut, saying how long they are."""
    if isinstance(structure, str):
        return structure if len(structure) <= chars else _cut(structure, chars)
    if isinstance(structure, dict):
        return {name: shortened(entry, chars, items) for name, entry in structure.items()}
    if not isinstance(structure, list):
        return structure
    shown = [shortened(entry, chars, items) for entry in structure[:items]]
    return [*shown, f"... ({len(structure)} items)"] if len(structure) > items else shown


def _cut(text: str, chars: int) -> str:
    return f"{text[:chars]}... ({len(text)} characters)"


def _compiled(declared: AlgebraicType) -> PlainJson:
    match declared:
        case Primitive(name):
            return _SCALARS[name] if name in _SCALARS else _integer(name)
        case ArrayType(element):
            return _BYTES if element == U8 else _array(plain_json(element))
        case OptionType(some):
            return _option(plain_json(some))
        case ProductType():
            return _product(declared)
        case EnumType():
            return _enum(declared)
        case ResultType(ok, err):
            return _variants((Field("ok", ok), Field("err", err)), None)
        case SumType(variants):
            return _variants(variants, declared.classes)


def _wrong(path: str, wanted: str) -> NoReturn:
    raise DecodeError(f"{path or 'it'} must be {wanted}")


def _array(element: PlainJson) -> PlainJson:
    def read(found: object, path: str) -> list[Any]:
        if not isinstance(found, list):
            _wrong(path, "an array")
        return [element.read(entry, f"{path}[{index}]") for index, entry in enumerate(found)]

    return PlainJson(lambda value: [element.write(entry) for entry in value], read)


def _option(some: PlainJson) -> PlainJson:
    return PlainJson(
        lambda value: None if value is None else some.write(value),
        lambda found, path: None if found is None else some.read(found, path),
    )


def _product(declared: ProductType) -> PlainJson:
    parts = [(field.name, plain_json(field.type)) for field in declared.elements]
    names = frozenset(name for name, _ in parts)
    needed = [field.name for field in declared.elements if not isinstance(field.type, OptionType)]
    construct = declared.construct or tuple

    def write(value: tuple[Any, ...]) -> object:
        return {name: part.write(entry) for (name, part), entry in zip(parts, value, strict=True)}

    def read(found: object, path: str) -> tuple[object, ...]:
        if not isinstance(found, dict):
            _wrong(path, "an object")
        before = f"{path}." if path else ""
        unknown = sorted(found.keys() - names)
        if unknown:
            raise DecodeError(f"there is no {before}{unknown[0]}")
        missing = next((name for name in needed if name not in found), None)
        if missing is not None:
            raise DecodeError(f"{before}{missing} is missing")
        return construct(
            tuple(part.read(found.get(name), f"{before}{name}") for name, part in parts)
        )

    return PlainJson(write, read)


def _enum(declared: EnumType) -> PlainJson:
    names = [snake(variant) for variant in declared.variants]
    construct = declared.construct or int

    def read(found: object, path: str) -> int:
        if not isinstance(found, str) or snake(found) not in names:
            _wrong(path, f"one of {', '.join(names)}")
        return construct(names.index(snake(found)))

    return PlainJson(lambda value: names[value], read)


def _variants(variants: tuple[Field, ...], classes: tuple[type, ...] | None) -> PlainJson:
    names = [variant.name for variant in variants]
    parts = [plain_json(variant.type) for variant in variants]

    def write(value: Any) -> object:
        tag, payload = value if classes is None else (classes.index(type(value)), value)
        return {names[tag]: parts[tag].write(payload)}

    def read(found: object, path: str) -> object:
        if not isinstance(found, dict) or len(found) != 1 or next(iter(found)) not in names:
            _wrong(path, f"an object of one of {', '.join(names)}")
        ((name, payload),) = found.items()
        tag = names.index(name)
        value = parts[tag].read(payload, f"{path}.{name}" if path else name)
        return Variant(tag, value) if classes is None else value

    return PlainJson(write, read)


def _integer(name: str) -> PlainJson:
    bits = int(name[1:])
    low = -(1 << (bits - 1)) if name.startswith("I") else 0
    return _whole(low, low + (1 << bits) - 1)


def _whole(low: int, high: int) -> PlainJson:
    def read(found: object, path: str) -> int:
        if isinstance(found, str) and found.removeprefix("-").isdecimal() and len(found) < 80:
            found = int(found)
        if type(found) is not int or not low <= found <= high:
            _wrong(path, f"an integer from {low} to {high}")
        return found

    return PlainJson(_number, read)


def _number(value: int) -> object:
    return int(value) if abs(value) <= _EXACT_MAX else str(int(value))


def _decimal(value: float) -> object:
    return value if math.isfinite(value) else str(value)


def _moment(found: object, path: str) -> int:
    try:
        moment = datetime.fromisoformat(found if isinstance(found, str) else "")
        return (moment - _EPOCH) // _MICRO
    except (ValueError, TypeError):  # no moment, or one of no zone
        _wrong(path, "a moment as in 2030-01-31T12:00:00Z")


def _boolean(found: object, path: str) -> bool:
    return found if isinstance(found, bool) else _wrong(path, "true or false")


def _text(found: object, path: str) -> str:
    return found if isinstance(found, str) else _wrong(path, "a string")


def _float(found: object, path: str) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        _wrong(path, "a number")
    return float(found)


def _spelled(parse: Callable[[str], object], wanted: str) -> Callable[[object, str], object]:
    def read(found: object, path: str) -> object:
        try:
            return parse(_text(found, path))
        except ValueError:
            _wrong(path, wanted)

    return read


def _write_schedule(value: ScheduleInterval | ScheduleTime) -> object:
    if isinstance(value, ScheduleTime):
        return {"time": moment_text(value.micros)}
    return {"interval": value.micros}


def _read_schedule(found: object, path: str) -> object:
    match found:
        case {"time": time, **rest} if not rest:
            return ScheduleTime(_moment(time, f"{path}.time"))
        case {"interval": interval, **rest} if not rest:
            return ScheduleInterval(_MICROS.read(interval, f"{path}.interval"))
    _wrong(path, 'either {"interval": microseconds} or {"time": moment}')


def _same(value: object) -> object:
    return value


_BYTES: Final = PlainJson(
    lambda value: cast("bytes", value).hex(), _spelled(bytes.fromhex, "hexadecimal digits")
)
_MICROS: Final = _whole(-(2**63), 2**63 - 1)
_SCALARS: Final[dict[str, PlainJson]] = {
    "Bool": PlainJson(_same, _boolean),
    "F32": PlainJson(_decimal, _float),
    "F64": PlainJson(_decimal, _float),
    "String": PlainJson(_same, _text),
    "Identity": PlainJson(str, _spelled(Identity.from_hex, "64 hexadecimal digits")),
    "ConnectionId": PlainJson(str, _spelled(ConnectionId.from_hex, "32 hexadecimal digits")),
    "Timestamp": PlainJson(moment_text, _moment),
    "TimeDuration": _MICROS,
    "Uuid": PlainJson(str, _spelled(UUID, "a UUID")),
    "ScheduleAt": PlainJson(_write_schedule, _read_schedule),
}


_known = TypeCache(_compiled)
