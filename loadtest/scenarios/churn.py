"""Churn: users who come, look, do one thing, and leave, by a word or by a lost network.

Whoever comes back must be who it was and find what it left; in the end nobody may be seen any more.
Whether it is seen to be here meanwhile is not asked: the module takes a connection of the same user
that ends late for the user's leaving.
"""

from __future__ import annotations

import asyncio
import struct
import time
from typing import Any

from loadtest.bot import Bot
from loadtest.engine.scenario import Facts, Finding, Scenario, Shape
from loadtest.engine.stage import Site, Stage
from loadtest.engine.turns import wait_until
from loadtest.errors import CheckError, LoadTestError, RefusedError, expect
from loadtest.limits import DRAIN_SECONDS_MAX
from loadtest.schema_reader import fetch_schema

__all__ = ["CHURN"]

_QUERY = "SELECT * FROM user"
_WAYS = ("leave", "lose")


class _Visitor:
    """Somebody who comes again and again."""

    def __init__(self, stage: Stage, number: int) -> None:
        self._stage = stage
        self._number = number
        self._token: str | None = None
        self._identity: Any = None
        self._visits = 0
        self._name: str | None = None

    async def come_and_go(self) -> None:
        """Visit in each turn, until the end; what is not as it should be ends it."""
        stage, turns = self._stage, self._stage.turns(self._number)
        meter = stage.meter
        try:
            await wait_until(stage.comes_at(self._number))
            while (due := await turns.take()) is not None:
                try:
                    await self._visit(due)
                except RefusedError as refusal:
                    meter.failed(refusal.code)
                meter.notes["visits"] += 1
        except (LoadTestError, TimeoutError, OSError) as error:
            if not isinstance(error, CheckError):
                meter.failed(type(error).__name__)
            meter.broke(str(error) or type(error).__name__)

    async def _visit(self, due: int) -> None:
        stage, meter = self._stage, self._stage.meter
        bot = await Bot.connect(
            stage.site.address,
            schema=stage.schema,
            token=self._token,
            subprotocol=stage.plan.subprotocol,
        )
        meter.answered("connect", due)
        meter.connections += 1
        bot.watcher = lambda _update: meter.delivered()
        try:
            self._check_identity(bot)
            began = time.monotonic_ns()
            await bot.subscribe(_QUERY)
            meter.answered("subscribe", began)
            self._check_row(bot)
            self._visits += 1
            name = f"{stage.plan.run}-{self._number}-{self._visits}"
            began = time.monotonic_ns()
            await bot.call("set_name", struct.pack("<I", len(name)) + name.encode())
            meter.answered("set_name", began)
            self._name = name
            self._check_row(bot)
            if faults := bot.cache.faults():
                raise CheckError(f"the subscription does not balance: {faults[0]}")
        finally:
            if stage.draw(_WAYS) == "lose":
                bot.cut()
            await bot.close()
            meter.connections -= 1

    def _check_identity(self, bot: Bot) -> None:
        if self._token is None:
            self._token, self._identity = bot.hello.token, bot.hello.identity
        expect("who came back", bot.hello.identity, self._identity)

    def _check_row(self, bot: Bot) -> None:
        rows: Any = bot.cache.table("user").values()
        own = [row.name for row in rows if row.identity == self._identity]
        expect("the name under which a visitor is seen", own, [self._name])


async def _play(stage: Stage) -> None:
    await asyncio.gather(*(_Visitor(stage, number).come_and_go() for number in stage.numbers))


async def _check(site: Site, finding: Finding) -> Facts:
    """Wait until nobody of this load is seen."""
    bot = await Bot.connect(site.address, schema=await fetch_schema(site.address))

    def present() -> list[str]:
        rows: Any = bot.cache.table("user").values()
        return [row.name for row in rows if row.online and (row.name or "").startswith(mark)]

    mark = f"{site.plan.run}-"
    await bot.subscribe(_QUERY)
    try:
        await bot.until(lambda: not present(), DRAIN_SECONDS_MAX)
    except TimeoutError:
        raise CheckError(f"{len(present())} visitors are still seen, and have left") from None
    await bot.close()
    return {"visits": finding.notes.get("visits", 0)}


CHURN = Scenario(
    "churn",
    "users come, do one thing and leave",
    "examples.chat",
    _play,
    check=_check,
    kinds={"leave": 50, "lose": 50},
    rate=1.0,
    bystanders=(_QUERY,),
    shapes=frozenset({Shape.STORM, Shape.SLOW_READERS}),
)
