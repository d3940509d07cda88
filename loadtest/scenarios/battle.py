"""Battle: players who seek nothing but fights, and rest in between; a referee judges every blow."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.engine.scenario import Scenario
from loadtest.engine.stage import Stage
from loadtest.limits import FIGHTS_OF_A_STORY_MAX
from loadtest.playthrough import Playthrough
from loadtest.scenarios.casts import check_played, load_world, play_casts
from loadtest.seat import Seat

__all__ = ["BATTLE"]


async def _act(seats: Sequence[Seat]) -> None:
    (seat,) = seats
    playthrough = Playthrough(seat, 1, fights=FIGHTS_OF_A_STORY_MAX)
    await playthrough.begin()
    await playthrough.lead()
    playthrough.check_end()


async def _play(stage: Stage) -> None:
    await play_casts(stage, _act)


BATTLE = Scenario(
    "battle",
    "fight after fight, rules watched",
    "actors.domains.entry",
    _play,
    load_world,
    check_played,
    rate=2.0,
    arguments=("--dev-fixtures",),
    has_service=True,
)
