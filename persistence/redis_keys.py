"""Redis keys: how a store's data lies in Redis, and how rows are written there.

All keys of a store carry its name as hash tag, so they lie in one slot of a cluster and one
function call can change them together. ``redis_functions.lua`` says what each key holds.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

from redis.exceptions import RedisError

from persistence.errors import CorruptActorError
from persistence.store import Snapshot
from persistence.tail import verify_tail

__all__ = ["RedisKeys", "encode_row", "read_base", "read_records", "read_snapshot", "row_field"]

_TABLE = Struct(">I")
_CHECKSUM = Struct("<I")
_BASE_FIELD = b""
"""Field of ``rows`` that begins with base_seq and base_time; fields of rows are never empty."""


class RedisKeys:
    """Keys of one store; ``actor`` is a name that actors can have."""

    __slots__ = ("_tag", "meta", "names", "owner", "wakes")

    def __init__(self, name: str) -> None:
        self._tag = b"{%s}:" % name.encode()
        self.owner = self._tag + b"owner"
        self.names = self._tag + b"names"
        self.wakes = self._tag + b"wakes"
        self.meta = self._tag + b"meta"

    def journal(self, actor: str) -> bytes:
        """List of the folded records that are kept, then of those after ``base_seq``."""
        return b"%sjournal:%s" % (self._tag, actor.encode())

    def rows(self, actor: str) -> bytes:
        """Hash of the rows as of ``base_seq``."""
        return b"%srows:%s" % (self._tag, actor.encode())


def row_field(table_id: int, key: bytes) -> bytes:
    """Name a row inside its actor; in the order of table and key."""
    return _TABLE.pack(table_id) + key


def encode_row(field: bytes, row: bytes) -> bytes:
    """Value of a row: a checksum of field and row, and the row."""
    return _CHECKSUM.pack(crc32(row, crc32(field))) + row


def read_base(actor: str, rows: object) -> tuple[int, int, dict[bytes, bytes]]:
    """Read base_seq, base_time and the row values of a ``rows`` hash as it was answered.

    Raises CorruptActorError when the answer is an error, or senseless.
    """
    if isinstance(rows, RedisError):
        raise CorruptActorError(actor, 0, str(rows))
    assert isinstance(rows, list)
    values: dict[bytes, bytes] = dict(zip(rows[::2], rows[1::2], strict=True))
    base = values.pop(_BASE_FIELD, b"0 0")
    try:
        seq, time = map(int, base.split(b" ")[:2])
    except ValueError:
        raise CorruptActorError(actor, 0, "base_seq cannot be read") from None
    return seq, time, values


def read_records(actor: str, base_seq: int, journal: object) -> list[tuple[int, bytes]]:
    """Number the records after ``base_seq`` as they were answered; their place is their number.

    Raises CorruptActorError when the answer is an error.
    """
    if isinstance(journal, RedisError):
        raise CorruptActorError(actor, base_seq + 1, str(journal))
    assert isinstance(journal, list)
    return list(enumerate(journal, base_seq + 1))


def read_snapshot(actor: str, rows: object, journal: object) -> Snapshot:
    """Put together what was answered about an actor.

    Raises CorruptActorError for an altered row, and for a damaged or missing record.
    """
    base_seq, base_time, values = read_base(actor, rows)
    found = []
    for field, value in sorted(values.items()):
        row = value[_CHECKSUM.size :]
        if encode_row(field, row) != value or len(field) < _TABLE.size:
            raise CorruptActorError(actor, base_seq, "a stored row is altered")
        found.append((_TABLE.unpack_from(field)[0], row))
    tail = verify_tail(actor, base_seq, read_records(actor, base_seq, journal))
    return Snapshot(actor, base_seq, base_time, found, tail)
