"""Protocol v1, the server's side: what is said to whom; the dialects say in which bytes.

The caller of a reducer is told who called what, and gets its deltas inside of that; everybody else
gets the deltas alone. Source: wire spec 7.2 and 7.3.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import index
from struct import Struct
from typing import NamedTuple

from protocol.messages.lexicon import Lexicon
from protocol.messages.requests import ClientMessage, OpaqueId
from protocol.messages.v1_requests import RequestId
from protocol.messages.v1_types import ClientTag, ServerTag
from protocol.messages.wire import Dialect, Wire
from protocol.values import ConnectionId, Identity

__all__ = ["CallReport", "V1Dialect", "V1Wire"]

_COUNT = Struct("<Q")


class CallReport(NamedTuple):
    """What the caller of a reducer is told besides the outcome.

    ``timestamp`` and ``duration`` are micros; ``args`` are as they came.
    """

    timestamp: int
    identity: Identity
    connection_id: ConnectionId
    reducer: str
    reducer_id: int
    args: bytes | str
    request_id: int
    duration: int


class V1Dialect(Dialect):
    """One spelling of version 1: its updates and its messages. One object for all connections.

    Fragments of rows begin with how many rows they are, eight bytes, as an update says it for each
    table.
    """

    @property
    def merges_sets(self) -> bool:
        """An update has each table once, for all sets together."""
        return True

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.empty_body = self.transaction_body(())

    # --- fragments

    def row_list(self, table: str, rows: Sequence[bytes]) -> bytes:
        """Spell rows as they are first told."""
        return _COUNT.pack(len(rows)) + self._rows(table, rows)

    def table_rows(
        self, table: str, inserts: Sequence[bytes], deletes: Sequence[bytes], *, event: bool = False
    ) -> bytes:
        """Spell a QueryUpdate; event tables cannot be subscribed to."""
        assert not event, "no query set of version 1 has events"
        return _COUNT.pack(len(inserts) + len(deletes)) + self._changes(table, inserts, deletes)

    def table_update(self, table: str, rows: Sequence[bytes]) -> bytes:
        """Spell the one TableUpdate of a table."""
        count = sum(_COUNT.unpack_from(fragment)[0] for fragment in rows)
        return self._table(table, count, [fragment[_COUNT.size :] for fragment in rows])

    def query_set_update(self, _query_set_id: int, tables: Sequence[bytes]) -> bytes:
        """Spell a DatabaseUpdate; version 1 names no sets in it."""
        return self._database(tables)

    def transaction_body(self, query_sets: Sequence[bytes]) -> bytes:
        """The DatabaseUpdate of a commit."""
        if not query_sets:
            return self._database(())
        (update,) = query_sets
        return update

    @abstractmethod
    def transaction_update(self, body: bytes, request_id: OpaqueId) -> bytes:
        """Spell a TransactionUpdateLight."""

    def database_update(self, tables: Sequence[tuple[str, bytes]], *, is_dropped: bool) -> bytes:
        """Spell a DatabaseUpdate of ``row_list`` fragments, tables without rows left out."""
        filled = [entry for entry in tables if _COUNT.unpack_from(entry[1])[0]]
        filled.sort(key=lambda entry: entry[0])
        return self._database(
            [
                self.single_table(name, [rows for _, rows in same], is_dropped=is_dropped)
                for name, same in groupby(filled, key=lambda entry: entry[0])
            ]
        )

    def single_table(self, table: str, rows: Sequence[bytes], *, is_dropped: bool) -> bytes:
        """Spell a TableUpdate of ``row_list`` fragments."""
        size = _COUNT.size
        return self.table_update(
            table,
            [part[:size] + self._listed(part[size:], is_dropped=is_dropped) for part in rows],
        )

    def bare_rows(self, rows: bytes) -> bytes:
        """A ``row_list`` fragment as it stands in a message that does not count."""
        return rows[_COUNT.size :]

    @abstractmethod
    def _rows(self, table: str, rows: Sequence[bytes]) -> bytes:
        """Spell a list of rows."""

    @abstractmethod
    def _changes(self, table: str, inserts: Sequence[bytes], deletes: Sequence[bytes]) -> bytes:
        """Spell a QueryUpdate."""

    @abstractmethod
    def _listed(self, rows: bytes, *, is_dropped: bool) -> bytes:
        """Spell a QueryUpdate of a list of rows that come, or go."""

    @abstractmethod
    def _table(self, table: str, count: int, updates: Sequence[bytes]) -> bytes:
        """Spell a TableUpdate of so many rows."""

    @abstractmethod
    def _database(self, tables: Sequence[bytes]) -> bytes:
        """Spell a DatabaseUpdate."""

    # --- messages

    @abstractmethod
    def decode_request(self, data: bytes, offset: int, began: float) -> tuple[ClientMessage, int]:
        """Decode the request at ``offset``; raises DecodeError."""

    @abstractmethod
    def identity_token(self, identity: Identity, token: str, connection_id: ConnectionId) -> bytes:
        """Spell the first message."""

    @abstractmethod
    def initial_subscription(self, update: bytes, request_id: int, duration: int) -> bytes:
        """Spell the answer to a legacy Subscribe; ``update`` is a DatabaseUpdate."""

    @abstractmethod
    def single_applied(
        self, tag: ServerTag, request_id: int, duration: int, query_id: int, table: str, rows: bytes
    ) -> bytes:
        """Spell SubscribeApplied or UnsubscribeApplied; ``rows`` is a TableUpdate."""

    @abstractmethod
    def multi_applied(
        self, tag: ServerTag, request_id: int, duration: int, query_id: int, update: bytes
    ) -> bytes:
        """Spell SubscribeMultiApplied or UnsubscribeMultiApplied of a DatabaseUpdate."""

    @abstractmethod
    def subscription_error(
        self, duration: int, request_id: int | None, query_id: int | None, error: str
    ) -> bytes:
        """Spell the refusal of a set; without ``query_id`` the client drops all sets."""

    @abstractmethod
    def one_off_response(
        self, message_id: bytes, error: str | None, table: tuple[str, bytes] | None, duration: int
    ) -> bytes:
        """Spell an answer of a one-off query: an error, or a table and its ``row_list``."""

    @abstractmethod
    def call_committed(self, update: bytes, report: CallReport) -> bytes:
        """Spell a TransactionUpdate of a commit."""

    @abstractmethod
    def call_failed(self, error: str, report: CallReport) -> bytes:
        """Spell a TransactionUpdate of a call that failed or never ran."""

    @abstractmethod
    def procedure_returned(
        self, name: str, value: bytes, timestamp: int, duration: int, request_id: int
    ) -> bytes:
        """Spell a ProcedureResult of a value."""

    @abstractmethod
    def procedure_failed(self, error: str, timestamp: int, duration: int, request_id: int) -> bytes:
        """Spell a ProcedureResult of a failure."""


class V1Wire(Wire):
    """The ``Wire`` of one connection that speaks version 1.

    Args:
        dialect: the spelling.
        stopwatch: seconds, monotonic; answers say how long they took.
    """

    __slots__ = ("_connection_id", "_dialect", "_identity", "_lexicon", "_stopwatch")

    def __init__(self, dialect: V1Dialect, stopwatch: Callable[[], float]) -> None:
        self._dialect = dialect
        self._lexicon = dialect.lexicon
        self._stopwatch = stopwatch
        self._identity = Identity(0)
        self._connection_id = ConnectionId(0)

    @property
    def dialect(self) -> V1Dialect:
        """The spelling."""
        return self._dialect

    def decode_client_message(self, data: bytes, offset: int = 0) -> tuple[ClientMessage, int]:
        """Decode the message at ``offset``; its request id remembers what it is."""
        return self._dialect.decode_request(data, offset, self._stopwatch())

    def initial_connection(
        self, identity: Identity, connection_id: ConnectionId, token: str
    ) -> bytes:
        """IdentityToken; who it names is the caller in the answers from now on."""
        self._identity, self._connection_id = identity, connection_id
        return self._dialect.identity_token(identity, token, connection_id)

    def subscribe_applied(
        self, request_id: OpaqueId, query_set_id: int, tables: Sequence[tuple[str, bytes]]
    ) -> bytes:
        """Answer in the form of the request: one table, several, or the legacy one."""
        asked, duration = self._asked(request_id)
        if asked.tag is ClientTag.SUBSCRIBE:
            update = self._dialect.database_update(tables, is_dropped=False)
            return self._dialect.initial_subscription(update, asked, duration)
        return self._applied(asked, query_set_id, tables, duration, is_dropped=False)

    def unsubscribe_applied(
        self, request_id: OpaqueId, query_set_id: int, tables: Sequence[tuple[str, bytes]] | None
    ) -> bytes:
        """Answer in the form of the request; the rows that go are always told."""
        asked, duration = self._asked(request_id)
        return self._applied(asked, query_set_id, tables or (), duration, is_dropped=True)

    def subscription_error(
        self, request_id: OpaqueId | None, query_set_id: int, error: str
    ) -> bytes:
        """SubscriptionError; a legacy request is answered as a call without a name."""
        if request_id is None:
            return self._dialect.subscription_error(0, None, None, error)
        asked, duration = self._asked(request_id)
        if asked.tag is ClientTag.SUBSCRIBE:
            return self._dialect.call_failed(error, self._not_run("", 0))
        return self._dialect.subscription_error(duration, asked, query_set_id, error)

    def one_off_query_result(self, request_id: OpaqueId, table: str, rows: bytes) -> bytes:
        """OneOffQueryResponse of one table."""
        asked, duration = self._asked(request_id)
        return self._dialect.one_off_response(asked.message_id, None, (table, rows), duration)

    def one_off_query_error(self, request_id: OpaqueId, error: str) -> bytes:
        """OneOffQueryResponse of an error."""
        asked, duration = self._asked(request_id)
        return self._dialect.one_off_response(asked.message_id, error, None, duration)

    def reducer_ok(self, request_id: OpaqueId, timestamp: int, body: bytes) -> bytes | None:
        """TransactionUpdate; to one who wants to hear nothing of it, what others are told."""
        asked, duration = self._asked(request_id)
        if asked.is_quiet:
            if body == self._dialect.empty_body:
                return None
            return self._dialect.transaction_update(body, asked)
        return self._dialect.call_committed(body, self._ran(asked, timestamp, duration))

    def reducer_err(self, request_id: OpaqueId, timestamp: int, error: str) -> bytes | None:
        """TransactionUpdate of a failure, unless the caller wants to hear nothing of it."""
        asked, duration = self._asked(request_id)
        if asked.is_quiet:
            return None
        return self._dialect.call_failed(error, self._ran(asked, timestamp, duration))

    def reducer_internal_error(
        self, request_id: OpaqueId, timestamp: int, error: str
    ) -> bytes | None:
        """As ``reducer_err``: version 1 does not tell the two apart."""
        return self.reducer_err(request_id, timestamp, error)

    def reducer_not_run(
        self, request_id: OpaqueId, timestamp: int, error: str, *, is_internal: bool
    ) -> bytes:
        """TransactionUpdate of a failure, even to one who wants to hear nothing of it.

        A call that nobody could run has its name in it, and nothing else of the call. What is
        refused to this caller is reported in full: without the arguments SDKs cannot tell of it.
        """
        asked, duration = self._asked(request_id)
        report = self._not_run(asked.name, timestamp)
        if not is_internal:
            report = self._ran(asked, timestamp, duration)
        return self._dialect.call_failed(error, report)

    def procedure_returned(
        self, request_id: OpaqueId, timestamp: int, duration: int, value: bytes
    ) -> bytes:
        """ProcedureResult of a value."""
        asked, _ = self._asked(request_id)
        return self._dialect.procedure_returned(asked.name, value, timestamp, duration, asked)

    def procedure_error(
        self, request_id: OpaqueId, error: str, timestamp: int = 0, duration: int = 0
    ) -> bytes:
        """ProcedureResult of a failure."""
        return self._dialect.procedure_failed(error, timestamp, duration, index(request_id))

    def _asked(self, request_id: OpaqueId) -> tuple[RequestId, int]:
        """The request, and how long ago it came, in micros."""
        assert isinstance(request_id, RequestId), "requests of this wire have ids that remember"
        return request_id, round((self._stopwatch() - request_id.began) * 1_000_000)

    def _applied(
        self,
        asked: RequestId,
        query_id: int,
        tables: Sequence[tuple[str, bytes]],
        duration: int,
        *,
        is_dropped: bool,
    ) -> bytes:
        dialect = self._dialect
        if asked.is_single and len(tables) == 1:
            ((name, listed),) = tables
            rows = dialect.single_table(name, (listed,), is_dropped=is_dropped)
            tag = ServerTag.UNSUBSCRIBE_APPLIED if is_dropped else ServerTag.SUBSCRIBE_APPLIED
            return dialect.single_applied(tag, asked, duration, query_id, name, rows)
        tag = ServerTag.SUBSCRIBE_MULTI_APPLIED
        if is_dropped:
            tag = ServerTag.UNSUBSCRIBE_MULTI_APPLIED
        update = dialect.database_update(tables, is_dropped=is_dropped)
        return dialect.multi_applied(tag, asked, duration, query_id, update)

    def _ran(self, asked: RequestId, timestamp: int, duration: int) -> CallReport:
        number = self._lexicon.reducer_id(asked.name)
        identity, connection_id = self._identity, self._connection_id
        return CallReport(
            timestamp, identity, connection_id, asked.name, number, asked.args, asked, duration
        )

    def _not_run(self, name: str, timestamp: int) -> CallReport:
        number = self._lexicon.reducer_id(name)
        identity, connection_id = self._identity, self._connection_id
        return CallReport(timestamp, identity, connection_id, name, number, b"", 0, 0)
