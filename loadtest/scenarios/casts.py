"""Casts: players of the game who play stories one after the other, each story by new players.

A player's turns are the load's: in an open loop each call of the game is an arrival, made by
whoever is ready for its next step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from loadtest.engine.meter import Meter
from loadtest.engine.scenario import Facts, Finding
from loadtest.engine.stage import Site, Stage
from loadtest.engine.turns import wait_until
from loadtest.errors import CheckError, LoadTestError, TimeIsUpError
from loadtest.limits import CONNECTS_AT_ONCE
from loadtest.player import Deltas
from loadtest.seat import Seat
from loadtest.story import load_fixture_world

__all__ = ["Act", "check_played", "load_world", "play_casts"]

Act = Callable[[Sequence[Seat]], Awaitable[None]]
"""Plays one story to its end, by players who have not played yet."""

_PLAYED = "stories played to their end"


async def load_world(site: Site) -> None:
    """Publish the world that is played; the server must allow fixtures."""
    await load_fixture_world(site.address, site.need_service())


async def check_played(_site: Site, finding: Finding) -> Facts:
    """How many stories came to their end."""
    return {_PLAYED: finding.notes.get(_PLAYED, 0)}


async def play_casts(stage: Stage, act: Act) -> None:
    """Let this process's players play, in casts of the plan's party, until the end."""
    gate = asyncio.Semaphore(CONNECTS_AT_ONCE)
    numbers, party = stage.numbers, stage.plan.party
    casts = [numbers[first : first + party] for first in range(0, len(numbers), party)]
    await asyncio.gather(*(_play_on(stage, cast, act, gate) for cast in casts))


async def _play_on(stage: Stage, cast: Sequence[int], act: Act, gate: asyncio.Semaphore) -> None:
    await wait_until(stage.comes_at(cast[0]))
    while await _play_once(stage, cast, act, gate):
        stage.meter.notes[_PLAYED] += 1


async def _play_once(stage: Stage, cast: Sequence[int], act: Act, gate: asyncio.Semaphore) -> bool:
    """Play one story; False when there is to be no further one."""
    meter = stage.meter
    seats: list[Seat] = []
    async with AsyncExitStack() as stack:
        try:
            for number in cast:
                async with gate:
                    seat = await Seat.take(
                        stage.site.address,
                        stage.schema,
                        meter,
                        stage.turns(number),
                        stage.plan.subprotocol,
                    )
                seat.player.watch(_counted(seat, meter))
                meter.connections += 1
                stack.push_async_callback(_leave, stage, seat)
                seats.append(seat)
            await act(seats)
        except TimeIsUpError:
            return False
        except CheckError as error:
            if not any(seat.referee.violations for seat in seats):
                meter.broke(str(error))
            return False
        except (LoadTestError, TimeoutError, OSError) as error:
            meter.failed(type(error).__name__)
            meter.broke(f"a player could not go on: {error or type(error).__name__}")
            return False
    return True


def _counted(seat: Seat, meter: Meter) -> Callable[[Deltas], None]:
    """Shows a player's commits to its referee, and counts them."""

    def watch(deltas: Deltas) -> None:
        meter.delivered()
        seat.referee.observe(deltas)

    return watch


async def _leave(stage: Stage, seat: Seat) -> None:
    await seat.leave()
    stage.meter.connections -= 1
