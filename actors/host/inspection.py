"""Inspection: what operators may see of a host's actors, without changing anything.

All of it is read between turns and in slices, so that no turn waits long. Values are in plain
JSON; long ones are cut.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING, Any

from actors.datastore import Table
from actors.errors import ReducerError
from actors.host.cell import Cell, CellState
from actors.host.core import ActorCore, failure_text
from actors.host.inspected import (
    ActorLine,
    ActorOrder,
    ActorPage,
    ActorState,
    Letters,
    PlanLine,
    PlanOrder,
    PlanPage,
    Standing,
    TableRows,
)
from actors.host.journal import Entry, Journal, Meanings, load_snapshot
from actors.host.session import Session
from actors.keys import ActorKey
from actors.limits import (
    INSPECTED_CONNECTIONS_MAX,
    INSPECTION_SLICE,
    LETTER_ACTORS_MAX,
)
from actors.module.functions import ViewDeclaration
from actors.module.system import (
    SYSTEM_TABLES,
    DeadLetter,
)
from actors.subscriptions import CompiledQuery, Plan
from persistence.errors import CorruptRecordError, StoreError
from persistence.store import Store
from protocol.errors import DecodeError

if TYPE_CHECKING:
    from actors.host.host import Host

__all__ = ["Inspection"]


_RANKS: dict[ActorOrder, Callable[[Cell], float]] = {
    ActorOrder.KEY: lambda _: 0,
    ActorOrder.MEMORY: lambda cell: -cell.size_bytes,
    ActorOrder.MAILBOX: lambda cell: -cell.waiting,
    ActorOrder.TURNS: lambda cell: -cell.turns,
    ActorOrder.BUSY: lambda cell: -cell.busy_seconds,
    ActorOrder.SLOWEST: lambda cell: -cell.slowest_seconds,
}


class Inspection:
    """Reads a host's actors, in memory and in the store.

    Args:
        host: what is looked at.
        cells: its actors in memory.
        damaged: those whose stored rows could not be understood.
        store: has those that sleep.
        make_core: an actor without rows, in nobody's memory.
    """

    def __init__(
        self,
        host: Host,
        cells: Mapping[ActorKey, Cell],
        damaged: set[ActorKey],
        store: Store,
        make_core: Callable[[ActorKey], ActorCore],
    ) -> None:
        self._host = host
        self._make_core = make_core
        self._cells = cells
        self._damaged = damaged
        self._store = store
        self._meanings = Meanings(host.module)
        self._journal = Journal(host.catalogue, self._meanings, store)
        self._lettered: dict[ActorKey, None] = {}
        self._forgotten = False

    # Actors

    async def actors(
        self,
        *,
        kind: str | None = None,
        standing: Standing | None = None,
        order: ActorOrder = ActorOrder.KEY,
        limit: int,
        after: tuple[float, str] | None = None,
    ) -> ActorPage:
        """Actors in memory, in an order; those that move in it meanwhile may come twice or not."""
        rank = _RANKS[order]
        prefix = "" if kind is None else f"{kind}/"
        total = 0
        found: list[tuple[float, str, Cell]] = []
        async for cell in self._walk():
            key = cell.core.key
            if not key.startswith(prefix):
                continue
            if standing is not None and _standing(cell) is not standing:
                continue
            total += 1
            place = (rank(cell), key)
            if after is None or place > after:
                found.append((*place, cell))
            if len(found) > 2 * limit + INSPECTION_SLICE:
                found = nsmallest(limit + 1, found)
        found = nsmallest(limit + 1, found)
        shown = tuple(self._line(cell) for _, _, cell in found[:limit])
        mark = (found[limit - 1][0], found[limit - 1][1]) if len(found) > limit else None
        return ActorPage(shown, total, mark)

    async def stored(self, *, kind: str | None = None, limit: int, after: str = "") -> ActorPage:
        """Actors that the store has, asleep or in memory, by ascending key; ``total`` is theirs."""
        prefix = "" if kind is None else f"{kind}/"
        try:
            names = await self._store.actors(prefix, after, limit + 1)
        except StoreError as error:
            raise ReducerError("state.actor_unavailable", str(error)) from error
        lines = tuple(self._line_of(ActorKey(name)) for name in names[:limit])
        mark = (0.0, names[limit - 1]) if len(names) > limit else None
        return ActorPage(lines, len(lines), mark)

    async def actor(self, key: ActorKey, *, rows: int, table: str | None = None) -> ActorState:
        """One actor, of one moment; one that sleeps is read from the store and sleeps on.

        Args:
            key: of the actor.
            rows: how many of each table are shown.
            table: the only one whose rows are shown, when it is named.

        Raises:
            ReducerError: ``actor.unknown_kind``, ``actor.not_found``, ``actor.damaged``,
                ``table.not_found`` or ``state.actor_unavailable``.
        """
        async with self._core(key) as core:
            # Rows never change, tables do: what is shown is gathered now and spelled afterwards.
            wanted = core.database.tables() if table is None else [self._table(core, table)]
            found = [(some.layout, len(some), some.some(rows)) for some in wanted if len(some)]
            line = replace(self._line_of(key), seq=core.seq, stored_seq=core.base_seq)
            time, evidence, attached = core.time, core.evidence, core.attached()
            plans = tuple(self._plans(core, self._host.queries.texts()))
        tables = {}
        for layout, count, kept in found:
            shown = tuple(self._meanings.row(layout, row) for row in kept)
            tables[layout.row] = TableRows(layout.name, layout.is_public, count, shown)
            await asyncio.sleep(0)
        return ActorState(
            line,
            time,
            evidence,
            attached,
            tuple(entry for row, entry in tables.items() if row not in SYSTEM_TABLES),
            {entry.name: entry for row, entry in tables.items() if row in SYSTEM_TABLES},
            plans,
        )

    async def journal(self, key: ActorKey, *, count: int, before: int | None = None) -> list[Entry]:
        """An actor's last durable turns, the newest first; see ``Journal.read``."""
        self._check_key(key)
        await self._host.durable()
        return await self._journal.read(key, count, before)

    # Subscriptions

    async def plans(
        self,
        *,
        actor: ActorKey | None = None,
        name: str | None = None,
        order: PlanOrder,
        limit: int,
    ) -> PlanPage:
        """What is subscribed to of actors in memory, the most first."""
        rank = _PLAN_RANKS[order]
        found: list[tuple[int, int, ActorCore, Plan]] = []
        total = 0
        async for cell in self._walk():
            core = cell.core
            if not core.is_watched or actor not in {None, core.key}:
                continue
            for plan in core.board.plans:
                if name in {None, plan.query.name}:
                    total += 1
                    found.append((-rank(plan), total, core, plan))
            if len(found) > limit + INSPECTION_SLICE:
                found = nsmallest(limit, found)
        texts = self._host.queries.texts()
        shown = [self._plan_line(core, plan, texts) for *_, core, plan in nsmallest(limit, found)]
        return PlanPage(tuple(shown), total)

    # Dead letters

    def note_letter(self, key: ActorKey) -> None:
        """Remember that an actor keeps a dead letter."""
        if len(self._lettered) < LETTER_ACTORS_MAX:
            self._lettered[key] = None
        else:
            self._forgotten = self._forgotten or key not in self._lettered

    def note_letters(self, core: ActorCore) -> None:
        """Remember an actor that came into memory with dead letters."""
        if core.database.rows(DeadLetter):
            self.note_letter(core.key)

    async def dead_letters(self, *, limit: int) -> Letters:
        """Dead letters of actors that were in memory since the start, by actor and message.

        Those of an actor that cannot be read now are missing.
        """
        rows: list[dict[str, object]] = []
        is_whole = not self._forgotten
        for key in sorted(self._lettered):
            try:
                async with self._core(key) as core:
                    kept = core.database.rows(DeadLetter)
                    layout = core.database[DeadLetter].layout
                    cell = self._cells.get(key)
                    if not kept and (cell is None or cell.core is core):
                        self._lettered.pop(key, None)
            except ReducerError:
                is_whole = False
                continue
            rows += [self._meanings.row(layout, letter) for letter in kept[: limit - len(rows)]]
            if len(rows) == limit:
                return Letters(tuple(rows), is_whole=False)
        return Letters(tuple(rows), is_whole=is_whole)

    # Inside

    async def _walk(self) -> AsyncIterator[Cell]:
        """The actors in memory; others of the loop have their turn every now and then."""
        for number, cell in enumerate(list(self._cells.values()), 1):
            yield cell
            if number % INSPECTION_SLICE == 0:
                await asyncio.sleep(0)

    def _check_key(self, key: ActorKey) -> None:
        kind, _, name = key.partition("/")
        if kind not in self._host.catalogue.kinds or not name:
            known = ", ".join(sorted(self._host.catalogue.kinds))
            raise ReducerError("actor.unknown_kind", f"keys begin with one of {known}, and a slash")

    @asynccontextmanager
    async def _core(self, key: ActorKey) -> AsyncIterator[ActorCore]:
        """An actor's rows: those in memory, or a copy of those in the store; not to be kept."""
        self._check_key(key)
        cell = self._cells.get(key)
        if cell is not None and cell.state is CellState.ACTIVE:
            yield cell.core
            return
        snapshot = await load_snapshot(self._store, key)
        core = self._make_core(key)
        try:
            core.recover(snapshot)
        except (CorruptRecordError, DecodeError, KeyError) as error:
            raise ReducerError("actor.damaged", failure_text(error)) from error
        try:
            yield core
        finally:
            core.close()

    def _table(self, core: ActorCore, name: str) -> Table[Any]:
        layouts = self._host.catalogue.kinds[core.key.partition("/")[0]].layouts
        row = next((row for row, layout in layouts.items() if layout.name == name), None)
        if row is None:
            known = ", ".join(sorted(layout.name for layout in layouts.values()))
            raise ReducerError("table.not_found", f"such actors have {known}")
        return core.database[row]

    def _line_of(self, key: ActorKey) -> ActorLine:
        cell = self._cells.get(key)
        if cell is not None:
            return self._line(cell)
        return ActorLine(key, Standing.DAMAGED if key in self._damaged else Standing.ASLEEP)

    def _line(self, cell: Cell) -> ActorLine:
        core = cell.core
        return ActorLine(
            key=core.key,
            standing=_standing(cell),
            seq=core.seq,
            stored_seq=core.base_seq,
            memory_bytes=cell.size_bytes,
            waiting=cell.waiting,
            turns=cell.turns,
            busy_seconds=cell.busy_seconds,
            slow_turns=cell.slow_turns,
            slowest_seconds=cell.slowest_seconds,
            idle_seconds=max(0.0, self._host.stopwatch() - cell.used_at),
            plans=len(core.board.plans) if core.is_watched else 0,
        )

    def _plans(self, core: ActorCore, texts: Mapping[CompiledQuery, str]) -> Iterable[PlanLine]:
        if core.is_watched:
            for plan in core.board.plans:
                yield self._plan_line(core, plan, texts)

    def _plan_line(
        self, core: ActorCore, plan: Plan, texts: Mapping[CompiledQuery, str]
    ) -> PlanLine:
        query = plan.query
        source = "view" if isinstance(query.source, ViewDeclaration) else "table"
        columns = query.source.row_type.elements
        subscribers = (entry for group in plan.groups.values() for entry in group)
        sessions = (entry for entry in subscribers if isinstance(entry, Session))
        named = islice(sessions, INSPECTED_CONNECTIONS_MAX)
        return PlanLine(
            actor=core.key,
            name=query.name,
            query=texts.get(query, ""),
            source=source if query.join is None else "join",
            column="" if query.demand is None else columns[query.demand.column.position].name,
            caller=str(plan.caller) if query.is_per_caller else "",
            reader=plan.reader or "",
            subscribers=_count(plan),
            connections=tuple(str(session.caller.connection_id) for session in named),
            updates=plan.updates,
            rows=plan.rows,
        )


def _standing(cell: Cell) -> Standing:
    if cell.state is not CellState.ACTIVE:
        return Standing.LOADING
    return Standing.QUARANTINED if cell.core.is_quarantined else Standing.ACTIVE


def _count(plan: Plan) -> int:
    return sum(map(len, plan.groups.values()))


_PLAN_RANKS: dict[PlanOrder, Callable[[Plan], int]] = {
    PlanOrder.SUBSCRIBERS: _count,
    PlanOrder.UPDATES: lambda plan: plan.updates,
    PlanOrder.ROWS: lambda plan: plan.rows,
}
