"""Tables: the survey as text for the terminal and the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from economy import ChapterCoins, LevelPrices
from fights import KINDS, Fights
from playthroughs import ChapterRun, Playthrough
from rich.box import SIMPLE_HEAD
from rich.table import Table
from survey import Survey
from tactics import TACTICS
from tuning import Verdict
from worlds import KEYS, World

from actors.domains.domain_types import HostileRank
from actors.domains.rules.items import GEAR_TIERS

__all__ = ["tables"]

_NAMES = {ranks: name for name, ranks in KINDS.items()}


def tables(found: Survey) -> list[Table]:
    """All tables, in the order in which they are read."""
    bare = [row for row in found.solo if row.setup.tier == 0]
    return [
        _tuning(found.tuning),
        _fights(
            "One player by policy P: wins %, median rounds, hp left %, by gear tier",
            found.solo,
            {f"tier {tier}": ("policy P", tier, 1, False) for tier in range(GEAR_TIERS + 1)},
        ),
        _fights(
            "One player without gear, by tactic",
            [*bare, *found.tactics],
            {name: (name, 0, 1, False) for name in TACTICS},
        ),
        _fights(
            "Parties by policy P without gear; +1 is a companion",
            [*bare, *found.parties],
            {
                f"{players}{' +1' * companion}": ("policy P", 0, players, companion)
                for players in (1, 2, 4)
                for companion in (False, True)
            },
        ),
        _playthroughs(found.playthroughs),
        _worlds(found.worlds),
        _chapter_coins(found.coins),
        _prices(found.prices),
    ]


def _table(title: str, columns: Iterable[str], left: int = 1) -> Table:
    """A table whose first columns are texts and whose others are numbers."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold cyan",
        header_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1),
    )
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number < left else "right", no_wrap=True)
    return table


def _tuning(verdicts: Sequence[Verdict]) -> Table:
    table = _table("Tuning table (domain 4.2)", ["fight", "wanted", "wins", "share", "verdict"])
    for row in verdicts:
        bound = row.bound
        wanted = f"< {(bound.below or 0) / 10:g} %"
        if bound.at_least is not None:
            wanted = f">= {bound.at_least / 10:g} %"
        share = f"{row.wins * 100 / row.fought:.1f} %"
        verdict = "[green]pass[/]" if row.passed else "[bold red]FAIL[/]"
        table.add_row(bound.name, wanted, f"{row.wins}/{row.fought}", share, verdict)
    return table


def _fights(
    title: str, rows: Sequence[Fights], columns: dict[str, tuple[str, int, int, bool]]
) -> Table:
    """A row for each level and encounter; a column for each tactic, tier, players, companion."""
    table = _table(title, ["encounter", "level", *columns])
    cells = {row.setup: row for row in rows}
    wanted = [row.setup for row in rows if row.setup[2:] in columns.values()]
    for ranks, name in _NAMES.items():
        levels = sorted({setup.level for setup in wanted if setup.ranks == ranks})
        for level in levels:
            found = [
                cells.get(
                    wanted[0]._replace(
                        level=level,
                        ranks=ranks,
                        tactic=tactic,
                        tier=tier,
                        players=players,
                        companion=companion,
                    )
                )
                for tactic, tier, players, companion in columns.values()
            ]
            if sum(cell is not None for cell in found) > 1:
                table.add_row(
                    name if level == levels[0] else "", str(level), *map(_fight_cell, found)
                )
        table.add_section()
    return table


def _fight_cell(row: Fights | None) -> str:
    if row is None:
        return ""
    wins = row.win_permille // 10
    colour = "red" if wins < 50 else "yellow" if wins < 95 else "green"
    return f"[{colour}]{wins:3}[/] {row.median_rounds:3} {row.hp_permille // 10:3}"


