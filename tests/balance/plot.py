"""Plot: the survey as one picture of six panels."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from economy import gear_price
from fights import KINDS, LEVELS, highest_tier
from survey import Survey
from worlds import STARTS, plans_of

from actors.domains.domain_types import HostileRank
from actors.domains.rules.limits import CHAPTERS_MAX
from actors.domains.rules.progression import decayed_xp, plan_chapter

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine

__all__ = ["draw"]

_COLOURS: Final = ("#2f6f9f", "#d1603d", "#3c8d5a", "#8a5fa8", "#b58b1b")
_PLAN: Final = "#444444"
_STYLE: Final[Any] = {
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def draw(found: Survey, path: Path) -> None:
    """Write the picture as a PNG; equal surveys give equal files."""
    with mpl.rc_context(_STYLE):
        figure, axes = plt.subplots(
            2, 3, figsize=(19, 11), layout=ConstrainedLayoutEngine(h_pad=0.15, w_pad=0.12)
        )
        figure.suptitle("Balance of Test Vale and its rules", fontsize=17, fontweight="bold")
        _levels(axes[0][0], found)
        _wins(figure, axes[0][1], found)
        _lengths(axes[0][2], found)
        _decay(axes[1][0])
        _worlds(axes[1][1])
        _coins(axes[1][2], found)
        figure.savefig(path, dpi=100, metadata={"Software": None})
        plt.close(figure)


def _levels(axes: Axes, found: Survey) -> None:
    """Levels at the end of chapters against the plan."""
    plans = [run.chapter for run in found.playthroughs[0].chapters]
    indexes = [0, *(plan.chapter_index for plan in plans)]
    planned = [plans[0].entry_pseudo_level_millis / 1000]
    planned += [plan.exit_pseudo_level_millis / 1000 for plan in plans]
    axes.plot(indexes, planned, color=_PLAN, linewidth=2.5, label="planned")
    whole = [plans[0].entry_level, *(plan.exit_level for plan in plans)]
    low, high = [level - 1 for level in whole], [level + 1 for level in whole]
    axes.fill_between(indexes, low, high, color=_PLAN, alpha=0.1, label="aligned (domain 3.8)")
    for number, (style, group) in enumerate(
        groupby(found.playthroughs, key=lambda played: played.style)
    ):
        runs = [played.chapters for played in group]
        levels = [float(runs[0][0].chapter.level_at_entry)]
        levels += [
            sum(run.chapter.level_at_exit or 0 for run in chapter) / len(chapter)
            for chapter in zip(*runs, strict=True)
        ]
        axes.plot(indexes, levels, "o-", color=_COLOURS[number], label=style.name)
    axes.set(title="Level at the end of each chapter", xlabel="chapter", ylabel="level", ylim=0)
    axes.set_yticks(range(0, max(high) + 2, 2))
    axes.set_xticks(indexes, ["start", *map(str, indexes[1:])])
    axes.legend(loc="upper left")


def _wins(figure: Any, axes: Axes, found: Survey) -> None:
    """A heat map for each tactic, side by side: one player without gear."""
    rows = {row.setup: row for row in (*found.solo, *found.tactics) if row.setup.tier == 0}
    tactics = list(dict.fromkeys(setup.tactic for setup in rows))
    levels = sorted({setup.level for setup in rows})
    shares = [
        [
            next(
                row.win_permille / 10
                for setup, row in rows.items()
                if (setup.tactic, setup.ranks, setup.level) == (tactic, ranks, level)
            )
            for level in levels
        ]
        for tactic in tactics
        for ranks in KINDS.values()
    ]
    axes.grid(visible=False)
    image = axes.imshow(shares, cmap="RdYlGn", vmin=0, vmax=100, aspect="auto")
    for y, line in enumerate(shares):
        for x, share in enumerate(line):
            ink = "black" if 15 <= share <= 85 else "white"
            axes.text(x, y, f"{int(share)}", ha="center", va="center", fontsize=8, color=ink)
    labels = [f"{tactic}: {kind}" for tactic in tactics for kind in KINDS]
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xticks(range(len(levels)), list(map(str, levels)))
    for number in range(1, len(tactics)):
        axes.axhline(number * len(KINDS) - 0.5, color="white", linewidth=4)
    axes.set(title="Fights won (%), one player without gear", xlabel="level of the player")
    figure.colorbar(image, ax=axes, shrink=0.8)


def _lengths(axes: Axes, found: Survey) -> None:
    """Distributions of fight lengths at a low, a middle and a high level."""
    shown = (LEVELS[0], 20, LEVELS[-1])
    for number, level in enumerate(shown):
        rounds = [
            next(
                row.rounds
                for row in found.solo
                if row.setup.level == level and row.setup.ranks == ranks and row.setup.tier == 0
            )
            for ranks in KINDS.values()
        ]
        places = [place + (number - 1) * 0.26 for place in range(len(KINDS))]
        boxes = axes.boxplot(
            rounds,
            positions=places,
            widths=0.22,
            patch_artist=True,
            manage_ticks=False,
            medianprops={"color": "black"},
            flierprops={"markersize": 2.5, "markeredgecolor": _COLOURS[number]},
        )
        for box in boxes["boxes"]:
            box.set(facecolor=_COLOURS[number], alpha=0.75)
        axes.plot([], [], "s", color=_COLOURS[number], label=f"level {level}")
    axes.set_xticks(range(len(KINDS)), list(KINDS))
    axes.set(title="Length of fights, policy P without gear", ylabel="rounds", ylim=(0, None))
    axes.legend(loc="upper left")


def _decay(axes: Axes) -> None:
    """Granted against raw experience in the first chapter of five, with the bands."""
    planned = plan_chapter(5, 1).planned_hostile_xp
    raw = list(range(0, planned * 6, 2))
    axes.plot(raw, raw, ":", color="#999999", label="without decay")
    granted = [decayed_xp(one, 0, planned) for one in raw]
    axes.plot(raw, granted, color=_COLOURS[0], linewidth=2.5, label="granted")
    for factor, name in ((1, "H"), (1.5, "1.5 H"), (2, "2 H")):
        axes.axhline(planned * factor, color=_COLOURS[1], linewidth=1, linestyle="--")
        axes.text(8, planned * factor + 8, name, color=_COLOURS[1])
    for share, x in (("100 %", 0.6), ("50 %", 1.55), ("20 %", 3.3), ("5 %", 5.3)):
        y = decayed_xp(int(planned * x), 0, planned)
        place = (planned * x, y)
        axes.annotate(share, place, (8, -14), textcoords="offset points", color=_COLOURS[0])
    axes.set(
        title=f"Hostile experience against the budget (H = {planned})",
        xlabel="raw experience",
        ylabel="granted experience",
        ylim=(0, planned * 2.6),
    )
    axes.legend(loc="lower right")


def _worlds(axes: Axes) -> None:
    """Planned levels of worlds of many lengths, from two start levels."""
    ends: set[tuple[int, float]] = set()
    for number, start in enumerate((STARTS[0], STARTS[-1])):
        for chapters in (1, 3, 5, 8, 12, 18, CHAPTERS_MAX):
            plans = plans_of(chapters, start)
            levels = [float(start), *(plan.exit_pseudo_level_millis / 1000 for plan in plans)]
            axes.plot(range(chapters + 1), levels, ".-", color=_COLOURS[number], alpha=0.75)
            # Worlds that end at the last level from both starts need only one number.
            if number == 0 or (chapters, levels[-1]) not in ends:
                place = (chapters, levels[-1])
                axes.annotate(str(chapters), place, (4, -11), textcoords="offset points")
            ends.add((chapters, levels[-1]))
        axes.plot([], [], ".-", color=_COLOURS[number], label=f"from level {start}")
    axes.set(
        title=f"Planned levels of worlds of 1 to {CHAPTERS_MAX} chapters",
        xlabel="chapter",
        ylabel="planned level",
        ylim=(0, 53),
    )
    axes.legend(loc="lower right")


def _coins(axes: Axes, found: Survey) -> None:
    """The purse at the end of chapters against the price of the gear that fits then."""
    plans = [run.chapter for run in found.playthroughs[0].chapters]
    indexes = [plan.chapter_index for plan in plans]
    prices = [gear_price(highest_tier(plan.exit_level), 0) for plan in plans]
    axes.bar(indexes, prices, width=0.5, color="#d9d9d9", label="best gear a level may wear")
    for number, (style, group) in enumerate(
        groupby(found.playthroughs, key=lambda played: played.style)
    ):
        chapters = zip(*(played.chapters for played in group), strict=True)
        purses = [sum(run.coins for run in runs) / len(runs) for runs in chapters]
        axes.plot(indexes, purses, "o-", color=_COLOURS[number], label=f"{style.name}, unspent")
    purses = [float(row.purse) for row in found.coins]
    axes.plot(indexes, purses, "s--", color=_PLAN, label="as planned, gear and herbs bought")
    axes.axhline(0, color="black", linewidth=0.8)
    kill = [row.kill_coins[HostileRank.STANDARD] for row in found.prices]
    axes.set(
        title="Coins at the end of each chapter",
        xlabel=f"chapter (a standard kill pays {kill[0]} at level 1, {kill[-1]} at level 50)",
        ylabel="coins",
    )
    axes.set_xticks(indexes)
    axes.legend(loc="upper left")
