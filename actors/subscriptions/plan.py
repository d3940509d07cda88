"""Plan: one query over one actor's rows, shared by everybody who asks it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from actors.datastore import EncodedRow
from actors.subscriptions.query import CompiledQuery
from protocol.messages import Dialect, OpaqueId
from protocol.values import Identity

__all__ = ["Hit", "Plan", "Subscriber"]


class Subscriber(Protocol):
    """A connection, as far as updates concern it."""

    @property
    def dialect(self) -> Dialect:
        """How updates are spelled for it."""

    @property
    def request_id(self) -> OpaqueId:
        """The id of its call that is being run, or was run last."""

    def push(self, message: bytes) -> None:
        """Queue an encoded message; it leaves when everything it depends on is durable."""

    def abort(self, close_code: int, reason: str) -> None:
        """Close the connection, because it was not told something that it should know."""


class Plan:
    """A query and a caller (None when the result does not depend on one), and its subscribers.

    Of a table with ``readers`` a plan has the rows of one reader: of everybody, or of one user. A
    query set has both plans, and the first one is shared by all who ask the same. Only a window is
    over both at once: over all that its user sees.

    Attributes:
        name: of the table or view whose rows it has.
        reader: the user whose own rows these are; None for what everybody sees.
        is_event: whether the rows are events.
        groups: subscribers by how they are spelled to and by query set id. All of one group are
            sent the same bytes.
        updates: transactions that concerned it.
        rows: inserts and deletes of those, as often as one subscriber is told them.
    """

    __slots__ = ("caller", "groups", "is_event", "name", "query", "reader", "rows", "updates")

    def __init__(
        self, query: CompiledQuery, caller: Identity | None, reader: str | None = None
    ) -> None:
        self.query = query
        self.name = query.name
        self.caller = Identity(0) if caller is None else caller
        self.reader = reader
        self.is_event = bool(getattr(query.source, "is_event", False))
        self.groups: dict[tuple[Dialect, int], dict[Subscriber, None]] = {}
        self.updates = 0
        self.rows = 0

    def select(self, rows: Iterable[EncodedRow]) -> list[bytes]:
        """The bytes of the rows that pass the query's predicate, in the given order."""
        test = self.query.test
        if test is None:
            return [row.data for row in rows]
        caller = self.caller
        return [row.data for row in rows if test(row.row, caller)]

    def matching(self, rows: list[EncodedRow]) -> list[EncodedRow]:
        """The rows that pass the query's predicate, in the given order."""
        test = self.query.test
        if test is None:
            return rows
        caller = self.caller
        return [row for row in rows if test(row.row, caller)]

    def visible(self, rows: list[EncodedRow]) -> list[EncodedRow]:
        """The rows that are for everybody or for this plan's reader, in the given order."""
        readers = self.query.readers
        if readers is None:
            return rows
        return [row for row in rows if readers(row.row) in (None, self.reader)]

    def add(self, subscriber: Subscriber, query_set_id: int) -> None:
        """Send further deltas to this subscriber too."""
        group = self.groups.setdefault((subscriber.dialect, query_set_id), {})
        assert subscriber not in group
        group[subscriber] = None

    def remove(self, subscriber: Subscriber, query_set_id: int) -> None:
        """Send no further deltas to this subscriber."""
        key = (subscriber.dialect, query_set_id)
        group = self.groups[key]
        del group[subscriber]
        if not group:
            del self.groups[key]


class Hit:
    """A plan that a transaction concerns, and its net change: the bytes of what came and went."""

    __slots__ = ("deletes", "inserts", "plan")

    def __init__(self, plan: Plan, inserts: list[bytes], deletes: list[bytes]) -> None:
        self.plan = plan
        self.inserts = inserts
        self.deletes = deletes
