"""Slots: whose request to a model may run now, one of each user, and so many of all (8.3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Slots"]


class Slots:
    """Requests beyond the limits wait in the order in which they came.

    A user's next request waits for the one before it outside, and takes nobody's place.

    Args:
        running_max: how many requests of all users run at the same time.
    """

    def __init__(self, running_max: int) -> None:
        self._everybody = asyncio.Semaphore(running_max)
        self._users: dict[str, asyncio.Lock] = {}
        self._asking: dict[str, int] = {}

    @property
    def user_count(self) -> int:
        """How many users have a request that runs or waits."""
        return len(self._users)

    @asynccontextmanager
    async def slot(self, user_id: str) -> AsyncIterator[None]:
        """Wait for a slot of a user, and have it for the body."""
        lock = self._users.setdefault(user_id, asyncio.Lock())
        self._asking[user_id] = self._asking.get(user_id, 0) + 1
        try:
            async with lock, self._everybody:
                yield
        finally:
            self._asking[user_id] -= 1
            if not self._asking[user_id]:
                del self._asking[user_id], self._users[user_id]
