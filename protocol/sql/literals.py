"""Literals: the value that a literal has for the type of the column it meets (wire spec 10.2)."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from struct import Struct

from protocol.errors import SqlError
from protocol.sql.syntax import Literal, LiteralKind
from protocol.types import (
    BOOL,
    BYTES,
    CONNECTION_ID,
    F32,
    F64,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    UUID,
    AlgebraicType,
    ArrayType,
    EnumType,
    OptionType,
    Primitive,
    ProductType,
    ResultType,
)
from protocol.values import ConnectionId, Identity

__all__ = ["is_comparable", "literal_value", "type_text"]

_F32 = Struct("<f")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_UUID = re.compile(
    r"""(?ix) (?:urn:uuid:)? (?: (?P<plain>[0-9a-f]{32})
        | (?P<open>\{)? (?P<dashed>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) (?(open)\}) )"""
)
_RFC_3339 = re.compile(
    r"""(?ix) (\d{4})-(\d\d)-(\d\d) [t\ ] (\d\d):(\d\d):(\d\d) (?:\.(\d+))?
        (?: (z) | ([+-])(\d\d):(\d\d) )""",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INTEGER_DIGITS_MAX = 78  # of the largest u256


def _integer_range(name: str) -> range | None:
    match = re.fullmatch(r"([IU])(\d+)", name)
    if match is None:
        return None
    bits = int(match[2])
    return range(1 << bits) if match[1] == "U" else range(-1 << (bits - 1), 1 << (bits - 1))


def is_comparable(type_: AlgebraicType) -> bool:
    """Whether columns of this type may be compared, with any operator."""
    if type_ == BYTES:
        return True
    return isinstance(type_, Primitive) and type_ not in (TIME_DURATION, SCHEDULE_AT)


def type_text(type_: AlgebraicType) -> str:
    """Spell a type for an error message."""
    if isinstance(type_, Primitive):
        return type_.name
    if isinstance(type_, ArrayType):
        return f"Array<{type_text(type_.element)}>"
    if isinstance(type_, OptionType):
        return f"(some: {type_text(type_.some)} | none: ())"
    if isinstance(type_, ResultType):
        return f"(ok: {type_text(type_.ok)} | err: {type_text(type_.err)})"
    if isinstance(type_, EnumType):
        return f"({' | '.join(f'{variant}: ()' for variant in type_.variants)})"
    if isinstance(type_, ProductType):
        fields = (f"{field.name}: {type_text(field.type)}" for field in type_.elements)
        return f"({', '.join(fields)})"
    variants = (f"{variant.name}: {type_text(variant.type)}" for variant in type_.variants)
    return f"({' | '.join(variants)})"


def _integer(text: str, allowed: range) -> int | None:
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent beyond what Decimal holds
        return None
    if number.adjusted() > _INTEGER_DIGITS_MAX:
        return None
    value = int(number)
    return value if value == number and value in allowed else None


def _float(text: str, type_: AlgebraicType) -> float:
    value = float(text)
    if type_ == F64:
        return value
    try:
        narrow: float = _F32.unpack(_F32.pack(value))[0]
    except OverflowError:
        return float("-inf") if value < 0 else float("inf")
    return narrow


def _hex_digits(literal: Literal) -> str | None:
    """Digits of a hex literal, or of a string that holds one."""
    digits = literal.text
    if literal.kind is LiteralKind.STRING:
        digits = digits.removeprefix("0x")
    elif literal.kind is not LiteralKind.HEX:
        return None
    return digits if digits and _HEX.fullmatch(digits) else None


def _uuid(literal: Literal) -> uuid.UUID | None:
    if literal.kind is LiteralKind.HEX:
        return uuid.UUID(hex=literal.text) if re.fullmatch(_HEX_32, literal.text) else None
    match = _UUID.fullmatch(literal.text) if literal.kind is LiteralKind.STRING else None
    return uuid.UUID(hex=match["plain"] or match["dashed"]) if match else None


_HEX_32 = re.compile(r"[0-9a-fA-F]{32}")


def _timestamp(text: str) -> int | None:
    match = _RFC_3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, zulu, sign, offset_hours, offset_minutes = match.groups()[6:]
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    offset = timedelta()
    if not zulu:
        if int(offset_hours) > 23 or int(offset_minutes) > 59:
            return None
        offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
    try:
        moment = datetime(year, month, day, hour, minute, second, micros, UTC)
    except ValueError:
        return None
    elapsed = moment - _EPOCH - (-offset if sign == "-" else offset)
    return elapsed // _MICROSECOND


def _scalar(literal: Literal, type_: Primitive) -> object:
    """Value of a number, string or moment; None when the literal does not fit."""
    kind, text = literal.kind, literal.text
    if type_ == STRING:
        return text if kind is LiteralKind.STRING else None
    if type_ == UUID:
        return _uuid(literal)
    if type_ == TIMESTAMP:
        return _timestamp(text) if kind is LiteralKind.STRING else None
    if kind is not LiteralKind.NUMBER:
        return None
    if type_ in (F32, F64):
        return _float(text, type_)
    allowed = _integer_range(type_.name)
    return None if allowed is None else _integer(text, allowed)


def _value(literal: Literal, type_: AlgebraicType) -> object:
    if type_ == BYTES:
        valid = literal.kind is LiteralKind.HEX and _HEX.fullmatch(literal.text)
        return bytes.fromhex(literal.text) if valid else None
    if type_ in (IDENTITY, CONNECTION_ID):
        digits = _hex_digits(literal)
        if digits is None or len(digits) != (64 if type_ == IDENTITY else 32):
            return None
        return Identity(int(digits, 16)) if type_ == IDENTITY else ConnectionId(int(digits, 16))
    return _scalar(literal, type_) if isinstance(type_, Primitive) else None


def literal_value(literal: Literal, type_: AlgebraicType) -> object:
    """Return the Python value that a literal has as a value of ``type_``.

    Raises:
        SqlError: the literal is none of that type's forms, or out of its range; or the type has
            no literals at all.
    """
    if literal.kind is LiteralKind.BOOL:
        if type_ == BOOL:
            return literal.text == "TRUE"
        raise SqlError(f"Unexpected type: (expected) Bool != {type_text(type_)} (inferred)")
    value = _value(literal, type_)
    if value is None:
        raise SqlError(
            f"The literal expression `{literal.text}` cannot be parsed as type `{type_text(type_)}`"
        )
    return value
