"""Noise: by how much the ratio of two loads' figures may be chance.

Each load is cut into equal parts of time; a figure of the whole is as uncertain as the scatter of
its logarithm over the parts says (batch means). That sees what varies within a load, such as other
work on the machine for some seconds; it cannot see what differs from one start of a server to the
next, for which several loads have to be compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, variance

from loadtest.reports.limits import BATCHES_MIN

__all__ = ["Bounds", "ratio_bounds", "share_bounds"]

_CONFIDENCE = 0.99
_TAIL = 1 - (1 - _CONFIDENCE) / 2

Bounds = tuple[float, float]
"""Lowest and highest ratio that chance alone leaves open."""


def ratio_bounds(ratio: float, before: Sequence[float], after: Sequence[float]) -> Bounds | None:
    """Bounds of the ratio of two figures; None when there are too few parts to tell.

    Args:
        ratio: of the later load's figure to the earlier's, above 0.
        before: the figure in the parts of the earlier load; parts without one are 0.
        after: in those of the later.
    """
    logs = [[math.log(value) for value in parts if value > 0] for parts in (before, after)]
    if min(map(len, logs)) < BATCHES_MIN:
        return None
    errors = [variance(each) / len(each) for each in logs]
    total = sum(errors)
    if not total:
        return ratio, ratio
    pairs = zip(errors, logs, strict=True)
    freedom = total**2 / sum(error**2 / (len(each) - 1) for error, each in pairs)
    return _around(ratio, math.sqrt(total), _student(freedom))


def share_bounds(ratio: float, before: int, after: int) -> Bounds:
    """Bounds of the ratio of two error shares, of which so many errors were counted."""
    error = math.sqrt(1 / (before + 0.5) + 1 / (after + 0.5))
    return _around(ratio, error, NormalDist().inv_cdf(_TAIL))


def _around(ratio: float, error: float, quantile: float) -> Bounds:
    # Scatter that no report has would overflow; beyond e^50 it says nothing anyway.
    factor = math.exp(min(50.0, quantile * error))
    return ratio / factor, ratio * factor


def _student(freedom: float) -> float:
    """Student's quantile, from the normal one (Cornish-Fisher, third order).

    Freedom is at least three here, where it is 3 % too narrow; from ten on, less than 0.1 %.
    """
    z = NormalDist().inv_cdf(_TAIL)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
