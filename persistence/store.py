"""Store port: what every store of actors' journals and checkpoints promises.

A store keeps, per actor, a journal of records with gapless sequence numbers from 1, and the
rows as they were after record ``base_seq``. It knows bytes, not meaning. One owner writes; the
owner is known by its epoch, and opening makes a new one. Rows at any moment are the stored rows
plus the tail: records ``base_seq + 1`` and on. Source: architecture 6, domain 12.1 and 12.9.

Threads: every method is called on the thread of one event loop, the one that ran ``open``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from persistence.errors import ActorNameError, CorruptActorError, StoreError
from persistence.limits import ACTOR_NAME_BYTES_MAX
from persistence.record import RowChange

__all__ = [
    "Append",
    "Done",
    "PlainAppend",
    "Snapshot",
    "Store",
    "StoreDescription",
    "check_actor_name",
    "is_actor_name",
]

Done: TypeAlias = Callable[[StoreError | None], None]
"""Told the outcome once, on the loop's thread, never from inside the call that took it. What it
raises goes to the loop's exception handler and stops nobody else's acknowledgement."""


class Append(NamedTuple):
    """One record for one actor.

    ``wake`` is when the sleeping actor must be woken, in microseconds since 1970, because a timer
    or an unsent message waits there: None leaves it as it is, 0 means nothing is due.
    """

    actor: str
    seq: int
    record: bytes
    wake: int | None


PlainAppend: TypeAlias = tuple[str, int, bytes, int | None]
"""An ``Append``, or a plain tuple of its shape, which the hot path makes at a fifth of the cost."""


class Snapshot(NamedTuple):
    """All that is stored of one actor.

    ``rows`` are (table id, row) ordered by table and key, as they were after record
    ``base_seq``, which was of time ``base_time`` (0 and 0 before the first checkpoint). ``tail``
    are the whole, verified records ``base_seq + 1``, ``base_seq + 2`` and so on without a gap.
    """

    actor: str
    base_seq: int
    base_time: int
    rows: list[tuple[int, bytes]]
    tail: list[bytes]


class StoreDescription(NamedTuple):
    """What was opened. ``durability`` is read from the live settings, not from our wishes.

    ``risk`` says what can be lost although it was acknowledged; empty when nothing is known.
    """

    kind: str
    location: str
    durability: str
    epoch: int
    risk: str = ""


class Store(Protocol):
    """The port. Every store passes the same conformance suite."""

    async def open(self) -> StoreDescription:
        """Take ownership: the epoch grows by one, and older owners can write no more.

        Raises StoreFormatError for data that is not ours, StoreWriteError or StoreReadError when
        the medium refuses.
        """

    def append(self, batch: Sequence[PlainAppend], done: Done) -> None:
        """Accept a batch; ``done(None)`` once it is durable. Never blocks, never raises.

        Order: batches become durable in the order of the calls, and their ``done`` are called in
        that order. When one is durable, all before it are.

        Atomic: after a crash all of a batch is there or nothing of it.

        Checked: each sequence number is the actor's last plus one (SequenceConflictError), each
        record is of its sequence number (CorruptRecordError), and no newer owner has opened the
        store (FencedError). A batch may carry several records of one actor, ascending.

        Failure: a batch that fails takes all later ones with it, each told StoreFailedError,
        until ``reset``. Batches that were grouped with it into one commit share its error.

        Bounded: beyond ``PENDING_BYTES_MAX`` the batch fails with StoreOverloadedError. An empty
        batch is allowed: its ``done`` says that all before it are durable.
        """

    def pending_bytes(self) -> int:
        """What is accepted and not yet settled; the host's measure of back-pressure."""

    async def reset(self) -> None:
        """Wait until everything accepted is settled, then accept batches again.

        A batch that failed is not in the store (StoreUncertainError: or is), so actors that it
        concerned must be loaded again.
        Harmless when nothing failed. Does not help a fenced owner. Raises StoreClosedError.
        """

    async def load(self, actors: Sequence[str]) -> list[Snapshot | CorruptActorError]:
        """Read actors: one answer per name, in the same order.

        An answer holds at least all that was acknowledged before the call, and is of one moment.
        An actor that was never heard of is an empty snapshot with ``base_seq`` 0. A damaged actor
        is a CorruptActorError in its place; its bytes stay as they are, and the others are not
        concerned. Raises StoreReadError when the medium refuses, StoreClosedError.
        """

    def checkpoint(
        self,
        actor: str,
        through: int,
        done: Done,
        changes: Sequence[RowChange] | None = None,
        time: int = 0,
    ) -> None:
        """Make the stored rows those after record ``through``; cost follows what changed.

        Without ``changes`` the journal is read: its records are verified and folded. Who knows
        the rows gives them instead, and the journal is not read: ``changes`` is the last word,
        as of ``through``, on each row that was touched by the records after the ``through`` of
        the checkpoint asked for before, or for an actor loaded since, by the records after the
        snapshot's ``base_seq``; ``time`` is the time of record ``through``. More rows do no harm
        when they are as of ``through`` too, and of several words on one row the last counts. Both
        ways store the same. The sequence belongs to the store until ``done``.

        Queued behind the appends accepted before it. Rows, ``base_seq``, ``base_time`` and the
        trimming of the journal change all at once or not at all. ``through`` at or before
        ``base_seq`` does nothing and succeeds; beyond the last durable record it fails with
        SequenceConflictError. A damaged or missing record that must be read fails it with
        CorruptActorError.

        A failed checkpoint loses nothing and does not concern appends: it may be asked for again.
        Changes that it was given are forgotten with it, so later ones are not believed until the
        journal has been folded that far; nobody has to hand them in twice, nor may, as they can be
        older than what a checkpoint after them has stored. Also folded from the journal are
        checkpoints whose changes exceed ``CHANGES_BYTES_MAX`` with those that wait.
        """

    async def history(self, actor: str, after: int, limit: int) -> list[bytes]:
        """Up to ``limit`` verified records with ``seq`` > ``after``, ascending, folded or not.

        Folded records are there as far as the store's retention keeps them: the newest ones,
        without a gap up to the tail. Each checkpoint removes the oldest of its actor, together
        with moving ``base_seq``, until no limit is exceeded. Raises CorruptActorError for a
        damaged one.
        """

    async def trim(self, after: str, limit: int) -> str:
        """Apply retention to up to ``limit`` actors whose names follow ``after``.

        For the actors that are not checkpointed any more, whose history grows old all the same.
        Returns the name to go on from; empty when these were the last. Raises StoreReadError,
        StoreWriteError, FencedError, StoreClosedError.
        """

    async def due(self, before: int, limit: int) -> list[tuple[str, int]]:
        """Actors (name, wake) with 0 < wake <= ``before``; earliest first, then by name."""

    async def actors(self, prefix: str, after: str, limit: int) -> list[str]:
        """Names that start with ``prefix`` and follow ``after``, ordered by their UTF-8 bytes."""

    async def read_meta(self, key: str) -> bytes | None:
        """A small value kept beside the actors; None when it was never written."""

    async def write_meta(self, key: str, value: bytes) -> None:
        """Write a small value; durable when it returns.

        Raises StoreWriteError, FencedError, StoreClosedError.
        """

    async def check_owner(self) -> None:
        """Ask whether this owner is the newest; writes nothing.

        Who only reads would never learn otherwise that another owner writes by now. Raises
        FencedError, StoreReadError when the medium refuses, StoreClosedError.
        """

    async def close(self) -> None:
        """Settle everything accepted, then let go of the medium. Harmless when closed already."""


def is_actor_name(name: str) -> bool:
    """Whether an actor can be named so: see ActorNameError."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return False
    return 0 < length <= ACTOR_NAME_BYTES_MAX and "\0" not in name


def check_actor_name(name: str) -> None:
    """Raise ActorNameError when no actor can be named so; done before a name is first kept."""
    if not is_actor_name(name):
        raise ActorNameError(name)
