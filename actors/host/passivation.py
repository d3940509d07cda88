"""Passivation: which actors leave memory, and when.

An actor leaves when nobody has used it for long; and while all together take more than the budget,
those leave that were used least recently. What leaves is in the store, and comes back with the
next message to it.
"""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush, heapreplace
from typing import TYPE_CHECKING, NamedTuple

from actors.host.cell import Cell, CellState
from actors.host.checkpoints import Checkpoints
from actors.keys import ActorKey
from actors.limits import (
    IDLE_SECONDS,
    MEMORY_BYTES_DEFAULT,
    PASSIVATIONS_PER_SWEEP,
    PINNED_SECONDS,
    RESIDENT_SECONDS_MIN,
    SWEEP_SECONDS,
    SWEEP_SECONDS_BUDGET,
    WAKE_HORIZON_SECONDS,
)

if TYPE_CHECKING:
    from actors.host.host import Host

__all__ = ["Budget", "Passivation"]


_UNSEEN = float("-inf")
"""The time of use of an actor that no sweep has looked at."""


class Budget(NamedTuple):
    """What actors may take.

    Attributes:
        idle_seconds: how long an actor without messages and subscribers stays in memory.
        memory_bytes: what all actors in memory may take together, by estimate. More stay only
            when they are watched, connected, busy or just used.
    """

    idle_seconds: float = IDLE_SECONDS
    memory_bytes: int = MEMORY_BYTES_DEFAULT


class _Entry(NamedTuple):
    """A cell in the order of use.

    An actor has two when one was dismissed and another has come; ``tie`` says which is first, as
    cells themselves do not compare.
    """

    used_at: float
    key: ActorKey
    tie: int
    cell: Cell


def _entry(used_at: float, cell: Cell) -> _Entry:
    return _Entry(used_at, cell.core.key, id(cell), cell)


class Passivation:
    """The actors in memory, least recently used first, and what they take.

    A turn only notes its time in its own cell. Here stands when an actor was used as far as is
    known; an entry is brought up to date when it is the first, and believed only then. So the
    order is exact, a turn costs nothing, and a sweep looks at few more than those that leave.

    Args:
        host: asked about sessions and durability.
        cells: the actors in memory; who leaves is taken out.
        checkpoints: write what is left behind.
        loop: sweeps run in its callbacks, never inside a turn.
        budget: what there is.

    Attributes:
        resident_bytes: what all actors take, by the latest estimate of each.
        count: actors that have left, ever.
    """

    def __init__(
        self,
        host: Host,
        cells: dict[ActorKey, Cell],
        checkpoints: Checkpoints,
        loop: asyncio.AbstractEventLoop,
        budget: Budget,
    ) -> None:
        self._host = host
        self._cells = cells
        self._checkpoints = checkpoints
        self._loop = loop
        self._budget = budget
        self._order: list[_Entry] = []
        self.resident_bytes = 0
        self.count = 0
        self._is_called = False
        self._timer = loop.call_later(SWEEP_SECONDS, self.sweep)

    def stop(self) -> None:
        """Let everybody stay."""
        self._timer.cancel()
        self._is_called = True

    def admit(self, cell: Cell) -> None:
        """An actor has come into memory; after its first turns the next sweep weighs it again."""
        self.resident_bytes += cell.weigh()
        heappush(self._order, _entry(_UNSEEN, cell))
        if self._is_over() and not self._is_called:
            self._is_called = True
            self._call_later(0)

    def clear(self) -> None:
        """All actors have left memory, for another reason."""
        self._order.clear()
        self.resident_bytes = 0

    def sweep(self) -> None:
        """Let some leave; called again by itself, at once when that were not all who may."""
        self._is_called = False
        now = self._host.stopwatch()
        for _ in range(PASSIVATIONS_PER_SWEEP):
            is_over = self._is_over()
            enough = RESIDENT_SECONDS_MIN if is_over else self._budget.idle_seconds
            if not self._order or self._order[0].used_at >= now - enough:
                self._call_later(RESIDENT_SECONDS_MIN / 4 if is_over else SWEEP_SECONDS)
                return
            self._look_at_first(now)
            if self._host.stopwatch() - now > SWEEP_SECONDS_BUDGET:
                break  # weighing takes time by rows; the rest waits for the next loop turn
        self._is_called = True
        self._call_later(0)

    def _look_at_first(self, now: float) -> None:
        known_at, _, _, cell = self._order[0]
        size_bytes = cell.size_bytes
        if cell.state is CellState.GONE:
            heappop(self._order)  # it was dismissed
        elif cell.used_at > known_at:
            heapreplace(self._order, _entry(cell.used_at, cell))
            self.resident_bytes += cell.weigh() - size_bytes
        elif not self.may_leave(cell):
            # Who is pinned is mostly pinned for long: it goes behind those that can leave.
            again_at = now + PINNED_SECONDS if self._is_over() else now
            heapreplace(self._order, _entry(again_at, cell))
            self.resident_bytes += cell.weigh() - size_bytes
        else:
            heappop(self._order)
            self._let_go(cell, for_long=cell.used_at < now - self._budget.idle_seconds)

    def dismiss(self, cell: Cell) -> None:
        """Let an actor that may leave do so before its time."""
        assert self.may_leave(cell)
        self._let_go(cell, for_long=True)

    def _let_go(self, cell: Cell, *, for_long: bool) -> None:
        self.resident_bytes -= cell.size_bytes
        self.count += 1
        self._checkpoints.write_last(cell.core, for_long=for_long)
        del self._cells[cell.core.key]
        cell.end()

    def may_leave(self, cell: Cell) -> bool:
        """Whether nobody would notice if an actor left memory now, nor call it back at once."""
        soon = self._host.clock() + WAKE_HORIZON_SECONDS * 1_000_000
        return (
            not cell.is_busy
            and not self._host.is_home(cell.core.key)
            and cell.round_number <= self._host.rounds.durable_number
            and not 0 < cell.core.mail.wake_at() <= soon
        )

    def _is_over(self) -> bool:
        return self.resident_bytes > self._budget.memory_bytes

    def _call_later(self, seconds: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self.sweep)
