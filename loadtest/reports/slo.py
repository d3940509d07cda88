"""SLO: a bound on one figure of a load, as ``--slo`` takes it.

p99<50ms              every call: 99 of 100 are answered in less than 50 ms
battle.p99.9<200ms    calls of one kind; ``story.*`` is every kind that begins so
max<=2s               the slowest
errors<0.1%           part of the calls that were refused or failed; ``errors<=3`` counts them
rate>1000             answered calls per second; also of a kind
deliveries>=20000     updates delivered per second
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from loadtest.errors import SloError

__all__ = ["Slo", "parse_slo"]

_FORM = re.compile(
    r"(?:(?P<kind>[^<>=]+)\.)?(?P<figure>p\d+(?:\.\d+)?|max|errors|rate|deliveries)"
    r"(?P<order><=|>=|<|>)(?P<bound>\d+(?:\.\d+)?)(?P<unit>us|ms|s|%|/s)?"
)
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_MICROS = {"us": 1.0, "ms": 1_000.0, "s": 1_000_000.0}
_UNITS = {"errors": {"%", None}, "rate": {"/s", None}, "deliveries": {"/s", None}}


@dataclass(frozen=True, slots=True)
class Slo:
    """A bound.

    Attributes:
        text: as it was written, without spaces.
        kind: of the calls, with ``*`` for anything; None is all of them.
        figure: ``errors``, ``rate``, ``deliveries``, ``max`` or a percentile such as ``p99.9``.
        order: ``<``, ``<=``, ``>`` or ``>=``.
        bound: in microseconds, per second, or errors: counted, or as a part of 1.
        is_share: whether the bound is a part of the calls.
    """

    text: str
    kind: str | None
    figure: str
    order: str
    bound: float
    is_share: bool = False

    @property
    def percentile(self) -> float | None:
        """Which one the bound is on; 100 is the slowest call; None when it is on no latency."""
        if self.figure == "max":
            return 100.0
        return float(self.figure[1:]) if self.figure.startswith("p") else None

    def covers(self, kind: str) -> bool:
        """Whether calls of a kind are meant."""
        return self.kind is None or fnmatchcase(kind, self.kind)

    def is_kept(self, measured: float) -> bool:
        """Whether a figure, in the bound's unit, is within it."""
        return bool(_ORDERS[self.order](measured, self.bound))


def parse_slo(text: str) -> Slo:
    """Read a bound.

    Raises:
        SloError: it is none, or its unit is not one of the figure's.
    """
    plain = "".join(text.split())
    match = _FORM.fullmatch(plain)
    if match is None:
        raise SloError(f"{text!r} is no bound; bounds are as in p99<50ms, errors<0.1%, rate>1000")
    kind, figure, order, bound, unit = match.group("kind", "figure", "order", "bound", "unit")
    allowed = _UNITS.get(figure, set(_MICROS))
    if unit not in allowed:
        units = " or ".join(sorted(each or "no unit" for each in allowed))
        raise SloError(f"{text!r}: {figure} is measured in {units}")
    if kind is not None and figure in {"errors", "deliveries"}:
        raise SloError(f"{text!r}: {figure} are counted of the whole load, not of a kind")
    if figure.startswith("p") and not 0 < float(figure[1:]) <= 100:
        raise SloError(f"{text!r}: percentiles are above 0 and at most 100")
    scale = 0.01 if unit == "%" else _MICROS.get(unit or "", 1.0)
    return Slo(plain, kind, figure, order, float(bound) * scale, unit == "%")
