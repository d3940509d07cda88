"""Histogram chart: how latencies are spread, as bars of equal ratio, with percentiles marked."""

from __future__ import annotations

import math
from html import escape

from loadtest.histogram import Histogram
from loadtest.reports.axis import Axis, linear_axis, log_axis
from loadtest.reports.chart import Frame
from loadtest.reports.document import Calls
from loadtest.reports.limits import BARS_MAX
from loadtest.reports.quantities import duration, share

__all__ = ["histogram_chart"]


def histogram_chart(title: str, calls: Calls, earlier: Calls | None) -> str:
    """Draw the latencies of one kind of calls.

    Args:
        title: of the whole.
        calls: at least one.
        earlier: the same kind in the load that is compared with, drawn as an outline.
    """
    shown = [calls] if earlier is None or not earlier.count else [calls, earlier]
    buckets = [list(Histogram.decode(each.histogram).buckets()) for each in shown]
    horizontal = log_axis(micros for counted in buckets for micros, _ in counted)
    parts = [_parts(counted, horizontal) for counted in buckets]
    vertical = linear_axis(0.0, max(max(each) for each in parts))
    frame = Frame(560, 200, share)
    drawn = frame.grid(vertical) + frame.foot(horizontal, duration)
    floor = frame.y(vertical, 0.0)
    edges = [frame.x(horizontal, _edge(horizontal, at)) for at in range(BARS_MAX + 1)]
    for at, part in enumerate(parts[0]):
        if part:
            top = frame.y(vertical, part)
            size = f'width="{max(0.5, edges[at + 1] - edges[at] - 1):.1f}"'
            height = f'height="{max(0.5, floor - top):.1f}"'
            low, high = _edge(horizontal, at), _edge(horizontal, at + 1)
            told = f"{duration(low)} to {duration(high)}: {share(part)}"
            drawn.append(
                f'<rect class="bar" x="{edges[at]}" y="{min(top, floor - 0.5)}" {size} {height}>'
                f"<title>{escape(told)}</title></rect>"
            )
    if len(parts) > 1:
        steps = (
            f"L{edges[at]:g} {frame.y(vertical, part):g}H{edges[at + 1]:g}"
            for at, part in enumerate(parts[1])
        )
        outline = f"M{edges[0]:g} {floor:g}{''.join(steps)}"
        drawn.append(f'<path class="line outline earlier" d="{outline}"/>')
    for name, micros in (("p50", calls.p50), ("p99", calls.p99)):
        x = frame.x(horizontal, micros)
        drawn.append(f'<line class="mark" x1="{x}" x2="{x}" y1="{frame.top}" y2="{floor}"/>')
        drawn.append(f'<text class="marked" x="{x + 3}" y="{frame.top + 9}">{name}</text>')
    caption = f"{escape(title)}{_earlier_key() if len(parts) > 1 else ''}"
    return f"<figure><figcaption>{caption}</figcaption>{frame.svg(title, drawn)}</figure>"


def _parts(counted: list[tuple[int, int]], axis: Axis) -> list[float]:
    """Parts of the calls that fall into each bar."""
    bars = [0] * BARS_MAX
    for micros, count in counted:
        bars[min(BARS_MAX - 1, int(axis.place(micros) * BARS_MAX))] += count
    return [bar / max(1, sum(bars)) for bar in bars]


def _edge(axis: Axis, at: int) -> float:
    return axis.low * math.exp(math.log(axis.high / axis.low) * at / BARS_MAX)


def _earlier_key() -> str:
    return '<span class="legend"><span class="key outline earlier">earlier</span></span>'
