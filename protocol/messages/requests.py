"""What a client asks of the server, independent of the protocol version that carried it.

Every request carries a ``request_id`` that the client chose and that its answer repeats; ids are
shared by all kinds of requests and need not be unique. Answers come in request order, those of
procedures excepted (wire spec 8.1). Whoever answers gives the ``request_id`` back as the object
that it got: in version 1 it remembers what the answer repeats. Source: wire spec 6.1, 6.3 and 7.1.
"""

from __future__ import annotations

from typing import NamedTuple, SupportsIndex, TypeAlias

__all__ = [
    "CallProcedure",
    "CallReducer",
    "ClientMessage",
    "OneOffQuery",
    "OpaqueId",
    "Request",
    "Subscribe",
    "SubscribeLegacy",
    "UnreadableCall",
    "Unsubscribe",
]

OpaqueId: TypeAlias = SupportsIndex
"""The id of a request: a number, and for the wire that read it perhaps more. Declared as an ``int``
it would be nothing but its number where compiled code has passed it on."""


class Subscribe(NamedTuple):
    """Start a query set: all of its queries from one snapshot, or none.

    Sent whenever the client likes, even before the server has said anything. Answered by one
    SubscribeApplied with the rows, or by one SubscriptionError; after an error nothing of the set
    is registered. A ``query_set_id`` that is live already is an error, and the live set stays. The
    same text twice in one set counts once.
    """

    request_id: OpaqueId
    query_set_id: int
    queries: tuple[str, ...]


class SubscribeLegacy(NamedTuple):
    """Replace all queries that were ever subscribed to in this way (version 1 only).

    Answered by the rows of the new queries, whatever rows the client had of the old ones; these are
    none of its query sets. After an error the old queries stay.
    """

    request_id: OpaqueId
    queries: tuple[str, ...]


class Unsubscribe(NamedTuple):
    """End a query set.

    Answered by UnsubscribeApplied, after which the server never names the set again and its id is
    free; a set that is not live is answered by SubscriptionError. ``send_dropped_rows`` asks for
    the set's current rows in the answer, which is how a client's reference counts fall back.
    """

    request_id: OpaqueId
    query_set_id: int
    send_dropped_rows: bool


class OneOffQuery(NamedTuple):
    """Read the rows of one query once, without registering anything.

    Answered by OneOffQueryResult: exactly one table, which may hold no rows, or an error text.
    """

    request_id: OpaqueId
    query: str


class CallReducer:
    """Run a reducer in one transaction.

    ``args`` is the BSATN of the product of the reducer's parameters, not yet checked. Answered by
    one ReducerResult, which also carries the caller's own share of the transaction's deltas: the
    caller gets no TransactionUpdate for its own call.

    A class, unlike the others: this one is made for each call, and compiled code makes it at a
    quarter of a tuple's cost.
    """

    __slots__ = ("args", "reducer", "request_id")

    def __init__(self, request_id: OpaqueId, reducer: str, args: bytes) -> None:
        self.request_id = request_id
        self.reducer = reducer
        self.args = args

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CallReducer) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        return f"CallReducer{self._fields()!r}"

    def _fields(self) -> tuple[OpaqueId, str, bytes]:
        return self.request_id, self.reducer, self.args


class CallProcedure(NamedTuple):
    """Run a procedure; it may open several transactions and runs beside other requests.

    ``args`` as in :class:`CallReducer`. Answered by one ProcedureResult when it is ready, which
    may be after the answers of later requests; deltas that it committed come before it as
    TransactionUpdates.
    """

    request_id: OpaqueId
    procedure: str
    args: bytes


class UnreadableCall(NamedTuple):
    """A call whose arguments are not those of the function; it never runs (version 1, JSON)."""

    request_id: OpaqueId
    function: str
    error: str
    is_procedure: bool


Request: TypeAlias = Subscribe | Unsubscribe | OneOffQuery | CallReducer | CallProcedure
"""What every version can ask."""

ClientMessage: TypeAlias = Request | SubscribeLegacy | UnreadableCall
"""What a server may have to answer."""
