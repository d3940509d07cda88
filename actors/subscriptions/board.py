"""Board: what is subscribed to of one actor, and what a commit means to whom."""

from __future__ import annotations

from collections.abc import Callable

from actors.datastore import Database, TableDelta
from actors.module.functions import ViewDeclaration
from actors.subscriptions.fanout import fan_out
from actors.subscriptions.joins import join_delta, join_rows
from actors.subscriptions.plan import Hit, Plan, Subscriber
from actors.subscriptions.query import CompiledQuery
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

    __slots__ = ("_database", "_evaluate", "_joins", "_plans", "_tables", "_views")

    def __init__(
        self,
        database: Database,
        evaluate: Callable[[ViewDeclaration, Identity], Evaluation],
    ) -> None:
        self._database = database
        self._evaluate = evaluate
        self._plans: dict[tuple[CompiledQuery, Identity | None], Plan] = {}
        self._tables: dict[type, Routes] = {}
        self._views: dict[tuple[str, Identity], ViewFeed] = {}
        self._joins: dict[Plan, None] = {}

    def __bool__(self) -> bool:
        return bool(self._plans)

    def subscribe(
        self, query: CompiledQuery, caller: Identity, subscriber: Subscriber, query_set_id: int
    ) -> tuple[Plan, list[bytes]]:
        """Register a subscriber; answers the plan and the first rows, of the same moment."""
        key = (query, caller if query.is_per_caller else None)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = Plan(query, caller if query.is_per_caller else None)
            self._route(plan)
        plan.add(subscriber, query_set_id)
        return plan, self.rows(plan)

    def unsubscribe(self, plan: Plan, subscriber: Subscriber, query_set_id: int) -> None:
        """Undo ``subscribe``; a plan without subscribers goes."""
        plan.remove(subscriber, query_set_id)
        if not plan.groups:
            query = plan.query
            del self._plans[query, plan.caller if query.is_per_caller else None]
            self._unroute(plan)

    def rows(self, plan: Plan) -> list[bytes]:
        """The rows of a registered plan now."""
        source = plan.query.source
        if isinstance(source, ViewDeclaration):
            return plan.select(self._views[source.name, _viewer(source, plan)].rows())
        if plan.query.join is not None:
            return join_rows(plan, self._database)
        return plan.select(self._database[source.row].encoded_rows())

    def query(self, query: CompiledQuery, caller: Identity) -> list[bytes]:
        """The rows of a query now, without registering anything."""
        plan = Plan(query, caller if query.is_per_caller else None)
        source = query.source
        if isinstance(source, ViewDeclaration):
            return plan.select(list(self._evaluate(source, _viewer(source, plan)).rows))
        if query.join is not None:
            return join_rows(plan, self._database)
        return plan.select(self._database[source.row].encoded_rows())

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
        if self._views or self._joins:
            self._collect_derived(deltas, hits)
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
        for plan in self._joins:
            inserted, deleted = join_delta(plan, self._database, changed)
            if inserted or deleted:
                hits.append(Hit(plan, inserted, deleted))

    def _route(self, plan: Plan) -> None:
        source = plan.query.source
        if plan.query.join is not None:
            self._joins[plan] = None
        elif isinstance(source, ViewDeclaration):
            viewer = _viewer(source, plan)
            feed = self._views.get((source.name, viewer))
            if feed is None:
                feed = ViewFeed(source, viewer, self._evaluate)
                self._views[source.name, viewer] = feed
            feed.routes.add(plan)
        else:
            self._tables.setdefault(source.row, Routes()).add(plan)

    def _unroute(self, plan: Plan) -> None:
        source = plan.query.source
        if plan.query.join is not None:
            del self._joins[plan]
        elif isinstance(source, ViewDeclaration):
            viewer = _viewer(source, plan)
            feed = self._views[source.name, viewer]
            feed.routes.remove(plan)
            if not feed.routes:
                del self._views[source.name, viewer]
        else:
            routes = self._tables[source.row]
            routes.remove(plan)
            if not routes:
                del self._tables[source.row]


def _viewer(view: ViewDeclaration, plan: Plan) -> Identity:
    """For whom a plan's view is computed: an anonymous one never sees who asks."""
    return NOBODY if view.is_anonymous else plan.caller
