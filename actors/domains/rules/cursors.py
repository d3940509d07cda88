"""Cursors: where a page of a list ended, as an opaque text for the next request (domain 11.1).

A cursor holds the sort values of the last entry that was shown, so that a page goes on behind it
whatever was inserted or deleted meanwhile. It is no secret and grants nothing: its checksum tells
texts that a client made up or damaged from those that we wrote.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final, TypeVar, overload

from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import CURSOR_CHARS_MAX

__all__ = ["read_cursor", "write_cursor"]

_CHECKSUM_BYTES: Final = 6

A = TypeVar("A", int, str)
B = TypeVar("B", int, str)
C = TypeVar("C", int, str)


def write_cursor(*values: int | str) -> str:
    """The cursor that holds sort values; ``read_cursor`` gives them back."""
    data = json.dumps([*map(_plain, values)], ensure_ascii=False, separators=(",", ":")).encode()
    checksum = sha256(data).digest()[:_CHECKSUM_BYTES]
    return urlsafe_b64encode(checksum + data).rstrip(b"=").decode()


@overload
def read_cursor(text: str, first: type[A], /) -> tuple[A]: ...


@overload
def read_cursor(text: str, first: type[A], second: type[B], /) -> tuple[A, B]: ...


@overload
def read_cursor(
    text: str, first: type[A], second: type[B], third: type[C], /
) -> tuple[A, B, C]: ...


def read_cursor(text: str, /, *kinds: type[object]) -> tuple[int | str, ...]:
    """The values of a cursor, of the kinds that the list's order has.

    Raises:
        RuleError: ``input.invalid_cursor``: not a text that ``write_cursor`` makes, or of a list
            in another order.
    """
    try:
        if len(text) > CURSOR_CHARS_MAX:
            raise ValueError("longer than any cursor")
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        values = json.loads(data[_CHECKSUM_BYTES:])
        if not isinstance(values, list) or [*map(type, values)] != [*kinds]:
            raise ValueError("values of another list")
        if write_cursor(*values) != text:
            raise ValueError("a wrong checksum")
    except (ValueError, RecursionError):
        raise RuleError("input.invalid_cursor", "this is no cursor of this list") from None
    return tuple(values)


def _plain(value: int | str) -> int | str:
    """A value in JSON's own type: moments and enum members are integers here."""
    return int(value) if isinstance(value, int) else value
