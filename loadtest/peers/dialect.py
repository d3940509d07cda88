"""Dialects: how a kind of server spells calls, answers and updates.

All of them count: a call answers, or an update brings, a total. Totals begin at a thousand million,
so that messages of one kind are of one size whatever has been counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum
from typing import ClassVar, Protocol

from loadtest.peers.limits import REQUEST_IDS_MAX
from loadtest.peers.link import Link, Shape, masked_frame

__all__ = ["START", "Calls", "Dialect", "FramedDialect", "Role", "turns"]

START = 1_000_000_000
"""Every total before it is counted for the first time."""


class Role(Enum):
    """What a connection is there for; the value is what it calls."""

    CALLER = "bump"
    """Counts for itself, under load."""
    WRITER = "write"
    """Counts for everybody, under load."""
    READER = "follow"
    """Follows, once asked for, what the writer counts."""
    GIVER = "give"
    """Counts in the purses of others, under load."""
    OWNER = "enroll"
    """Has a purse, once asked for, and is told of it alone."""


class Calls(Protocol):
    """The calls of one connection, again and again in order; ``length`` is one round."""

    length: int

    def take(self, start: int, count: int) -> bytes:
        """What makes ``count`` calls from position ``start`` on, at most one round."""


class Dialect(Protocol):
    """One kind of server."""

    async def connect(self, port: int) -> Link:
        """Open a link on which calls may be made.

        Raises:
            LoadTestError: the server did not let it.
        """

    async def enter(self, link: Link, role: Role, number: int) -> None:
        """Do what comes before the load; ``number`` is that of an owner's purse."""

    def calls(self, role: Role, purses: int) -> Calls:
        """What a role calls: the same again and again, or for all purses in turn."""

    def shape(self, payload: bytes, total: int) -> Shape:
        """The shape of messages like this one, which brought a total."""


def turns(purses: int) -> list[int]:
    """Numbers of purses, whole rounds of them, as many as may be in flight or more."""
    return [*range(purses)] * -(-REQUEST_IDS_MAX // purses)


class _Frames:
    """Calls of which each is a frame of its own."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        self.length = len(frames)
        self._twice = [*frames, *frames]

    def take(self, start: int, count: int) -> bytes:
        """The frames of ``count`` calls from position ``start`` on."""
        return b"".join(self._twice[start : start + count])


class FramedDialect(ABC):
    """A dialect in which each message is a frame of its own."""

    is_text: ClassVar[bool] = True

    @abstractmethod
    async def connect(self, port: int) -> Link:
        """Open a link on which calls may be made."""

    @abstractmethod
    def call(self, request_id: int, name: str, purse: int | None = None) -> bytes:
        """Spell a call."""

    def spelled(self, total: int) -> bytes:
        """Spell a total as it stands in messages."""
        return str(total).encode()

    def read(self, data: bytes) -> int:
        """Read what :meth:`spelled` wrote."""
        return int(data)

    async def enter(self, link: Link, role: Role, number: int) -> None:  # noqa: ARG002
        """Ask for what is to come by itself; owners enter in the order of their numbers."""
        if role in {Role.READER, Role.OWNER}:
            link.send(self.call(0, role.value))
            await link.receive()

    def calls(self, role: Role, purses: int) -> _Frames:
        """One frame for each call."""
        purse_numbers = turns(purses) if role is Role.GIVER else [None] * REQUEST_IDS_MAX
        messages = (
            self.call(position % REQUEST_IDS_MAX, role.value, purse)
            for position, purse in enumerate(purse_numbers)
        )
        return _Frames([masked_frame(message, is_text=self.is_text) for message in messages])

    def shape(self, payload: bytes, total: int) -> Shape:
        """The whole payload is one message."""
        return Shape.of(payload, self.spelled(total), self.read, None)
