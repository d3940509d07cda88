"""Audit: commands that change something become records, which can be listed and verified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from actors import ViewContext
from actors.operations.audit import (
    GENESIS,
    AuditedCommand,
    CommandOutcome,
    OperationsAudit,
    OperationsAuditHead,
    operations_begin_command,
    operations_end_command,
    operations_settle_commands,
    record_hash,
)
from actors.operations.kinds import ARCHIVE
from actors.operations.limits import ARCHIVE_RECORDS
from server.admin.commands import Command, Params
from server.admin.context import Operator, Touched
from server.admin.operations import Operations
from server.limits import ARCHIVE_SECONDS_MAX

__all__ = ["Audit", "Verdict", "arguments_hash"]


class Verdict(NamedTuple):
    """What verifying the records came to; ``fault`` is empty when all is well."""

    records: int
    last_hash: str
    fault: str


class _Head(NamedTuple):
    records: int
    archived: int
    hash: str


def arguments_hash(params: Params) -> str:
    """SHA-256 of a command's arguments as canonical JSON, without the reason."""
    arguments = params.model_dump(mode="json", exclude={"reason"})
    text = json.dumps(arguments, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Audit:
    """The records of one server's operators.

    Attributes:
        watchers: told of every record once it is durable; they must not raise or wait.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self.watchers: set[Callable[[OperationsAudit], None]] = set()

    async def settle(self) -> None:
        """Record what an earlier run of the server left pending; before any command runs."""
        await self._operations.call(operations_settle_commands)

    async def begin(self, command: Command, operator: Operator, params: Params, reason: str) -> int:
        """Note durably that a command is about to run; answers its ticket."""
        ticket = await self._operations.call(
            operations_begin_command,
            AuditedCommand(
                operator=operator.name,
                issuer=operator.issuer,
                role=operator.role.claim,
                command=command.name,
                arguments_hash=arguments_hash(params),
                reason=reason,
            ),
        )
        return ticket.id

    async def end(self, ticket: int, error_code: str, touched: Touched | None) -> None:
        """Make the record of a command that has ended; durable on return.

        Args:
            ticket: what ``begin`` answered.
            error_code: why it failed; empty when it did not.
            touched: the actor that it changed, if it was one.
        """
        record = await self._operations.call(
            operations_end_command,
            CommandOutcome(
                ticket=ticket,
                outcome="failed" if error_code else "done",
                error_code=error_code,
                actor=touched.actor if touched else "",
                seq_before=touched.seq_before if touched else None,
                seq_after=touched.seq_after if touched else None,
            ),
        )
        for watcher in tuple(self.watchers):
            watcher(record)

    async def newest(self, before: int | None = None) -> AsyncIterator[OperationsAudit]:
        """All records, the newest first; with ``before``, those of smaller numbers."""
        head, kept = await self._operations.read(_standing)
        for record in reversed(kept):
            if before is None or record.number < before:
                yield record
        for first in reversed(range(1, head.archived + 1, ARCHIVE_RECORDS)):
            if before is None or first < before:
                for record in reversed(await self._archive(first)):
                    if before is None or record.number < before:
                        yield record

    async def verify(self) -> Verdict:
        """Check that no record was changed, removed or put in between."""
        head, kept = await self._operations.read(_standing)
        number, last_hash = 0, GENESIS
        for first in (*range(1, head.archived + 1, ARCHIVE_RECORDS), None):
            for record in kept if first is None else await self._archive(first):
                number += 1
                fault = _fault(record, number, last_hash)
                if fault:
                    return Verdict(number - 1, last_hash, fault)
                last_hash = record.hash
        if (number, last_hash) != (head.records, head.hash):
            fault = f"there were {head.records} records, the last one was {head.hash}"
            return Verdict(number, last_hash, fault)
        return Verdict(number, last_hash, "")

    async def _archive(self, first: int) -> list[OperationsAudit]:
        """An archive's records; waits for those that are on their way to it."""
        key = ARCHIVE.key(str(first))
        whole = await self._operations.until(key, _whole_archive, ARCHIVE_SECONDS_MAX)
        return await self._operations.read(_records, key) if whole is None else whole


def _standing(view: ViewContext) -> tuple[_Head, list[OperationsAudit]]:
    """How far the records go, and those that are not in archives, of one moment."""
    head = view.db[OperationsAuditHead].find(0)
    if head is None:
        return _Head(0, 0, GENESIS), []
    return _Head(head.records, head.archived, head.hash), _records(view)


def _records(view: ViewContext) -> list[OperationsAudit]:
    return list(view.db[OperationsAudit])


def _whole_archive(view: ViewContext) -> list[OperationsAudit] | None:
    records = _records(view)
    return records if len(records) >= ARCHIVE_RECORDS else None


def _fault(record: OperationsAudit, number: int, previous_hash: str) -> str:
    if record.number != number:
        return f"record {number} is missing"
    if record.hash != record_hash(record):
        return f"record {number} was changed"
    if record.previous_hash != previous_hash:
        return f"record {number} does not follow the one before it"
    return ""
