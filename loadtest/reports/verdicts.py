"""Verdicts: what a report says of a bound."""

from __future__ import annotations

from loadtest.histogram import Histogram
from loadtest.reports.document import Calls, Report, Verdict
from loadtest.reports.quantities import amount, duration, share
from loadtest.reports.slo import Slo

__all__ = ["DELIVERY", "judge"]

DELIVERY = "delivery"
"""What bounds call the updates that subscribers get: ``delivery.p99<100ms``."""


def judge(slo: Slo, report: Report) -> Verdict:
    """Hold a bound against the measured time of a load."""
    measured, text = _measured(slo, report)
    kept = measured is not None and slo.is_kept(measured)
    return Verdict(slo=slo.text, measured=text, kept=kept)


def _measured(slo: Slo, report: Report) -> tuple[float | None, str]:
    if slo.percentile is not None:
        value = _percentile(slo, slo.percentile, report)
        return value, "nothing" if value is None else duration(value)
    if slo.figure == "errors" and slo.is_share:
        return report.error_share, share(report.error_share)
    if slo.figure == "errors":
        return report.error_count, amount(report.error_count)
    if slo.figure == "deliveries":
        value = report.deliveries / report.seconds
    elif slo.kind is None:
        value = report.rate
    else:
        counts = (
            figures.count
            for point in report.measured_points
            for kind, figures in point.calls.items()
            if slo.covers(kind)
        )
        value = sum(counts) / report.seconds
    return value, f"{amount(value)}/s"


def _percentile(slo: Slo, percentile: float, report: Report) -> float | None:
    calls: list[Calls] = [found for kind, found in report.calls.items() if slo.covers(kind)]
    if slo.kind == DELIVERY and report.delivery is not None:
        calls = [report.delivery]
    histogram = Histogram.decode(*(each.histogram for each in calls))
    return histogram.percentile(percentile) if len(histogram) else None
