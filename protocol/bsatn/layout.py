"""How many bytes each type takes, and which ``struct`` format packs it."""

from __future__ import annotations

import struct

from protocol.type_rules import parts
from protocol.types import (
    AlgebraicType,
    ArrayType,
    EnumType,
    OptionType,
    Primitive,
    ProductType,
)

__all__ = ["FORMATS", "WIDE", "plain_format", "size_bounds"]

FORMATS = {
    "U8": "B",
    "U16": "H",
    "U32": "I",
    "U64": "Q",
    "I8": "b",
    "I16": "h",
    "I32": "i",
    "I64": "q",
    "F32": "f",
    "F64": "d",
    "Timestamp": "q",
    "TimeDuration": "q",
}
"""Scalars whose Python value is exactly what one ``struct`` character packs and unpacks."""

WIDE = {
    "U128": (16, False),
    "I128": (16, True),
    "U256": (32, False),
    "I256": (32, True),
    "ConnectionId": (16, False),
    "Identity": (32, False),
    "Uuid": (16, False),
}
"""Integers wider than ``struct`` knows: bytes and signedness (wire spec 2 and 3)."""

_OTHERS = {"Bool": (1, 1), "ScheduleAt": (9, 9), "String": (4, None)}


def plain_format(declared: AlgebraicType) -> str | None:
    """The ``struct`` characters of a flat product of plain scalars, or of one; None for others."""
    match declared:
        case Primitive(name):
            return FORMATS.get(name)
        case ProductType(elements) if elements:
            formats = [
                FORMATS.get(element.type.name) if isinstance(element.type, Primitive) else None
                for element in elements
            ]
            known = [part for part in formats if part is not None]
            return "".join(known) if len(known) == len(formats) else None
        case _:
            return None


def size_bounds(declared: AlgebraicType) -> tuple[int, int | None]:
    """The least and the greatest number of bytes of any value; None where there is no greatest."""
    match declared:
        case Primitive(name):
            if name in FORMATS:
                size = struct.calcsize("<" + FORMATS[name])
                return size, size
            return (WIDE[name][0], WIDE[name][0]) if name in WIDE else _OTHERS[name]
        case ArrayType():
            return 4, None
        case EnumType():
            return 1, 1
        case ProductType():
            return _all_of(parts(declared))
        case OptionType(some):
            return _one_of((some, ProductType(())))
        case _:
            return _one_of(parts(declared))


def _all_of(types: tuple[AlgebraicType, ...]) -> tuple[int, int | None]:
    bounds = [size_bounds(part) for part in types]
    greatest = [most for _, most in bounds if most is not None]
    least = sum(few for few, _ in bounds)
    return least, sum(greatest) if len(greatest) == len(bounds) else None


def _one_of(types: tuple[AlgebraicType, ...]) -> tuple[int, int | None]:
    """A tag byte and one payload; a sum without variants has no value and counts as its tag."""
    bounds = [size_bounds(part) for part in types]
    greatest = [most for _, most in bounds if most is not None]
    least = 1 + min((few for few, _ in bounds), default=0)
    return least, 1 + max(greatest, default=0) if len(greatest) == len(bounds) else None
