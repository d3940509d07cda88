"""Tail of a journal: proved gapless and whole, and folded into row changes.

Pure; every store uses it, so that a checkpoint means the same in all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from persistence.errors import CorruptActorError, CorruptRecordError
from persistence.record import RowChange, decode_record, verify_record

__all__ = ["Fold", "fold_changes", "fold_journal", "fold_tail", "verify_tail"]


class Fold(NamedTuple):
    """What a checkpoint changes: the last word on each (table id, key); None deletes the row."""

    changes: dict[tuple[int, bytes], bytes | None]
    time: int


def verify_tail(actor: str, after: int, numbered: Iterable[tuple[int, bytes]]) -> list[bytes]:
    """Check that records follow ``after`` without a gap and are whole; return their bytes.

    Raises CorruptActorError that names the first record which is missing or damaged.
    """
    records = []
    for expected, (seq, data) in enumerate(numbered, after + 1):
        if seq != expected:
            raise CorruptActorError(actor, expected, f"the record is missing, {seq} follows")
        try:
            verify_record(data, seq)
        except CorruptRecordError as error:
            raise CorruptActorError(actor, seq, error.reason) from error
        records.append(data)
    return records


def fold_tail(actor: str, after: int, records: Iterable[bytes]) -> Fold:
    """Fold verified records that follow ``after``; a later change of a row replaces an earlier.

    Raises CorruptActorError for a record that proves whole and makes no sense all the same.
    """
    changes: dict[tuple[int, bytes], bytes | None] = {}
    time = 0
    for seq, data in enumerate(records, after + 1):
        try:
            record = decode_record(data)
        except CorruptRecordError as error:
            raise CorruptActorError(actor, seq, error.reason) from error
        assert record.seq == seq
        time = record.time
        for table_id, key, row in record.changes:
            changes[table_id, key] = row
    return Fold(changes, time)


def fold_journal(
    actor: str, after: int, through: int, numbered: Iterable[tuple[int, bytes]]
) -> Fold:
    """Verify and fold the records from ``after + 1`` to ``through``, which were all durable once.

    Raises CorruptActorError that names the first one which is missing, damaged or senseless.
    """
    records = verify_tail(actor, after, numbered)
    last = after + len(records)
    if last < through:
        raise CorruptActorError(actor, last + 1, "the record is missing")
    assert last == through
    return fold_tail(actor, after, records)


def fold_changes(changes: Sequence[RowChange], time: int) -> Fold:
    """What a checkpoint changes, from one who knows the rows; the last word on a row counts."""
    return Fold({(table_id, key): row for table_id, key, row in changes}, time)