def _playthroughs(played: Sequence[Playthrough]) -> Table:
    table = _table(
        "Test Vale played through, averages of all playthroughs of a style",
        [
            *("style", "ch", "level", "plan", "xp / plan", "hostile / plan", "off", "rating"),
            *("advice", "fights", "turns", "deaths", "coins", "herbs"),
        ],
    )
    for style, group in groupby(played, key=lambda one: one.style):
        chapters = zip(*(one.chapters for one in group), strict=True)
        for number, runs in enumerate(chapters):
            table.add_row(style.name if number == 0 else "", *_chapter_cells(runs))
        table.add_section()
    return table


def _chapter_cells(runs: Sequence[ChapterRun]) -> list[str]:
    plan = runs[0].chapter
    entry = _mean([run.chapter.level_at_entry for run in runs])
    leave = _mean([run.chapter.level_at_exit or 0 for run in runs])
    hostile = [run.chapter.actual_hostile_xp for run in runs]
    actual = [run.chapter.actual_quest_xp + run.chapter.actual_hostile_xp for run in runs]
    return [
        str(plan.chapter_index),
        f"{entry:g}-{leave:g}",
        f"{plan.entry_level}-{plan.exit_level}",
        f"{_mean(actual):.0f} / {plan.planned_total_xp}",
        f"{_mean(hostile):.0f} / {plan.planned_hostile_xp}",
        f"{_mean([run.deviation_permille for run in runs]) / 10:+.1f} %",
        _most([run.xp_rating.name.lower() for run in runs]),
        _most([run.advice.name.lower() for run in runs]),
        f"{_mean([run.fights for run in runs]):g}",
        f"{_mean([run.turns for run in runs]):g}",
        f"{_mean([run.deaths for run in runs]):g}",
        f"{_mean([run.coins for run in runs]):.0f}",
        f"{_mean([run.herbs for run in runs]):.0f}",
    ]


def _worlds(worlds: Sequence[World]) -> Table:
    table = _table(
        "Other worlds by their plans; filled: hostile budget that expected defeats pay, by kinds",
        [
            *("chapters", "start", "end", "planned xp", "defeats", "clamped"),
            *(f"filled {keys}" for keys in KEYS),
        ],
        left=0,
    )
    for _, group in groupby(worlds, key=lambda world: world.start_level):
        for world in group:
            table.add_row(
                str(world.chapters),
                str(world.start_level),
                str(world.end_level),
                str(world.planned_xp),
                str(world.defeats),
                str(world.clamped or ""),
                *(f"{world.filled[keys] // 10} %" for keys in KEYS),
            )
        table.add_section()
    return table


def _chapter_coins(rows: Sequence[ChapterCoins]) -> Table:
    table = _table(
        "Coins of five chapters as planned: each gear tier once, five herbs",
        ["ch", "levels", "kills", "quests", "treasure", "gear", "herbs", "purse"],
        left=0,
    )
    for row in rows:
        plan = row.plan
        table.add_row(
            str(plan.chapter_index),
            f"{plan.entry_level}-{plan.exit_level}",
            f"+{row.from_kills}",
            f"+{row.from_quests}",
            f"+{row.from_treasure}",
            f"-{row.spent_on_gear}",
            f"-{row.spent_on_herbs}",
            f"[{'red' if row.purse < 0 else 'green'}]{row.purse}[/]",
        )
    return table


def _prices(rows: Sequence[LevelPrices]) -> Table:
    table = _table(
        "Coins by level: what a kill pays, what a set of gear costs, how many standard kills it is",
        [
            *("level", *(rank.name.lower() for rank in HostileRank), "tier", "set", "for a friend"),
            *("sold", "kills a set", "kills a herb"),
        ],
        left=0,
    )
    for row in rows:
        numbers = [row.level, *row.kill_coins.values(), row.tier, row.gear_price]
        numbers += [row.gear_price_of_a_friend, row.gear_sold, row.kills_for_gear]
        table.add_row(*map(str, [*numbers, row.kills_for_herb]))
    return table


def _mean(values: Sequence[int]) -> float:
    return round(sum(values) / len(values), 1)


def _most(values: Sequence[str]) -> str:
    """The most common value; the first of several."""
    return Counter(values).most_common(1)[0][0]
