"""Audit: who changed what, why and with what outcome, as records that only ever grow in number.

A command that changes something is noted before it runs and becomes a record when it has ended, in
one transaction; one that a crash cut off becomes a record when the server starts again. So each
leaves exactly one. Every record carries the hash of the one before it, and the actor's head the
number and hash of the last: a record that was changed or removed in the store shows.
"""

from __future__ import annotations

import hashlib
import json
from itertools import islice
from typing import cast

from actors import (
    ReducerContext,
    ReducerError,
    Timestamp,
    message,
    reducer,
    replace,
    struct,
    table,
    u8,
    u64,
)
from actors.operations.kinds import ARCHIVE, OPERATIONS, OPERATIONS_ROLE
from actors.operations.limits import ARCHIVE_RECORDS, AUDIT_RECORDS_MAX, PENDING_MAX

__all__ = [
    "GENESIS",
    "AuditedCommand",
    "CommandOutcome",
    "CommandTicket",
    "OperationsAudit",
    "OperationsAuditHead",
    "OperationsPending",
    "record_hash",
]

GENESIS = "0" * 64
"""What the first record carries as the hash of the one before it."""

CUT_OFF = "server.stopped"
"""The error code of a command whose server ended before the command did."""


@table(primary_key="number", actor=(OPERATIONS, ARCHIVE))
class OperationsAudit:
    """One command that changed something, or tried to.

    ``outcome`` is ``done``, ``failed`` with an ``error_code``, or ``unknown`` after a crash.
    ``actor`` is empty where no single actor was changed.
    """

    number: u64
    began_at: Timestamp
    ended_at: Timestamp
    operator: str
    issuer: str
    role: str
    command: str
    arguments_hash: str
    reason: str
    outcome: str
    error_code: str
    actor: str
    seq_before: u64 | None
    seq_after: u64 | None
    previous_hash: str
    hash: str


@table(primary_key="id", auto_increment="id", actor=OPERATIONS)
class OperationsPending:
    """A command that has begun and not ended."""

    id: u64
    began_at: Timestamp
    operator: str
    issuer: str
    role: str
    command: str
    arguments_hash: str
    reason: str


@table(primary_key="id", actor=OPERATIONS)
class OperationsAuditHead:
    """How far the records go, and how many of them are in archives."""

    id: u8
    records: u64
    archived: u64
    hash: str


@struct
class AuditedCommand:
    """A command that is about to run."""

    operator: str
    issuer: str
    role: str
    command: str
    arguments_hash: str
    reason: str


@struct
class CommandTicket:
    """A pending command."""

    id: u64


@struct
class CommandOutcome:
    """How a pending command ended."""

    ticket: u64
    outcome: str
    error_code: str
    actor: str
    seq_before: u64 | None
    seq_after: u64 | None


@struct
class Archived:
    """Records that move into an archive."""

    records: list[OperationsAudit]


def record_hash(record: OperationsAudit) -> str:
    """SHA-256 over all of a record but its own hash, in hexadecimal digits."""
    columns = cast("tuple[object, ...]", record)[:-1]
    text = json.dumps(columns, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@reducer(actor=OPERATIONS, roles=[OPERATIONS_ROLE])
def operations_begin_command(ctx: ReducerContext, input: AuditedCommand) -> CommandTicket:
    """Note a command before it runs."""
    pending = ctx.db[OperationsPending]
    if len(pending) >= PENDING_MAX:
        raise ReducerError("limit.quota_exceeded", "too many commands run at the same time")
    row = OperationsPending(
        id=0,
        began_at=ctx.timestamp,
        operator=input.operator,
        issuer=input.issuer,
        role=input.role,
        command=input.command,
        arguments_hash=input.arguments_hash,
        reason=input.reason,
    )
    return CommandTicket(pending.insert(row).id)


@reducer(actor=OPERATIONS, roles=[OPERATIONS_ROLE])
def operations_end_command(ctx: ReducerContext, input: CommandOutcome) -> OperationsAudit:
    """Turn a pending command into its record."""
    return _record(ctx, input)


@reducer(actor=OPERATIONS, roles=[OPERATIONS_ROLE])
def operations_settle_commands(ctx: ReducerContext) -> None:
    """Record what an earlier run of the server left pending; nobody knows what came of it."""
    for pending in list(ctx.db[OperationsPending]):
        _record(ctx, CommandOutcome(pending.id, "unknown", CUT_OFF, "", None, None))


@message(ARCHIVE)
def archive_records(ctx: ReducerContext, payload: Archived) -> None:
    """Keep older records."""
    for record in payload.records:
        ctx.db[OperationsAudit].insert(record)


def _record(ctx: ReducerContext, ended: CommandOutcome) -> OperationsAudit:
    pending = ctx.db[OperationsPending].get(ended.ticket)
    ctx.db[OperationsPending].delete(pending.id)
    heads = ctx.db[OperationsAuditHead]
    head = heads.find(0) or OperationsAuditHead(0, 0, 0, GENESIS)
    record = OperationsAudit(
        number=head.records + 1,
        began_at=pending.began_at,
        ended_at=ctx.timestamp,
        operator=pending.operator,
        issuer=pending.issuer,
        role=pending.role,
        command=pending.command,
        arguments_hash=pending.arguments_hash,
        reason=pending.reason,
        outcome=ended.outcome,
        error_code=ended.error_code,
        actor=ended.actor,
        seq_before=ended.seq_before,
        seq_after=ended.seq_after,
        previous_hash=head.hash,
        hash="",
    )
    record = replace(record, hash=record_hash(record))
    ctx.db[OperationsAudit].insert(record)
    archived = head.archived + _archive_oldest(ctx)
    heads.upsert(OperationsAuditHead(0, record.number, archived, record.hash))
    return record


def _archive_oldest(ctx: ReducerContext) -> int:
    """Send the oldest records to an archive if there are too many here; answers how many went."""
    records = ctx.db[OperationsAudit]
    if len(records) <= AUDIT_RECORDS_MAX:
        return 0
    oldest = list(islice(records, ARCHIVE_RECORDS))
    ctx.send(ARCHIVE.key(str(oldest[0].number)), Archived(oldest))
    for record in oldest:
        records.delete(record.number)
    return len(oldest)
