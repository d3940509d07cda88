"""Query sets: what one connection subscribes to, over all actors that its caller may read.

A set's queries read every shard of a shared kind, the caller's own actor, and the session actors
that the caller's actor has attached (domain 1.6). First rows and registration happen in one
callback of the loop, between the actors' turns: no commit falls between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from actors.keys import ActorKey, ActorKind, Audience
from actors.limits import QUERY_SETS_MAX
from actors.subscriptions import Board, CompiledQuery, Plan, rows_once
from protocol.errors import SqlError
from protocol.messages import OneOffQuery, Subscribe, SubscribeLegacy, Unsubscribe
from protocol.sql import query_error

if TYPE_CHECKING:
    from actors.host.host import Host
    from actors.host.session import Session

__all__ = ["Asked", "QuerySets"]

Asked: TypeAlias = dict[str, CompiledQuery]
"""What a request asks for: queries by their texts, each query once."""

_WHOLE_TABLE = "SELECT * FROM "


class _Part:
    """One plan of a set, on one actor."""

    __slots__ = ("board", "key", "plan")

    def __init__(self, key: ActorKey, board: Board, plan: Plan) -> None:
        self.key = key
        self.board = board
        self.plan = plan


class _Set:
    """One live query set.

    Attributes:
        attached: the session actors that its parts read; None when no query asks for such.
    """

    __slots__ = ("attached", "parts", "queries")

    def __init__(self, queries: list[CompiledQuery]) -> None:
        self.queries = queries
        self.parts: list[_Part] = []
        self.attached: frozenset[ActorKey] | None = None


class QuerySets:
    """The live query sets of one connection."""

    def __init__(self, host: Host, session: Session) -> None:
        self._host = host
        self._session = session
        self._caller = session.caller
        self._dialect = session.dialect
        self._name = str(session.caller.connection_id)
        self._sets: dict[int, _Set] = {}

    def queries_of(self, message: Subscribe | SubscribeLegacy | Unsubscribe | OneOffQuery) -> Asked:
        """Compile what a request asks for.

        Raises:
            SqlError: with the text for the client (wire spec 10.4).
        """
        if isinstance(message, OneOffQuery):
            text = message.query
            (query,) = self._host.queries.compile(text, subscription=False, roles=self._roles())
            return {text: query}
        return {} if isinstance(message, Unsubscribe) else self._asked(message.queries)

    def missing(self, asked: Asked) -> list[ActorKey]:
        """Actors that must be activated before these queries can be answered."""
        host, queries = self._host, asked.values()
        audiences = {kind.audience for query in queries for kind in query.kinds}
        home = host.home_key(self._caller)
        is_personal = bool(audiences & {Audience.CALLER, Audience.ATTACHED})
        if home is not None and is_personal and not host.is_active(home):
            return [home]
        keys = {key for query in queries for key in self._keys(query)}
        return sorted(key for key in keys if not host.is_active(key))

    def subscribe(self, message: Subscribe | SubscribeLegacy, asked: Asked) -> bytes:
        """Start a set; answers SubscribeApplied, or SubscriptionError when the id is taken."""
        assert isinstance(message, Subscribe), "the other belongs to version 1"
        request_id, set_id, _ = message
        wire = self._session.wire
        if set_id in self._sets:
            text = f"Subscription with id {set_id} already exists for client: {self._name}"
            return wire.subscription_error(request_id, set_id, text)
        if len(self._sets) >= QUERY_SETS_MAX:
            text = f"limit.quota_exceeded: a connection has at most {QUERY_SETS_MAX} query sets"
            return wire.subscription_error(request_id, set_id, text)
        tables = [
            (name, self._dialect.row_list(name, rows))
            for name, rows in self._begin(set_id, list(asked.values()))
            if rows
        ]
        return wire.subscribe_applied(request_id, set_id, tables)

    def unsubscribe(self, message: Unsubscribe) -> bytes:
        """End a set; answers UnsubscribeApplied, or SubscriptionError when there is none."""
        request_id, set_id, send_dropped_rows = message
        wire = self._session.wire
        if set_id not in self._sets:
            return wire.subscription_error(request_id, set_id, f"Subscription not found: {set_id}")
        dropped = self._end(set_id, with_rows=send_dropped_rows)
        tables = [(name, self._dialect.row_list(name, rows)) for name, rows in dropped if rows]
        return wire.unsubscribe_applied(request_id, set_id, tables if send_dropped_rows else None)

    def query_once(self, message: OneOffQuery, asked: Asked) -> bytes:
        """Answer a one-off query."""
        (query,) = asked.values()
        boards = map(self._host.board, self._keys(query))
        rows = rows_once(boards, query, self._caller.identity)
        listed = self._dialect.row_list(query.name, rows)
        return self._session.wire.one_off_query_result(message.request_id, query.name, listed)

    def clear(self) -> None:
        """End all sets, without a word."""
        for set_id, entry in self._sets.items():
            for part in entry.parts:
                part.board.unsubscribe(part.plan, self._session, set_id)
        self._sets.clear()

    def attaching(self) -> list[ActorKey] | None:
        """Newly attached actors that must be activated first; None when nothing has to be done."""
        followers = [entry.attached for entry in self._sets.values() if entry.attached is not None]
        wanted = frozenset(self._host.attached(self._caller)) if followers else frozenset()
        if all(attached == wanted for attached in followers):
            return None
        return sorted(key for key in wanted if not self._host.is_active(key))

    def reattach(self) -> None:
        """Follow the caller's attached actors: their rows come as inserts, or go as deletes.

        Needs the new ones active.
        """
        wanted = frozenset(self._host.attached(self._caller))
        dialect = self._dialect
        by_set: dict[int, list[tuple[str, bytes]]] = {}
        for set_id, entry in sorted(self._sets.items()):
            if entry.attached is None:
                continue
            # Each set has followed as far as it was made or changed: they differ.
            gained, lost = sorted(wanted - entry.attached), entry.attached - wanted
            entry.attached = wanted
            changes = by_set.setdefault(0 if dialect.merges_sets else set_id, [])
            changes += self._detach(set_id, lost)
            changes += self._attach(set_id, gained)
        updates = []
        for set_id, changes in by_set.items():
            changes.sort(key=lambda change: change[0])
            tables = [
                dialect.table_update(name, [rows for _, rows in same])
                for name, same in groupby(changes, key=lambda change: change[0])
            ]
            if tables:
                updates.append(dialect.query_set_update(set_id, tables))
        if updates:
            body = dialect.transaction_body(updates)
            self._session.push(dialect.transaction_update(body, 0))

    def _asked(self, texts: Iterable[str]) -> Asked:
        """The queries of a subscription, each once; two spellings are two queries (wire spec 9)."""
        asked: dict[CompiledQuery, str] = {}
        for text, query in self._compiled(texts):
            asked.setdefault(query, text)
        return {text: query for query, text in asked.items()}

    def _compiled(self, texts: Iterable[str]) -> Iterator[tuple[str, CompiledQuery]]:
        """Compile texts; one that stands for several tables gives a text for each of them."""
        for text in texts:
            try:
                found = self._host.queries.compile(text, roles=self._roles())
            except SqlError as error:
                raise SqlError(query_error(error, text)) from None
            is_whole = len(found) > 1 or text.rstrip().endswith("*")
            for query in found:
                yield _WHOLE_TABLE + query.name if is_whole else text.strip(), query

    def _begin(self, set_id: int, queries: list[CompiledQuery]) -> list[tuple[str, list[bytes]]]:
        """Start a set; answers the first rows, query by query."""
        entry = self._sets[set_id] = _Set(queries)
        if any(kind.audience is Audience.ATTACHED for query in queries for kind in query.kinds):
            entry.attached = frozenset(self._host.attached(self._caller))
        first = []
        for query in queries:
            rows: list[bytes] = []
            for key in self._keys(query):
                rows += self._register(set_id, query, key, entry.parts)
            first.append((query.name, rows))
        return first

    def _end(self, set_id: int, *, with_rows: bool) -> list[tuple[str, list[bytes]]]:
        """End a set; answers the rows that go, part by part."""
        dropped = []
        for part in self._sets.pop(set_id).parts:
            rows = part.board.rows(part.plan) if with_rows else []
            part.board.unsubscribe(part.plan, self._session, set_id)
            dropped.append((part.plan.query.name, rows))
        return dropped

    def _detach(self, set_id: int, lost: frozenset[ActorKey]) -> Iterator[tuple[str, bytes]]:
        """Forget actors; answers the rows that go, by table."""
        parts = self._sets[set_id].parts
        for part in [part for part in parts if part.key in lost]:
            rows = part.board.rows(part.plan)
            part.board.unsubscribe(part.plan, self._session, set_id)
            parts.remove(part)
            if rows:
                name = part.plan.query.name
                yield name, self._dialect.table_rows(name, (), rows)

    def _attach(self, set_id: int, gained: list[ActorKey]) -> Iterator[tuple[str, bytes]]:
        """Read further actors; answers the rows that come, by table."""
        entry = self._sets[set_id]
        for query in entry.queries:
            for key in _of_kinds(query.kinds, gained):
                rows = self._register(set_id, query, key, entry.parts)
                if rows:
                    yield query.name, self._dialect.table_rows(query.name, rows, ())

    def _keys(self, query: CompiledQuery) -> tuple[ActorKey, ...]:
        """The actors that a query reads."""
        keys: list[ActorKey] = []
        for kind in query.kinds:
            if kind.audience is Audience.EVERYONE:
                keys += kind.shard_keys()
            elif kind.audience is Audience.CALLER:
                keys.append(kind.key(self._caller.user_id))
            else:
                keys += _of_kinds((kind,), self._host.attached(self._caller))
        return tuple(keys)

    def _register(
        self, set_id: int, query: CompiledQuery, key: ActorKey, parts: list[_Part]
    ) -> list[bytes]:
        board = self._host.board(key)
        plans, rows = board.subscribe(query, self._caller.identity, self._session, set_id)
        parts += [_Part(key, board, plan) for plan in plans]
        return rows

    def _roles(self) -> frozenset[str]:
        """The caller's roles, as long as its token is good for them (domain 1.8)."""
        claims = self._caller.claims
        is_expired = claims.expires_at is not None and claims.expires_at <= self._host.clock()
        return frozenset() if is_expired else claims.roles


def _of_kinds(kinds: Iterable[ActorKind], keys: Iterable[ActorKey]) -> list[ActorKey]:
    """Those of the attached actors that are of these kinds."""
    names = {kind.name for kind in kinds if kind.audience is Audience.ATTACHED}
    return [key for key in keys if key.partition("/")[0] in names]
