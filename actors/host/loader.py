"""Loader: reads the rows of actors that are being activated, many in one look at the store."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from actors.errors import ReducerError
from actors.host.cell import Cell, CellState
from actors.keys import ActorKey
from actors.limits import (
    ACTIVATION_SECONDS_BUDGET,
    ACTIVATIONS_PER_COLLECTION,
    ACTIVATIONS_PER_LOAD,
)
from persistence.errors import CorruptActorError, StoreError
from persistence.store import Snapshot, Store

__all__ = ["Loader"]

log = logging.getLogger("actors.loader")


class Loader:
    """Activations that arrive while the store is read wait for the next read, together.

    Actors that were read are brought into memory a few at a time, however many they are: those
    that are there already take their turns in between.

    Attributes:
        damaged: actors whose stored rows could not be understood when they were last read.
        count: actors that came into memory, ever.

    Args:
        store: where the rows are.
        adopt: told each cell whose rows have been read, or the error.
        spawn: runs a coroutine beside the rest.
        stopwatch: seconds, monotonic.
        count_residents: how many actors are in memory.
    """

    def __init__(
        self,
        store: Store,
        adopt: Callable[[Cell, ReducerError | None], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        stopwatch: Callable[[], float],
        count_residents: Callable[[], int],
    ) -> None:
        self._store = store
        self._adopt = adopt
        self._spawn = spawn
        self._stopwatch = stopwatch
        self._count_residents = count_residents
        self._queue: deque[Cell] = deque()
        self._reading = 0
        self._unseen = 0
        self._frozen = 0
        self._is_loading = False
        self._is_held = False
        self.damaged: set[ActorKey] = set()
        self.count = 0

    def __len__(self) -> int:
        """How many actors wait for their rows."""
        return len(self._queue) + self._reading

    def hold(self) -> None:
        """Read nothing until ``release``."""
        self._is_held = True

    def release(self) -> None:
        """Read what waits, and what comes."""
        self._is_held = False
        self._start()

    def load(self, cell: Cell) -> None:
        """Read a cell's rows, soon."""
        self._queue.append(cell)
        self._start()

    def _start(self) -> None:
        if self._queue and not self._is_loading and not self._is_held:
            self._is_loading = True
            self._spawn(self._load_all())

    async def _load_all(self) -> None:
        try:
            while self._queue and not self._is_held:
                count = min(len(self._queue), ACTIVATIONS_PER_LOAD)
                self._reading = count
                await self._load([self._queue.popleft() for _ in range(count)])
                self._spare_collector(count)
        finally:
            self._reading = 0
            self._is_loading = False

    def _spare_collector(self, activations: int) -> None:
        """Let the garbage collector look at new actors while they are few, and not again.

        Left alone it looks at whole populations: 850 ms with 100,000 actors; and it finds nothing,
        because an actor that leaves memory is freed at once (``ActorCore.close``). What is frozen
        is never looked at again, so that is done only as there are more actors than ever before:
        of what else lives at that moment, a part may become garbage that nobody finds.
        """
        self._unseen += activations
        if self._unseen < ACTIVATIONS_PER_COLLECTION:
            return
        self._unseen = 0
        gc.collect(0)
        residents = self._count_residents()
        if residents >= self._frozen + ACTIVATIONS_PER_COLLECTION:
            self._frozen = residents
            gc.freeze()

    async def _load(self, cells: list[Cell]) -> None:
        try:
            found = await self._store.load([cell.core.key for cell in cells])
        except StoreError as error:
            log.warning("%d actors could not be read: %s", len(cells), error)
            for cell in cells:
                self._adopt(cell, _unavailable())
            return
        began = self._stopwatch()
        for cell, snapshot in zip(cells, found, strict=True):
            self._recover(cell, snapshot)
            if self._stopwatch() - began > ACTIVATION_SECONDS_BUDGET:
                await asyncio.sleep(0)
                began = self._stopwatch()

    def _recover(self, cell: Cell, snapshot: Snapshot | CorruptActorError) -> None:
        """Give a cell its rows, unless it has gone while they were read."""
        self._reading -= 1
        if cell.state is not CellState.LOADING:
            return
        try:
            if isinstance(snapshot, CorruptActorError):
                raise snapshot
            cell.core.recover(snapshot)
        except Exception:
            # Bytes of unknown origin: whatever they break, the other actors go on.
            log.exception(
                "%s is damaged and stays away", cell.core.key, extra={"actor": cell.core.key}
            )
            self.damaged.add(cell.core.key)
            self._adopt(cell, _unavailable())
        else:
            self.count += 1
            self.damaged.discard(cell.core.key)
            self._adopt(cell, None)


def _unavailable() -> ReducerError:
    return ReducerError("state.actor_unavailable", "its stored rows cannot be read")
