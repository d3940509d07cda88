"""Replies that coroutines wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from actors.host.turns import Reply

__all__ = ["FutureReply"]


class FutureReply(Reply):
    """A call's outcome as an awaitable; it raises what the call failed with."""

    __slots__ = ("_future",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._future: asyncio.Future[Any] = loop.create_future()

    @property
    def subscriber(self) -> None:
        """No connection gets the deltas with the answer: they go to all as updates."""
        return

    def succeed(self, timestamp: int, body: bytes | None, answer: object) -> None:
        """The call committed."""
        del timestamp, body
        if not self._future.done():
            self._future.set_result(answer)

    def fail(self, timestamp: int, error: Exception) -> None:
        """The call was refused, or broke."""
        del timestamp
        if not self._future.done():
            self._future.set_exception(error)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._future.__await__()
