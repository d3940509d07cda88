"""Rounds: a loop turn's journal records in one batch, and what may leave once they are durable.

Everything that the actors of a loop turn have committed goes to the store as one batch, and every
answer and update of that turn waits for it (confirmed reads, wire spec 8.4). Rounds become durable
in order, so a message can never overtake one that was made before it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from actors.host.tallies import RoundTally
from persistence.errors import StoreError
from persistence.store import PlainAppend, Store
from protocol.close_codes import CLOSE_INTERNAL_ERROR

__all__ = ["Mouth", "Rounds"]

log = logging.getLogger("actors.rounds")


class Mouth(ABC):
    """A connection's outgoing end.

    Attributes:
        is_confirmed: messages wait until what they tell is durable (wire spec 8.4).
    """

    __slots__ = ("is_confirmed",)

    def __init__(self, *, is_confirmed: bool) -> None:
        self.is_confirmed = is_confirmed

    @abstractmethod
    def take_pushed(self) -> list[bytes]:
        """The messages pushed since the last round, and forget them."""

    @abstractmethod
    def deliver(self, messages: list[bytes]) -> None:
        """Send messages; raises nothing."""

    @abstractmethod
    def abort(self, close_code: int, reason: str) -> None:
        """Close the connection; raises nothing."""


class Rounds:
    """Gathers records and messages, hands them to the store, and lets messages go.

    Args:
        store: takes the records.
        loop: rounds end in its callbacks.
        failed: called when a round could not be stored; nothing of it or after it leaves.
        stopwatch: seconds, monotonic.

    Attributes:
        number: of the round that is being gathered.
        durable_number: of the last one that is durable.
        restarts: how often everything that was not durable has been forgotten.
        tally: what went to the store.
    """

    def __init__(
        self,
        store: Store,
        loop: asyncio.AbstractEventLoop,
        failed: Callable[[StoreError], None],
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.tally = RoundTally()
        self.number = 1
        self.durable_number = 0
        self.restarts = 0
        self._store = store
        self._loop = loop
        self._failed = failed
        self._stopwatch = stopwatch
        self._appends: list[PlainAppend] = []
        self._mouths: list[Mouth] = []
        self._callbacks: list[Callable[[], None]] = []
        self._handovers: list[Callable[[], None]] = []
        self._waiters: set[asyncio.Future[bool]] = set()
        self._is_scheduled = False

    def append(self, entry: PlainAppend) -> None:
        """Add a record to this round."""
        self._appends.append(entry)
        if not self._is_scheduled:
            self._schedule()

    def touch(self, mouth: Mouth) -> None:
        """Note that a connection has messages that belong to this round; once per round."""
        self._mouths.append(mouth)
        if not self._is_scheduled:
            self._schedule()

    def when_durable(self, callback: Callable[[], None]) -> None:
        """Call back when everything so far is durable."""
        self._callbacks.append(callback)
        if not self._is_scheduled:
            self._schedule()

    def when_handed_over(self, callback: Callable[[], None]) -> None:
        """Call back right after this round's records have been given to the store."""
        self._handovers.append(callback)
        if not self._is_scheduled:
            self._schedule()

    async def durable(self) -> bool:
        """Wait until everything so far is durable; False when the store refused some of it."""
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._waiters.add(waiter)
        self.when_durable(lambda: _set(waiter, result=True))
        try:
            return await waiter
        finally:
            self._waiters.discard(waiter)

    def flush(self) -> None:
        """End the round now."""
        self._is_scheduled = False
        appends, self._appends = self._appends, []
        mouths, self._mouths = self._mouths, []
        callbacks, self._callbacks = self._callbacks, []
        number = self.number
        self.number += 1
        held: list[tuple[Mouth, list[bytes]]] = []
        for mouth in mouths:
            messages = mouth.take_pushed()
            if mouth.is_confirmed:
                held.append((mouth, messages))
            else:
                _deliver(mouth, messages)
        if not appends and self.durable_number == number - 1:
            self._settle(number, held, callbacks)
        else:
            began = self._stopwatch()
            size = len(appends)

            def done(error: StoreError | None) -> None:
                if size and error is None:
                    self.tally.seconds.note(self._stopwatch() - began)
                self._done(error, number, held, callbacks)

            # An empty batch is told done when everything before it is durable.
            self._store.append(appends, done)
            if size:
                self.tally.sizes.note(size)
        handovers, self._handovers = self._handovers, []
        for callback in handovers:
            callback()

    def _schedule(self) -> None:
        self._is_scheduled = True
        self._loop.call_soon(self.flush)

    def _done(
        self,
        error: StoreError | None,
        number: int,
        held: list[tuple[Mouth, list[bytes]]],
        callbacks: list[Callable[[], None]],
    ) -> None:
        if error is None:
            self._settle(number, held, callbacks)
        else:
            self.tally.refused += 1
            for waiter in self._waiters:
                _set(waiter, result=False)
            self._failed(error)

    def _settle(
        self,
        number: int,
        held: list[tuple[Mouth, list[bytes]]],
        callbacks: list[Callable[[], None]],
    ) -> None:
        self.durable_number = number
        for mouth, messages in held:
            _deliver(mouth, messages)
        for callback in callbacks:
            try:
                callback()
            except Exception:
                log.exception("what waited for durability failed")

    def restart(self) -> None:
        """After a failure: forget what was gathered, and count from here."""
        self.restarts += 1
        for mouth in self._mouths:
            mouth.take_pushed()
        self._appends.clear()
        self._mouths.clear()
        self._callbacks.clear()
        self._handovers.clear()
        self.durable_number = self.number - 1


def _deliver(mouth: Mouth, messages: list[bytes]) -> None:
    try:
        mouth.deliver(messages)
    except Exception:
        # One broken connection must not stop the others' acknowledgements; and it must not live
        # on without these messages, or its client would wait, and be wrong, for ever.
        log.exception("a connection failed to take its messages")
        mouth.abort(CLOSE_INTERNAL_ERROR, "messages were lost, connect again")


def _set(waiter: asyncio.Future[bool], *, result: bool) -> None:
    if not waiter.done():
        waiter.set_result(result)
