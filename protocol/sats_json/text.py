"""JSON text to Python structures and back, with integers of any width the wire has."""

from __future__ import annotations

import json

import orjson

from protocol.errors import DecodeError, EncodeError

__all__ = ["dumps", "loads"]


def dumps(structure: object) -> bytes:
    """UTF-8 JSON without spaces of dicts, lists, strings, numbers, booleans and None.

    Integers are written as numbers whatever their width. Floats have to be finite: codecs write
    null for the others.

    Raises:
        EncodeError: something inside has no JSON, or a string is no valid Unicode.
    """
    try:
        return orjson.dumps(structure)
    except orjson.JSONEncodeError:
        # Integers wider than 64 bits; the slower writer decides about everything else.
        pass
    try:
        text = json.dumps(structure, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as fault:
        raise EncodeError(f"no JSON: {fault}") from None


def loads(text: bytes | str) -> object:
    """The structure that a JSON text describes; integers stay exact, whatever their width.

    Raises:
        DecodeError: the text is no JSON, is nested too deeply, holds NaN or Infinity, or an
            integer of thousands of digits.
    """
    try:
        string = text.decode() if isinstance(text, bytes) else text
        structure: object = json.loads(string, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as fault:
        raise DecodeError(f"no JSON: {fault}") from None
    return structure


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")
