from __future__ import annotations

import asyncio
import time

from loadtest.engine.arrivals import Arrivals
from loadtest.engine.turns import ClosedTurns, OpenTurns


async def test_arrivals_go_to_whoever_is_free_in_their_order() -> None:
    start = time.monotonic_ns()
    turns = OpenTurns(Arrivals(1_000), start, start + 20_000_000)
    taken: list[list[int]] = [[], []]

    async def user(own: list[int]) -> None:
        while (due := await turns.take()) is not None:
            assert time.monotonic_ns() >= due
            own.append(due)

    await asyncio.gather(*map(user, taken))
    assert sorted(taken[0] + taken[1]) == [start + number * 1_000_000 for number in range(20)]
    assert all(own == sorted(own) for own in taken)


async def test_an_arrival_that_nobody_could_take_keeps_its_moment() -> None:
    long_ago = time.monotonic_ns() - 5_000_000_000
    turns = OpenTurns(Arrivals(1), long_ago, long_ago + 3_000_000_000)
    dues = [await turns.take() for _ in range(4)]
    assert dues == [long_ago, long_ago + 1_000_000_000, long_ago + 2_000_000_000, None]


async def test_a_closed_loop_thinks_and_ends() -> None:
    now = time.monotonic_ns()
    turns = ClosedTurns(now, now + 60_000_000_000, 0.002, chance=lambda: 1.0)
    first = await turns.take()
    assert first is not None
    assert first >= now + 3_000_000
    assert await ClosedTurns(now, now, 0.0).take() is None
