"""Ownership: a server that lost its store finds out although nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from persistence.errors import FencedError, StoreError
from persistence.store import Store
from server.limits import OWNERSHIP_SECONDS

__all__ = ["watch_ownership"]


async def watch_ownership(store: Store, lost: Callable[[StoreError], None]) -> None:
    """Ask again and again whether the store is still ours; ends when it is not, and tells.

    A store that cannot be read now says nothing about its owner: whoever writes learns of that.
    """
    while True:
        await asyncio.sleep(OWNERSHIP_SECONDS)
        try:
            await store.check_owner()
        except FencedError as error:
            lost(error)
            return
        except StoreError:
            continue
