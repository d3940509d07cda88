"""Fan-out: one writer, and everybody else follows; nobody may miss a write or see two out of order.

The writer's row carries the number of the write and when it was due, so that any process that reads
it knows what it missed and how long it took. The row is an account of the bank: it has one number.
Who follows in v3 looks at the bytes of updates that all have one shape; in other versions a bot
decodes them.
"""

from __future__ import annotations

import asyncio
import struct
from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from loadtest.bot import Bot
from loadtest.engine.guests import Guest, play_guests
from loadtest.engine.scenario import Facts, Finding, Scenario, Shape
from loadtest.engine.stage import Site, Stage
from loadtest.errors import CheckError, RefusedError, expect
from loadtest.limits import DRAIN_SECONDS_MAX, WRITES_IN_FLIGHT_MAX
from loadtest.subscriber import Subscriber
from protocol.messages.answers import QuerySetUpdate, TransactionUpdate
from protocol.messages.v2_client import decode_server_message
from protocol.upgrade import Subprotocol

__all__ = ["FANOUT", "Stamp"]

_QUERY = "SELECT * FROM accounts"
_MICROS_BITS = 40
_LAST = (1 << _MICROS_BITS) - 1
_NOTHING = -1
_BALANCE = struct.Struct("<q")
_ROW = struct.Struct("<Iq")


class Stamp(NamedTuple):
    """What a write carries: its number, from 1, and when it was due.

    The time is in microseconds since the beginning of the load; the last write has none.
    """

    number: int
    micros: int = _LAST

    @property
    def is_last(self) -> bool:
        """Whether nothing is written after it."""
        return self.micros == _LAST

    def packed(self) -> int:
        """As a balance."""
        return self.number << _MICROS_BITS | self.micros

    @classmethod
    def unpacked(cls, balance: int) -> Stamp:
        """From a balance."""
        return cls(balance >> _MICROS_BITS, balance & _LAST)


async def _write(bot: Bot, stamp: Stamp) -> None:
    await bot.call("seed", _ROW.pack(1, stamp.packed()))


async def _prepare(site: Site) -> None:
    """Begin to count anew; other accounts would be in everybody's first rows."""
    bot = await Bot.connect(site.address)
    await _write(bot, Stamp(0, 0))
    rows = await bot.query(_QUERY)
    await bot.close()
    expect("accounts of the bank, which must be fresh", len(rows), 1)


class _Follower(Guest):
    """A user who follows."""

    calls = False

    def __init__(self, stage: Stage, number: int) -> None:
        super().__init__(stage, number)
        self._last = _NOTHING
        self._is_over = False

    async def enter(self) -> None:
        before, self._last = self._last, _NOTHING
        stamp = await self._subscribe()
        if stamp.number < before:
            self.meter.broke(f"first rows show write {stamp.number} after {before}")
        if self._last == _NOTHING:  # else updates have come meanwhile, which go on from there
            self._last, self._is_over = stamp.number, stamp.is_last

    async def leave(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_SECONDS_MAX):
                await self._see_the_last()
        except TimeoutError:
            raise CheckError(f"a follower saw write {self._last}, and never the last one") from None
        self.meter.notes["followers who saw everything"] += 1
        await self._close()

    @abstractmethod
    async def _subscribe(self) -> Stamp:
        """Connect and subscribe; returns what the first rows show."""

    @abstractmethod
    async def _see_the_last(self) -> None:
        """Wait until it is over; raises what went wrong before."""

    @abstractmethod
    async def _close(self) -> None:
        """End the connection."""

    def _take(self, stamp: Stamp) -> None:
        """Take an update, which must be the one after the last."""
        if self._last not in (_NOTHING, stamp.number - 1):
            self.meter.broke(f"write {stamp.number} came after {self._last}")
        due = None if stamp.is_last else self.stage.start + stamp.micros * 1_000
        self.meter.delivered(due)
        self._last, self._is_over = stamp.number, stamp.is_last


class _RowFollower(_Follower):
    """One that decodes rows, in any version of the wire."""

    def __init__(self, stage: Stage, number: int) -> None:
        super().__init__(stage, number)
        self._bot: Bot

    def cut(self) -> None:
        self._bot.cut()

    async def _subscribe(self) -> Stamp:
        self._bot = await self.stage.connect()
        self._bot.watcher = self._updated
        await self._bot.subscribe(_QUERY)
        return _stamp_of(self._bot.cache.table("accounts").rows())

    async def _see_the_last(self) -> None:
        await self._bot.until(lambda: self._is_over, DRAIN_SECONDS_MAX)
        if faults := self._bot.cache.faults():
            raise CheckError(f"the subscription does not balance: {faults[0]}")

    async def _close(self) -> None:
        await self._bot.close()

    def _updated(self, query_sets: Sequence[QuerySetUpdate]) -> None:
        parts = [part for each in query_sets for table in each.tables for part in table.rows]
        for part in parts:
            for row in part.inserts:
                self._take(Stamp.unpacked(_ROW.unpack(row)[1]))


