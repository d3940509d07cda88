"""Values of the special types: identities, connections, moments and spans of time.

Identity and ConnectionId are integers with a printed form; Timestamp and TimeDuration are plain
integers of microseconds to Python and distinct types to the type checker, so that rows carry
them at no cost. Source: wire spec section 2.
"""

from __future__ import annotations

from typing import NamedTuple, NewType

__all__ = [
    "ConnectionId",
    "Identity",
    "ScheduleInterval",
    "ScheduleTime",
    "TimeDuration",
    "Timestamp",
    "Variant",
]

# int() alone would take signs, spaces and underscores too.
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


class Identity(int):
    """A caller: 256 bits, unsigned. ``str()`` gives 64 lower-case hex digits, big-endian."""

    __slots__ = ()

    @classmethod
    def from_hex(cls, text: str) -> Identity:
        """Parse 64 hex digits, with or without ``0x``; raises ValueError on anything else."""
        digits = text.removeprefix("0x")
        if len(digits) != 64 or not _HEX_DIGITS.issuperset(digits):
            raise ValueError("an identity has 64 hex digits")
        return cls(int(digits, 16))

    def __str__(self) -> str:
        return f"{int(self):064x}"

    def __repr__(self) -> str:
        return f"Identity({int(self):064x})"


class ConnectionId(int):
    """One socket's life: 128 bits, unsigned; zero means none. ``str()`` gives 32 hex digits."""

    __slots__ = ()

    @classmethod
    def from_hex(cls, text: str) -> ConnectionId:
        """Parse 32 hex digits, with or without ``0x``; raises ValueError on anything else."""
        digits = text.removeprefix("0x")
        if len(digits) != 32 or not _HEX_DIGITS.issuperset(digits):
            raise ValueError("a connection id has 32 hex digits")
        return cls(int(digits, 16))

    def __str__(self) -> str:
        return f"{int(self):032x}"

    def __repr__(self) -> str:
        return f"ConnectionId({int(self):032x})"


Timestamp = NewType("Timestamp", int)
"""Microseconds since the Unix epoch, UTC, signed 64 bits."""

TimeDuration = NewType("TimeDuration", int)
"""Microseconds, signed 64 bits, may be negative."""


class ScheduleInterval(NamedTuple):
    """ScheduleAt, variant 0: again and again, this many microseconds apart."""

    micros: int


class ScheduleTime(NamedTuple):
    """ScheduleAt, variant 1: once, at this many microseconds since the Unix epoch."""

    micros: int


class Variant(NamedTuple):
    """A value of a sum type that has no Python class of its own."""

    tag: int
    value: object
