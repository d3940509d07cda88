"""Survey: everything that one run of the program finds out, gathered from one seed."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from economy import ChapterCoins, LevelPrices, chapter_coins, level_prices
from fights import Fights, fight, party_setups, solo_setups, tactic_setups
from playthroughs import Playthrough, play_through
from tuning import Verdict, check_tuning
from worlds import World, chart

__all__ = ["Survey", "survey"]

CHAPTERS = 5
START_LEVEL = 1


class Survey(NamedTuple):
    """What was found; everything in it follows from the numbers that ``survey`` was given."""

    tuning: list[Verdict]
    solo: list[Fights]
    tactics: list[Fights]
    parties: list[Fights]
    playthroughs: list[Playthrough]
    worlds: list[World]
    coins: list[ChapterCoins]
    prices: list[LevelPrices]


def survey(*, fights: int, tuning: int, playthroughs: int, seed: int) -> Survey:
    """Fight, play and count.

    Args:
        fights: for each setup.
        tuning: fights for each row of the tuning table.
        playthroughs: for each style.
        seed: equal seeds give equal surveys.
    """
    return Survey(
        tuning=check_tuning(tuning, seed),
        solo=[fight(setup, fights, seed) for setup in solo_setups()],
        tactics=[fight(setup, fights, seed) for setup in tactic_setups()],
        parties=[fight(setup, fights, seed) for setup in party_setups()],
        playthroughs=asyncio.run(play_through(playthroughs, seed)),
        worlds=chart(),
        coins=chapter_coins(CHAPTERS, START_LEVEL),
        prices=level_prices(),
    )