class _ByteFollower(_Follower):
    """One that looks at the bytes of v3, at the least cost."""

    def __init__(self, stage: Stage, number: int) -> None:
        super().__init__(stage, number)
        self._subscriber: Subscriber
        self._offset = 0

    def cut(self) -> None:
        self._subscriber.cut()

    async def _subscribe(self) -> Stamp:
        self._subscriber = Subscriber(self._updated)
        applied = await self._subscriber.connect(self.stage.site.address, _QUERY)
        return _stamp_of([row for table in applied.tables for row in table.rows])

    async def _see_the_last(self) -> None:
        subscriber = self._subscriber
        while not self._is_over and subscriber.failure is None:
            await subscriber.progress()
        if subscriber.failure is not None:
            raise subscriber.failure

    async def _close(self) -> None:
        await self._subscriber.close()

    def _updated(self, data: bytes, count: int) -> None:
        if not self._offset:
            self._offset = _offset_in(data)
        size = (len(data) - 1) // count
        for start in range(self._offset, len(data), size):
            self._take(Stamp.unpacked(_BALANCE.unpack_from(data, start)[0]))


def _stamp_of(rows: Sequence[bytes]) -> Stamp:
    expect("rows that a follower begins with", len(rows), 1)
    return Stamp.unpacked(_ROW.unpack(rows[0])[1])


def _offset_in(data: bytes) -> int:
    """Where in a message of updates the first one's balance is."""
    message, _ = decode_server_message(data, 1)
    assert isinstance(message, TransactionUpdate), "subscribers hand over updates"
    rows = message.query_sets[0].tables[0].rows[0]
    expect("rows that a write makes", len(rows.inserts), 1)
    return data.index(rows.inserts[0]) + _ROW.size - _BALANCE.size


class _Writer:
    """The one who writes: calls leave in the order in which they were due."""

    def __init__(self, stage: Stage, bot: Bot) -> None:
        self._stage = stage
        self._bot = bot
        self._number = 0

    async def work(self) -> None:
        """Write in turn, many in flight, until the end; then once more, to say so."""
        hands = WRITES_IN_FLIGHT_MAX if self._stage.plan.is_open else 1
        async with asyncio.TaskGroup() as group:
            for _ in range(hands):
                group.create_task(self._write_on())
        await _write(self._bot, Stamp(self._number + 1))
        self._stage.meter.notes["writes"] = self._number

    async def _write_on(self) -> None:
        stage, turns = self._stage, self._stage.turns(0)
        while (due := await turns.take()) is not None:
            self._number += 1
            try:
                await _write(self._bot, Stamp(self._number, (due - stage.start) // 1_000))
            except RefusedError as refusal:
                stage.meter.failed(refusal.code)
                stage.meter.broke(f"write {self._number} was refused: {refusal}")
            stage.meter.answered("write", due)


async def _play(stage: Stage) -> None:
    is_v3 = stage.plan.subprotocol is Subprotocol.V3_BSATN
    follower = _ByteFollower if is_v3 else _RowFollower
    if stage.worker:
        stage.take_no_arrivals()
        await play_guests(stage, follower)
        return
    if stage.plan.is_open:
        stage.share_arrivals(0, 1)
    bot = await stage.connect()
    try:
        await asyncio.gather(play_guests(stage, follower), _Writer(stage, bot).work())
    finally:
        await bot.close()


async def _check(site: Site, finding: Finding) -> Facts:
    bot = await Bot.connect(site.address)
    (row,) = await bot.query(_QUERY)
    await bot.close()
    written = finding.notes.get("writes", 0)
    expect("the number of the last write", Stamp.unpacked(_ROW.unpack(row)[1]).number, written + 1)
    seen = finding.notes.get("followers who saw everything", 0)
    expect("followers who saw everything", seen, site.plan.users)
    delivered = sum(interval.deliveries for interval in finding.measured)
    return {"writes": written, "deliveries": delivered}


FANOUT = Scenario(
    "fanout",
    "one writer, everybody follows",
    "examples.bank",
    _play,
    _prepare,
    _check,
    rate=20.0,
    is_rate_of_all=True,
    arguments=("--no-rate-limits",),
    bystanders=(_QUERY,),
    shapes=frozenset({Shape.STORM, Shape.RECONNECTS, Shape.SLOW_READERS}),
)
