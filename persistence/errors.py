"""Errors of the store, one tree; each carries fields, not only text.

- StoreError
    - StoreClosedError: the store is not open (any more)
    - StoreOverloadedError: the queue of accepted batches is full
    - StoreWriteError: the medium refused a write (disk full, I/O error)
        - StoreUncertainError: the medium went away with the write, which may be done or not
    - StoreReadError: the medium refused a read
    - StoreFailedError: an earlier batch failed and the store waits for its reset
    - StoreFormatError: the data is not ours, or of a version this program does not know
    - StoreUnsupportedError: a store URL that names no store of this program
    - StoreAddressError: a store URL that cannot be understood
    - StoreRefusedError: the store's server lets us not in, or lacks what is needed
    - SequenceConflictError: a batch does not continue an actor's journal
    - FencedError: another owner has opened the same store since
    - ActorNameError: a name that no actor can have
    - CorruptRecordError: bytes that are not a whole, unaltered record
    - CorruptActorError: one actor's stored data is damaged; the others go on
    - FolderLockedError: another process holds the data folder
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "ActorNameError",
    "CorruptActorError",
    "CorruptRecordError",
    "FencedError",
    "FolderLockedError",
    "SequenceConflictError",
    "StoreAddressError",
    "StoreClosedError",
    "StoreError",
    "StoreFailedError",
    "StoreFormatError",
    "StoreOverloadedError",
    "StoreReadError",
    "StoreRefusedError",
    "StoreUncertainError",
    "StoreUnsupportedError",
    "StoreWriteError",
]


class StoreError(Exception):
    """Whatever a store reports. Programmer's errors are assertions, not members of this tree."""


class StoreClosedError(StoreError):
    """The store was not opened, or has been closed."""

    def __init__(self) -> None:
        super().__init__("the store is not open")


class StoreOverloadedError(StoreError):
    """The batch would exceed what may wait for durability (``PENDING_BYTES_MAX``)."""

    def __init__(self, pending_bytes: int, bytes_max: int) -> None:
        super().__init__(
            f"{pending_bytes} bytes are waiting to be stored, the limit is {bytes_max}"
        )
        self.pending_bytes = pending_bytes
        self.bytes_max = bytes_max


class StoreWriteError(StoreError):
    """The medium refused the write; nothing of the batch can be seen by a later load."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the store could not write: {reason}")
        self.reason = reason


class StoreUncertainError(StoreWriteError):
    """The medium went away before it told the outcome: a load after ``reset`` shows which it was.

    As after a crash between the write and its answer, all of the batch is there or nothing.
    """


class StoreReadError(StoreError):
    """The medium refused the read."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the store could not read: {reason}")
        self.reason = reason


class StoreFailedError(StoreError):
    """Not tried: an earlier batch failed, and nothing may be applied on top of a hole."""

    def __init__(self, first: StoreError) -> None:
        super().__init__(f"an earlier batch failed ({first}); the store waits for its reset")
        self.first = first


class StoreFormatError(StoreError):
    """The file holds something else, or a format that this program does not know."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(f"{location}: {reason}")
        self.location = location
        self.reason = reason


class StoreUnsupportedError(StoreError):
    """The URL names a store that this program does not have."""

    def __init__(self, url: str, supported: tuple[str, ...]) -> None:
        super().__init__(f"no store for {url!r}; supported are {', '.join(supported)}")
        self.url = url
        self.supported = supported


class StoreAddressError(StoreError):
    """The URL says what its store cannot do; ``location`` is the URL without its secrets."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(f"{location}: {reason}")
        self.location = location
        self.reason = reason


class StoreRefusedError(StoreError):
    """The server wants another password, grants too little, or is too old."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(f"{location}: {reason}")
        self.location = location
        self.reason = reason


class SequenceConflictError(StoreError):
    """The sequence number given is not the one that continues the actor's journal."""

    def __init__(self, actor: str, expected: int, given: int) -> None:
        super().__init__(f"{actor}: expected sequence number {expected}, given {given}")
        self.actor = actor
        self.expected = expected
        self.given = given


class FencedError(StoreError):
    """A newer owner has opened the store; this one may write no more, not even after a reset.

    ``newer`` is older when the store has gone back to a state from before this owner.
    """

    def __init__(self, epoch: int, newer: int) -> None:
        super().__init__(
            f"owner of epoch {epoch} was fenced by the owner of epoch {newer}"
            if newer > epoch
            else f"owner of epoch {epoch} finds the store at epoch {newer}: it lost what it had"
        )
        self.epoch = epoch
        self.newer = newer


class ActorNameError(StoreError):
    """A name is 1 to ``ACTOR_NAME_BYTES_MAX`` bytes of UTF-8 without a zero character."""

    def __init__(self, actor: str) -> None:
        super().__init__(f"no actor can be named {actor[:64]!a}")
        self.actor = actor


class CorruptRecordError(StoreError):
    """The bytes are torn, altered, of an unknown version, or belong to another place."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"corrupt record: {reason}")
        self.reason = reason


class CorruptActorError(StoreError):
    """Stored data of one actor is damaged; its bytes are kept as they are.

    ``seq`` is the record concerned, or the base sequence number when it is a checkpointed row.
    """

    def __init__(self, actor: str, seq: int, reason: str) -> None:
        super().__init__(f"{actor}, sequence number {seq}: {reason}")
        self.actor = actor
        self.seq = seq
        self.reason = reason


class FolderLockedError(StoreError):
    """Another process works in the data folder (domain 1.13: exit code 2)."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"data folder is locked: {path}")
        self.path = path
