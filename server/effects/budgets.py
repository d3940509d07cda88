"""Budgets: what each user's requests to models have taken today, and what they may take (8.3).

The day's sums are kept in a file, so that a restart does not begin the day again. It is written a
few seconds after a change and when the server stops: a crash forgets what came since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog

from actors.errors import TextModelError
from server.limits import BUDGETS_SAVE_SECONDS

__all__ = ["Budgets", "Spent"]

log = structlog.get_logger(__name__)

_DAY_SECONDS = 86_400


@dataclass(slots=True)
class Spent:
    """What a user's requests have taken today."""

    tokens: int = 0
    cost: float = 0.0


class Budgets:
    """Sums of the day (UTC) for each user.

    Args:
        path: where the sums are kept; None keeps them in memory.
        clock: seconds since the Unix epoch.
        tokens_max: tokens of one user and day; 0 sets no limit.
        cost_max: cost of one user and day; 0 sets no limit.
    """

    def __init__(
        self,
        path: Path | None,
        clock: Callable[[], float],
        *,
        tokens_max: int = 0,
        cost_max: float = 0.0,
    ) -> None:
        self._path = path
        self._clock = clock
        self._tokens_max = tokens_max
        self._cost_max = cost_max
        self._day = self._today()
        self._users: dict[str, Spent] = {}
        self._is_saved = True
        if path is not None and path.exists():
            self._read(path)

    def spent(self, user_id: str) -> Spent:
        """What a user has used today."""
        self._turn_day()
        return self._users.get(user_id, Spent())

    def check(self, user_id: str) -> None:
        """Let a request begin; the last one of a day may go over the budget.

        Raises:
            TextModelError: ``limit.quota_exceeded``: the user's day is used up.
        """
        spent = self.spent(user_id)
        if (self._tokens_max and spent.tokens >= self._tokens_max) or (
            self._cost_max and spent.cost >= self._cost_max
        ):
            raise TextModelError("limit.quota_exceeded", "the user's budget of the day is used up")

    def add(self, user_id: str, tokens: int, cost: float) -> None:
        """Count what a request has taken, whatever became of it."""
        self._turn_day()
        spent = self._users.setdefault(user_id, Spent())
        spent.tokens += tokens
        spent.cost += cost
        self._is_saved = False

    async def keep_saved(self) -> None:
        """Write changes down for ever, some seconds after they happened."""
        while True:
            await asyncio.sleep(BUDGETS_SAVE_SECONDS)
            await self.save()

    async def save(self) -> None:
        """Write the sums down if they have changed; a disk that refuses is logged."""
        if self._path is None or self._is_saved:
            return
        self._is_saved = True
        users = {user: (spent.tokens, spent.cost) for user, spent in self._users.items()}
        text = orjson.dumps({"day": self._day, "users": users})
        try:
            await asyncio.to_thread(_write, self._path, text)
        except OSError as error:
            self._is_saved = False
            log.warning("the budgets of users are not saved", error=str(error))

    def _today(self) -> int:
        return int(self._clock() // _DAY_SECONDS)

    def _turn_day(self) -> None:
        today = self._today()
        if today != self._day:
            self._day = today
            self._users.clear()
            self._is_saved = False

    def _read(self, path: Path) -> None:
        """Go on from a file; one that is damaged counts for nothing."""
        with suppress(OSError, ValueError, LookupError, TypeError):
            kept = orjson.loads(path.read_bytes())
            if kept["day"] == self._day:
                self._users = {
                    str(user): Spent(int(tokens), float(cost))
                    for user, (tokens, cost) in kept["users"].items()
                }


def _write(path: Path, text: bytes) -> None:
    draft = path.with_suffix(".draft")
    draft.write_bytes(text)
    draft.replace(path)
