"""Comparison: what changed from an earlier load to a later one, and whether it is chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from loadtest.errors import ReportError
from loadtest.reports.document import Calls, Figures, Point, Report
from loadtest.reports.limits import TAIL_CALLS_MIN
from loadtest.reports.noise import Bounds, ratio_bounds, share_bounds
from loadtest.reports.quantities import amount, duration, share
from loadtest.reports.verdicts import DELIVERY

__all__ = ["ALL_CALLS", "Change", "Comparison", "Judgement", "compare"]

ALL_CALLS = "all calls"
"""What a comparison calls the calls of every kind together."""

_MARK = "run"
"""Option that is a word of chance: it tells this load's marks from those of others."""

_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}


class Judgement(Enum):
    """What is made of a change."""

    SAME = "same"
    BETTER = "better"
    WORSE = "worse"
    UNSURE = "unsure"
    """Beyond the threshold, and yet within what chance alone does."""
    SHOWN = "shown"
    """Not judged: the slowest call is chance, and so are percentiles of a handful of calls."""


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in two loads.

    Attributes:
        kind: of the calls.
        figure: which.
        before: in the earlier load, for people.
        after: in the later one.
        ratio: later by earlier.
        bounds: of the ratio, by chance alone; None when the loads were too short to tell.
        judgement: what is made of it.
    """

    kind: str
    figure: str
    before: str
    after: str
    ratio: float
    bounds: Bounds | None
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two loads.

    Attributes:
        threshold: a figure that is so many times worse is a regression.
        changes: all calls first, then by kind.
        differences: what else was not the same: options, machines, versions, kinds of calls.
    """

    threshold: float
    changes: list[Change]
    differences: list[str]

    @property
    def summary(self) -> str:
        """How many figures became worse, and how many changes may be chance."""
        unsure = sum(change.judgement is Judgement.UNSURE for change in self.changes)
        told = f"{len(self.regressions)} of {len(self.changes)} figures are worse"
        if unsure:
            told += f"; {unsure} may be chance: longer loads tell"
        return told

    @property
    def regressions(self) -> list[Change]:
        """What became worse, beyond the threshold and beyond chance."""
        return [change for change in self.changes if change.judgement is Judgement.WORSE]


def compare(before: Report, after: Report, threshold: float) -> Comparison:
    """Compare two loads of one scenario.

    Args:
        before: the earlier one.
        after: the later one.
        threshold: above 1; so many times worse is a regression, so many times better a gain.

    Raises:
        ReportError: they played different scenarios.
    """
    if before.scenario != after.scenario:
        raise ReportError(f"{before.scenario} and {after.scenario} cannot be compared")
    judge = _Judge(threshold)
    changes = [*_rates(judge, before, after), *_shares(judge, before, after)]
    changes += _processor(judge, before, after)
    pairs = [(ALL_CALLS, before.total, after.total)]
    pairs += [
        (kind, calls, after.calls[kind])
        for kind, calls in before.calls.items()
        if kind in after.calls and len(before.calls) > 1
    ]
    if before.delivery is not None and after.delivery is not None:
        pairs.append((DELIVERY, before.delivery, after.delivery))
    for kind, earlier, later in pairs:
        changes += _latencies(judge, kind, earlier, later)
    return Comparison(threshold, changes, _differences(before, after))


@dataclass(frozen=True, slots=True)
class _Judge:
    threshold: float

    def __call__(self, worse: float, bounds: Bounds | None) -> Judgement:
        """Judge a ratio above 1 of which is worse, with its bounds."""
        if 1 / self.threshold < worse < self.threshold:
            return Judgement.SAME
        if bounds is not None and bounds[0] <= 1 <= bounds[1]:
            return Judgement.UNSURE
        return Judgement.WORSE if worse > 1 else Judgement.BETTER


