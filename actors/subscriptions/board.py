"""Board: what is subscribed to of one actor, and what a commit means to whom."""

from __future__ import annotations

from collections.abc import Callable

from actors.datastore import Database, TableDelta
from actors.keys import user_id_of
from actors.module.functions import ViewDeclaration
from actors.subscriptions.fanout import fan_out
from actors.subscriptions.joins import JoinFeed
from actors.subscriptions.plan import Hit, Plan, Subscriber
from actors.subscriptions.query import CompiledQuery
from actors.subscriptions.readership import Readership
from actors.subscriptions.routes import Routes
from actors.subscriptions.views import Evaluation, ViewFeed
from protocol.values import Identity

__all__ = ["Board"]

NOBODY = Identity(0)


class Board:
    """The plans over one actor's rows. Touched only between that actor's transactions.

    Args:
        database: the actor's rows.
        evaluate: computes a view from them for a caller.
    """

    __slots__ = (
        "_database",
        "_evaluate",
        "_joins",
        "_plans",
        "_readerships",
        "_tables",
        "_views",
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
        self._views: dict[tuple[str, Identity], ViewFeed] = {}
        self._joins: dict[tuple[CompiledQuery, Identity], JoinFeed] = {}

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
        """The rows of a registered plan now."""
        query, source = plan.query, plan.query.source
        if isinstance(source, ViewDeclaration):
            return plan.select(self._views[source.name, _viewer(source, plan)].rows())
        if query.join is not None:
            return self._joins[query, plan.caller].rows(plan.reader)
        if query.readers is not None:
            return plan.select(self._readerships[source.row].rows(plan.reader))
        return plan.select(self._database[source.row].encoded_rows())

    def query(self, query: CompiledQuery, caller: Identity) -> list[bytes]:
        """The rows of a query now, without registering anything."""
        return [data for plan in _plans_of(query, caller) for data in self._rows_once(plan)]

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
        if self._readerships:
            for delta in deltas:
                readership = self._readerships.get(delta.layout.row)
                if readership is not None:
                    readership.collect(delta, hits)
        if self._views or self._joins:
            self._collect_derived(deltas, hits)
        for plan, inserts, deletes in hits:
            plan.updates += 1
            plan.rows += len(inserts) + len(deletes)
        return fan_out(hits, caller) if hits else None

    def abandon(self, close_code: int, reason: str) -> None:
        """Close all subscribers' connections: they could not be told what has happened."""
        groups = [group for plan in self._plans.values() for group in plan.groups.values()]
        for subscriber in {subscriber: None for group in groups for subscriber in group}:
            subscriber.abort(close_code, reason)

    def _collect_derived(self, deltas: list[TableDelta], hits: list[Hit]) -> None:
        changed = {delta.layout.row: delta for delta in deltas}
        for feed in self._views.values():
            if not feed.reads.isdisjoint(changed):
                inserts, deletes = feed.refresh()
                if inserts or deletes:
                    feed.routes.collect(inserts, deletes, hits)
        for join in self._joins.values():
            join.collect(changed, hits)

    def _rows_once(self, plan: Plan) -> list[bytes]:
        query, source, reader = plan.query, plan.query.source, plan.reader
        if isinstance(source, ViewDeclaration):
            return plan.select(self._evaluate(source, _viewer(source, plan)).rows)
        if query.join is not None:
            return JoinFeed(query, plan.caller, self._database).rows(reader)
        rows, readers = self._database[source.row].encoded_rows(), query.readers
        if readers is not None:
            rows = [row for row in rows if readers(row.row) == reader]
        return plan.select(rows)

    def _route(self, plan: Plan) -> None:
        query, source = plan.query, plan.query.source
        if query.join is not None:
            key = (query, plan.caller)
            if key not in self._joins:
                self._joins[key] = JoinFeed(query, plan.caller, self._database)
            self._joins[key].plans[plan.reader] = plan
        elif isinstance(source, ViewDeclaration):
            viewer = _viewer(source, plan)
            feed = self._views.get((source.name, viewer))
            if feed is None:
                feed = ViewFeed(source, viewer, self._evaluate)
                self._views[source.name, viewer] = feed
            feed.routes.add(plan)
        elif query.readers is not None:
            if source.row not in self._readerships:
                rows = self._database[source.row].encoded_rows()
                self._readerships[source.row] = Readership(query.readers, rows)
            self._readerships[source.row].add(plan)
        else:
            self._tables.setdefault(source.row, Routes()).add(plan)

    def _unroute(self, plan: Plan) -> None:
        query, source = plan.query, plan.query.source
        if query.join is not None:
            join = self._joins[query, plan.caller]
            del join.plans[plan.reader]
            if not join.plans:
                del self._joins[query, plan.caller]
        elif isinstance(source, ViewDeclaration):
            viewer = _viewer(source, plan)
            feed = self._views[source.name, viewer]
            feed.routes.remove(plan)
            if not feed.routes:
                del self._views[source.name, viewer]
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


def _viewer(view: ViewDeclaration, plan: Plan) -> Identity:
    """For whom a plan's view is computed: an anonymous one never sees who asks."""
    return NOBODY if view.is_anonymous else plan.caller


def _plans_of(query: CompiledQuery, caller: Identity) -> list[Plan]:
    """What answers a caller's query: what everybody sees, and with readers also the caller's own.

    A new plan each; those that are registered already take their places.
    """
    computed_for = caller if query.is_per_caller else None
    readers = (None, user_id_of(caller)) if query.has_readers else (None,)
    return [Plan(query, computed_for, reader) for reader in readers]


def _key(plan: Plan) -> tuple[CompiledQuery, Identity, str | None]:
    return plan.query, plan.caller, plan.reader
