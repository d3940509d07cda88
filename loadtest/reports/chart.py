"""Chart: lines over time as one SVG, readable without a script; a script adds the values.

Every drawing is ``WIDTH`` by ``HEIGHT`` units and is scaled by the page. Colours are classes of the
page's style sheet, so that one drawing serves light and dark.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from loadtest.reports.axis import Axis, linear_axis, log_axis

__all__ = ["Frame", "Line", "line_chart"]

_Times = Sequence[float]
_Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart.

    Attributes:
        title: in the legend.
        style: class of the style sheet, which gives the colour.
        values: at the chart's times; None where there is none, which is a gap.
        is_earlier: drawn thin and dashed: it is of the load that is compared with.
        times: its own, where they are not the chart's.
    """

    title: str
    style: str
    values: Sequence[float | None]
    is_earlier: bool = False
    times: _Times | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """Size and margins of a drawing, and the words beside its axes.

    Attributes:
        width: in all.
        height: in all.
        text: what a value on the vertical axis is called.
        is_binary: whether values are told in powers of 1,024.
    """

    width: int
    height: int
    text: Callable[[float], str]
    is_binary: bool = False

    left = 64
    right = 12
    top = 10
    bottom = 24

    def x(self, axis: Axis, value: float) -> float:
        """Where a value of the horizontal axis is drawn."""
        inner = self.width - self.left - self.right
        return round(self.left + axis.place(value) * inner, 1)

    def y(self, axis: Axis, value: float) -> float:
        """Where a value of the vertical axis is drawn."""
        inner = self.height - self.top - self.bottom
        return round(self.height - self.bottom - axis.place(value) * inner, 1)

    def grid(self, axis: Axis) -> list[str]:
        """Lines and words of the vertical axis."""
        drawn = []
        for tick in axis.ticks:
            y = self.y(axis, tick)
            right = self.width - self.right
            drawn.append(f'<line class="grid" x1="{self.left}" x2="{right}" y1="{y}" y2="{y}"/>')
            text = escape(self.text(tick))
            drawn.append(f'<text class="tick" x="{self.left - 8}" y="{y + 4}">{text}</text>')
        return drawn

    def foot(self, axis: Axis, text: Callable[[float], str]) -> list[str]:
        """Words of the horizontal axis."""
        y = self.height - 6
        return [
            f'<text class="foot" x="{self.x(axis, tick)}" y="{y}">{escape(text(tick))}</text>'
            for tick in axis.ticks
        ]

    def svg(self, title: str, drawn: Sequence[str], attributes: str = "") -> str:
        """The drawing as one element."""
        size = f'viewBox="0 0 {self.width} {self.height}"'
        label = f'role="img" aria-label="{escape(title)}"'
        return f"<svg {size} {label}{attributes}>{''.join(drawn)}</svg>"


def line_chart(
    title: str,
    times: _Times,
    lines: Sequence[Line],
    frame: Frame,
    *,
    is_log: bool = False,
    measured: float = math.inf,
) -> str:
    """Draw lines over time, with a legend when there are several.

    Args:
        title: of the whole.
        times: in seconds, ascending; what is below 0 is shaded: it is warm-up.
        lines: what is drawn; later ones lie on top.
        frame: of the drawing.
        is_log: whether the vertical axis is logarithmic.
        measured: seconds after which the last answers came, which is shaded too.
    """
    values = [value for line in lines for value in line.values if value is not None]
    highest = max(values, default=0.0)
    unit = 1_024.0 ** int(math.log(max(1.0, highest), 1_024)) if frame.is_binary else 1.0
    vertical = log_axis(values) if is_log else linear_axis(0.0, highest, unit=unit)
    end = max([*times, *(each for line in lines for each in line.times or ())], default=1.0)
    horizontal = linear_axis(min(times, default=0.0), end, is_closed=True)
    drawn = frame.grid(vertical) + frame.foot(horizontal, lambda second: f"{second:g} s")
    drawn += _shade(frame, horizontal, horizontal.low, 0.0)
    drawn += _shade(frame, horizontal, measured, horizontal.high)
    for line in lines:
        when = times if line.times is None else line.times
        places = [
            None if value is None else (frame.x(horizontal, at), frame.y(vertical, value))
            for at, value in zip(when, line.values, strict=True)
        ]
        style = f"line {line.style}" + (" earlier" if line.is_earlier else "")
        drawn.append(f'<path class="{style}" d="{_path(places)}"/>')
    shown = [line for line in lines if not line.is_earlier]
    told = {
        "x": [frame.x(horizontal, at) for at in times],
        "t": [round(at, 1) for at in times],
        "lines": [
            [line.title, line.style, [_told(frame, value) for value in line.values]]
            for line in shown
        ],
    }
    told_text = escape(json.dumps(told, separators=(",", ":")))
    svg = frame.svg(title, drawn, f' data-told="{told_text}"')
    return f"<figure><figcaption>{escape(title)}{_legend(lines)}</figcaption>{svg}</figure>"


def _shade(frame: Frame, horizontal: Axis, begin: float, end: float) -> list[str]:
    """A stretch of time in which nothing counts."""
    if begin >= end:
        return []
    left = frame.x(horizontal, begin)
    size = f'width="{frame.x(horizontal, end) - left:.1f}"'
    height = frame.height - frame.top - frame.bottom
    return [f'<rect class="warm" x="{left}" y="{frame.top}" {size} height="{height}"/>']


def _told(frame: Frame, value: float | None) -> str:
    return "" if value is None else frame.text(value)


def _path(places: Sequence[_Place | None]) -> str:
    """Lines from place to place; a lone place is a dot, drawn as a line of no length."""
    steps, is_drawing = [], False
    for index, place in enumerate(places):
        if place is not None:
            steps.append(f"{'L' if is_drawing else 'M'}{place[0]:g} {place[1]:g}")
            is_last = index + 1 == len(places) or places[index + 1] is None
            if is_last and not is_drawing:
                steps.append("h0")
        is_drawing = place is not None
    return "".join(steps)


def _legend(lines: Sequence[Line]) -> str:
    named = [line for line in lines if line.title]
    if len(named) < 2:
        return ""
    keys = (
        f'<span class="key {line.style}{" earlier" if line.is_earlier else ""}">'
        f"{escape(line.title)}</span>"
        for line in named
    )
    return f'<span class="legend">{"".join(keys)}</span>'
