"""Canary: a beat through the whole server, again and again, to see that all of it still works.

Each beat does what a client does: it subscribes, calls a reducer, and waits for the durable
answer, and for the update that the actor's timer causes. What does not come says which part is
broken.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, cast

import structlog

from actors.host import Host
from actors.host.caller import service_caller
from actors.module.tables import declaration_of
from actors.operations.canary import Beat, OperationsCanary, operations_beat
from actors.operations.kinds import CANARY, OPERATIONS_ROLE
from protocol.bsatn import compile_codec
from protocol.messages import (
    V2,
    CallReducer,
    ReducerOk,
    ReducerResult,
    Subscribe,
    SubscriptionError,
    TransactionUpdate,
    decode_server_message,
)
from protocol.values import ConnectionId
from server.limits import CANARY_PAUSE_SECONDS, CANARY_RED_SECONDS_MAX, CANARY_SECONDS_MAX

__all__ = ["Canary", "CanaryState", "Part"]

log = structlog.get_logger(__name__)

_KEY = CANARY.key("0")
_QUERY = "SELECT * FROM operations_canary"
_ROW = compile_codec(declaration_of(OperationsCanary).row_type)


class Part(Enum):
    """What can be broken; the value says it to people."""

    START = "no beat has ended yet"
    CALLS = "an actor does not take calls"
    JOURNAL = "a write does not become durable"
    TIMERS = "a timer that is due does not fire"
    DELTAS = "an update does not reach its subscriber"
    CANARY = "the canary itself is stuck"


class CanaryState(NamedTuple):
    """How the server is.

    Attributes:
        broken: the part that is; None when all is well.
        since: when the first beat in a row began that found this part broken, in microseconds
            since the Unix epoch; for START and CANARY, when the last one ended. 0 when all is well.
        beat_seconds: what the last good beat took; None before there was one.
    """

    broken: Part | None
    since: int
    beat_seconds: float | None


class _Ear:
    """The beat's end of its session: hears the answer and the update."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.has_answer = False
        self.has_update = False
        self.ended = asyncio.get_running_loop().create_future()

    @property
    def is_satisfied(self) -> bool:
        """Whether all that must come has come."""
        return self.has_answer and self.has_update

    def deliver(self, messages: list[bytes]) -> None:
        for data in messages:
            message, _ = decode_server_message(data, 0)
            if isinstance(message, ReducerResult) and isinstance(message.outcome, ReducerOk):
                self.has_answer = True
            elif isinstance(message, ReducerResult | SubscriptionError):
                self._end()
            elif isinstance(message, TransactionUpdate):
                self.has_update = self.has_update or self._number in _timed(message)
        if self.is_satisfied:
            self._end()

    def abort(self, close_code: int, reason: str) -> None:
        del close_code, reason
        self._end()

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


def _timed(update: TransactionUpdate) -> set[int]:
    """The beats whose timers an update tells of."""
    rows = (
        OperationsCanary(*cast("tuple[int, int, int]", _ROW.decode(data, 0)[0]))
        for query_set in update.query_sets
        for table in query_set.tables
        for share in table.rows
        for data in share.inserts
    )
    return {row.timed for row in rows}


class Canary:
    """Beats on a host that has started. Loop thread.

    Args:
        host: what is tried.
        clock: microseconds since the Unix epoch.
        stopwatch: seconds, monotonic.
    """

    def __init__(
        self,
        host: Host,
        clock: Callable[[], int],
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._clock = clock
        self._stopwatch = stopwatch
        self._caller = service_caller("canary", OPERATIONS_ROLE)
        self._turn = asyncio.Lock()
        self._number = 0
        self._ended_at = stopwatch()
        self._ended_time = clock()
        self._state = CanaryState(Part.START, self._ended_time, None)

    @property
    def state(self) -> CanaryState:
        """How the server was when the last beat ended; broken as well when that is too long ago."""
        if self._stopwatch() - self._ended_at < CANARY_RED_SECONDS_MAX:
            return self._state
        return CanaryState(Part.CANARY, self._ended_time, self._state.beat_seconds)

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            try:
                await self.beat()
            except Exception:
                log.exception("a beat of the canary broke")
            await asyncio.sleep(CANARY_PAUSE_SECONDS)

    async def beat(self) -> CanaryState:
        """Beat once; no two at the same time. It takes ``CANARY_SECONDS_MAX`` at most."""
        async with self._turn:
            began, began_time = self._stopwatch(), self._clock()
            broken = await self._try()
            before = self._state
            self._ended_at, self._ended_time = self._stopwatch(), self._clock()
            if broken is None:
                self._state = CanaryState(None, 0, self._ended_at - began)
            elif broken is not before.broken:
                self._state = CanaryState(broken, began_time, before.beat_seconds)
            if broken is not before.broken:
                _tell(before.broken, broken)
            return self._state

    async def _try(self) -> Part | None:
        host = self._host
        self._number = number = max(self._number + 1, self._clock())
        restarts = host.rounds.restarts
        ear = _Ear(number)
        session = host.open_session(
            claims=self._caller.claims,
            connection_id=ConnectionId(secrets.randbits(128) or 1),
            token="",
            wire=V2,
            confirmed=True,
            sink=ear,
        )
        session.connect_unannounced()
        name = operations_beat.__name__
        arguments = host.encode_arguments(name, (Beat(number),))
        session.receive([Subscribe(1, 1, (_QUERY,)), CallReducer(2, name, arguments)])
        await asyncio.wait((ear.ended,), timeout=CANARY_SECONDS_MAX)
        await session.disconnect()
        if host.rounds.restarts != restarts:
            return Part.JOURNAL
        return None if ear.is_satisfied else self._first_missing(ear, number)

    def _first_missing(self, ear: _Ear, number: int) -> Part:
        """The first of the things that did not happen, in the order in which they need each other.

        The rows in memory say what happened there, whether or not anybody was told.
        """
        host = self._host
        rows = host.core(_KEY).database.rows(OperationsCanary) if host.is_active(_KEY) else ()
        row = next(iter(rows), None)
        if row is None or row.written != number:
            return Part.CALLS
        if not ear.has_answer:
            return Part.JOURNAL
        return Part.DELTAS if row.timed == number else Part.TIMERS


def _tell(before: Part | None, now: Part | None) -> None:
    if now is not None:
        log.error("the canary is red", part=now.name.lower(), reason=now.value)
    elif before is not Part.START:
        log.info("the canary is green again")
