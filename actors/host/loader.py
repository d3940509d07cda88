"""Loader: reads the rows of actors that are being activated, many in one look at the store."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from actors.errors import ReducerError
from actors.host.cell import Cell, CellState
from actors.keys import ActorKey
from actors.limits import ACTIVATIONS_PER_FREEZE, ACTIVATIONS_PER_LOAD
from persistence.errors import CorruptActorError, StoreError
from persistence.store import Store

__all__ = ["Loader"]

log = logging.getLogger("actors.loader")


class Loader:
    """Activations that arrive while the store is read wait for the next read, together.

    Attributes:
        damaged: actors whose stored rows could not be understood when they were last read.

    Args:
        store: where the rows are.
        adopt: told each cell whose rows have been read, or the error.
        spawn: runs a coroutine beside the rest.
    """

    def __init__(
        self,
        store: Store,
        adopt: Callable[[Cell, ReducerError | None], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._store = store
        self._adopt = adopt
        self._spawn = spawn
        self._queue: list[Cell] = []
        self._unfrozen = 0
        self._is_loading = False
        self._is_held = False
        self.damaged: set[ActorKey] = set()

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
                cells = self._queue[:ACTIVATIONS_PER_LOAD]
                del self._queue[:ACTIVATIONS_PER_LOAD]
                await self._load(cells)
                self._spare_collector(len(cells))
        finally:
            self._is_loading = False

    def _spare_collector(self, activations: int) -> None:
        """Take what is in memory out of the garbage collector's sight, now and then.

        A full collection looks at every object there is: 850 ms with 100,000 actors, and it finds
        nothing, because an actor that leaves memory is freed at once (``ActorCore.close``).
        """
        self._unfrozen += activations
        if self._unfrozen >= ACTIVATIONS_PER_FREEZE:
            self._unfrozen = 0
            gc.collect(1)
            gc.freeze()

    async def _load(self, cells: list[Cell]) -> None:
        try:
            found = await self._store.load([cell.core.key for cell in cells])
        except StoreError:
            log.exception("%d actors could not be read", len(cells))
            for cell in cells:
                self._adopt(cell, _unavailable())
            return
        for cell, snapshot in zip(cells, found, strict=True):
            if cell.state is not CellState.LOADING:
                continue
            try:
                if isinstance(snapshot, CorruptActorError):
                    raise snapshot
                cell.core.recover(snapshot)
            except Exception:
                # Bytes of unknown origin: whatever they break, the other actors go on.
                log.exception("%s is damaged and stays away", cell.core.key)
                self.damaged.add(cell.core.key)
                self._adopt(cell, _unavailable())
            else:
                self.damaged.discard(cell.core.key)
                self._adopt(cell, None)


def _unavailable() -> ReducerError:
    return ReducerError("state.actor_unavailable", "its stored rows cannot be read")
