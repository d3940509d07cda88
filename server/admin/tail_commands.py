"""Commands that follow what happens: calls, changes of rows, logs and operators' own commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from actors.host import Caller
from actors.host.core import ActorCore
from actors.host.meter import Running
from actors.host.turns import TurnNote
from actors.keys import ActorKey
from actors.operations.audit import OperationsAudit
from server.admin.audit_commands import AuditEntry, audit_entry
from server.admin.commands import Event, Params, Result, command
from server.admin.context import AdminContext
from server.admin.feeds import call_entry, delta_entry, log_entry
from server.admin.roles import Role
from server.admin.tails import Tail
from server.errors import CommandError
from server.log_levels import LEVELS

__all__ = [
    "AuditNotice",
    "CallLine",
    "CallNotice",
    "CommitLine",
    "DeltaNotice",
    "EndTail",
    "LogLine",
    "LogNotice",
    "TableChange",
    "TailAudit",
    "TailBegun",
    "TailCalls",
    "TailDeltas",
    "TailEnded",
    "TailLogs",
    "end_tail",
    "tail_audit",
    "tail_calls",
    "tail_deltas",
    "tail_logs",
]


class TailBegun(Result):
    """A tail that has begun; what it tells comes as notifications of the command's name."""

    tail: int = Field(description="Number of the tail, on this connection.")


class _Notice(Event):
    """What a tail tells at once."""

    tail: int = Field(description="Number of the tail.")
    dropped: int = Field(description="Entries that were left out since the notice before.")
    is_durable: bool = Field(
        description="False when the store refused something meanwhile: these may be taken back."
    )
    is_last: bool = Field(
        description="True once the tail was ended: what waited until then counts as dropped."
    )


class CallLine(Result):
    """A turn of an actor."""

    time: int = Field(description="The actor's time, in microseconds since the epoch.")
    actor: str = Field(description="Whose turn it was.")
    seq: int = Field(description="The actor's last journal record after it.")
    sort: str = Field(
        description="call, connect, disconnect, message, replay, due, read, acknowledgement or"
        " refusal."
    )
    name: str = Field(description="The reducer, message or function.")
    user: str = Field(description="Who called; empty when no caller did.")
    connection: str = Field(description="Over which connection; empty for none.")
    seconds: float = Field(description="What it took.")
    outcome: Literal["done", "refused", "failed"] = Field(description="How it ended.")
    error: str = Field(description="Why it was refused or failed.")


class CallNotice(_Notice):
    """Turns that were taken."""

    entries: list[CallLine] = Field(description="The turns, in their order.")


class TailCalls(Params):
    """Which turns to tell; without any of it, all calls, connections and messages."""

    actor: str = Field("", description="Only actors whose key begins so.")
    name: str | None = Field(None, description="Only this reducer or message.")
    user: str | None = Field(None, description="Only calls of this user.")
    connection: str | None = Field(None, description="Only calls over this connection.")
    failed: bool = Field(False, description="Only what was refused or failed.")
    slower_than: float = Field(0.0, ge=0, description="Only what took so many seconds or more.")
    everything: bool = Field(False, description="Also timers, reads and acknowledgements.")


_QUIET = frozenset({"acknowledgement", "refusal", "due", "read"})


@command("tail.calls", role=Role.READ, event=CallNotice)
async def tail_calls(ctx: AdminContext, params: TailCalls) -> TailBegun:
    """Follow calls and messages: what each actor was asked, by whom, and how that ended."""
    hidden = frozenset() if params.everything else _QUIET
    prefix, only, is_failed = params.actor, params.name, params.failed
    is_of_caller, seconds_min = _is_of_caller(params), params.slower_than

    def wants(key: ActorKey, note: TurnNote, seconds: float) -> bool:
        sort, name, caller, error = note
        return (
            (error is not None or not is_failed)
            and (only is None or name == only)
            and seconds >= seconds_min
            and sort not in hidden
            and key.startswith(prefix)
            and (not is_of_caller or _is_caller(caller, params))
        )

    is_choosy = bool(hidden or is_failed or only or seconds_min or is_of_caller)
    tail = Tail(wants, call_entry, prefix, is_choosy=is_choosy)
    feeds = ctx.parts.feeds
    return TailBegun(tail=feeds.open(feeds.calls, tail, ctx.peer, "tail.calls"))


class TableChange(Result):
    """What a turn did to one table: an update is a row deleted and one inserted."""

    table: str = Field(description="The table.")
    inserted: int = Field(description="Rows that came.")
    deleted: int = Field(description="Rows that went.")
    inserts: list[object] = Field(description="The first of those that came, in plain JSON.")
    deletes: list[object] = Field(description="The first of those that went.")


class CommitLine(Result):
    """A turn that changed rows."""

    time: int = Field(description="The actor's time, in microseconds since the epoch.")
    actor: str = Field(description="Whose rows they are.")
    seq: int = Field(description="The journal record.")
    name: str = Field(description="The reducer or message.")
    user: str = Field(description="Who called; empty when no caller did.")
    connection: str = Field(description="Over which connection; empty for none.")
    tables: list[TableChange] = Field(description="What it changed.")


class DeltaNotice(_Notice):
    """Changes of rows."""

    entries: list[CommitLine] = Field(description="The turns, in their order.")


