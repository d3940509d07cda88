"""Fan-out: one writer, and everybody else follows; nobody may miss a write or see two out of order.

The writer's row carries the number of the write and when it was due, so that any process that reads
it knows what it missed and how long it took. The row is an account of the bank: it has one number.
"""

from __future__ import annotations

import asyncio
import struct
from typing import NamedTuple

from loadtest.bot import Bot
from loadtest.engine.guests import Guest, play_guests
from loadtest.engine.scenario import Facts, Finding, Scenario, Shape
from loadtest.engine.stage import Site, Stage
from loadtest.errors import CheckError, RefusedError, expect
from loadtest.limits import DRAIN_SECONDS_MAX, WRITES_IN_FLIGHT_MAX
from loadtest.subscriber import Subscriber
from protocol.messages.answers import SubscribeApplied, TransactionUpdate
from protocol.messages.v2_client import decode_server_message

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
        self._subscriber: Subscriber
        self._last = _NOTHING
        self._offset = 0
        self._is_over = False

    async def enter(self) -> None:
        before, self._last = self._last, _NOTHING
        self._subscriber = Subscriber(self._updated)
        stamp = _stamp_of(await self._subscriber.connect(self.stage.site.address, _QUERY))
        if stamp.number < before:
            self.meter.broke(f"first rows show write {stamp.number} after {before}")
        if self._last == _NOTHING:  # else updates have come meanwhile, which go on from there
            self._see(stamp)

    def cut(self) -> None:
        self._subscriber.cut()

    async def leave(self) -> None:
        subscriber = self._subscriber
        try:
            async with asyncio.timeout(DRAIN_SECONDS_MAX):
                while not self._is_over and subscriber.failure is None:
                    await subscriber.progress()
        except TimeoutError:
            raise CheckError(f"a follower saw write {self._last}, and never the last one") from None
        if subscriber.failure is not None:
            raise subscriber.failure
        self.meter.notes["followers who saw everything"] += 1
        await self._subscriber.close()

    def _updated(self, data: bytes, count: int) -> None:
        if not self._offset:
            self._offset = _offset_in(data)
        size = (len(data) - 1) // count
        for start in range(self._offset, len(data), size):
            stamp = Stamp.unpacked(_BALANCE.unpack_from(data, start)[0])
            if self._last not in (_NOTHING, stamp.number - 1):
                self.meter.broke(f"write {stamp.number} came after {self._last}")
            due = None if stamp.is_last else self.stage.start + stamp.micros * 1_000
            self.meter.delivered(due)
            self._see(stamp)

    def _see(self, stamp: Stamp) -> None:
        self._last = stamp.number
        self._is_over = stamp.is_last


def _stamp_of(applied: SubscribeApplied) -> Stamp:
    rows = [row for table in applied.tables for row in table.rows]
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
    if stage.worker:
        stage.take_no_arrivals()
        await play_guests(stage, _Follower)
        return
    if stage.plan.is_open:
        stage.share_arrivals(0, 1)
    bot = await Bot.connect(stage.site.address)
    try:
        await asyncio.gather(play_guests(stage, _Follower), _Writer(stage, bot).work())
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
