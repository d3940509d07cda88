"""What the server tells a client, decoded; the server itself only ever encodes (``Wire``).

Rows are undecoded BSATN, one bytes object each. Source: wire spec 6.2 to 6.4.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from protocol.values import ConnectionId, Identity

__all__ = [
    "InitialConnection",
    "OneOffQueryResult",
    "ProcedureResult",
    "QuerySetUpdate",
    "ReducerErr",
    "ReducerInternalError",
    "ReducerOk",
    "ReducerOkEmpty",
    "ReducerOutcome",
    "ReducerResult",
    "ServerMessage",
    "SubscribeApplied",
    "SubscriptionError",
    "TableRows",
    "TableUpdate",
    "TableUpdateRows",
    "TransactionUpdate",
    "UnsubscribeApplied",
]


class TableRows(NamedTuple):
    """Result of one query plan: the table it returns and the rows, a bag."""

    table: str
    rows: list[bytes]


class TableUpdateRows(NamedTuple):
    """Share of one query plan in a transaction; events are ``inserts`` with ``is_event`` set."""

    inserts: list[bytes]
    deletes: list[bytes]
    is_event: bool


class TableUpdate(NamedTuple):
    """Everything a transaction changed in one table for one query set."""

    table: str
    rows: list[TableUpdateRows]


class QuerySetUpdate(NamedTuple):
    """Everything a transaction changed in one query set; tables ascend by name."""

    query_set_id: int
    tables: list[TableUpdate]


class InitialConnection(NamedTuple):
    """First message of every connection: who the caller is, and the token to come back with."""

    identity: Identity
    connection_id: ConnectionId
    token: str


class SubscribeApplied(NamedTuple):
    """A query set is live; the rows hold every transaction whose update came before this."""

    request_id: int
    query_set_id: int
    tables: list[TableRows]


class UnsubscribeApplied(NamedTuple):
    """A query set has ended; ``tables`` are its dropped rows, None when not asked for."""

    request_id: int
    query_set_id: int
    tables: list[TableRows] | None


class SubscriptionError(NamedTuple):
    """A Subscribe or Unsubscribe failed, or, without ``request_id``, a live set ended."""

    request_id: int | None
    query_set_id: int
    error: str


class TransactionUpdate(NamedTuple):
    """One commit as this connection sees it; query sets ascend by id, never empty on its own."""

    query_sets: list[QuerySetUpdate]


class OneOffQueryResult(NamedTuple):
    """Answer of OneOffQuery: ``tables`` has one entry, or ``error`` is set."""

    request_id: int
    tables: list[TableRows]
    error: str | None


class ReducerOk(NamedTuple):
    """Committed, with the caller's own deltas; ``ret_value`` is empty for plain reducers."""

    ret_value: bytes
    update: TransactionUpdate


class ReducerOkEmpty(NamedTuple):
    """Committed, nothing for the caller; the short form of an empty :class:`ReducerOk`."""


class ReducerErr(NamedTuple):
    """The reducer refused and was rolled back; ``error`` is its own text."""

    error: str


class ReducerInternalError(NamedTuple):
    """The call never ran or broke: unknown name, bad arguments, an unexpected exception."""

    error: str


ReducerOutcome: TypeAlias = ReducerOk | ReducerOkEmpty | ReducerErr | ReducerInternalError


class ReducerResult(NamedTuple):
    """Answer of CallReducer; ``timestamp`` is the call's, in micros."""

    request_id: int
    timestamp: int
    outcome: ReducerOutcome


class ProcedureResult(NamedTuple):
    """Answer of CallProcedure: ``value`` is the BSATN of what it returned unless ``error``.

    ``timestamp`` and ``duration`` are micros; both are 0 when the procedure never ran.
    """

    request_id: int
    timestamp: int
    duration: int
    value: bytes
    error: str | None


ServerMessage: TypeAlias = (
    InitialConnection
    | SubscribeApplied
    | UnsubscribeApplied
    | SubscriptionError
    | TransactionUpdate
    | OneOffQueryResult
    | ReducerResult
    | ProcedureResult
)
