"""SATS-JSON of scalars: numbers, hex strings, and reading them strictly (wire spec 4)."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable

from protocol.bsatn.layout import WIDE
from protocol.errors import DecodeError

__all__ = [
    "hex_of",
    "number_of_f32",
    "number_of_f64",
    "read_bool",
    "read_bytes",
    "read_f32",
    "read_f64",
    "read_text",
    "reader_of_integer",
]

_HEX = re.compile(r"-?0x[0-9a-fA-F]{1,64}")
_BITS = {"U8": 8, "U16": 16, "U32": 32, "U64": 64, "I8": 8, "I16": 16, "I32": 32, "I64": 64}
_MICROS = {"Timestamp", "TimeDuration"}


def hex_of(number: int) -> str:
    """A 256-bit integer: ``0x2a``, ``-0x2a``; no leading zeros."""
    return hex(int(number))


def number_of_f64(number: float) -> float | None:
    """The number itself; NaN and infinities have no JSON and become null."""
    return float(number) if math.isfinite(number) else None


def number_of_f32(number: float) -> float | None:
    """The shortest decimal number that reads back as the same F32."""
    if not math.isfinite(number):
        return None
    packed = struct.pack("<f", number)
    for digits in range(6, 9):
        short = float(f"{number:.{digits}g}")
        if _packs_to(short, packed):
            return short
    return float(f"{number:.9g}")


def _packs_to(number: float, packed: bytes) -> bool:
    try:
        return struct.pack("<f", number) == packed
    except OverflowError:  # rounded up, beyond the largest F32
        return False


def reader_of_integer(name: str) -> Callable[[object], int]:
    """Reads an integer type by its name: a number; a ``0x`` string when it has 256 bits."""
    if name in WIDE:
        size, is_signed = WIDE[name]
        bits = 8 * size
    else:
        bits = _BITS["I64" if name in _MICROS else name]
        is_signed = name in _MICROS or name.startswith("I")
    least = -(1 << (bits - 1)) if is_signed else 0
    most = (1 << (bits - is_signed)) - 1

    def read_number(structure: object) -> int:
        if type(structure) is not int or not least <= structure <= most:
            raise DecodeError(f"expected a number of type {name}")
        return structure

    def read_hex(structure: object) -> int:
        if not isinstance(structure, str) or _HEX.fullmatch(structure) is None:
            raise DecodeError(f"expected a 0x string of type {name}")
        number = int(structure, 16)
        if not least <= number <= most:
            raise DecodeError(f"the number does not fit {name}")
        return number

    return read_hex if bits == 256 else read_number


def read_bool(structure: object) -> bool:
    """Only true and false."""
    if not isinstance(structure, bool):
        raise DecodeError("expected true or false")
    return structure


def read_f64(structure: object) -> float:
    """A finite number, with or without a fraction."""
    if isinstance(structure, bool) or not isinstance(structure, (int, float)):
        raise DecodeError("expected a number")
    try:
        number = float(structure)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise DecodeError("the number is too large")
    return number


def read_f32(structure: object) -> float:
    """A finite number, rounded to the nearest F32 as its bytes will be."""
    try:
        (number,) = struct.unpack("<f", struct.pack("<f", read_f64(structure)))
    except OverflowError:
        raise DecodeError("the number is too large") from None
    return float(number)


def read_text(structure: object) -> str:
    """A string of valid Unicode: JSON's escapes can spell lone surrogates, which have no UTF-8."""
    if not isinstance(structure, str):
        raise DecodeError("expected a string")
    try:
        structure.encode()
    except UnicodeEncodeError:
        raise DecodeError("the string is no valid Unicode") from None
    return structure


def read_bytes(structure: object) -> bytes:
    """A string of hex digits without prefix, or an array of numbers below 256."""
    try:
        if isinstance(structure, str) and not any(map(str.isspace, structure)):
            return bytes.fromhex(structure)
        if isinstance(structure, list) and all(type(item) is int for item in structure):
            return bytes(structure)
    except ValueError:
        pass
    raise DecodeError("expected bytes as hex digits or as an array of numbers")
