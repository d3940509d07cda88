"""Loop lag: how much later than asked the event loop comes back to whoever waits for it."""

from __future__ import annotations

import asyncio

from actors.host.histogram import Histogram
from server.limits import LOOP_LAG_SECONDS

__all__ = ["measure_loop_lag"]


async def measure_loop_lag(histogram: Histogram) -> None:
    """Note the lag a few times a second, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        asked = loop.time() + LOOP_LAG_SECONDS
        await asyncio.sleep(LOOP_LAG_SECONDS)
        histogram.note(max(0.0, loop.time() - asked))
