"""Cell: the place in memory where one actor lives, from its activation to its passivation."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_left
from collections.abc import Iterable
from enum import Enum
from typing import Any

from actors.errors import ReducerError
from actors.host.core import ActorCore
from actors.host.histogram import TURN_BOUNDS
from actors.host.loop_actor import LoopActor, MailboxFullError, ReadyActors
from actors.host.meter import Meter
from actors.host.turns import Turn, unavailable
from actors.limits import ACTOR_BYTES, TURN_SECONDS_BUDGET

__all__ = ["Cell", "CellState"]

log = logging.getLogger("actors.cell")


class CellState(Enum):
    """Where an actor is in its life."""

    LOADING = "loading"
    """Its rows are being read; messages wait."""
    ACTIVE = "active"
    """It takes turns."""
    GONE = "gone"
    """It has left memory; a message to its key makes a new cell."""


class Cell(LoopActor):
    """One actor, run by the event loop.

    Attributes:
        used_at: when it last took a message, in seconds of the meter's stopwatch.
        round_number: the last round that one of its records went into.
        size_bytes: what it takes in memory, as it was last estimated.
        turns: taken since its activation.
        busy_seconds: what they took together.
        slow_turns: those of them that were over their budget.
        slowest_seconds: what the longest of those took.
    """

    def __init__(self, core: ActorCore, meter: Meter, ready: ReadyActors) -> None:
        super().__init__(core.key, ready)
        self.core = core
        self.state = CellState.LOADING
        self.used_at = meter.stopwatch()
        self.round_number = 0
        self.size_bytes = 0
        self.turns = 0
        self.busy_seconds = 0.0
        self.slow_turns = 0
        self.slowest_seconds = 0.0
        self._meter = meter
        self._commits: list[asyncio.Future[None]] | None = None
        self._loaded: list[asyncio.Future[None]] | None = None
        self.hold()

    def offer(self, message: Turn) -> bool:
        """Give the actor a message; False when it cannot take it, and the message does not know."""
        try:
            self.tell(message)
        except MailboxFullError:
            return False
        return True

    def begin(self, first: Iterable[Turn]) -> None:
        """Its rows are there: take turns; those in ``first`` come before what waits."""
        self.state = CellState.ACTIVE
        self.used_at = self._meter.stopwatch()
        self.put_first(first)
        self._settle_loaded(None)
        self.release()

    def end(self, error: ReducerError | None = None) -> None:
        """Leave memory; what still waits is refused."""
        error = error or unavailable()
        self.state = CellState.GONE
        self.hold()
        for message in self.take_waiting():
            message.refuse(error)
        self._settle_loaded(error)
        self._settle_commits()
        self.core.close()

    @property
    def is_busy(self) -> bool:
        """Whether somebody would notice now if it left memory: a reader, a waiter, a message.

        Or an operator: an actor in quarantine stays in it until it is released.
        """
        return (
            self.state is not CellState.ACTIVE
            or bool(self._waiting)
            or self.core.is_watched
            or self.core.is_quarantined
            or not all(future.done() for future in self._commits or ())
        )

    def weigh(self) -> int:
        """Estimate anew what it takes in memory; the time that takes grows with its rows."""
        self.size_bytes = ACTOR_BYTES + self.core.database.size_bytes()
        return self.size_bytes

    async def loaded(self) -> None:
        """Wait until the actor takes turns; raises ReducerError when it cannot be loaded."""
        if self.state is CellState.LOADING:
            future: asyncio.Future[None] = self._ready.loop.create_future()
            self._loaded = [*(self._loaded or ()), future]
            await future
        elif self.state is CellState.GONE:
            raise unavailable()

    def next_commit(self) -> asyncio.Future[None]:
        """A future that is done after the next turns that changed something."""
        future: asyncio.Future[None] = self._ready.loop.create_future()
        self._commits = [*(self._commits or ()), future]
        return future

    def on_batch(self, batch: list[Any]) -> None:
        """Take a turn for each message, in order."""
        meter, core = self._meter, self.core
        stopwatch, watch = meter.stopwatch, meter.turn_watch
        if watch is not None and not watch.opens(core.key, len(batch)):
            watch = None
        now = meter.clock()
        seq, counts, fast = core.seq, meter.turn_seconds.counts, TURN_BOUNDS[0]
        first = began = stopwatch()
        slower = 0
        meter.running_core = core
        for message in batch:
            turn: Turn = message
            meter.running_turn = turn
            try:
                turn.turn(core, now)
            except Exception:
                # A turn answers for itself; whatever escapes must not take the others with it.
                log.exception("a turn escaped in %s", core.key)
                core.rollback()
            ended = stopwatch()
            seconds = ended - began
            if seconds > fast:
                slower += 1
                counts[bisect_left(TURN_BOUNDS, seconds)] += 1
                if seconds > TURN_SECONDS_BUDGET:
                    self._note_slow(message, seconds)
            if watch is not None:
                watch.turn_taken(core, message, seconds)
            began = ended
        meter.running_core = meter.running_turn = None
        counts[0] += len(batch) - slower
        meter.turns_taken(len(batch), began - first)
        self.turns += len(batch)
        self.busy_seconds += began - first
        self.used_at = began
        if core.seq != seq:
            self.round_number = meter.rounds.number
            if self._commits is not None:
                self._settle_commits()

    def _note_slow(self, message: Turn, seconds: float) -> None:
        self._meter.slow_turn_count += 1
        self.slow_turns += 1
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        name = type(message).__name__
        log.warning("a turn of %s took %.0f ms (%s)", self.core.key, seconds * 1000, name)

    def _settle_commits(self) -> None:
        futures, self._commits = self._commits or (), None
        for future in futures:
            if not future.done():
                future.set_result(None)

    def _settle_loaded(self, error: ReducerError | None) -> None:
        futures, self._loaded = self._loaded or (), None
        for future in futures:
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
