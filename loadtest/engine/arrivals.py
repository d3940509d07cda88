"""Arrivals: when each call of an open loop is due, whatever became of those before. Pure.

The rate rises in a straight line over the ramp, then stays. Processes share one schedule: of ``n``
of them each takes every n-th arrival, so that together they are as even as one.
"""

from __future__ import annotations

import math

__all__ = ["Arrivals"]

_NANOS = 1_000_000_000


class Arrivals:
    """One process's share of a schedule.

    Args:
        rate: of all processes, per second.
        ramp: seconds in which it rises from nothing.
        first: which arrival is this process's first.
        step: number of processes.
    """

    def __init__(self, rate: float, ramp: float = 0.0, first: int = 0, step: int = 1) -> None:
        assert rate > 0, "without a rate nothing arrives"
        assert 0 <= first < step, "each process has its own"
        self._rate = rate
        self._ramp = ramp
        self._first = first
        self._step = step
        self._in_ramp = rate * ramp / 2

    def due(self, number: int) -> int:
        """When the share's arrival of this number is due: nanoseconds from the start, ascending."""
        position = self._first + number * self._step
        if position < self._in_ramp:
            seconds = math.sqrt(2 * position * self._ramp / self._rate)
        else:
            seconds = self._ramp / 2 + position / self._rate
        return round(seconds * _NANOS)

    def before(self, nanos: int) -> int:
        """How many of the share's arrivals are due before a moment."""
        if nanos <= 0:
            return 0
        seconds = nanos / _NANOS
        if seconds < self._ramp:
            arrived = self._rate * seconds * seconds / (2 * self._ramp)
        else:
            arrived = self._in_ramp + self._rate * (seconds - self._ramp)
        number = max(0, math.ceil((arrived - self._first) / self._step))
        # Square roots and quotients are inexact by less than one arrival.
        if number and self.due(number - 1) >= nanos:
            return number - 1
        return number + 1 if self.due(number) < nanos else number
