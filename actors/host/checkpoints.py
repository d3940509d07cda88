"""Checkpoints: when an actor's rows are written beside its journal, and how."""

from __future__ import annotations

import asyncio
import logging
from typing import Final
from zlib import crc32

from actors.host.core import ActorCore
from actors.keys import ActorKey
from actors.limits import (
    CHECKPOINT_BYTES,
    CHECKPOINT_RECORDS,
    CHECKPOINT_STEP_RECORDS,
    SLEEPER_RECORDS_MAX,
)
from persistence.errors import StoreError
from persistence.store import Store

__all__ = ["Checkpoints"]

log = logging.getLogger("actors.checkpoints")

_LARGE_BYTES: Final = CHECKPOINT_BYTES // CHECKPOINT_RECORDS


class Checkpoints:
    """Asks the store to keep rows, so that journals stay short.

    Attributes:
        count: checkpoints that were written, ever.
        failed_count: those that failed.
    """

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop
        self.count = 0
        self.failed_count = 0
        self._due: set[ActorKey] = set()
        # Per actor in memory: bytes of the large records since its last checkpoint.
        self._large: dict[str, int] = {}

    def note(self, actor: str, seq: int, record: bytes) -> bool:
        """Look at a new record; True when its actor's checkpoint has come due.

        Actors that began together must not be checkpointed together: each has its own remainder.
        """
        is_heavy = len(record) >= _LARGE_BYTES and self._is_heavy(actor, len(record))
        if not is_heavy:
            if seq % CHECKPOINT_STEP_RECORDS:
                return False
            steps = seq // CHECKPOINT_STEP_RECORDS + crc32(actor.encode())
            if steps % (CHECKPOINT_RECORDS // CHECKPOINT_STEP_RECORDS):
                return False
        self._due.add(ActorKey(actor))
        return True

    def _is_heavy(self, actor: str, size: int) -> bool:
        tail_bytes = self._large.pop(actor, 0) + size
        if tail_bytes >= CHECKPOINT_BYTES:
            return True
        self._large[actor] = tail_bytes
        return False

    def take_due(self) -> set[ActorKey]:
        """The actors whose checkpoint has come due since this was asked before."""
        due, self._due = self._due, set()
        return due

    def clear(self) -> None:
        """All actors have left memory; what was noted of them may not have been stored."""
        self._due.clear()
        self._large.clear()

    def write_last(self, core: ActorCore, *, for_long: bool) -> None:
        """Store the rows of an actor that leaves memory, if that is worth it.

        Who leaves ``for_long`` leaves no journal to be read; who only makes room is back soon.
        """
        self._large.pop(core.key, None)
        tail = core.seq - core.base_seq
        if tail > (0 if for_long else SLEEPER_RECORDS_MAX):
            self.write(core)

    def write(self, core: ActorCore) -> asyncio.Future[None]:
        """Store an actor's rows as they are; a failure loses nothing and is only logged.

        The store must have been given all of the actor's records: checkpoints queue behind them,
        so no row can get there before the record that it comes from.
        """
        key, through, changes = core.key, core.seq, core.take_changes()
        self._large.pop(key, None)
        future: asyncio.Future[None] = self._loop.create_future()

        def done(error: StoreError | None) -> None:
            if error is None:
                self.count += 1
                core.base_seq = max(core.base_seq, through)
            else:
                self.failed_count += 1
                log.error(
                    "checkpoint of %s failed: %s", key, error, extra={"actor": key, "seq": through}
                )
            if not future.done():
                future.set_result(None)

        self._store.checkpoint(key, through, done, changes, core.recorded_at)
        return future
