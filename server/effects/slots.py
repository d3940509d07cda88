"""Slots: whose request to a model may run now, one of each user, and so many of all (8.3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from actors.errors import TextModelError
from server.limits import MODEL_REQUESTS_USER_MAX, MODEL_REQUESTS_WAITING_MAX

__all__ = ["Slots"]


class Slots:
    """Requests beyond the limits wait in the order in which they came, up to a limit of their own.

    A user's next request waits for the one before it outside, and takes nobody's place.

    Args:
        running_max: how many requests of all users run at the same time.
        waiting_max: how many of all users wait.
        user_max: how many of one user run or wait.
    """

    def __init__(
        self,
        running_max: int,
        waiting_max: int = MODEL_REQUESTS_WAITING_MAX,
        user_max: int = MODEL_REQUESTS_USER_MAX,
    ) -> None:
        self._everybody = asyncio.Semaphore(running_max)
        self._asking_max = running_max + waiting_max
        self._user_max = user_max
        self._users: dict[str, asyncio.Lock] = {}
        self._asking: dict[str, int] = {}
        self.asking = 0
        self.running = 0

    @property
    def user_count(self) -> int:
        """How many users have a request that runs or waits."""
        return len(self._users)

    @asynccontextmanager
    async def slot(self, user_id: str) -> AsyncIterator[None]:
        """Wait for a slot of a user, and have it for the body.

        Raises:
            TextModelError: ``dependency.unavailable``: too many wait already.
        """
        if self.asking >= self._asking_max or self._asking.get(user_id, 0) >= self._user_max:
            raise TextModelError("dependency.unavailable", "too many requests wait")
        lock = self._users.setdefault(user_id, asyncio.Lock())
        self._asking[user_id] = self._asking.get(user_id, 0) + 1
        self.asking += 1
        try:
            async with lock, self._everybody:
                self.running += 1
                try:
                    yield
                finally:
                    self.running -= 1
        finally:
            self.asking -= 1
            self._asking[user_id] -= 1
            if not self._asking[user_id]:
                del self._asking[user_id], self._users[user_id]
