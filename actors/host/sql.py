"""SQL: one statement of the larger grammar, for callers who wait for an answer (wire spec 1.4).

A query reads all actors that its caller may read, as its subscriptions would: every shard of shared
kinds, the caller's own actor and those attached to it. All of them are read in one callback of the
loop, between their turns, so each is seen as of one moment. Who owns the database reads private
tables and the rows of all readers as well.

A write is one transaction of one actor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from actors.host.caller import Caller
from actors.host.sql_writes import SqlWrite
from actors.keys import ActorKey, ActorKind, Audience
from actors.module.functions import ViewDeclaration
from actors.module.tables import TableDeclaration
from actors.subscriptions.derived import viewer_of
from protocol.errors import SqlError
from protocol.sql.catalog import SchemaCatalog
from protocol.sql.commands import parse_command
from protocol.sql.report import report_rows, resolve_report
from protocol.sql.syntax import Report
from protocol.sql.writes import ResolvedWrite, resolve_write
from protocol.types import ProductType

if TYPE_CHECKING:
    from actors.host.core import ActorCore
    from actors.host.host import Host

__all__ = ["SqlAnswer", "run_sql"]

_Readable = TableDeclaration | ViewDeclaration


class SqlAnswer(NamedTuple):
    """What a statement answers: rows of a query, or how many rows a write has changed."""

    schema: ProductType
    rows: list[tuple[Any, ...]]
    rows_inserted: int = 0
    rows_deleted: int = 0
    rows_updated: int = 0


async def run_sql(
    host: Host,
    text: str,
    caller: Caller,
    is_owner: bool,  # noqa: FBT001 - there is no call without it
) -> SqlAnswer:
    """Run one statement.

    What was read and written is durable when ``Host.durable`` says so next.

    Args:
        host: whose actors it reads or changes.
        text: a query; or INSERT, UPDATE or DELETE, which only the owner may.
        caller: who asks, and who ``:sender`` is.
        is_owner: whether that is the database's owner.

    Raises:
        SqlError: the statement is none, names what the caller may not read, or is refused.
        ReducerError: ``state.actor_unavailable``, or an actor cannot be loaded.
    """
    command = parse_command(text)
    catalog = SchemaCatalog(host.module.readable, owner=is_owner)
    if not isinstance(command, Report):
        if not is_owner:
            raise SqlError(f"Caller {caller.identity} is not authorized to run SQL DML statements")
        return await _write(host, resolve_write(command, catalog, caller.identity), caller)
    report = resolve_report(command, catalog)
    sources = [_readable(host, table.name) for table in report.tables]
    kinds = dict.fromkeys(kind for source in sources for kind in source.kinds)
    while missing := _missing(host, caller, kinds):
        await host.activate(missing)
    read: dict[str, list[tuple[Any, ...]]] = {}
    for source in sources:
        if source.name not in read:
            read[source.name] = _rows(host, source, caller, is_owner=is_owner)
    tables = [read[source.name] for source in sources]
    return SqlAnswer(report.schema, report_rows(report, tables, caller.identity))


async def _write(host: Host, write: ResolvedWrite, caller: Caller) -> SqlAnswer:
    table = _readable(host, write.table)
    if isinstance(table, ViewDeclaration):
        raise SqlError(f"Unsupported: `{table.name}` is a view and cannot be written")
    reply = host.future_reply()
    host.tell(_owner_of(table, caller), SqlWrite(write, table, caller, reply))
    changed = await reply
    return SqlAnswer(ProductType(()), [], *changed)


def _owner_of(table: TableDeclaration, caller: Caller) -> ActorKey:
    """The one actor that a write to a table concerns."""
    (kind, *others) = table.kinds
    if not others and kind.audience is Audience.CALLER:
        return kind.key(caller.user_id)
    if others or kind.audience is not Audience.EVERYONE or kind.shards > 1:
        raise SqlError(
            f"Unsupported: the rows of `{table.name}` are several actors'; call a reducer of theirs"
        )
    return kind.shard_keys()[0]


def _missing(host: Host, caller: Caller, kinds: Iterable[ActorKind]) -> list[ActorKey]:
    """Actors that must be activated before the caller's rows of these kinds can be read."""
    home = host.home_key(caller)
    is_personal = any(kind.audience is not Audience.EVERYONE for kind in kinds)
    if home is not None and is_personal and not host.is_active(home):
        return [home]
    keys = {key for kind in kinds for key in _keys(host, kind, caller)}
    return sorted(key for key in keys if not host.is_active(key))


def _keys(host: Host, kind: ActorKind, caller: Caller) -> list[ActorKey]:
    """The actors of a kind that a caller reads."""
    if kind.audience is Audience.EVERYONE:
        return list(kind.shard_keys())
    if kind.audience is Audience.CALLER:
        return [kind.key(caller.user_id)]
    return [key for key in host.attached(caller) if key.partition("/")[0] == kind.name]


def _rows(
    host: Host, source: _Readable, caller: Caller, *, is_owner: bool
) -> list[tuple[Any, ...]]:
    """The rows of a table or view that the caller may read, by actor and then by key."""
    keys = [key for kind in source.kinds for key in _keys(host, kind, caller)]
    return [row for key in keys for row in _visible(host.core(key), source, caller, is_owner)]


def _visible(
    core: ActorCore,
    source: _Readable,
    caller: Caller,
    is_owner: bool,  # noqa: FBT001
) -> list[tuple[Any, ...]]:
    if isinstance(source, ViewDeclaration):
        viewer = viewer_of(source, caller.identity)
        return [row.row for row in core.evaluate(source, viewer).rows]
    rows: list[tuple[Any, ...]] = core.database.rows(source.row)
    readers = source.readers
    if readers is None or is_owner or source.readers_role in caller.claims.roles:
        return rows
    return [row for row in rows if readers(row) in (None, caller.user_id)]


def _readable(host: Host, name: str) -> _Readable:
    table = host.module.tables.get(name)
    return host.module.views[name] if table is None else table
