"""Commands on the audit: who changed what and why, and whether the records are whole."""

from __future__ import annotations

from pydantic import Field

from actors.operations.audit import OperationsAudit
from server.admin.commands import NoParams, Params, Result, command
from server.admin.context import AdminContext
from server.admin.roles import Role
from server.limits import ADMIN_COMMAND_SECONDS_MAX, ADMIN_LIST_ROWS_MAX

__all__ = [
    "AuditEntry",
    "AuditList",
    "AuditVerdict",
    "ListAudit",
    "audit_entry",
    "list_audit",
    "verify_audit",
]


class AuditEntry(Result):
    """One command that changed something, or tried to."""

    number: int = Field(description="Number of the record; they have no gaps.")
    began_at: int = Field(description="When it began, in microseconds since the epoch.")
    ended_at: int = Field(description="When it had ended.")
    operator: str = Field(description="Who ran it.")
    issuer: str = Field(description="Who vouched for that.")
    role: str = Field(description="The operator's role.")
    command: str = Field(description="The command.")
    arguments_hash: str = Field(description="SHA-256 of its arguments as canonical JSON.")
    reason: str = Field(description="Why, in the operator's words.")
    outcome: str = Field(description="done, failed, or unknown when the server ended meanwhile.")
    error_code: str = Field(description="Why it failed; empty when it did not.")
    actor: str = Field(description="The actor that it changed; empty when not a single one.")
    seq_before: int | None = Field(description="That actor's last journal record before.")
    seq_after: int | None = Field(description="And after.")
    hash: str = Field(description="Hash of this record, which the next one carries.")


class AuditList(Result):
    """Records, the newest first."""

    records: list[AuditEntry] = Field(description="Those that were asked for.")
    next_before: int | None = Field(description="What to ask for as ``before`` to see older ones.")


class ListAudit(Params):
    """Which records to list."""

    operator: str | None = Field(None, description="Only those of this operator.")
    command: str | None = Field(None, description="Only commands whose name begins so.")
    actor: str | None = Field(None, description="Only those that changed this actor.")
    before: int | None = Field(None, ge=1, description="Only records of smaller numbers.")
    limit: int = Field(50, ge=1, le=ADMIN_LIST_ROWS_MAX, description="At most so many.")


@command("audit.list", role=Role.READ, seconds=4 * ADMIN_COMMAND_SECONDS_MAX)
async def list_audit(ctx: AdminContext, params: ListAudit) -> AuditList:
    """List what operators changed, the newest first."""
    found: list[AuditEntry] = []
    async for record in ctx.parts.audit.newest(params.before):
        if (
            params.operator in {None, record.operator}
            and record.command.startswith(params.command or "")
            and params.actor in {None, record.actor}
        ):
            if len(found) == params.limit:
                return AuditList(records=found, next_before=found[-1].number)
            found.append(audit_entry(record))
    return AuditList(records=found, next_before=None)


class AuditVerdict(Result):
    """Whether the records are whole."""

    is_whole: bool = Field(description="Whether nothing was changed, removed or put in between.")
    records: int = Field(description="Records that were good, from the first on.")
    last_hash: str = Field(description="Hash of the last good one; worth writing down elsewhere.")
    fault: str = Field(description="What is wrong with the next one; empty when nothing is.")


@command("audit.verify", role=Role.READ, seconds=10 * ADMIN_COMMAND_SECONDS_MAX)
async def verify_audit(ctx: AdminContext, _params: NoParams) -> AuditVerdict:
    """Check every record's hash, and that each follows the one before it."""
    verdict = await ctx.parts.audit.verify()
    return AuditVerdict(
        is_whole=not verdict.fault,
        records=verdict.records,
        last_hash=verdict.last_hash,
        fault=verdict.fault,
    )


def audit_entry(record: OperationsAudit) -> AuditEntry:
    """Spell a record for operators."""
    fields = AuditEntry.model_fields
    return AuditEntry.model_validate({name: getattr(record, name) for name in fields})
