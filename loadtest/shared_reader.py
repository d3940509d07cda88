"""Shared reader: reads the sockets of many who are told the same, at the cost of a comparison.

Whoever follows the same thing gets the same bytes in the same order. What one read brought the
first time is parsed and checked like everything else; where later the next bytes of somebody else,
at the same place of the sequence, are those bytes, they mean the same and are not parsed again.
All sockets are read by one loop into one buffer; anything that is not known goes the long way.
"""

from __future__ import annotations

import asyncio
import select
import socket
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from loadtest.latency import Latencies
from loadtest.limits import READS_KNOWN_MAX, SHARED_READ_BYTES

__all__ = ["Mark", "Member", "SharedReader"]

_EVENTS = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
"""Told once for what has arrived, so that the kernel does not look at all sockets again and again;
one read takes it all, unless it fills the buffer or the socket's end came with it."""


class Mark(NamedTuple):
    """A latency that a read brings.

    Attributes:
        place: of the update from whose call it counts; the first of all is at 0.
        weight: how often it is recorded.
    """

    place: int
    weight: int


class Member(Protocol):
    """Whose socket is read.

    Attributes:
        received: updates so far.
    """

    received: int

    def take_read(self, data: bytes) -> Sequence[Mark] | None:
        """Take what a read brought, in whatever way, and record its latencies.

        Returns:
            These latencies; None unless the read was whole messages with updates and nothing else.
        """

    def read_end(self) -> None:
        """The socket has ended, and is read no more here."""


class _Known(NamedTuple):
    """A read: what was received before it and after it; when its calls left, and their weights."""

    before: int
    data: bytes
    after: int
    sent: Sequence[tuple[int, int]]


class SharedReader:
    """Reads for its members. Loop thread.

    Args:
        sent_at: when each call left; the n-th update is of the n-th call.
        latencies: gets the time from there to each read that is known.
    """

    def __init__(self, sent_at: Sequence[int], latencies: Latencies) -> None:
        self._sent_at = sent_at
        self._latencies = latencies
        self._members: dict[int, tuple[Member, socket.socket]] = {}
        self._epoll = select.epoll()
        self._buffer = bytearray(SHARED_READ_BYTES)
        self._known: dict[tuple[int, int], _Known] = {}
        self._within: set[int] = set()
        self._progress: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._epoll.fileno(), self._read_all)

    def add(self, descriptor: int, member: Member) -> None:
        """Read a socket from now on, which nobody else does any more; harmless inside a message."""
        self._members[descriptor] = member, socket.socket(fileno=descriptor)
        self._within.add(descriptor)  # until a read has shown that it is at the beginning of one
        self._epoll.register(descriptor, _EVENTS)

    async def progress(self) -> None:
        """Wait until something was read, or something happened to a member."""
        self._progress = self._loop.create_future()
        await self._progress

    def wake(self) -> None:
        """Something happened to a member."""
        if self._progress is not None and not self._progress.done():
            self._progress.set_result(None)

    def close(self) -> None:
        """Read no more; the sockets stay open."""
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        for _, sock in self._members.values():
            sock.detach()
        self._members.clear()

    def _read_all(self) -> None:
        """Read each socket that has something, once."""
        members, known, within, buffer = self._members, self._known, self._within, self._buffer
        clock, latencies, weights = time.perf_counter_ns, list[int](), list[int]()
        place, length, data, after = -1, 0, b"", 0
        sent: Sequence[tuple[int, int]] = ()
        for descriptor, event in self._epoll.poll(0):
            member, sock = members[descriptor]
            if event != select.EPOLLIN:
                self._read_out(descriptor)
                continue
            try:
                size = sock.recv_into(buffer)
            except OSError:
                self._read_out(descriptor)
                continue
            if member.received != place or size != length:
                same = known.get((member.received, size))
                if same is None:
                    self._take(descriptor, size)
                    if size == SHARED_READ_BYTES:
                        self._read_out(descriptor)
                    continue
                place, data, after, sent = same
                length = size
            if not buffer.startswith(data) or descriptor in within:
                self._take(descriptor, size)
                continue
            now = clock()
            for moment, weight in sent:
                latencies.append(now - moment)
                weights.append(weight)
            member.received = after
        self._latencies.record_each(latencies, weights)
        self.wake()

    def _read_out(self, descriptor: int) -> None:
        """Read all that a socket has, and its end if it has come."""
        size = SHARED_READ_BYTES
        while size:
            try:
                size = self._members[descriptor][1].recv_into(self._buffer)
            except BlockingIOError:
                return
            except OSError:
                size = 0
            self._take(descriptor, size)

    def _take(self, descriptor: int, size: int) -> None:
        """Let a member take what was read, and know it from now on if it can be known."""
        member, sock = self._members[descriptor]
        if not size:
            self._epoll.unregister(descriptor)
            self._within.discard(descriptor)
            del self._members[descriptor]
            sock.detach()
            member.read_end()
            return
        data, before = bytes(self._buffer[:size]), member.received
        marks = member.take_read(data)
        if marks is None:
            self._within.add(descriptor)
        elif descriptor in self._within:
            self._within.discard(descriptor)
        elif size < SHARED_READ_BYTES:
            if len(self._known) >= READS_KNOWN_MAX:
                self._known.clear()
            sent = [(self._sent_at[place], weight) for place, weight in marks]
            self._known[before, size] = _Known(before, data, member.received, sent)
