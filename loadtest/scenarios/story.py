"""Story: whole playthroughs by policy, alone or in parties; a referee beside each player."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.engine.scenario import Scenario, Shape
from loadtest.engine.stage import Stage
from loadtest.party import play_together
from loadtest.scenarios.casts import check_played, load_world, play_casts
from loadtest.seat import Seat

__all__ = ["STORY"]

_CHAPTERS = 5


async def _act(seats: Sequence[Seat]) -> None:
    await play_together(seats, _CHAPTERS)


async def _play(stage: Stage) -> None:
    await play_casts(stage, _act)


STORY = Scenario(
    "story",
    "whole playthroughs, rules watched",
    "actors.domains.entry",
    _play,
    load_world,
    check_played,
    rate=2.0,
    arguments=("--dev-fixtures",),
    shapes=frozenset({Shape.PARTIES}),
    has_service=True,
)
