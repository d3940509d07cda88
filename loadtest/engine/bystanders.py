"""Bystanders: connections that call nothing: a storm of them, and those who do not read."""

from __future__ import annotations

import asyncio

from loadtest.bot import Bot
from loadtest.engine.stage import Stage
from loadtest.engine.turns import wait_until
from loadtest.errors import LoadTestError
from loadtest.limits import CONNECTS_AT_ONCE

__all__ = ["stand_by"]

_STORM = "storm connect"


async def stand_by(stage: Stage, queries: tuple[str, ...]) -> None:
    """Send this process's share of the plan's bystanders in, until the end."""
    plan, step = stage.plan, stage.plan.processes
    gate = asyncio.Semaphore(CONNECTS_AT_ONCE)
    work = [_rush(stage, queries) for _ in range(stage.worker, plan.storm, step)]
    work += [_doze(stage, queries, gate) for _ in range(stage.worker, plan.slow_readers, step)]
    await asyncio.gather(*work)


async def _rush(stage: Stage, queries: tuple[str, ...]) -> None:
    """Come in at the same moment as everybody else; the wait for the server is what is measured."""
    await wait_until(stage.storm)
    meter = stage.meter
    try:
        bot = await _enter(stage, queries)
    except (LoadTestError, TimeoutError, OSError) as error:
        meter.failed(f"{_STORM}: {type(error).__name__}")
        meter.broke(f"{_STORM}: {error}")
        return
    meter.answered(_STORM, stage.storm)
    await wait_until(stage.end)
    await _go(stage, bot)


async def _doze(stage: Stage, queries: tuple[str, ...], gate: asyncio.Semaphore) -> None:
    """Subscribe, read nothing until the end; then all of it, unless the server has closed."""
    meter = stage.meter
    try:
        async with gate:
            bot = await _enter(stage, queries)
        bot.pause()
        await wait_until(stage.end)
        bot.resume()
        # An answer comes after everything that was sent before it.
        if not bot.has_ended:
            await bot.query(queries[0])
        meter.notes["slow readers kept"] += 1
    except (LoadTestError, TimeoutError, OSError):
        meter.notes["slow readers closed by the server"] += 1
        meter.connections -= 1
        return
    await _go(stage, bot)


async def _enter(stage: Stage, queries: tuple[str, ...]) -> Bot:
    bot = await stage.connect()
    bot.watcher = lambda _update: stage.meter.delivered()
    await bot.subscribe(*queries)
    stage.meter.connections += 1
    return bot


async def _go(stage: Stage, bot: Bot) -> None:
    for fault in bot.cache.faults():
        stage.meter.broke(f"a bystander's updates do not balance: {fault}")
    await bot.close()
    stage.meter.connections -= 1
