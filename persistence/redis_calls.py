"""Redis calls: what is sent to the server, and who is told what came of it.

A call is settled once: by its reply, by a refusal, or by what a new connection finds out about it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import orjson

from persistence.errors import SequenceConflictError, StoreError, StoreReadError, StoreWriteError
from persistence.group_commit import AppendJob
from persistence.redis_keys import RedisKeys
from persistence.redis_library import function_call

__all__ = ["AppendCall", "AppendOutcome", "Call", "Link", "LocalCall", "ReadCall", "WriteCall"]

_OK = b"ok"
_CONFLICT = b"conflict"


class Link:
    """One connection of an owner, as functions that write are told; grows with each connection."""

    __slots__ = ("epoch", "number")

    def __init__(self, epoch: int, number: int) -> None:
        self.epoch = epoch
        self.number = number


class Call(Protocol):
    """One step; ``is_write`` calls are refused by the server once a newer link is there."""

    @property
    def is_write(self) -> bool:
        """Whether it can change anything."""

    @property
    def is_local(self) -> bool:
        """Whether it takes its turn without the server."""

    def encode(self, link: Link) -> bytes:
        """Spell it for a connection; local calls are not sent."""

    def settle(self, reply: object) -> None:
        """Take the reply."""

    def fail(self, error: StoreError) -> None:
        """Take a refusal, of this call alone or because the server is away."""

    def resolve(self, batch: int) -> None:
        """Take what a new connection found: the last batch written."""


class ReadCall:
    """A question; asked again on a new connection."""

    is_write = False
    is_local = False

    def __init__(
        self,
        packed: bytes,
        answered: Callable[[object], None],
        failed: Callable[[StoreError], None],
    ) -> None:
        self._packed = packed
        self._answered = answered
        self._failed = failed

    def encode(self, link: Link) -> bytes:  # noqa: ARG002 -- anybody may read
        """See ``Call``."""
        return self._packed

    def settle(self, reply: object) -> None:
        """See ``Call``."""
        self._answered(reply)

    def fail(self, error: StoreError) -> None:
        """See ``Call``; tells StoreReadError in place of StoreWriteError."""
        self._failed(StoreReadError(error.reason) if isinstance(error, StoreWriteError) else error)

    def resolve(self, batch: int) -> None:
        """See ``Call``; it does not matter to it."""


class WriteCall:
    """A write that can be repeated: a checkpoint or a small value. ``done`` learns the outcome."""

    is_write = True
    is_local = False

    def __init__(
        self,
        function: str,
        keys: Sequence[bytes],
        arguments: Sequence[str | bytes | int],
        done: Callable[[StoreError | None], None],
        conflict: Callable[[int], StoreError] | None = None,
    ) -> None:
        self._function = function
        self._keys = keys
        self._arguments = arguments
        self._done = done
        self._conflict = conflict

    def encode(self, link: Link) -> bytes:
        """See ``Call``."""
        return function_call(self._function, self._keys, link.epoch, link.number, *self._arguments)

    def settle(self, reply: object) -> None:
        """See ``Call``; ``conflict`` makes the error of the number that came with it."""
        assert isinstance(reply, list)
        if reply[0] == _CONFLICT and self._conflict is not None:
            self._done(self._conflict(reply[1]))
        else:
            assert reply[0] == _OK, reply
            self._done(None)

    def fail(self, error: StoreError) -> None:
        """See ``Call``."""
        self._done(error)

    def resolve(self, batch: int) -> None:
        """See ``Call``; repeating it does no harm."""


class AppendOutcome(NamedTuple):
    """What came of jobs: the first ``written`` are there, and the next one met ``error``."""

    jobs: Sequence[AppendJob]
    written: int
    error: StoreError | None
    last_batch: int


class AppendCall:
    """Batches of one turn of the loop, numbered from ``first``.

    Those that a new connection finds written are not sent again, and take their turn all the same.
    """

    is_write = True

    def __init__(
        self,
        keys: RedisKeys,
        jobs: Sequence[AppendJob],
        first: int,
        settled: Callable[[AppendOutcome], None],
    ) -> None:
        self._keys = keys
        self._jobs = jobs
        self._first = first
        self._settled = settled
        self._found = 0

    @property
    def is_local(self) -> bool:
        """See ``Call``."""
        return self._found == len(self._jobs)

    def encode(self, link: Link) -> bytes:
        """See ``Call``; hot path of every commit."""
        places: dict[str, int] = {}
        actors: list[int] = []
        seqs: list[int] = []
        wakes: list[int] = []
        records: list[bytes] = []
        jobs = self._jobs[self._found :]
        for job in jobs:
            for actor, seq, record, wake in job.batch:
                actors.append(places.setdefault(actor, len(places) + 1))
                seqs.append(seq)
                wakes.append(-1 if wake is None else wake)
                records.append(record)
        sizes = [len(job.batch) for job in jobs]
        plan = orjson.dumps({"sizes": sizes, "actors": actors, "seqs": seqs, "wakes": wakes})
        keys = [self._keys.owner, self._keys.names, self._keys.wakes]
        for actor in places:
            keys += (self._keys.journal(actor), self._keys.rows(actor))
        first = self._first + self._found
        return function_call(
            "append", keys, link.epoch, link.number, first, plan, *places, *records
        )

    def settle(self, reply: object) -> None:
        """See ``Call``."""
        if self.is_local:
            self._tell(0, None)
            return
        assert isinstance(reply, list)
        if reply[0] == _OK:
            self._tell(reply[1], None)
        elif reply[0] == _CONFLICT:
            _, count, place, expected = reply
            appends = [item for job in self._jobs[self._found :] for item in job.batch]
            actor, given, _, _ = appends[place - 1]
            self._tell(count, SequenceConflictError(actor, expected, given))
        else:
            self._tell(0, StoreWriteError("the server is not where it was left"))

    def fail(self, error: StoreError) -> None:
        """See ``Call``."""
        self._tell(0, error)

    def resolve(self, batch: int) -> None:
        """See ``Call``."""
        self._found = min(max(batch - self._first + 1, 0), len(self._jobs))

    def _tell(self, more: int, error: StoreError | None) -> None:
        written = self._found + more
        self._settled(AppendOutcome(self._jobs, written, error, self._first + written - 1))


class LocalCall:
    """Batches that need no server to be settled, but take their turn behind those before them."""

    is_write = False
    is_local = True

    def __init__(self, settle: Callable[[], None]) -> None:
        self._settle = settle

    def encode(self, link: Link) -> bytes:  # noqa: ARG002
        """See ``Call``."""
        return b""

    def settle(self, reply: object) -> None:  # noqa: ARG002
        """See ``Call``."""
        self._settle()

    def fail(self, error: StoreError) -> None:  # noqa: ARG002 -- they have an error of their own
        """See ``Call``."""
        self._settle()

    def resolve(self, batch: int) -> None:
        """See ``Call``; it does not matter to it."""
