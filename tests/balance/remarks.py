"""Remarks: where the shape of the game is off, in words, from the survey's numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from economy import gear_price
from fights import KINDS, Fights, highest_tier
from survey import Survey
from worlds import KEYS

from actors.domains.domain_types import XpRating

__all__ = ["remarks"]

_NAMES = {ranks: name for name, ranks in KINDS.items()}
_WIN_PERMILLE_MIN = 950
_GAP_PERMILLE_MAX = 200
_ROUNDS_MAX = 20
_HP_PERMILLE_MAX = 900
_FILLED_PERMILLE_MIN = 900
_PURSE_SETS_MAX = 3


def remarks(found: Survey) -> list[str]:
    """What a designer should look at, most urgent first; an empty list is a well shaped game."""
    return [
        *_tuning(found),
        *_chapters(found),
        *_budgets(found),
        *_losses(found),
        *_tactics(found),
        *_lengths(found),
        *_parties(found),
        *_coins(found),
    ]


def _tuning(found: Survey) -> Iterator[str]:
    for verdict in found.tuning:
        if not verdict.passed:
            share = verdict.wins * 100 / verdict.fought
            yield f"TUNING FAILS (domain 4.2): {verdict.bound.name} is won in {share:.1f} %"


def _chapters(found: Survey) -> Iterator[str]:
    for style, group in groupby(found.playthroughs, key=lambda played: played.style):
        off: list[str] = []
        for runs in zip(*(played.chapters for played in group), strict=True):
            index = runs[0].chapter.chapter_index
            misses = [run for run in runs if run.xp_rating is not XpRating.ON_TRACK]
            if 2 * len(misses) > len(runs):
                mean = sum(run.deviation_permille for run in runs) / len(runs) / 10
                off.append(f"{index} ({mean:+.0f} %, {misses[0].xp_rating.name.lower()})")
            deaths = sum(run.deaths for run in runs) / len(runs)
            if deaths > 1:
                yield f"{style.name}: {deaths:.1f} defeats of the player in chapter {index}"
        if off:
            yield f"{style.name}: off the planned experience in chapters {', '.join(off)}"


def _budgets(found: Survey) -> Iterator[str]:
    for keys in KEYS:
        short = [world for world in found.worlds if world.filled[keys] < _FILLED_PERMILLE_MIN]
        if short:
            low = min(short, key=lambda world: world.filled[keys])
            yield (
                f"with {keys} kind{'s' * (keys > 1)} of hostiles the expected defeats fill less "
                f"than 90 % of the hostile budget in {len(short)} of {len(found.worlds)} worlds "
                f"(least {low.filled[keys] // 10} %, {low.chapters} chapters from level "
                f"{low.start_level}): repeats decay faster than the plan expects"
            )
    clamped = [world for world in found.worlds if world.clamped]
    if clamped:
        most = max(clamped, key=lambda world: world.clamped)
        yield (
            f"expected defeats hit a bound in {len(clamped)} worlds, most in the one of "
            f"{most.chapters} chapters from level {most.start_level} ({most.clamped} chapters)"
        )


def _losses(found: Survey) -> Iterator[str]:
    for row in found.solo:
        if row.win_permille < _WIN_PERMILLE_MIN:
            yield (
                f"{_described(row)}, tier {row.setup.tier}: policy P wins only "
                f"{row.win_permille // 10} %"
            )


def _tactics(found: Survey) -> Iterator[str]:
    by_policy = {row.setup[:2]: row for row in found.solo if row.setup.tier == 0}
    for ranks, name in _NAMES.items():
        lost = [
            f"{row.setup.level} ({row.win_permille // 10} %)"
            for row in found.tactics
            if row.setup.tactic == "cautious"
            and row.setup.ranks == ranks
            and by_policy[row.setup[:2]].win_permille - row.win_permille > _GAP_PERMILLE_MAX
        ]
        if lost:
            yield (
                f"{name}: caution wins far less than policy P at levels {', '.join(lost)}: "
                "shields and weakening cost the mana of strikes"
            )


def _lengths(found: Survey) -> Iterator[str]:
    for ranks, name in _NAMES.items():
        bare = [row for row in found.solo if row.setup.ranks == ranks and row.setup.tier == 0]
        first, last = bare[0], bare[-1]
        if last.median_rounds > _ROUNDS_MAX:
            yield (
                f"{name}: fights drag at high levels, {last.median_rounds} rounds at level "
                f"{last.setup.level} where level {first.setup.level} takes {first.median_rounds}"
            )


def _parties(found: Survey) -> Iterator[str]:
    for players in (2, 4):
        safe = [
            row
            for row in found.parties
            if row.setup.ranks == KINDS["boss"]
            and row.setup.players == players
            and not row.setup.companion
            and row.hp_permille > _HP_PERMILLE_MAX
        ]
        if safe:
            left = min(row.hp_permille for row in safe) / 10
            yield (
                f"a boss is no danger to {players} players: at least {left:.0f} % of their hit "
                f"points are left at {len(safe)} levels; hostiles do not grow with the party"
            )


def _coins(found: Survey) -> Iterator[str]:
    for row in found.coins:
        if row.purse < 0:
            yield (
                f"chapter {row.plan.chapter_index} as planned: {-row.purse} coins short of its "
                "gear and herbs"
            )
    for style, group in groupby(found.playthroughs, key=lambda played: played.style):
        last = [played.chapters[-1] for played in group]
        coins = sum(run.coins for run in last) // len(last)
        level = max(run.chapter.level_at_exit or 1 for run in last)
        price = gear_price(highest_tier(level), 0)
        if coins > _PURSE_SETS_MAX * price:
            yield (
                f"{style.name} ends with {coins} coins, {coins / price:.1f} times the best gear "
                f"that level {level} may wear: little to spend them on"
            )


def _described(row: Fights) -> str:
    return f"level {row.setup.level}, {_NAMES[row.setup.ranks]}"
