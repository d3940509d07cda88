"""Commands on actors: which there are, what one has and did, and what one shall do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import Field, JsonValue

from actors.host.inspected import ActorOrder, ActorPage, Standing, TableRows
from actors.keys import ActorKey
from server.admin.commands import Params, Result, command
from server.admin.connection_commands import user_id_from
from server.admin.context import AdminContext, Touched
from server.admin.operations import OPERATIONS_KEY
from server.admin.roles import Role
from server.admin.subscription_commands import PlanEntry
from server.errors import CommandError
from server.limits import ADMIN_JOURNAL_ENTRIES_MAX, ADMIN_LIST_ROWS_MAX, ADMIN_TABLE_ROWS_MAX

__all__ = [
    "ActorDetails",
    "ActorEntry",
    "ActorJournal",
    "ActorList",
    "Checkpointed",
    "FailureEntry",
    "JournalEntry",
    "ListActors",
    "NameActor",
    "RowChange",
    "ShowActor",
    "ShowJournal",
    "Stands",
    "TableEntry",
    "actor_key_from",
    "checkpoint_actor",
    "list_actors",
    "passivate_actor",
    "quarantine_actor",
    "release_actor",
    "show_actor",
    "show_journal",
]

_ACTOR = "Key as in ``user/u_...``, or a user id or identity, which means that user's own actor."


class ActorEntry(Result):
    """One actor."""

    key: str = Field(description="Its key: kind, slash, name.")
    standing: Standing = Field(description="How it stands.")
    seq: int | None = Field(description="Its last turn that changed something; null in the store.")
    stored_seq: int | None = Field(description="The last turn that its checkpoint holds.")
    memory_bytes: int = Field(description="What it takes in memory, by the last estimate.")
    waiting: int = Field(description="Messages in its mailbox.")
    turns: int = Field(description="Turns since it came into memory.")
    busy_seconds: float = Field(description="What those took together.")
    slow_turns: int = Field(description="Those of them that were over the budget of a turn.")
    slowest_seconds: float = Field(description="The longest of the slow turns.")
    idle_seconds: float = Field(description="Since its last turn.")
    plans: int = Field(description="Queries that are subscribed to of it.")


class ActorList(Result):
    """Actors, in the order that was asked for."""

    actors: list[ActorEntry] = Field(description="Those that were asked for.")
    total: int | None = Field(description="How many there are that match; null for the store.")
    next_after: str | None = Field(description="What to ask for as ``after`` to see further ones.")


class ListActors(Params):
    """Which actors to list."""

    kind: str | None = Field(None, description="Only actors of this kind.")
    standing: Standing | None = Field(None, description="Only those that stand so.")
    sort: ActorOrder = Field(ActorOrder.KEY, description="By key, or the most of this first.")
    stored: bool = Field(False, description="All that the store has, by key; not those in memory.")
    limit: int = Field(50, ge=1, le=ADMIN_LIST_ROWS_MAX, description="At most so many.")
    after: str | None = Field(None, max_length=600, description="Go on behind an earlier answer.")


@command("actors.list", role=Role.READ)
async def list_actors(ctx: AdminContext, params: ListActors) -> ActorList:
    """List the actors in memory, or those in the store: by key, size, mailbox or turns.

    Actors that move in the order while the parts are asked for may come twice, or not at all.
    """
    inspection = ctx.host.inspection
    after = None if params.after is None else _mark(params.after)
    if not params.stored:
        page = await inspection.actors(
            kind=params.kind,
            standing=params.standing,
            order=params.sort,
            limit=params.limit,
            after=after,
        )
        return _actor_list(page, page.total)
    if params.standing is not None or params.sort is not ActorOrder.KEY:
        raise CommandError("input.invalid", "stored actors are listed by key, all of them")
    page = await inspection.stored(
        kind=params.kind, limit=params.limit, after="" if after is None else after[1]
    )
    return _actor_list(page, None)


class TableEntry(Result):
    """Some rows of a table, the lowest keys first when they are all."""

    name: str = Field(description="The table.")
    is_public: bool = Field(description="Whether clients may subscribe to it.")
    count: int = Field(description="How many rows it has.")
    rows: list[dict[str, JsonValue]] = Field(description="Rows, by column; long values are cut.")


class FailureEntry(Result):
    """A turn that broke."""

    call: str = Field(description="What broke; quarantine when an operator did it.")
    error: str = Field(description="What was raised, or the operator's reason.")
    time: int = Field(description="When, in microseconds since the epoch.")


class RowChange(Result):
    """A row that a turn changed."""

    table: str = Field(description="The table.")
    before: JsonValue = Field(description="The row before; null when there was none.")
    after: JsonValue = Field(description="The row after; null when it is gone.")
    is_before_known: bool = Field(description="Whether what was before is still known.")
    columns: list[str] = Field(description="Columns whose values differ.")


class JournalEntry(Result):
    """A turn that changed something."""

    seq: int = Field(description="Its number; there are no gaps.")
    time: int = Field(description="When, in microseconds since the epoch.")
    call: str = Field(description="The reducer, the message, or what the host did.")
    caller: str = Field(description="Identity of who called; empty for messages and timers.")
    source: str = Field(description="The actor that sent the message; empty for calls and timers.")
    arguments: JsonValue = Field(description="What it was called with; null for nothing.")
    rows: list[RowChange] = Field(description="What it changed.")


class ActorJournal(Result):
    """Turns of an actor, the newest first."""

    entries: list[JournalEntry] = Field(description="Those that were asked for.")
    next_before: int | None = Field(description="What to ask for as ``before`` to see older ones.")


class ActorDetails(Result):
    """One actor as a tree."""

    actor: ActorEntry = Field(description="The actor.")
    time: int = Field(description="Of its last turn, in microseconds since the epoch.")
    evidence: list[FailureEntry] = Field(description="Its last failures in a row.")
    attached: list[str] = Field(description="Actors whose rows its owner's queries read.")
    tables: list[TableEntry] = Field(description="The module's tables that have rows.")
    timers: TableEntry = Field(description="Messages to itself, each due at a time.")
    outbox: TableEntry = Field(description="Messages that are not acknowledged yet.")
    outbox_cursors: TableEntry = Field(description="Last number sent, by destination.")
    inbox_cursors: TableEntry = Field(description="Last number taken, by source.")
    receipts: TableEntry = Field(description="Outcomes of calls, kept for their repetition.")
    dead_letters: TableEntry = Field(description="Messages whose handler failed for good.")
    connected_clients: TableEntry = Field(description="Connections that it has greeted.")
    sequences: TableEntry = Field(description="Reserved auto-increment numbers, by table.")
    subscriptions: list[PlanEntry] = Field(description="What is subscribed to of it, and by whom.")
    journal: list[JournalEntry] = Field(description="Its last turns, the newest first.")


class ShowActor(Params):
    """Which actor to show, and how much of it."""

    actor: str = Field(max_length=600, description=_ACTOR)
    table: str | None = Field(None, description="Show the rows of this table alone.")
    rows: int = Field(20, ge=0, le=ADMIN_TABLE_ROWS_MAX, description="Rows of each table.")
    journal: int = Field(10, ge=0, le=ADMIN_JOURNAL_ENTRIES_MAX, description="Turns.")


@command("actors.show", role=Role.READ)
async def show_actor(ctx: AdminContext, params: ShowActor) -> ActorDetails:
    """Show all of one actor: rows, timers, messages, receipts, subscribers, last turns.

    An actor that sleeps is read from the store and sleeps on. Private tables are shown too.
    """
    key = actor_key_from(ctx, params.actor)
    inspection = ctx.host.inspection
    state = await inspection.actor(key, rows=params.rows, table=params.table)
    entries = await inspection.journal(key, count=params.journal) if state.line.seq else []
    return ActorDetails(
        actor=_actor_entry(state.line),
        time=state.time,
        evidence=[FailureEntry.model_validate(failure._asdict()) for failure in state.evidence],
        attached=list(state.attached),
        tables=[_table_entry(table) for table in state.tables],
        timers=_system_entry(state.system, "actor_timer"),
        outbox=_system_entry(state.system, "outbox_message"),
        outbox_cursors=_system_entry(state.system, "outbox_cursor"),
        inbox_cursors=_system_entry(state.system, "inbox_cursor"),
        receipts=_system_entry(state.system, "request_receipt"),
        dead_letters=_system_entry(state.system, "dead_letter"),
        connected_clients=_system_entry(state.system, "connected_client"),
        sequences=_system_entry(state.system, "sequence"),
        subscriptions=[
            PlanEntry.model_validate(plan, from_attributes=True) for plan in state.plans
        ],
        journal=_journal_entries(entries),
    )


class ShowJournal(Params):
    """Which turns to show."""

    actor: str = Field(max_length=600, description=_ACTOR)
    limit: int = Field(20, ge=1, le=ADMIN_JOURNAL_ENTRIES_MAX, description="At most so many.")
    before: int | None = Field(None, ge=1, description="Only turns of smaller numbers.")


@command("actors.journal", role=Role.READ)
async def show_journal(ctx: AdminContext, params: ShowJournal) -> ActorJournal:
    """Show what an actor did: its turns with callers, arguments and row changes, newest first.

    Turns that retention has let go of are not shown.
    """
    key = actor_key_from(ctx, params.actor)
    entries = await ctx.host.inspection.journal(key, count=params.limit, before=params.before)
    is_last = len(entries) < params.limit or entries[-1].seq == 1
    return ActorJournal(
        entries=_journal_entries(entries), next_before=None if is_last else entries[-1].seq
    )


class NameActor(Params):
    """Which actor."""

    actor: str = Field(max_length=600, description=_ACTOR)


class Stands(Result):
    """How an actor stands now."""

    key: str = Field(description="Its key.")
    standing: Standing = Field(description="How it stands.")


class Checkpointed(Result):
    """How far an actor is checkpointed."""

    key: str = Field(description="Its key.")
    stored_seq: int = Field(description="The last turn that its checkpoint holds.")


@command("actors.passivate", role=Role.OPERATE)
async def passivate_actor(ctx: AdminContext, params: NameActor) -> Stands:
    """Let an actor leave memory now; the next message brings it back.

    Refused while somebody would notice: with subscribers, waiting messages, a connected owner.
    """
    key = actor_key_from(ctx, params.actor)
    _note(ctx, key)
    await ctx.host.orders.passivate(key)
    return Stands(key=key, standing=Standing.ASLEEP)


@command("actors.checkpoint", role=Role.OPERATE)
async def checkpoint_actor(ctx: AdminContext, params: NameActor) -> Checkpointed:
    """Checkpoint an actor in memory, so that its journal is folded."""
    key = actor_key_from(ctx, params.actor)
    _note(ctx, key)
    return Checkpointed(key=key, stored_seq=await ctx.host.orders.checkpoint(key))


@command("actors.quarantine", role=Role.OPERATE)
async def quarantine_actor(ctx: AdminContext, params: NameActor) -> Stands:
    """Let an actor take no calls until it is released or the server ends; the others go on.

    Its timers and the messages of other actors go on as well.
    """
    key = actor_key_from(ctx, params.actor)
    if key == OPERATIONS_KEY:
        raise CommandError("actor.needed", "without it no operator could release it again")
    await ctx.host.inspection.actor(key, rows=0)  # one that does not exist is not made by this
    await ctx.host.orders.quarantine(key, ctx.reason)
    _note(ctx, key)
    return Stands(key=key, standing=Standing.QUARANTINED)


@command("actors.release", role=Role.OPERATE)
async def release_actor(ctx: AdminContext, params: NameActor) -> Stands:
    """Let a quarantined actor take calls again, whoever or whatever had quarantined it."""
    key = actor_key_from(ctx, params.actor)
    _note(ctx, key)
    ctx.host.orders.release(key)
    return Stands(key=key, standing=Standing.ACTIVE)


def actor_key_from(ctx: AdminContext, text: str) -> ActorKey:
    """The actor that an operator means; raises CommandError for what names none."""
    if "/" in text:
        return ActorKey(text)
    home = ctx.host.catalogue.home
    if home is None:
        raise CommandError("input.invalid_id", "this module's users have no actors of their own")
    return home.key(user_id_from(text))


def _note(ctx: AdminContext, key: ActorKey) -> None:
    """Tell the audit which actor it is about; such orders leave its journal as it is."""
    seq = ctx.host.core(key).seq if ctx.host.is_active(key) else 0
    ctx.touched = Touched(key, seq, seq)


def _mark(text: str) -> tuple[float, str]:
    rank, _, key = text.partition(":")
    try:
        return float(rank), key
    except ValueError:
        raise CommandError("input.invalid", "after is what an earlier answer said") from None


def _actor_list(page: ActorPage, total: int | None) -> ActorList:
    return ActorList(
        actors=[_actor_entry(line) for line in page.actors],
        total=total,
        next_after=None if page.after is None else f"{page.after[0]!r}:{page.after[1]}",
    )


def _actor_entry(line: object) -> ActorEntry:
    return ActorEntry.model_validate(line, from_attributes=True)


def _table_entry(table: TableRows) -> TableEntry:
    return TableEntry.model_validate(table, from_attributes=True)


def _system_entry(system: Mapping[str, TableRows], name: str) -> TableEntry:
    return _table_entry(system.get(name) or TableRows(name, False, 0, ()))


def _journal_entries(entries: Iterable[object]) -> list[JournalEntry]:
    return [JournalEntry.model_validate(entry, from_attributes=True) for entry in entries]
