"""Axis: where values are drawn, and which of them are written beside the axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Axis", "linear_axis", "log_axis"]

_STEPS = (1, 2, 5, 10)
_TICKS = 4
_SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from a lowest to a highest value.

    Attributes:
        low: value at its beginning.
        high: value at its end, above ``low``.
        ticks: values that are written beside it, ascending.
        is_log: whether equal distances are equal ratios.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    is_log: bool = False

    def place(self, value: float) -> float:
        """Where a value is, from 0 to 1; what is outside is drawn at the edge."""
        low, high, at = self.low, self.high, value
        if self.is_log:
            low, high, at = math.log(low), math.log(high), math.log(max(value, self.low))
        return min(1.0, max(0.0, (at - low) / (high - low)))


def linear_axis(low: float, high: float, *, unit: float = 1.0, is_closed: bool = False) -> Axis:
    """An axis with a few round ticks.

    Args:
        low: where it begins.
        high: what it must reach; one above ``low`` when there is nothing to reach.
        unit: of which ticks are round multiples.
        is_closed: whether it ends right there, and not at the next tick.
    """
    end = high if high - low > _SMALLEST else low + 1
    rough = (end - low) / _TICKS / unit
    power: float = 10.0 ** math.floor(math.log10(rough))
    step = unit * next(each * power for each in _STEPS if each * power >= rough * 0.999)
    if not is_closed:
        end = math.ceil(end / step - 1e-9) * step
    first, last = math.ceil(low / step - 1e-9), math.floor(end / step + 1e-9)
    return Axis(low, end, tuple(at * step for at in range(first, last + 1)))


def log_axis(values: Iterable[float]) -> Axis:
    """An axis for values above 0: from a round one below them to a round one above."""
    drawn = [value for value in values if value > 0] or [1.0]
    exponents = range(math.floor(math.log10(min(drawn))), math.ceil(math.log10(max(drawn))) + 1)
    rounds = [step * 10.0**power for power in exponents for step in _STEPS[:3]]
    low = max((each for each in rounds if each <= min(drawn)), default=rounds[0])
    high = min((each for each in rounds if each >= max(drawn) and each > low), default=low * 10)
    between = [each for each in rounds if low <= each <= high]
    if len(between) > 2 * _TICKS:
        between = [10.0**power for power in exponents if low <= 10.0**power <= high]
    return Axis(low, high, tuple(between), is_log=True)
