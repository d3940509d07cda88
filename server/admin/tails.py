"""Tails: what happens now, told to operators who follow it, at no cost to anybody else.

A feed notes what happens for the tails that want it; each tail has a queue of its own that drops
its oldest entries when its operator does not read, and a pump that tells what is in it at a bounded
pace. While nobody follows, the feeds are not attached.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from server.errors import CommandError
from server.limits import (
    TAIL_ENTRIES_MAX,
    TAIL_ENTRIES_PER_NOTICE,
    TAIL_ENTRIES_PER_PAUSE,
    TAIL_PAUSE_SECONDS,
    TAILS_MAX,
)

if TYPE_CHECKING:
    from server.admin.context import Peer
    from server.metrics import Metrics

__all__ = ["Feed", "Tail", "Tails"]

Entry = TypeVar("Entry")


class Tail(Generic[Entry]):
    """One operator's queue of one feed's entries. Loop thread.

    Args:
        wants: whether what the feed asks about is of interest; called where it happens, so it must
            be quick.
        spell: an entry for the operator.
        prefix: how the keys of actors begin that may be of interest.
        is_choosy: whether it asks for more than that, so that it must be asked for each entry.

    Attributes:
        room: entries that are taken in for now; while there is none, they are ``skip``ped.
        is_over: whether its operator has ended it.
    """

    __slots__ = (
        "_entries",
        "_is_awake",
        "_put",
        "_ready",
        "_skipped",
        "_spell",
        "_told",
        "is_choosy",
        "is_over",
        "prefix",
        "room",
        "wants",
    )

    def __init__(
        self,
        wants: Callable[..., bool],
        spell: Callable[[Entry], Mapping[str, object]],
        prefix: str = "",
        *,
        is_choosy: bool = True,
    ) -> None:
        self.wants = wants
        self.prefix = prefix
        self.is_choosy = is_choosy
        self.room = TAIL_ENTRIES_MAX
        self.is_over = False
        self._spell = spell
        self._entries: deque[Entry] = deque(maxlen=TAIL_ENTRIES_MAX)
        self._put = 0
        self._skipped = 0
        self._told = 0
        self._is_awake = False
        self._ready = asyncio.Event()

    def put(self, entry: Entry) -> None:
        """Queue an entry; when there are too many, the oldest gives way."""
        self._put += 1
        self._entries.append(entry)
        self.room -= 1
        if not self.room:
            self.room = TAIL_ENTRIES_MAX - len(self._entries)  # there is what was told meanwhile
        if not self.room:
            asyncio.get_running_loop().call_later(TAIL_PAUSE_SECONDS, self._make_room)
        self._wake()

    def skip(self, count: int = 1) -> None:
        """Count entries that there is no room for."""
        self._skipped += count

    def end(self) -> None:
        """Be over: there is a last thing to tell."""
        self.is_over = True
        self._wake()

    async def wait(self) -> int:
        """Wait until there is something to tell; answers how many entries were ever put."""
        await self._ready.wait()
        return self._put

    def take(self, through: int) -> tuple[list[Mapping[str, object]], int]:
        """The oldest entries, spelled, and how many were dropped since this was asked before.

        Those that came after the first ``through`` ones stay.
        """
        entries = self._entries
        first = self._put - len(entries)
        dropped, self._skipped = first - self._told + self._skipped, 0
        count = max(0, min(through - first, TAIL_ENTRIES_PER_NOTICE))
        taken = [entries.popleft() for _ in range(count)]
        self._told = first + count
        if not entries:
            self._is_awake = False
            self._ready.clear()
        return [self._spell(entry) for entry in taken], dropped

    def leave(self) -> tuple[int, int]:
        """How many entries wait and will not be told, and how many were dropped before that."""
        _, dropped = self.take(0)
        return len(self._entries), dropped

    def _wake(self) -> None:
        if not self._is_awake:
            self._is_awake = True
            self._ready.set()

    def _make_room(self) -> None:
        self.room = max(TAIL_ENTRIES_MAX - len(self._entries), TAIL_ENTRIES_PER_PAUSE)


class Feed(Generic[Entry]):
    """Where entries of one sort come from; subclasses attach it to what happens."""

    def __init__(self) -> None:
        self.tails: tuple[Tail[Entry], ...] = ()

    def follow(self) -> None:
        """Tails came or went: be told what those want that are there now."""

    @property
    def epoch(self) -> int:
        """Grows when what was put before may have been taken back."""
        return 0

    async def settle(self) -> bool:
        """Wait until what was put is durable; False when that cannot be said of all of it."""
        return True

    def add(self, tail: Tail[Entry]) -> None:
        """Let a tail follow."""
        self.tails = (*self.tails, tail)
        self.follow()

    def remove(self, tail: Tail[Entry]) -> None:
        """Let a tail follow no more."""
        self.tails = tuple(other for other in self.tails if other is not tail)
        self.follow()


class Tails:
    """The tails of all operators of one server: how many there are, and how they are told."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def open(self, feed: Feed[Entry], tail: Tail[Entry], peer: Peer, method: str) -> int:
        """Follow a feed, and tell the peer once the command is answered; answers the tail's number.

        Raises:
            CommandError: ``limit.quota_exceeded``, there are too many tails.
        """
        if self._metrics.tails_open >= TAILS_MAX:
            raise CommandError("limit.quota_exceeded", f"operators follow {TAILS_MAX} tails by now")

        def stop() -> None:
            feed.remove(tail)
            tail.end()

        number: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        number.set_result(peer.begin(self._pump(feed, tail, peer, method, number), stop))
        return number.result()

    async def _pump(
        self,
        feed: Feed[Entry],
        tail: Tail[Entry],
        peer: Peer,
        method: str,
        number: asyncio.Future[int],
    ) -> None:
        """Tell what happens until the operator leaves, or ends that: then say what stays untold."""
        metrics = self._metrics
        metrics.tails_open += 1
        if not tail.is_over:
            feed.add(tail)
        try:
            while True:
                epoch = feed.epoch
                await asyncio.sleep(TAIL_PAUSE_SECONDS)
                through = await tail.wait()
                if tail.is_over:
                    break
                is_durable = await feed.settle() and feed.epoch == epoch
                entries, dropped = tail.take(through)
                metrics.tail_entries_dropped += dropped
                notice = {
                    "tail": number.result(),
                    "dropped": dropped,
                    "is_durable": is_durable,
                    "is_last": False,
                    "entries": entries,
                }
                await peer.notify(method, notice)
            untold, dropped = tail.leave()
            metrics.tail_entries_dropped += dropped
            notice = {
                "tail": number.result(),
                "dropped": untold + dropped,
                "is_durable": True,
                "is_last": True,
                "entries": [],
            }
            await peer.notify(method, notice)
        finally:
            feed.remove(tail)
            metrics.tails_open -= 1
