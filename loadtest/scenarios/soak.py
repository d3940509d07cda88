"""Soak: an even load for as long as asked, under which nothing may grow: not memory, not cost.

Users transfer money, read accounts, and now and then lose their connection; some follow everything.
The server's memory and processor time are those of its ``/metrics``.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from statistics import median

from loadtest.bot import Bot
from loadtest.engine.guests import Guest, play_guests
from loadtest.engine.scenario import Facts, Finding, Scenario, Shape
from loadtest.engine.server_cost import micros_a_call
from loadtest.engine.stage import Site, Stage
from loadtest.errors import CheckError, expect
from loadtest.interval import Interval
from loadtest.limits import (
    SOAK_COST_RATIO_MAX,
    SOAK_GROWTH_BYTES_MIN,
    SOAK_GROWTH_RATIO_MAX,
    SOAK_SECONDS_MIN,
)
from loadtest.scenarios.bank import ACCOUNTS, check_accounts, read_accounts, seed_accounts
from protocol.messages.answers import QuerySetUpdate

__all__ = ["SOAK", "judge"]

_KINDS = ("transfer", "read", "audit", "reconnect")
_FOLLOWERS_PART = 10
_ALL = "SELECT * FROM accounts"
_MEMORY = "process_resident_memory_bytes"
_ROW = struct.Struct("<Iq")


class _Tenant(Guest):
    """A user of the bank; every tenth follows all accounts."""

    def __init__(self, stage: Stage, number: int) -> None:
        super().__init__(stage, number)
        self._bot: Bot
        self._token: str | None = None

    async def enter(self) -> None:
        self._bot = await self.stage.connect(self._token)
        self._token = self._bot.hello.token
        if self.number % _FOLLOWERS_PART == 0:
            self._bot.watcher = self._watch
            await self._bot.subscribe(_ALL)

    async def act(self, due: int) -> None:
        kind = self.stage.draw(_KINDS)
        try:
            if kind == "transfer":
                await self._transfer()
            elif kind == "read":
                account = self.stage.chance.randrange(ACCOUNTS)
                rows = await self._bot.query(f"{_ALL} WHERE id = {account}")
                expect("rows of one account", len(rows), 1)
            elif kind == "audit":
                await read_accounts(self._bot)
            else:
                self.cut()
                await self.enter()
        finally:
            self.meter.answered(kind, due)

    def cut(self) -> None:
        self._bot.cut()

    async def leave(self) -> None:
        if faults := self._bot.cache.faults():
            raise CheckError(f"the subscription does not balance: {faults[0]}")
        await self._bot.close()

    async def _transfer(self) -> None:
        one, other = self.stage.chance.sample(range(ACCOUNTS), 2)
        await self._bot.call("transfer", struct.pack("<IIq", one, other, 1))
        notes = self.meter.notes
        notes[f"account {one}"] -= 1
        notes[f"account {other}"] += 1
        notes["transfers"] += 1

    def _watch(self, query_sets: Sequence[QuerySetUpdate]) -> None:
        """Each commit moves money, and makes none."""
        self.meter.delivered()
        parts = [part for each in query_sets for table in each.tables for part in table.rows]
        came = sum(_ROW.unpack(row)[1] for part in parts for row in part.inserts)
        went = sum(_ROW.unpack(row)[1] for part in parts for row in part.deletes)
        if came != went:
            self.meter.broke(f"a commit made {came - went} out of nothing")


def judge(measured: Sequence[Interval]) -> Facts:
    """Compare the second quarter of the time with the last: memory, and cost of a call.

    The first quarter is left out: caches fill up. Too short a time, or a server without metrics, is
    a fact and no fault.

    Raises:
        CheckError: one of them grew beyond what noise explains.
    """
    told = [interval for interval in measured if _MEMORY in interval.server_metrics]
    if len(told) < SOAK_SECONDS_MIN:
        return {"judged": f"no: {len(told)} of {SOAK_SECONDS_MIN} seconds with metrics"}
    quarter = len(told) // 4
    early, late = told[quarter : 2 * quarter], told[-quarter:]
    memory, memory_late = (_memory(part) for part in (early, late))
    cost, cost_late = (micros_a_call(part) for part in (early, late))
    growth = memory_late - memory
    hours = (late[0].second - early[0].second) / 3_600
    facts: dict[str, float | str] = {
        "memory in MiB": round(memory_late / 2**20, 1),
        "memory slope in MiB an hour": round(growth / 2**20 / hours, 1),
        "us of processor time a call, early": round(cost, 1),
        "us of processor time a call, late": round(cost_late, 1),
    }
    if growth > max(SOAK_GROWTH_BYTES_MIN, SOAK_GROWTH_RATIO_MAX * memory):
        raise CheckError(
            f"the server's memory grew from {memory / 2**20:,.0f} to {memory_late / 2**20:,.0f} MiB"
        )
    if cost and cost_late > SOAK_COST_RATIO_MAX * cost:
        raise CheckError(f"a call took {cost:,.0f} us of processor time, then {cost_late:,.0f}")
    return facts


def _memory(part: Sequence[Interval]) -> float:
    return median(interval.server_metrics[_MEMORY] for interval in part)


async def _play(stage: Stage) -> None:
    await play_guests(stage, _Tenant)


async def _check(site: Site, finding: Finding) -> Facts:
    facts = await check_accounts(site, finding)
    return {**facts, **await asyncio.to_thread(judge, finding.measured)}


SOAK = Scenario(
    "soak",
    "an even load under which nothing may grow",
    "examples.bank",
    _play,
    seed_accounts,
    _check,
    kinds={"transfer": 880, "read": 100, "audit": 1, "reconnect": 19},
    rate=5.0,
    arguments=("--no-rate-limits",),
    bystanders=(_ALL,),
    shapes=frozenset({Shape.STORM, Shape.RECONNECTS, Shape.SLOW_READERS}),
)
