"""Wakes: when actors must take a turn although nobody calls them.

Actors in memory are kept in a heap. Those that sleep are found in the store's due index, which is
asked for the near future again and again; so a timer fires after any restart.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from actors.keys import ActorKey
from actors.limits import WAKE_HORIZON_SECONDS, WAKES_PER_LOOK
from persistence.errors import StoreError
from persistence.store import Store

__all__ = ["Wakes"]

log = logging.getLogger("actors.wakes")

_SECOND = 1_000_000


class Wakes:
    """A heap of (time, actor) and one timer of the loop.

    An actor may be in the heap at several times; a wake that finds nothing due does nothing.

    Args:
        store: has the due index.
        wake: called with an actor whose time has come.
    """

    def __init__(
        self,
        store: Store,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], int],
        wake: Callable[[ActorKey], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._store = store
        self._loop = loop
        self._clock = clock
        self._wake = wake
        self._spawn = spawn
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

    def add(self, at: int, key: ActorKey) -> None:
        """Wake an actor at a time, in microseconds since the Unix epoch."""
        entry = (at, key)
        if entry in self._known or self._is_stopped:
            return
        self._known.add(entry)
        heapq.heappush(self._heap, entry)
        if self._heap[0] == entry:
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._heap:
            delay = max(0.0, (self._heap[0][0] - self._clock()) / _SECOND)
            self._timer = self._loop.call_later(delay, self._fire)

    def _fire(self) -> None:
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            self._known.discard(entry)
            self._wake(entry[1])
        self._arm()

    async def look(self) -> None:
        """Ask the due index for actors that sleep, and wake whose time has come by the clock.

        The loop does so again and again; whoever turns the clock by hand does it after each turn.
        """
        try:
            before = self._clock() + 2 * WAKE_HORIZON_SECONDS * _SECOND
            for actor, at in await self._store.due(before, WAKES_PER_LOOK):
                self.add(at, ActorKey(actor))
        except StoreError as error:
            log.warning("the due index could not be read: %s", error)
        if not self._is_stopped:
            self._fire()

    async def _look_ahead(self) -> None:
        await self.look()
        if not self._is_stopped:
            self._look = self._loop.call_later(
                WAKE_HORIZON_SECONDS, lambda: self._spawn(self._look_ahead())
            )
