"""Canonical JSON: one text for each value, so that equal content has equal bytes (domain 1.1, 1.9).

RFC 8785 without fractions: keys by their UTF-16 code units, no insignificant white space, nothing
escaped that need not be. ``write_json(read_json(text, limit))`` is the canonical form of a text.
"""

from __future__ import annotations

import json
from typing import Final, NoReturn

from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import JSON_DEPTH_MAX, JSON_INTEGER_MAX, JSON_NODES_MAX

__all__ = ["read_json", "write_json"]

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def read_json(text: str, limit: int) -> object:
    """The value that a JSON text of somebody else spells, in Python's own types.

    A text that is too long is not looked at.

    Args:
        text: any text.
        limit: most bytes that it may have in UTF-8; its canonical form never has more.

    Raises:
        RuleError: ``input.payload_too_large``; ``input.json_malformed``: not JSON, a number that is
            no integer within ±2^53, half of a surrogate pair, a key that comes twice in its object,
            more than 16 levels of objects and arrays, or more than 20,000 values.
    """
    if len(text.encode()) > limit:
        raise RuleError(
            "input.payload_too_large", f"the JSON has more than {limit} bytes", limit=limit
        )
    try:
        value: object = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_no_integer,
            parse_constant=_no_integer,
        )
        if _count(value, JSON_DEPTH_MAX) > JSON_NODES_MAX:
            raise ValueError(f"more than {JSON_NODES_MAX} values")
    except ValueError as error:
        raise RuleError("input.json_malformed", str(error)) from None
    except RecursionError:
        raise RuleError("input.json_malformed", "nested too deeply") from None
    return value


def write_json(value: object) -> str:
    """The canonical text of a value that is made of what ``read_json`` gives."""
    return _ENCODER.encode(_ordered(value))


def _ordered(value: object) -> object:
    if isinstance(value, dict):
        # Most keys are ASCII, whose order is the same either way.
        by = None if all(map(str.isascii, value)) else _utf16
        return {key: _ordered(value[key]) for key in sorted(value, key=by)}
    if isinstance(value, list):
        return [_ordered(element) for element in value]
    assert value is None or isinstance(value, str | int), "fractions have no canonical form here"
    return value


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key comes twice in its object")
    return fields


def _integer(digits: str) -> int:
    value = int(digits)
    if abs(value) > JSON_INTEGER_MAX:
        raise ValueError("an integer is beyond 2^53")
    return value


def _no_integer(digits: str) -> NoReturn:
    del digits  # What users wrote stays out of messages.
    raise ValueError("a number is no integer")


def _count(value: object, levels: int) -> int:
    """How many values there are; raises ValueError below the last level and for half pairs."""
    if isinstance(value, str):
        value.encode()
    if not isinstance(value, dict | list):
        return 1
    if levels == 0:
        raise ValueError(f"more than {JSON_DEPTH_MAX} levels")
    if isinstance(value, list):
        return 1 + sum(_count(element, levels - 1) for element in value)
    for key in value:
        key.encode()
    return 1 + sum(_count(element, levels - 1) for element in value.values())