def _latencies(judge: _Judge, kind: str, before: Calls, after: Calls) -> list[Change]:
    changes = []
    if not before.count or not after.count:
        return []
    for name, rank in (*_PERCENTILES.items(), ("max", 1.0)):
        earlier, later = _micros(before, name), _micros(after, name)
        ratio = later / earlier
        parts = [[_micros(each, name) for each in calls.parts] for calls in (before, after)]
        bounds = ratio_bounds(ratio, *parts) if rank < 1 else None
        beyond = min(before.count, after.count) * (1 - rank)
        judgement = judge(ratio, bounds) if beyond >= TAIL_CALLS_MIN else Judgement.SHOWN
        texts = duration(earlier), duration(later)
        title = name.replace("_", ".")
        changes.append(Change(kind, title, *texts, ratio, bounds, judgement))
    return changes


def _micros(figures: Figures, name: str) -> int:
    value: int = getattr(figures, name)
    return value


def _rates(judge: _Judge, before: Report, after: Report) -> list[Change]:
    if not before.rate or not after.rate:
        return []
    ratio = after.rate / before.rate
    parts = [
        [each.count / report.part_seconds for each in report.total.parts]
        for report in (before, after)
    ]
    bounds = ratio_bounds(ratio, *parts)
    judgement = judge(1 / ratio, bounds)
    texts = f"{amount(before.rate)}/s", f"{amount(after.rate)}/s"
    return [Change(ALL_CALLS, "rate", *texts, ratio, bounds, judgement)]


def _shares(judge: _Judge, before: Report, after: Report) -> list[Change]:
    counts = before.error_count, after.error_count
    if counts == (0, 0):
        return []
    # Half an error more on either side: none in ten calls is not infinitely better than one.
    earlier, later = (
        (report.error_count + 0.5) / (max(report.total.count, report.error_count) + 1)
        for report in (before, after)
    )
    ratio = later / earlier
    bounds = share_bounds(ratio, *counts)
    texts = share(before.error_share), share(after.error_share)
    judgement = judge(ratio, bounds)
    return [Change(ALL_CALLS, "errors", *texts, ratio, bounds, judgement)]


def _processor(judge: _Judge, before: Report, after: Report) -> list[Change]:
    earlier, later = before.server_micros, after.server_micros
    if not earlier or not later:
        return []
    ratio = later / earlier
    bounds = ratio_bounds(ratio, _micros_each(before), _micros_each(after))
    texts = duration(earlier), duration(later)
    judgement = judge(ratio, bounds)
    return [Change(ALL_CALLS, "server CPU of a call", *texts, ratio, bounds, judgement)]


def _micros_each(report: Report) -> Sequence[float]:
    """Processor time of the server for a call, in each part of the load."""
    size = report.part_seconds
    if not size:
        return []
    parts: dict[int, list[Point]] = {}
    for point in report.measured_points:
        parts.setdefault(point.second // size, []).append(point)
    micros = []
    for points in parts.values():
        calls = sum(point.total.count for point in points)
        used = sum(point.server.get("cpu", 0.0) * point.seconds for point in points)
        micros.append(used * 1e6 / calls if calls else 0.0)
    return micros


def _differences(before: Report, after: Report) -> list[str]:
    """What makes two loads less than comparable, in words."""
    found = []
    for name in sorted({*before.options, *after.options} - {_MARK}):
        earlier, later = before.options.get(name), after.options.get(name)
        if earlier != later:
            found.append(f"option {name}: {earlier}, later {later}")
    for name in ("processor", "cores", "memory_bytes", "system", "python"):
        earlier, later = getattr(before.machine, name), getattr(after.machine, name)
        if earlier != later:
            found.append(f"{name.replace('_', ' ')}: {earlier}, later {later}")
    if before.version != after.version:
        found.append(f"version: {before.version}, later {after.version}")
    found += [
        f"calls of {kind}: only {'earlier' if kind in before.calls else 'later'}"
        for kind in sorted(before.calls.keys() ^ after.calls.keys())
    ]
    for when, report in (("earlier", before), ("later", after)):
        found += [f"the {when} load generator was saturated: {why}" for why in report.saturated]
    return found
