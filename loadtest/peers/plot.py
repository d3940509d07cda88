"""Plot: the comparison as one picture, a panel for each workload."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

from loadtest.peers.page import machine
from loadtest.peers.standings import Standing
from loadtest.peers.workload import Workload

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

__all__ = ["draw"]

_OURS: Final = "#2f6f9f"
_OTHERS: Final = "#b9b9b9"
_COLUMNS: Final = 2
_STYLE: Final[Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(found: Sequence[Standing], works: Sequence[Workload], path: Path) -> None:
    """Write the picture as a PNG: what one second of the server's processor time is good for.

    Whiskers are the least and the most of all rounds.
    """
    groups = [(name, list(group)) for name, group in groupby(found, key=lambda one: one.workload)]
    titles = {work.name: work for work in works}
    rows = math.ceil(len(groups) / _COLUMNS)
    with mpl.rc_context(_STYLE):
        figure, axes = plt.subplots(
            rows, _COLUMNS, figsize=(15, 1 + 3.4 * rows), layout="constrained", squeeze=False
        )
        figure.suptitle(f"Operations per second of server processor time\n{machine()}", fontsize=12)
        panels = list(axes.flat)
        for panel, (name, group) in zip(panels, groups, strict=False):
            _bars(panel, titles[name], group)
        for panel in panels[len(groups) :]:
            panel.axis("off")
        figure.savefig(path, dpi=100, metadata={"Software": None})
        plt.close(figure)


def _bars(axes: Axes, work: Workload, group: Sequence[Standing]) -> None:
    ranked = sorted(group, key=lambda one: one.micros.middle, reverse=True)
    middles = [1e6 / one.micros.middle for one in ranked]
    whiskers = [
        [middle - 1e6 / one.micros.high for middle, one in zip(middles, ranked, strict=True)],
        [1e6 / one.micros.low - middle for middle, one in zip(middles, ranked, strict=True)],
    ]
    colours = [_OURS if one.peer.startswith("ours") else _OTHERS for one in ranked]
    names = [one.peer for one in ranked]
    axes.barh(names, middles, xerr=whiskers, color=colours, ecolor="#4a4a4a", capsize=2)
    longest = max(1e6 / one.micros.low for one in ranked)
    axes.set_xlim(right=longest * 1.2)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.locator_params(axis="x", nbins=6)
    for place, middle in enumerate(middles):
        axes.annotate(f"{middle:,.0f}", (longest * 1.19, place), va="center", ha="right")
    axes.set_title(f"{work.name}: {work.title}; {work.operation}")
