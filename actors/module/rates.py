"""Rate: how often a user may call some functions, beside the limit for all calls (domain 1.9)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rate"]


@dataclass(frozen=True)
class Rate:
    """A token bucket for each user; functions that are declared with one rate share it.

    ``@reducer(rate=LIKES)`` and ``@procedure(rate=LIKES)``: a call takes one token of it and one
    of the limit for all calls, else it is refused with ``limit.rate_exceeded``. Messages, timers
    and callers with the role ``service`` or ``admin`` take none, and a server with
    ``rate_limits = false`` asks nobody.

    Attributes:
        name: what the functions have in common; one name has one rate.
        per_minute: tokens that a bucket gains.
        burst: tokens that it holds.
    """

    name: str
    per_minute: int
    burst: int

    @property
    def seconds(self) -> int:
        """After how long an empty bucket has a token again, rounded up."""
        return -(-60 // self.per_minute)
