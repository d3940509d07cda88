"""Board: what is subscribed to of one actor, and what a commit means to whom."""

from __future__ import annotations

from collections.abc import Callable

from actors.datastore import Database, EncodedRow, TableDelta
from actors.keys import user_id_of
from actors.module.functions import ViewDeclaration
from actors.subscriptions.derived import Derived, viewer_of
from actors.subscriptions.fanout import fan_out
from actors.subscriptions.operands import TableOperand, chosen
from actors.subscriptions.plan import Hit, Plan, Subscriber
from actors.subscriptions.query import CompiledQuery
from actors.subscriptions.readership import Readership
from actors.subscriptions.routes import Routes
from actors.subscriptions.views import Evaluation
from actors.subscriptions.windows import Windows
from protocol.sql import OneOf
from protocol.values import Identity

__all__ = ["Board"]


class Board:
    """The plans over one actor's rows. Touched only between that actor's transactions.

    Args:
        database: the actor's rows.
        evaluate: computes a view from them for a caller.
    """

    __slots__ = (
        "_database",
        "_derived",
        "_derived_plans",
        "_evaluate",
        "_plans",
        "_readerships",
        "_tables",
        "_windows",
    )

    def __init__(
        self,
        database: Database,
        evaluate: Callable[[ViewDeclaration, Identity], Evaluation],
    ) -> None:
        self._database = database
        self._evaluate = evaluate
        self._plans: dict[tuple[CompiledQuery, Identity, str | None], Plan] = {}
        self._tables: dict[type, Routes] = {}
        self._readerships: dict[type, Readership] = {}
        self._windows: dict[type, Windows] = {}
        self._derived = Derived(database, evaluate)
        self._derived_plans = 0

    def __bool__(self) -> bool:
        return bool(self._plans)

    @property
    def plans(self) -> tuple[Plan, ...]:
        """What is subscribed to now."""
        return tuple(self._plans.values())

    def load(self) -> tuple[int, int]:
        """How many plans there are, and how many places subscribers have in them."""
        groups = [group for plan in self._plans.values() for group in plan.groups.values()]
        return len(self._plans), sum(map(len, groups))

    def subscribe(
        self, query: CompiledQuery, caller: Identity, subscriber: Subscriber, query_set_id: int
    ) -> tuple[list[Plan], list[bytes]]:
        """Register a subscriber; answers its plans and their first rows, of the same moment."""
        plans = []
        rows: list[bytes] = []
        for asked in _plans_of(query, caller):
            plan = self._plans.setdefault(_key(asked), asked)
            if plan is asked:
                self._route(plan)
            plan.add(subscriber, query_set_id)
            plans.append(plan)
            rows += self.rows(plan)
        return plans, rows

    def unsubscribe(self, plan: Plan, subscriber: Subscriber, query_set_id: int) -> None:
        """Undo ``subscribe``; a plan without subscribers goes."""
        plan.remove(subscriber, query_set_id)
        if not plan.groups:
            del self._plans[_key(plan)]
            self._unroute(plan)

    def rows(self, plan: Plan) -> list[bytes]:
        """The rows of a registered plan now; those of a window in its order."""
        query, source = plan.query, plan.query.source
        if query.join is not None or isinstance(source, ViewDeclaration):
            return self._derived.rows(plan)
        if query.window is not None:
            return self._windows[source.row].rows(plan)
        if query.readers is not None:
            return plan.select(self._readerships[source.row].rows(plan.reader))
        return plan.select(self._candidates(plan))

    def query(self, query: CompiledQuery, caller: Identity) -> list[bytes]:
        """The rows of a query now, without registering anything; not in a window's order."""
        if query.join is None:
            return [row.data for row in self.matching(query, caller)]
        derived = Derived(self._database, self._evaluate)
        return [data for plan in _plans_of(query, caller) for data in derived.rows(plan)]

    def matching(self, query: CompiledQuery, caller: Identity) -> list[EncodedRow]:
        """The rows of a table or view that pass the query's predicate now, whatever its window."""
        source = query.source
        found: list[EncodedRow] = []
        for plan in _plans_of(query, caller):
            if isinstance(source, ViewDeclaration):
                rows = list(self._evaluate(source, viewer_of(source, plan.caller)).rows)
            elif query.window is not None:
                rows = plan.visible(self._candidates(plan))
            else:
                rows = self._candidates(plan)
                if query.readers is not None:
                    rows = [row for row in rows if query.readers(row.row) == plan.reader]
            found += plan.matching(rows)
        return found

    def publish(self, deltas: list[TableDelta], caller: Subscriber | None) -> bytes | None:
        """Push a commit's deltas to all subscribers but the caller.

        Returns:
            The caller's transaction body; None when its query sets are not concerned.
        """
        hits: list[Hit] = []
        tables = self._tables
        for delta in deltas:
            routes = tables.get(delta.layout.row)
            if routes is not None:
                routes.collect(delta.inserts, delta.deletes, hits)
        if self._readerships or self._windows:
            self._collect_apart(deltas, hits)
        if self._derived_plans:
            self._derived.collect(deltas, hits)
        for hit in hits:
            plan = hit.plan
            plan.updates += 1
            plan.rows += len(hit.inserts) + len(hit.deletes)
        return fan_out(hits, caller) if hits else None

    def abandon(self, close_code: int, reason: str) -> None:
        """Close all subscribers' connections: they could not be told what has happened."""
        groups = [group for plan in self._plans.values() for group in plan.groups.values()]
        for subscriber in {subscriber: None for group in groups for subscriber in group}:
            subscriber.abort(close_code, reason)

    def _collect_apart(self, deltas: list[TableDelta], hits: list[Hit]) -> None:
        """Find plans over tables that are more than a test of the rows."""
        for delta in deltas:
            readership = self._readerships.get(delta.layout.row)
            if readership is not None:
                readership.collect(delta, hits)
            windows = self._windows.get(delta.layout.row)
            if windows is not None:
                windows.collect(delta.inserts, delta.deletes, hits)

    def _candidates(self, plan: Plan) -> list[EncodedRow]:
        """The rows of a plan's table; where an index has them, those that meet its demand."""
        table, demand = plan.query.source, plan.query.demand
        assert not isinstance(table, ViewDeclaration)
        operand = TableOperand(table, self._database)
        if not isinstance(demand, OneOf):
            return operand.rows()
        rows = chosen(operand, demand.column.position, demand.wanted(plan.caller))
        return operand.rows() if rows is None else rows

    def _route(self, plan: Plan) -> None:
        query, source = plan.query, plan.query.source
        if query.join is not None or isinstance(source, ViewDeclaration):
            self._derived.add(plan)
            self._derived_plans += 1
        elif query.window is not None:
            if source.row not in self._windows:
                self._windows[source.row] = Windows(self._candidates)
            self._windows[source.row].add(plan)
        elif query.readers is not None:
            if source.row not in self._readerships:
                rows = self._database[source.row].encoded_rows()
                self._readerships[source.row] = Readership(query.readers, rows)
            self._readerships[source.row].add(plan)
        else:
            self._tables.setdefault(source.row, Routes()).add(plan)

    def _unroute(self, plan: Plan) -> None:
        query, source = plan.query, plan.query.source
        if query.join is not None or isinstance(source, ViewDeclaration):
            self._derived.remove(plan)
            self._derived_plans -= 1
        elif query.window is not None:
            windows = self._windows[source.row]
            windows.remove(plan)
            if not windows:
                del self._windows[source.row]
        elif query.readers is not None:
            readership = self._readerships[source.row]
            readership.remove(plan)
            if not readership:
                del self._readerships[source.row]
        else:
            routes = self._tables[source.row]
            routes.remove(plan)
            if not routes:
                del self._tables[source.row]


def _plans_of(query: CompiledQuery, caller: Identity) -> list[Plan]:
    """What answers a caller's query: what everybody sees, and with readers also the caller's own.

    A window is over both at once. A new plan each; those that are registered already take their
    places.
    """
    computed_for = caller if query.is_per_caller else None
    readers: tuple[str | None, ...] = (None,)
    if query.has_readers:
        own = user_id_of(caller)
        readers = (None, own) if query.window is None else (own,)
    return [Plan(query, computed_for, reader) for reader in readers]


def _key(plan: Plan) -> tuple[CompiledQuery, Identity, str | None]:
    return plan.query, plan.caller, plan.reader
