"""Census: a count of the actors in memory and of what waits in them, taken a few at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from actors.host.cell import Cell, CellState
from actors.keys import ActorKey
from actors.limits import CENSUS_CELLS_PER_SLICE
from actors.module.system import ActorTimer, DeadLetter, OutboxMessage

__all__ = ["Census", "take_census"]


@dataclass(slots=True)
class Census:
    """Sums over all actors in memory; of those that came or left meanwhile some are missing.

    Attributes:
        actors: by kind.
        loading: actors whose rows are being read.
        quarantined: actors that take no calls.
        mailbox_messages: messages that wait for their turn.
        mailbox_messages_max: of one actor.
        unsent_messages: messages and requests for effects that nobody has acknowledged.
        timers: that are set.
        dead_letters: that wait for somebody to look at them.
        watched: actors whose rows somebody subscribes to.
        plans: queries that somebody subscribes to; equal ones over one actor are one.
        subscriptions: places in those plans, one for each query set and plan.
    """

    actors: Counter[str] = field(default_factory=Counter)
    loading: int = 0
    quarantined: int = 0
    mailbox_messages: int = 0
    mailbox_messages_max: int = 0
    unsent_messages: int = 0
    timers: int = 0
    dead_letters: int = 0
    watched: int = 0
    plans: int = 0
    subscriptions: int = 0

    def count(self, cell: Cell) -> None:
        """Add one actor."""
        core = cell.core
        self.actors[core.key.partition("/")[0]] += 1
        waiting = cell.waiting
        self.mailbox_messages += waiting
        self.mailbox_messages_max = max(self.mailbox_messages_max, waiting)
        if cell.state is not CellState.ACTIVE:
            self.loading += cell.state is CellState.LOADING
            return
        self.quarantined += core.is_quarantined
        database = core.database
        self.unsent_messages += len(database.rows(OutboxMessage))
        self.timers += len(database.rows(ActorTimer))
        self.dead_letters += len(database.rows(DeadLetter))
        if core.is_watched:
            self.watched += 1
            plans, places = core.board.load()
            self.plans += plans
            self.subscriptions += places


async def take_census(kinds: Iterable[str], cells: Mapping[ActorKey, Cell]) -> Census:
    """Count actors of these kinds, letting the loop go on between any few of them."""
    census = Census(actors=Counter(dict.fromkeys(kinds, 0)))
    present = list(cells.values())
    for start in range(0, len(present), CENSUS_CELLS_PER_SLICE):
        for cell in present[start : start + CENSUS_CELLS_PER_SLICE]:
            if cell.state is not CellState.GONE:
                census.count(cell)
        await asyncio.sleep(0)
    return census
