"""Journal record: one committed turn of an actor, as bytes that can prove they are whole.

Layout, little-endian: version u8, seq u64, time i64, lengths of caller u8, call u16 and
args u32, number of changes u32; then call (UTF-8), caller, args; then per change table u32,
key length u32, row length u32 (all ones: the row is deleted), key, row; at the end the CRC-32
of everything before it. Source: architecture 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

from persistence.errors import CorruptRecordError
from persistence.limits import CALL_BYTES_MAX, CALLER_BYTES, RECORD_BYTES_MAX

__all__ = [
    "TIME_PLACE",
    "Record",
    "RowChange",
    "check_place",
    "decode_record",
    "encode_record",
    "record_seq",
    "record_time",
    "verify_record",
]

# Final, because compiled code then reads them without looking their names up.
_VERSION: Final = 1
_DELETED: Final = 0xFFFF_FFFF
_HEADER = Struct("<BQqBHII")
_CHANGE = Struct("<III")
_CHECKSUM = Struct("<I")
_BYTES_MIN: Final = _HEADER.size + _CHECKSUM.size
_pack_header: Final = _HEADER.pack
_pack_change: Final = _CHANGE.pack
_crc32: Final = crc32
_SPELLED: Final = 1_024
_WORDS: Final = tuple(number.to_bytes(4, "little") for number in range(_SPELLED))
"""What most numbers of a change are, at a fifth of the cost of packing them."""
_unpack_header = _HEADER.unpack_from
_unpack_change = _CHANGE.unpack_from
_unpack_checksum = _CHECKSUM.unpack_from
_unpack_seq: Final = Struct("<Q").unpack_from
_SEQ_AT: Final = 1
_SEQ_END: Final = 9
TIME_PLACE = range(9, 17)
"""Where a record's time lies: stores that look at it inside their medium count on that."""

assert RECORD_BYTES_MAX < _DELETED


class RowChange(NamedTuple):
    """A row as it is after the turn; ``row`` None means that it is gone.

    ``key`` is the BSATN of the primary key, or of the whole row for tables without one.
    """

    table_id: int
    key: bytes
    row: bytes | None


class Record(NamedTuple):
    """A turn: ``time`` in microseconds since 1970, ``caller`` 32 bytes or empty."""

    seq: int
    time: int
    call: str
    caller: bytes
    args: bytes
    changes: tuple[RowChange, ...]


def encode_record(
    seq: int,
    time: int,
    call: str,
    caller: bytes,
    args: bytes,
    changes: Sequence[tuple[int, bytes, bytes | None]],
) -> bytes:
    """Encode one turn; hot path of every commit.

    ``changes`` are ``RowChange``s or plain tuples of the same shape, in the order of the turn.
    Numbers out of their range raise ``struct.error``: a programmer's error.
    """
    name = call.encode()
    assert len(name) <= CALL_BYTES_MAX
    assert not caller or len(caller) == CALLER_BYTES
    parts = [
        _pack_header(_VERSION, seq, time, len(caller), len(name), len(args), len(changes)),
        name,
        caller,
        args,
    ]
    for table_id, key, row in changes:
        size = _DELETED if row is None else len(row)
        if table_id < _SPELLED and len(key) < _SPELLED and size < _SPELLED:
            parts += (_WORDS[table_id], _WORDS[len(key)], _WORDS[size], key)
        else:
            parts += (_pack_change(table_id, len(key), size), key)
        if row is not None:
            parts.append(row)
    body = b"".join(parts)
    assert len(body) < RECORD_BYTES_MAX
    return body + _crc32(body).to_bytes(4, "little")


def record_seq(data: bytes) -> int:
    """Read the sequence number alone, unchecked; CorruptRecordError when there is none."""
    if len(data) < _BYTES_MIN:
        raise CorruptRecordError(f"{len(data)} bytes cannot be a record")
    (seq,) = _unpack_seq(data, _SEQ_AT)
    assert isinstance(seq, int)
    return seq


def record_time(data: bytes) -> int:
    """Read the time alone, unchecked: of bytes that are no record it is some number."""
    return int.from_bytes(data[TIME_PLACE.start : TIME_PLACE.stop], "little", signed=True)


def check_place(data: bytes, seq: int) -> None:
    """Check that a record made by this process is of its sequence number; hot path of appends.

    Its checksum is as old as the bytes are, so only reading them back from a medium proves
    anything by it. Raises CorruptRecordError.
    """
    if len(data) < _BYTES_MIN or data[_SEQ_AT:_SEQ_END] != seq.to_bytes(8, "little"):
        raise CorruptRecordError(f"a record of {record_seq(data)} is given as {seq}")


def verify_record(data: bytes, seq: int) -> None:
    """Check wholeness, version and place of a record without decoding it.

    Raises CorruptRecordError when the bytes are torn or altered, or belong to another
    sequence number.
    """
    if not _BYTES_MIN <= len(data) <= RECORD_BYTES_MAX:
        raise CorruptRecordError(f"{len(data)} bytes cannot be a record")
    end = len(data) - _CHECKSUM.size
    if crc32(memoryview(data)[:end]) != _unpack_checksum(data, end)[0]:
        raise CorruptRecordError("the checksum does not match")
    version, found = _unpack_header(data)[:2]
    if version != _VERSION:
        raise CorruptRecordError(f"unknown version {version}")
    if found != seq:
        raise CorruptRecordError(f"the record says sequence number {found}")


def decode_record(data: bytes) -> Record:
    """Decode what ``encode_record`` made; raises CorruptRecordError for any other bytes."""
    if not _BYTES_MIN <= len(data) <= RECORD_BYTES_MAX:
        raise CorruptRecordError(f"{len(data)} bytes cannot be a record")
    version, seq, time, caller_length, call_length, args_length, count = _unpack_header(data)
    verify_record(data, seq)
    assert version == _VERSION
    if caller_length not in (0, CALLER_BYTES):
        raise CorruptRecordError(f"a caller of {caller_length} bytes")
    end = len(data) - _CHECKSUM.size
    caller_at = _HEADER.size + call_length
    args_at = caller_at + caller_length
    changes_at = args_at + args_length
    if changes_at > end:
        raise CorruptRecordError("the lengths exceed the record")
    try:
        call = data[_HEADER.size : caller_at].decode()
    except UnicodeDecodeError:
        raise CorruptRecordError("the call's name is not UTF-8") from None
    return Record(
        seq=seq,
        time=time,
        call=call,
        caller=data[caller_at:args_at],
        args=data[args_at:changes_at],
        changes=_decode_changes(data, changes_at, end, count),
    )


def _decode_changes(data: bytes, position: int, end: int, count: int) -> tuple[RowChange, ...]:
    if count * _CHANGE.size > end - position:
        raise CorruptRecordError(f"{count} changes do not fit")
    changes = []
    for _ in range(count):
        key_at = position + _CHANGE.size
        if key_at > end:
            raise CorruptRecordError("a change exceeds the record")
        table_id, key_length, row_length = _unpack_change(data, position)
        row_at = key_at + key_length
        position = row_at if row_length == _DELETED else row_at + row_length
        if position > end:
            raise CorruptRecordError("a change exceeds the record")
        row = None if row_length == _DELETED else data[row_at:position]
        changes.append(RowChange(table_id, data[key_at:row_at], row))
    if position != end:
        raise CorruptRecordError(f"{end - position} bytes too many")
    return tuple(changes)
