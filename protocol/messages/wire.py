"""The port between what the server says and how one protocol version spells it.

A ``Wire`` turns neutral events into the bytes of single messages, without the frame's tag
(``protocol.connection`` frames them). Updates are composed of fragments by the wire's ``Dialect``:
the fragment of a plan is made once per commit and shared by all its subscribers, so a message is a
concatenation. Fragments are opaque: only the dialect that made them may compose them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from protocol.messages.requests import ClientMessage, OpaqueId
from protocol.values import ConnectionId, Identity

__all__ = ["Dialect", "Wire"]


class Dialect(ABC):
    """How one protocol version spells rows and updates: one object for all its connections."""

    __slots__ = ()

    @property
    @abstractmethod
    def merges_sets(self) -> bool:
        """Whether an update names no query sets: it has each table once, for all sets together."""

    @abstractmethod
    def row_list(self, table: str, rows: Sequence[bytes]) -> bytes:
        """Spell one list of a table's rows, each the BSATN of one row, in the given order."""

    @abstractmethod
    def table_rows(
        self, table: str, inserts: Sequence[bytes], deletes: Sequence[bytes], *, event: bool = False
    ) -> bytes:
        """Spell one plan's share of a commit; of an event table only ``inserts`` are sent."""

    @abstractmethod
    def table_update(self, table: str, rows: Sequence[bytes]) -> bytes:
        """Join the ``table_rows`` of all plans of one query set that return ``table``."""

    @abstractmethod
    def query_set_update(self, query_set_id: int, tables: Sequence[bytes]) -> bytes:
        """Join the ``table_update`` fragments of one set, ascending by table name."""

    @abstractmethod
    def transaction_body(self, query_sets: Sequence[bytes]) -> bytes:
        """Join the ``query_set_update`` fragments of one connection, ascending by set id.

        There is one at most where sets are merged.
        """

    def single_body(
        self,
        query_set_id: int,
        table: str,
        inserts: Sequence[bytes],
        deletes: Sequence[bytes],
        *,
        event: bool = False,
    ) -> bytes:
        """Spell the transaction body of one plan's share, which is the whole of most commits.

        Hot path: a dialect that can spell the same bytes at once does so.
        """
        rows = self.table_rows(table, inserts, deletes, event=event)
        update = self.query_set_update(query_set_id, (self.table_update(table, (rows,)),))
        return self.transaction_body((update,))

    @abstractmethod
    def transaction_update(self, body: bytes, request_id: OpaqueId) -> bytes:
        """Spell the whole message that tells a connection that did not call of a commit.

        Args:
            body: a transaction body.
            request_id: the caller's; 0 when no connection called.
        """


class Wire(ABC):
    """One protocol version, for one connection.

    A stateless version is one shared object; a version whose answers say who called (v1) is made
    per connection.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def dialect(self) -> Dialect:
        """How updates are spelled."""

    @abstractmethod
    def decode_client_message(self, data: bytes, offset: int = 0) -> tuple[ClientMessage, int]:
        """Decode the message at ``offset``; returns it and the offset after it.

        Raises:
            DecodeError: the bytes are no message; nothing else is ever raised.
        """

    @abstractmethod
    def initial_connection(
        self, identity: Identity, connection_id: ConnectionId, token: str
    ) -> bytes:
        """First message of the connection."""

    @abstractmethod
    def subscribe_applied(
        self, request_id: OpaqueId, query_set_id: int, tables: Sequence[tuple[str, bytes]]
    ) -> bytes:
        """Answer of Subscribe, or of SubscribeLegacy, whose set id is not looked at.

        ``tables`` pairs table names with ``row_list`` fragments, in the order of the queries.
        """

    @abstractmethod
    def unsubscribe_applied(
        self, request_id: OpaqueId, query_set_id: int, tables: Sequence[tuple[str, bytes]] | None
    ) -> bytes:
        """Answer of Unsubscribe; None unless the client asked for the dropped rows."""

    @abstractmethod
    def subscription_error(
        self, request_id: OpaqueId | None, query_set_id: int, error: str
    ) -> bytes:
        """Refuse a set. Without ``request_id`` official clients close the connection."""

    @abstractmethod
    def one_off_query_result(self, request_id: OpaqueId, table: str, rows: bytes) -> bytes:
        """Answer of OneOffQuery; ``rows`` is a ``row_list`` fragment."""

    @abstractmethod
    def one_off_query_error(self, request_id: OpaqueId, error: str) -> bytes:
        """Refuse a OneOffQuery."""

    @abstractmethod
    def reducer_ok(self, request_id: OpaqueId, timestamp: int, body: bytes) -> bytes | None:
        """Tell the caller of its commit and of its own deltas, a transaction body.

        None here and below: the caller asked not to be told.
        """

    @abstractmethod
    def reducer_err(self, request_id: OpaqueId, timestamp: int, error: str) -> bytes | None:
        """Tell the caller that the reducer refused; ``error`` is shown to the user."""

    @abstractmethod
    def reducer_internal_error(
        self, request_id: OpaqueId, timestamp: int, error: str
    ) -> bytes | None:
        """Tell the caller that the call broke."""

    @abstractmethod
    def reducer_not_run(
        self, request_id: OpaqueId, timestamp: int, error: str, *, is_internal: bool
    ) -> bytes:
        """Tell the caller that the call never ran.

        ``is_internal`` distinguishes a call that nobody could run (unknown name, bad arguments)
        from one that is refused to this caller now.
        """

    @abstractmethod
    def procedure_returned(
        self, request_id: OpaqueId, timestamp: int, duration: int, value: bytes
    ) -> bytes:
        """Answer of CallProcedure; ``value`` is BSATN, ``duration`` in micros."""

    @abstractmethod
    def procedure_error(
        self, request_id: OpaqueId, error: str, timestamp: int = 0, duration: int = 0
    ) -> bytes:
        """Refuse a CallProcedure, or tell that it failed."""
