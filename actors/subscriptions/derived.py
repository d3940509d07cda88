"""Derived rows: the views and joins over one actor's tables that somebody asks for.

A commit finds them by the tables that it changed, so those that read other tables cost it nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from actors.datastore import Database, TableDelta
from actors.module.functions import ViewDeclaration
from actors.subscriptions.joins import JoinFamily, RowChanges
from actors.subscriptions.operands import Operand, TableOperand, ViewOperand
from actors.subscriptions.plan import Hit, Plan
from actors.subscriptions.query import CompiledQuery, Readable
from actors.subscriptions.views import Evaluation, ViewFeed
from protocol.values import Identity

__all__ = ["Derived", "viewer_of"]

NOBODY = Identity(0)

_ViewKey = tuple[str, Identity]


class Derived:
    """The feeds of views and the families of joins over one actor's rows.

    Args:
        database: the actor's rows.
        evaluate: computes a view from them for a caller.
    """

    __slots__ = ("_database", "_evaluate", "_families", "_feeds", "_joined", "_readers")

    def __init__(
        self,
        database: Database,
        evaluate: Callable[[ViewDeclaration, Identity], Evaluation],
    ) -> None:
        self._database = database
        self._evaluate = evaluate
        self._feeds: dict[_ViewKey, ViewFeed] = {}
        self._readers: dict[type, dict[ViewFeed, None]] = {}
        self._families: dict[tuple[Hashable, ...], JoinFamily] = {}
        self._joined: dict[Hashable, dict[JoinFamily, None]] = {}

    def add(self, plan: Plan) -> None:
        """Keep the rows of a plan over a view or a join up to date."""
        if plan.query.join is not None:
            self._family(plan).add(plan)
            return
        feed = self._feed(plan)
        if plan.query.window is None:
            feed.routes.add(plan)
        else:
            feed.windows.add(plan)

    def remove(self, plan: Plan) -> None:
        """Undo ``add``."""
        if plan.query.join is not None:
            family = self._family(plan)
            family.remove(plan)
            if not family.feeds:
                self._forget_family(plan, family)
            return
        feed = self._feed(plan)
        if plan.query.window is None:
            feed.routes.remove(plan)
        else:
            feed.windows.remove(plan)
        self._release(plan.query.source, plan.caller)

    def rows(self, plan: Plan) -> list[bytes]:
        """The rows of a plan that was added, now."""
        if plan.query.join is not None:
            return self._family(plan).rows(plan)
        feed = self._feed(plan)
        return plan.select(feed.rows()) if plan.query.window is None else feed.windows.rows(plan)

    def collect(self, deltas: list[TableDelta], hits: list[Hit]) -> None:
        """Add a hit for each plan whose result a transaction altered."""
        changes: dict[Hashable, RowChanges] = {
            delta.layout.row: RowChanges(delta.inserts, delta.deletes) for delta in deltas
        }
        concerned: dict[ViewFeed, None] = {}
        for delta in deltas:
            concerned.update(self._readers.get(delta.layout.row, {}))
        for feed in concerned:
            inserts, deletes = self._refresh(feed)
            if inserts or deletes:
                changes[feed] = RowChanges(inserts, deletes)
                feed.routes.collect(inserts, deletes, hits)
                feed.windows.collect(inserts, deletes, hits)
        families: dict[JoinFamily, None] = {}
        for source in changes:
            families.update(self._joined.get(source, {}))
        for family in families:
            own, other = changes.get(family.own.source), changes.get(family.other.source)
            family.collect(own, other, hits)

    def _feed(self, plan: Plan) -> ViewFeed:
        return self._feed_of(plan.query.source, plan.caller)

    def _feed_of(self, view: Readable, caller: Identity) -> ViewFeed:
        assert isinstance(view, ViewDeclaration)
        key = _view_key(view, caller)
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = ViewFeed(view, key[1], self._evaluate)
            for table in feed.reads:
                self._readers.setdefault(table, {})[feed] = None
        return feed

    def _release(self, view: Readable, caller: Identity) -> None:
        """Let go of a view that nobody asks for any more."""
        feed = self._feed_of(view, caller)
        if not feed:
            assert isinstance(view, ViewDeclaration)
            del self._feeds[_view_key(view, caller)]
            self._forget_reads(feed, feed.reads)

    def _refresh(self, feed: ViewFeed) -> RowChanges:
        """Compute a view again; what it looks at may have changed with what it found."""
        before = feed.reads
        changes = RowChanges(*feed.refresh())
        if feed.reads != before:
            self._forget_reads(feed, before - feed.reads)
            for table in feed.reads:
                self._readers.setdefault(table, {})[feed] = None
        return changes

    def _forget_reads(self, feed: ViewFeed, tables: frozenset[type]) -> None:
        for table in tables:
            readers = self._readers[table]
            del readers[feed]
            if not readers:
                del self._readers[table]

    def _family(self, plan: Plan) -> JoinFamily:
        query = plan.query
        join = query.join
        assert join is not None
        key = _family_key(plan)
        family = self._families.get(key)
        if family is None:
            own = self._operand(query.source, plan.caller)
            other = self._operand(join.other, plan.caller)
            family = self._families[key] = JoinFamily(
                own, join.column, other, join.other_column, query.readers, join.other_readers
            )
            for operand in (own, other):
                self._joined.setdefault(operand.source, {})[family] = None
        return family

    def _operand(self, source: Readable, caller: Identity) -> Operand:
        if not isinstance(source, ViewDeclaration):
            return TableOperand(source, self._database)
        feed = self._feed_of(source, caller)
        feed.joins += 1
        return ViewOperand(feed)

    def _forget_family(self, plan: Plan, family: JoinFamily) -> None:
        assert plan.query.join is not None
        del self._families[_family_key(plan)]
        for source in {family.own.source, family.other.source}:
            del self._joined[source][family]
            if not self._joined[source]:
                del self._joined[source]
        for readable in (plan.query.source, plan.query.join.other):
            if isinstance(readable, ViewDeclaration):
                self._feed_of(readable, plan.caller).joins -= 1
                self._release(readable, plan.caller)


def viewer_of(view: ViewDeclaration, caller: Identity) -> Identity:
    """For whom a view is computed: an anonymous one never sees who asks."""
    return NOBODY if view.is_anonymous else caller


def _view_key(view: ViewDeclaration, caller: Identity) -> _ViewKey:
    return view.name, viewer_of(view, caller)


def _source_key(source: Readable, caller: Identity) -> Hashable:
    return _view_key(source, caller) if isinstance(source, ViewDeclaration) else source.row


def _family_key(plan: Plan) -> tuple[Hashable, ...]:
    query: CompiledQuery = plan.query
    join = query.join
    assert join is not None
    return (
        _source_key(query.source, plan.caller),
        join.column,
        _source_key(join.other, plan.caller),
        join.other_column,
        query.readers,
        join.other_readers,
    )
