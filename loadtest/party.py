"""Party: players in one story, and the check that they were all told the same."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from loadtest.errors import CheckError
from loadtest.playthrough import Playthrough
from loadtest.seat import Seat

__all__ = ["check_told_alike", "play_together"]


async def play_together(seats: Sequence[Seat], chapters: int, whims: int = 0) -> None:
    """Play one story: the first seat is the host's, the others are guests'.

    Args:
        seats: players who have not played yet.
        chapters: leave the story after so many.
        whims: needless steps in a thousand.

    Raises:
        CheckError: a rule is broken, or two players saw different stories.
        RefusedError: a call was refused that the rows allow.
    """
    host, *guests = (Playthrough(seat, chapters, whims) for seat in seats)
    await host.begin()
    if guests:
        invitation = await host.invite()
        await asyncio.gather(*(guest.join(invitation) for guest in guests))
        await host.seat.until(lambda: len(host.seat.rows("story_participant")) == len(seats))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(host.lead())
            for guest in guests:
                group.create_task(guest.follow())
    except* Exception as failures:  # noqa: BLE001 - the first of them is the reason
        raise failures.exceptions[0] from None
    for each in (host, *guests):
        each.check_end()
    check_told_alike([seat.referee.told for seat in seats])


def check_told_alike(told: Sequence[Mapping[str, list[Any]]]) -> None:
    """Check that all were told the same story and battle events in the same order.

    Args:
        told: what each was told, by table; the host first.

    Raises:
        CheckError: two of them were told different things.
    """
    host, *guests = told
    for number, guest in enumerate(guests, start=1):
        for table, rows in host.items():
            pairs = enumerate(zip_longest(rows, guest[table]))
            at = next((place for place, (one, other) in pairs if one != other), None)
            if at is not None:
                raise CheckError(f"guest {number} was told another {table} than the host, at {at}")
