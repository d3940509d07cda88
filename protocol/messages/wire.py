"""The port between what the server says and how one protocol version spells it.

A ``Wire`` turns neutral events into the bytes of single messages, without the frame's tag
(``protocol.connection`` frames them). Updates are composed of fragments: the fragment of a plan is
made once per commit and shared by all its subscribers, so a message is a concatenation. Fragments
are opaque: only the wire with the same ``dialect`` may compose them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from protocol.messages.requests import ClientMessage
from protocol.values import ConnectionId, Identity

__all__ = ["Wire"]


class Wire(Protocol):
    """One protocol version, for one connection.

    A stateless version is one shared object; a version whose answers repeat parts of the request
    (v1) is made per connection and remembers them in order, which is why it also decodes.
    """

    @property
    def dialect(self) -> str:
        """Name of the byte format; part of the key under which fragments may be shared."""
        ...

    def decode_client_message(self, data: bytes, offset: int = 0) -> tuple[ClientMessage, int]:
        """Decode the message at ``offset``; returns it and the offset after it.

        Raises:
            DecodeError: the bytes are no message; nothing else is ever raised.
        """
        ...

    # --- fragments, smallest first

    def row_list(self, rows: Sequence[bytes]) -> bytes:
        """Spell one list of rows, each the BSATN of one row, in the given order."""
        ...

    def table_rows(
        self, inserts: Sequence[bytes], deletes: Sequence[bytes], *, event: bool = False
    ) -> bytes:
        """Spell one plan's share of a commit; of an event table only ``inserts`` are sent."""
        ...

    def table_update(self, table: str, rows: Sequence[bytes]) -> bytes:
        """Join the ``table_rows`` of all plans of one query set that return ``table``."""
        ...

    def query_set_update(self, query_set_id: int, tables: Sequence[bytes]) -> bytes:
        """Join the ``table_update`` fragments of one set, ascending by table name."""
        ...

    def transaction_body(self, query_sets: Sequence[bytes]) -> bytes:
        """Join the ``query_set_update`` fragments of one connection, ascending by set id."""
        ...

    # --- whole messages

    def initial_connection(
        self, identity: Identity, connection_id: ConnectionId, token: str
    ) -> bytes:
        """First message of the connection."""
        ...

    def subscribe_applied(
        self, request_id: int, query_set_id: int, tables: Sequence[tuple[str, bytes]]
    ) -> bytes:
        """Answer of Subscribe; ``tables`` pairs table names with ``row_list`` fragments."""
        ...

    def unsubscribe_applied(
        self, request_id: int, query_set_id: int, tables: Sequence[tuple[str, bytes]] | None
    ) -> bytes:
        """Answer of Unsubscribe; None unless the client asked for the dropped rows."""
        ...

    def subscription_error(self, request_id: int | None, query_set_id: int, error: str) -> bytes:
        """Refuse a set. Without ``request_id`` official clients close the connection."""
        ...

    def transaction_update(self, body: bytes) -> bytes:
        """Tell a connection that did not call of a commit; ``body`` is a transaction body."""
        ...

    def one_off_query_result(self, request_id: int, table: str, rows: bytes) -> bytes:
        """Answer of OneOffQuery; ``rows`` is a ``row_list`` fragment."""
        ...

    def one_off_query_error(self, request_id: int, error: str) -> bytes:
        """Refuse a OneOffQuery."""
        ...

    def reducer_ok(self, request_id: int, timestamp: int, body: bytes) -> bytes:
        """Tell the caller of its commit and of its own deltas, a transaction body."""
        ...

    def reducer_err(self, request_id: int, timestamp: int, error: str) -> bytes:
        """Tell the caller that the reducer refused; ``error`` is shown to the user."""
        ...

    def reducer_internal_error(self, request_id: int, timestamp: int, error: str) -> bytes:
        """Tell the caller that the call never ran or broke."""
        ...

    def procedure_returned(
        self, request_id: int, timestamp: int, duration: int, value: bytes
    ) -> bytes:
        """Answer of CallProcedure; ``value`` is BSATN, ``duration`` in micros."""
        ...

    def procedure_error(
        self, request_id: int, error: str, timestamp: int = 0, duration: int = 0
    ) -> bytes:
        """Refuse a CallProcedure, or tell that it failed."""
        ...
