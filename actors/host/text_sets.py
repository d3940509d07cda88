"""Text sets: what a version 1 connection subscribes to; each query text counts once.

A text that several subscriptions hold has rows and deltas once: they come with the first holder and
go with the last. What was subscribed to by ``SubscribeLegacy`` is apart from that: the next such
request replaces it, rows included, without saying which. Source: wire spec 7.1 and 7.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from actors.host.query_sets import Asked, QuerySets
from actors.limits import QUERY_SETS_MAX
from actors.module.tables import TableDeclaration
from actors.subscriptions import CompiledQuery
from protocol.errors import SqlError
from protocol.messages import Subscribe, SubscribeLegacy, Unsubscribe

if TYPE_CHECKING:
    from actors.host.host import Host
    from actors.host.session import Session

__all__ = ["TextSets"]

_EVENT_TABLE = (
    "Subscribing to event tables requires WebSocket v2. "
    "Please upgrade your client SDK and regenerate your module bindings."
)


class TextSets(QuerySets):
    """The subscriptions of one connection, by text; each text is a query set of its own."""

    def __init__(self, host: Host, session: Session) -> None:
        super().__init__(host, session)
        self._numbers: dict[str, int] = {}
        """The query set of each text that a subscription holds."""
        self._holders: dict[str, int] = {}
        self._held: dict[int, Asked] = {}
        """What each subscription holds."""
        self._legacy: list[int] = []
        self._next_number = 0

    def subscribe(self, message: Subscribe | SubscribeLegacy, asked: Asked) -> bytes:
        """Start a subscription, or replace the legacy one; answers its new rows or an error."""
        if isinstance(message, SubscribeLegacy):
            return self._replace_legacy(message, asked)
        request_id, query_id, _ = message
        wire = self._session.wire
        if query_id in self._held:
            text = f"Subscription with id {query_id} already exists for client: {self._name}"
            return wire.subscription_error(request_id, query_id, text)
        if len(self._held) >= QUERY_SETS_MAX:
            text = f"limit.quota_exceeded: a connection has at most {QUERY_SETS_MAX} query sets"
            return wire.subscription_error(request_id, query_id, text)
        self._held[query_id] = asked
        tables = []
        for text, query in asked.items():
            rows: list[bytes] = []
            if text not in self._numbers:
                self._numbers[text], rows = self._begin_text(query)
            self._holders[text] = self._holders.get(text, 0) + 1
            tables.append((query.name, self._dialect.row_list(query.name, rows)))
        return wire.subscribe_applied(request_id, query_id, tables)

    def unsubscribe(self, message: Unsubscribe) -> bytes:
        """End a subscription; the rows of texts that nobody holds any more go with it."""
        request_id, query_id, _ = message
        wire = self._session.wire
        asked = self._held.pop(query_id, None)
        if asked is None:
            text = f"Subscription not found: {query_id}"
            return wire.subscription_error(request_id, query_id, text)
        tables = []
        for text, query in asked.items():
            rows: list[bytes] = []
            self._holders[text] -= 1
            if not self._holders[text]:
                del self._holders[text]
                for _, dropped in self._end(self._numbers.pop(text), with_rows=True):
                    rows += dropped
            tables.append((query.name, self._dialect.row_list(query.name, rows)))
        return wire.unsubscribe_applied(request_id, query_id, tables)

    def clear(self) -> None:
        """End everything, without a word."""
        super().clear()
        self._numbers.clear()
        self._holders.clear()
        self._held.clear()
        self._legacy.clear()

    def _replace_legacy(self, message: SubscribeLegacy, asked: Asked) -> bytes:
        for number in self._legacy:
            self._end(number, with_rows=False)
        self._legacy = []
        tables = []
        for query in asked.values():
            number, rows = self._begin_text(query)
            self._legacy.append(number)
            tables.append((query.name, self._dialect.row_list(query.name, rows)))
        return self._session.wire.subscribe_applied(message.request_id, 0, tables)

    def _begin_text(self, query: CompiledQuery) -> tuple[int, list[bytes]]:
        number = self._next_number
        self._next_number += 1
        ((_, rows),) = self._begin(number, [query])
        return number, rows

    def _asked(self, texts: Iterable[str]) -> Asked:
        """The queries of a subscription by text; two spellings are two queries."""
        asked = dict(self._compiled(texts))
        for query in asked.values():
            if isinstance(query.source, TableDeclaration) and query.source.is_event:
                raise SqlError(_EVENT_TABLE)
        return asked
