"""Sweep: actors that sleep are looked at from time to time, so that their history ages as well."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from persistence.errors import FencedError, StoreClosedError, StoreError
from persistence.limits import SWEEP_ACTORS_MAX, SWEEP_PAUSE_SECONDS, SWEEP_ROUND_SECONDS
from persistence.store import Store

__all__ = ["sweep_history"]

log = logging.getLogger("persistence.sweep")


async def sweep_history(
    store: Store, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Trim all actors' histories again and again, a few actors at a time.

    Ends when the store is closed or another owner has it. What the medium refuses is logged, and
    tried again at the next pause.
    """
    after = ""
    while True:
        try:
            after = await store.trim(after, SWEEP_ACTORS_MAX)
        except (FencedError, StoreClosedError):
            return
        except StoreError as error:
            log.warning("history could not be trimmed: %s", error)
        await sleep(SWEEP_PAUSE_SECONDS if after else SWEEP_ROUND_SECONDS)