class TailDeltas(Params):
    """Which changes to tell; without any of it, all."""

    actor: str = Field("", description="Only actors whose key begins so.")
    table: str | None = Field(None, description="Only this table's rows.")
    name: str | None = Field(None, description="Only what this reducer or message changed.")
    user: str | None = Field(None, description="Only what this user's calls changed.")
    connection: str | None = Field(None, description="Only what calls over it changed.")


@command("tail.deltas", role=Role.READ, event=DeltaNotice)
async def tail_deltas(ctx: AdminContext, params: TailDeltas) -> TailBegun:
    """Follow the changes of rows, private tables included."""
    prefix, name, table = params.actor, params.name, params.table
    is_of_caller = _is_of_caller(params)

    def wants(core: ActorCore, call: str, running: Running | None) -> bool:
        return (
            (name is None or call == name)
            and (table is None or core.database.is_touched(table))
            and (not is_of_caller or _is_caller(_caller_of(running), params))
        )

    if table is not None and table not in {entry.name for entry in ctx.host.module.tables.values()}:
        raise CommandError("table.not_found", f"the module has no table {table}")
    is_choosy = bool(name or table or is_of_caller)
    tail = Tail(wants, delta_entry(table), prefix, is_choosy=is_choosy)
    feeds = ctx.parts.feeds
    return TailBegun(tail=feeds.open(feeds.deltas, tail, ctx.peer, "tail.deltas"))


class LogLine(Result):
    """A log that was written."""

    time: str = Field(description="When, RFC 3339.")
    level: str = Field(description="How severe it is.")
    logger: str = Field(description="Who wrote it.")
    text: str = Field(description="What happened.")
    exception: str = Field(description="The traceback, if there was one.")
    fields: dict[str, object] = Field(description="What it is about: actor, call, connection...")


class LogNotice(_Notice):
    """Logs."""

    entries: list[LogLine] = Field(description="The logs, in their order.")


class TailLogs(Params):
    """Which logs to tell; without any of it, all that are written."""

    level: Literal["debug", "info", "warning", "error", "critical"] = Field(
        "debug", description="The least severe; below the logger's own level there is nothing."
    )
    logger: str = Field("", description="Only loggers whose name begins so.")
    actor: str = Field("", description="Only logs about actors whose key begins so.")
    name: str | None = Field(None, description="Only logs about this reducer or message.")
    user: str | None = Field(None, description="Only logs about calls of this user.")
    connection: str | None = Field(None, description="Only logs about this connection.")


@command("tail.logs", role=Role.READ, event=LogNotice)
async def tail_logs(ctx: AdminContext, params: TailLogs) -> TailBegun:
    """Follow the logs as they are written; ``logs.set-level`` makes them tell more."""
    level = LEVELS.index(params.level)
    asked = {"call": params.name, "user": params.user, "connection": params.connection}
    about = {key: value for key, value in asked.items() if value is not None}

    def wants(line: Mapping[str, object]) -> bool:
        return (
            LEVELS.index(str(line["level"])) >= level
            and str(line.get("logger", "")).startswith(params.logger)
            and str(line.get("actor", "")).startswith(params.actor)
            and all(line.get(key) == value for key, value in about.items())
        )

    tail = Tail(wants, log_entry)
    feeds = ctx.parts.feeds
    return TailBegun(tail=feeds.open(feeds.logs, tail, ctx.peer, "tail.logs"))


class AuditNotice(_Notice):
    """Audit records."""

    entries: list[AuditEntry] = Field(description="The records, in their order.")


class TailAudit(Params):
    """Which records to tell; without any of it, all."""

    operator: str | None = Field(None, description="Only those of this operator.")
    command: str = Field("", description="Only commands whose name begins so.")
    actor: str | None = Field(None, description="Only those that changed this actor.")


@command("tail.audit", role=Role.READ, event=AuditNotice)
async def tail_audit(ctx: AdminContext, params: TailAudit) -> TailBegun:
    """Follow what operators change."""

    def wants(record: OperationsAudit) -> bool:
        return (
            params.operator in {None, record.operator}
            and record.command.startswith(params.command)
            and params.actor in {None, record.actor}
        )

    tail: Tail[OperationsAudit] = Tail(
        wants, lambda record: audit_entry(record).model_dump(mode="json")
    )
    feeds = ctx.parts.feeds
    return TailBegun(tail=feeds.open(feeds.audit, tail, ctx.peer, "tail.audit"))


class EndTail(Params):
    """Which tail to end."""

    tail: int = Field(description="Number of the tail, as its beginning answered.")


class TailEnded(Result):
    """Whether there was such a tail."""

    ended: bool = Field(description="False when it had ended before.")


@command("tail.end", role=Role.READ)
async def end_tail(ctx: AdminContext, params: EndTail) -> TailEnded:
    """End a tail of this connection, which tells by a last notice how much it leaves untold."""
    return TailEnded(ended=ctx.peer.end(params.tail))


def _caller_of(running: Running | None) -> Caller | None:
    return None if running is None else running.turn.note()[2]


def _is_of_caller(params: TailCalls | TailDeltas) -> bool:
    return params.user is not None or params.connection is not None


def _is_caller(caller: Caller | None, params: TailCalls | TailDeltas) -> bool:
    return (
        caller is not None
        and params.user in {None, caller.user_id}
        and params.connection in {None, str(caller.connection_id)}
    )
