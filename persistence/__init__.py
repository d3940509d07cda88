"""Store of actors' journals and checkpoints: bytes in, bytes back, and promises about both."""

from __future__ import annotations

from persistence.errors import (
    ActorNameError,
    CorruptActorError,
    CorruptRecordError,
    FencedError,
    FolderLockedError,
    SequenceConflictError,
    StoreAddressError,
    StoreClosedError,
    StoreError,
    StoreFailedError,
    StoreFormatError,
    StoreOverloadedError,
    StoreReadError,
    StoreRefusedError,
    StoreUncertainError,
    StoreUnsupportedError,
    StoreWriteError,
)
from persistence.folder import DataFolder
from persistence.locator import open_store
from persistence.memory import MemoryDisk, MemoryStore
from persistence.record import Record, RowChange, decode_record, encode_record
from persistence.retention import Retention, RetentionPolicy, parse_retention
from persistence.sqlite import SqliteStore
from persistence.store import Append, Done, PlainAppend, Snapshot, Store, StoreDescription

__all__ = [
    "ActorNameError",
    "Append",
    "CorruptActorError",
    "CorruptRecordError",
    "DataFolder",
    "Done",
    "FencedError",
    "FolderLockedError",
    "MemoryDisk",
    "MemoryStore",
    "PlainAppend",
    "Record",
    "Retention",
    "RetentionPolicy",
    "RowChange",
    "SequenceConflictError",
    "Snapshot",
    "SqliteStore",
    "Store",
    "StoreAddressError",
    "StoreClosedError",
    "StoreDescription",
    "StoreError",
    "StoreFailedError",
    "StoreFormatError",
    "StoreOverloadedError",
    "StoreReadError",
    "StoreRefusedError",
    "StoreUncertainError",
    "StoreUnsupportedError",
    "StoreWriteError",
    "decode_record",
    "encode_record",
    "open_store",
    "parse_retention",
]
