"""Wakes: when actors must take a turn although nobody calls them.

The store's due index knows every such time, durably; it is asked for the near future again and
again, so a timer fires after any restart. Only the near future is kept in memory.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from actors.keys import ActorKey
from actors.limits import (
    WAKE_BACKLOG_SECONDS,
    WAKE_HORIZON_SECONDS,
    WAKE_PAUSE_SECONDS,
    WAKES_PER_LOOK,
    WAKES_WAITING_MAX,
)
from persistence.errors import StoreError
from persistence.store import Store

__all__ = ["Wakes"]

log = logging.getLogger("actors.wakes")

_SECOND = 1_000_000


class Wakes:
    """A heap of (time, actor) and one timer of the loop.

    An actor may be in the heap at several times; a wake that finds nothing due does nothing. Who
    is late is woken in the order of times, and not all at once.

    Args:
        store: has the due index.
        clock: microseconds since the Unix epoch.
        wake: called with an actor whose time has come.
        spawn: runs a coroutine beside the rest.
        count_waiting: how many activations wait for the store.

    Attributes:
        count: wakes, ever.
    """

    def __init__(
        self,
        store: Store,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], int],
        wake: Callable[[ActorKey], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        count_waiting: Callable[[], int],
    ) -> None:
        self._store = store
        self._loop = loop
        self._clock = clock
        self._wake = wake
        self._spawn = spawn
        self._count_waiting = count_waiting
        self.count = 0
        self._horizon = 0
        self._heap: list[tuple[int, ActorKey]] = []
        self._known: set[tuple[int, ActorKey]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._is_stopped = False

    async def start(self) -> None:
        """Wake what is overdue, and look into the due index from now on."""
        await self._look_ahead()

    def stop(self) -> None:
        """Wake nobody any more."""
        self._is_stopped = True
        for handle in (self._timer, self._look):
            if handle is not None:
                handle.cancel()

    @property
    def late_seconds(self) -> float:
        """How long the earliest wake has been due that has not happened; 0 when none has."""
        if not self._heap:
            return 0.0
        return max(0.0, (self._clock() - self._heap[0][0]) / _SECOND)

    def add(self, at: int, key: ActorKey) -> None:
        """Wake an actor at a time, in microseconds since the Unix epoch.

        What lies beyond the last look into the due index is left to the next ones.
        """
        entry = (at, key)
        if at > self._horizon or entry in self._known or self._is_stopped:
            return
        self._known.add(entry)
        heapq.heappush(self._heap, entry)
        if self._heap[0] == entry:
            self._arm()

    def _arm(self, seconds_min: float = 0.0) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._heap:
            seconds = (self._heap[0][0] - self._clock()) / _SECOND
            self._timer = self._loop.call_later(max(seconds_min, seconds), self._fire)

    def _fire(self) -> None:
        """Wake whose time has come; not so many that callers' activations wait long behind them."""
        now = self._clock()
        room = WAKES_WAITING_MAX - self._count_waiting()
        while room > 0 and self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            self._known.discard(entry)
            self.count += 1
            self._wake(entry[1])
            room -= 1
        self._arm(0.0 if room > 0 else WAKE_PAUSE_SECONDS)

    async def look(self) -> bool:
        """Ask the due index for actors that sleep, and wake whose time has come by the clock.

        The loop does so again and again; whoever turns the clock by hand does it after each turn.
        Answers whether the index may hold more than could be taken.
        """
        self._horizon = self._clock() + 2 * WAKE_HORIZON_SECONDS * _SECOND
        found: list[tuple[str, int]] = []
        try:
            found = await self._store.due(self._horizon, WAKES_PER_LOOK)
        except StoreError as error:
            log.warning("the due index could not be read: %s", error)
        for actor, at in found:
            self.add(at, ActorKey(actor))
        if not self._is_stopped:
            self._fire()
        return len(found) == WAKES_PER_LOOK

    async def _look_ahead(self) -> None:
        seconds = WAKE_BACKLOG_SECONDS if await self.look() else WAKE_HORIZON_SECONDS
        if not self._is_stopped:
            self._look = self._loop.call_later(seconds, lambda: self._spawn(self._look_ahead()))
