from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.errors import CheckError
from loadtest.frames import FrameReader, server_frame_bytes
from loadtest.latency import Latencies
from loadtest.limits import SHARED_READ_BYTES
from loadtest.shared_reader import Mark, SharedReader


def frame(number: int, size: int = 40) -> bytes:
    payload = number.to_bytes(4, "little") * (size // 4)
    head = bytes((0x82, size)) if size < 126 else b"\x82\x7e" + size.to_bytes(2, "big")
    return head + payload


class Follower:
    """Expects the numbers 0, 1, 2... each in a frame of its own."""

    def __init__(self) -> None:
        self.received = 0
        self.parsed = 0
        self.failure: CheckError | None = None
        self.has_ended = False
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self._reader = FrameReader()

    def take_read(self, data: bytes) -> list[Mark] | None:
        marks, even = [], 0
        for message in self._reader.feed(data).messages:
            if message[:4] != self.received.to_bytes(4, "little"):
                self.failure = CheckError(f"{message[:4]!r} in place of {self.received}")
            marks.append(Mark(self.received, 1))
            even += server_frame_bytes(len(message))
            self.received += 1
            self.parsed += 1
        return marks if even == len(data) and self._reader.is_between else None

    def read_end(self) -> None:
        self.has_ended = True


@asynccontextmanager
async def following(
    count: int, latencies: Latencies
) -> AsyncIterator[tuple[SharedReader, list[Follower]]]:
    followers = [Follower() for _ in range(count)]
    reader = SharedReader([0] * 10_000, latencies)
    for follower in followers:
        reader.add(follower.near.fileno(), follower)
    try:
        yield reader, followers
    finally:
        reader.close()
        for follower in followers:
            follower.near.close()
            follower.far.close()


async def sent(reader: SharedReader, *pieces: tuple[Follower, bytes]) -> None:
    """Send, and wait until all of it was read."""
    progress = asyncio.ensure_future(reader.progress())
    await asyncio.sleep(0)
    for follower, data in pieces:
        follower.far.sendall(data)
    await progress


async def test_what_is_known_is_not_parsed_again() -> None:
    latencies = Latencies()
    async with following(3, latencies) as (reader, followers):
        for number in range(20):
            await sent(reader, *((each, frame(number)) for each in followers))
        assert [each.received for each in followers] == [20, 20, 20]
        # Each goes the long way once, to show that it is at the beginning of a message.
        assert [each.parsed for each in followers] == [20, 1, 1]
    assert len(latencies) == 2 * 19


async def test_other_bytes_at_the_same_place_go_the_long_way() -> None:
    async with following(2, Latencies()) as (reader, (one, other)):
        for number in range(3):
            await sent(reader, (one, frame(number)), (other, frame(number)))
        await sent(reader, (one, frame(3)), (other, frame(2)))
        assert one.failure is None
        assert "in place of 3" in str(other.failure)


async def test_inside_a_message_nothing_is_known() -> None:
    async with following(2, Latencies()) as (reader, (one, other)):
        await sent(reader, (one, frame(0)), (other, frame(0)))
        await sent(reader, (one, frame(1)))
        longer = b"\x82\x54" + frame(1) * 2
        await sent(reader, (other, longer[:2]))
        await sent(reader, (other, longer[2:44]))
        assert other.received == 1
        await sent(reader, (other, longer[44:]))
        assert other.received == 2


async def test_one_too_many_is_counted() -> None:
    async with following(2, Latencies()) as (reader, (one, other)):
        for number in range(3):
            await sent(reader, (one, frame(number)), (other, frame(number)))
        await sent(reader, (one, frame(3)), (other, frame(3)))
        await sent(reader, (other, frame(3)))
        assert (one.received, other.received) == (4, 5)
        assert other.failure is not None


@given(
    cuts=st.lists(
        st.lists(st.integers(1, 12 * 42 - 1), max_size=12, unique=True), min_size=3, max_size=3
    )
)
def test_in_any_cut_everybody_gets_everything_once(cuts) -> None:
    stream = b"".join(map(frame, range(12)))

    async def follow() -> None:
        async with following(3, Latencies()) as (reader, followers):
            rests = []
            for follower, places in zip(followers, cuts, strict=True):
                edges = [0, *sorted(places), len(stream)]
                rests.append([(follower, stream[a:b]) for a, b in pairwise(edges)])
            while any(rests):
                await sent(reader, *(rest.pop(0) for rest in rests if rest))
            while not all(each.received == 12 for each in followers):
                await reader.progress()
            assert [each.failure for each in followers] == [None, None, None]

    asyncio.run(follow())


async def test_a_read_that_fills_the_buffer_is_gone_on_with() -> None:
    numbers = SHARED_READ_BYTES // 1_000 + 20
    stream = b"".join(frame(number, 1_000) for number in range(numbers))
    async with following(1, Latencies()) as (reader, (one,)):
        one.far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * len(stream))
        await sent(reader, (one, stream))
        assert one.received == numbers


@pytest.mark.parametrize("last", [b"", frame(1)])
async def test_an_end_is_told_even_when_it_comes_with_the_last_message(last) -> None:
    async with following(1, Latencies()) as (reader, (one,)):
        await sent(reader, (one, frame(0)))
        progress = asyncio.ensure_future(reader.progress())
        await asyncio.sleep(0)
        one.far.sendall(last)
        one.far.close()
        await progress
        assert one.has_ended
        assert one.received == 1 + bool(last)
