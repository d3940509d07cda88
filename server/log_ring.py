"""Log ring: the last logs of this process, for those who read them over HTTP (wire spec 1.1)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from itertools import islice

from server.limits import LOG_FOLLOWERS_MAX, LOG_LINES_MAX
from server.logs import official_lines

__all__ = ["LogRing"]


class LogRing(logging.Handler):
    """Keeps the newest lines; older ones give way.

    Any thread may log; everything else is called on one loop's thread. Those who follow hold no
    lines of their own: one that reads too slowly misses those that have given way meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(official_lines())
        self._lines: deque[bytes] = deque(maxlen=LOG_LINES_MAX)
        self._count = 0
        self._followers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._is_closed = False

    def attach(self) -> Callable[[], None]:
        """Keep what is logged from now on; answers what ends that."""
        root = logging.getLogger()
        root.addHandler(self)
        return lambda: root.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line; called by ``logging`` with the handler's lock held."""
        self._lines.append(self.format(record).encode() + b"\n")
        self._count += 1
        for event, loop in self._followers.items():
            with contextlib.suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(event.set)

    @property
    def is_crowded(self) -> bool:
        """Whether as many follow as may."""
        return len(self._followers) >= LOG_FOLLOWERS_MAX

    def end_followers(self) -> None:
        """Let those who follow come to their end, because the server stops."""
        self._is_closed = True
        for event in list(self._followers):
            event.set()

    async def lines(self, count: int | None, *, follow: bool) -> AsyncIterator[bytes]:
        """The last lines, oldest first; then, to who follows, each one that comes.

        Args:
            count: how many of the last lines; None for all that are kept.
            follow: whether to go on until ``end_followers``.
        """
        event = asyncio.Event()
        if follow:
            self._change(lambda: self._followers.update({event: asyncio.get_running_loop()}))
        try:
            kept, position = self._since(0)
            last = len(kept) if count is None else min(count, len(kept))
            if last:
                yield b"".join(kept[len(kept) - last :])
            while follow and not self._is_closed:
                await event.wait()
                event.clear()
                kept, position = self._since(position)
                if kept:
                    yield b"".join(kept)
        finally:
            self._change(lambda: self._followers.pop(event, None))

    def _since(self, position: int) -> tuple[list[bytes], int]:
        """The lines from a position on, as far as they are kept, and the position after them."""
        self.acquire()
        try:
            first = self._count - len(self._lines)
            return list(islice(self._lines, max(0, position - first), None)), self._count
        finally:
            self.release()

    def _change(self, change: Callable[[], object]) -> None:
        """Change who follows, while nobody logs."""
        self.acquire()
        try:
            change()
        finally:
            self.release()
