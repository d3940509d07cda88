"""Admission: whether a call is within its caller's rates (domain 1.9)."""

from __future__ import annotations

from collections.abc import Callable

from actors.claims import Claims
from actors.errors import ReducerError
from actors.module.rates import Rate

__all__ = ["Admission", "admit", "admit_at"]

Admission = Callable[[Claims, int, Rate | None], bool]
"""Takes a token of a caller's bucket at a time in microseconds: of the one for all calls, or of a
rate's; False when there is none."""


def admit(admission: Admission | None, claims: Claims, now: int, rate: Rate | None) -> None:
    """Let a call of a client pass: it takes a token of the caller's, and one of its rate's.

    Raises:
        ReducerError: ``limit.rate_exceeded``; the details say after how many seconds to try again.
    """
    if admission is None:
        return
    if not admission(claims, now, None):
        raise _exceeded(1)
    admit_at(admission, claims, now, rate)


def admit_at(admission: Admission | None, claims: Claims, now: int, rate: Rate | None) -> None:
    """Let what a call does pass at a rate of its own; raises as ``admit`` does."""
    if admission is not None and rate is not None and not admission(claims, now, rate):
        raise _exceeded(rate.seconds)


def _exceeded(seconds: int) -> ReducerError:
    return ReducerError(
        "limit.rate_exceeded", "too many calls, slow down", retry_after_seconds=seconds
    )
