"""Retention: how much of each actor's history a store keeps behind its checkpoints.

Limits count folded records only: the tail is what an actor consists of. The oldest records go
first, until none of the limits is exceeded. Source: architecture 6.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from persistence.limits import (
    RETAINED_AGE_SECONDS_DEFAULT,
    RETAINED_BYTES_DEFAULT,
    RETAINED_RECORDS_DEFAULT,
)
from persistence.record import record_time

__all__ = [
    "DEFAULT_RETENTION",
    "FULL_HISTORY",
    "UNBOUNDED",
    "Bounds",
    "BoundsOf",
    "Retention",
    "RetentionPolicy",
    "count_excess",
    "now_micros",
    "parse_retention",
]

_BYTE_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_AGE_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_UNITS: dict[str, dict[str, int]] = {"records": {"": 1}, "bytes": _BYTE_UNITS, "age": _AGE_UNITS}
_FIELDS = {"records": "records_max", "bytes": "bytes_max", "age": "age_seconds_max"}
_AMOUNT = re.compile(r"([0-9]+) ?([A-Za-z]*)")
_KIND = re.compile(r"[^\s/:;,=]+")
_AMOUNT_MAX = 1 << 53
"""Every store counts exactly as far as this."""
_FULL = "full"
_ANY = "any"


class Bounds(NamedTuple):
    """What one actor may keep at one moment; None is no bound.

    ``since`` is the earliest time of a record, in microseconds since 1970 and not before.
    """

    records_max: int | None
    bytes_max: int | None
    since: int | None


UNBOUNDED = Bounds(None, None, None)

BoundsOf: TypeAlias = Callable[[str], Bounds]
"""Bounds of an actor as of now."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Limits on one actor's folded records; None is no limit."""

    records_max: int | None = RETAINED_RECORDS_DEFAULT
    bytes_max: int | None = RETAINED_BYTES_DEFAULT
    age_seconds_max: int | None = RETAINED_AGE_SECONDS_DEFAULT

    def bounds(self, now: int) -> Bounds:
        """The limits at a moment, in microseconds since 1970."""
        age = self.age_seconds_max
        since = None if age is None else max(0, now - age * 1_000_000)
        return Bounds(self.records_max, self.bytes_max, since)

    def __str__(self) -> str:
        if self == FULL_HISTORY:
            return _FULL
        return ",".join(
            f"{name}={_spell(getattr(self, attribute), _UNITS[name])}"
            for name, attribute in _FIELDS.items()
        )


FULL_HISTORY = Retention(None, None, None)
"""Nothing is ever removed."""


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Limits of all actors: their kind's, which is their name up to its ``/``, or the default ones.

    ``str()`` is what ``parse_retention`` reads.
    """

    default: Retention = Retention()
    kinds: Mapping[str, Retention] = field(default_factory=dict)

    def of(self, actor: str) -> Retention:
        """The limits of an actor."""
        return self.kinds.get(actor.partition("/")[0], self.default)

    def bounds_by(self, clock: Callable[[], int]) -> BoundsOf:
        """What tells an actor's bounds by a clock of microseconds since 1970."""
        return lambda actor: self.of(actor).bounds(clock())

    def __str__(self) -> str:
        kinds = [f"{kind}:{limits}" for kind, limits in self.kinds.items()]
        return ";".join([str(self.default), *kinds])


DEFAULT_RETENTION = RetentionPolicy()
"""What a store keeps when nobody says anything."""


def now_micros() -> int:
    """Microseconds since 1970 by this machine's clock."""
    return time.time_ns() // 1_000


def count_excess(
    bounds: Bounds, oldest_first: Iterable[bytes], count: int, size_bytes: int
) -> tuple[int, int]:
    """Count the oldest records that must go, and their bytes; looks at one record more.

    Args:
        bounds: what may stay.
        oldest_first: the folded records.
        count: how many they are.
        size_bytes: how long they are together.
    """
    gone, gone_bytes = 0, 0
    for data in oldest_first:
        is_within = (
            (bounds.records_max is None or count - gone <= bounds.records_max)
            and (bounds.bytes_max is None or size_bytes - gone_bytes <= bounds.bytes_max)
            and (bounds.since is None or record_time(data) >= bounds.since)
        )
        if is_within:
            break
        gone += 1
        gone_bytes += len(data)
    return gone, gone_bytes


def parse_retention(text: str) -> RetentionPolicy:
    """Read a policy: ``records=1000,bytes=1MiB,age=7d;story:full;user:records=0``.

    Parts are separated by ``;``. The one without a kind and a colon is for all other kinds. A part
    is ``full``, or limits separated by commas; ``any`` lifts one limit. Limits that a kind does not
    name are those of the default part; those that this one does not name are the program's own.

    Raises ValueError that says what cannot be understood.
    """
    limits_of: dict[str, str] = {}
    for part in text.split(";"):
        kind, colon, limits = part.strip().rpartition(":")
        if colon and not _KIND.fullmatch(kind.strip()):
            raise ValueError(f"{kind.strip()!r} is no kind of actors")
        if kind.strip() in limits_of:
            raise ValueError(f"{kind.strip() or 'the default'} is said twice")
        limits_of[kind.strip()] = limits.strip()
    default = _parse_limits(limits_of.pop(""), Retention()) if "" in limits_of else Retention()
    kinds = {kind: _parse_limits(limits, default) for kind, limits in limits_of.items()}
    return RetentionPolicy(default, kinds)


def _parse_limits(text: str, inherited: Retention) -> Retention:
    if text == _FULL:
        return FULL_HISTORY
    found: dict[str, int | None] = {}
    for limit in text.split(","):
        name, equals, amount = (word.strip() for word in limit.partition("="))
        if name not in _FIELDS or not equals:
            raise ValueError(
                f"{limit.strip()!r} is no limit; limits are records=N, bytes=N, age=N, or full"
            )
        if _FIELDS[name] in found:
            raise ValueError(f"{name} is said twice in {text!r}")
        found[_FIELDS[name]] = _parse_amount(name, amount)
    return replace(inherited, **found)


def _parse_amount(name: str, text: str) -> int | None:
    if text == _ANY:
        return None
    units = _UNITS[name]
    match = _AMOUNT.fullmatch(text)
    if match is None or match[2] not in units:
        known = ", ".join(unit for unit in units if unit)
        form = f"a whole number and a unit ({known})" if known else "a whole number"
        raise ValueError(f"{name}={text}: an amount is {form}, or any")
    amount = int(match[1]) * units[match[2]]
    if amount > _AMOUNT_MAX:
        raise ValueError(f"{name}={text}: that much is better said as any")
    return amount


def _spell(amount: int | None, units: Mapping[str, int]) -> str:
    """Spell an amount with the largest unit that divides it."""
    if amount is None:
        return _ANY
    fitting = [unit for unit, size in units.items() if amount % size == 0 and amount >= size]
    unit = fitting[-1] if fitting else next(iter(units))
    return f"{amount // units[unit]}{unit}"
