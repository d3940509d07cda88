"""What a client asks of the server, independent of the protocol version that carried it.

Every request carries a ``request_id`` that the client chose and that its answer repeats; ids are
shared by all kinds of requests and need not be unique. Answers come in request order, those of
procedures excepted (wire spec 8.1). Source: wire spec 6.1 and 6.3.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

__all__ = [
    "CallProcedure",
    "CallReducer",
    "ClientMessage",
    "OneOffQuery",
    "Subscribe",
    "Unsubscribe",
]


class Subscribe(NamedTuple):
    """Start a query set: all of its queries from one snapshot, or none.

    Sent whenever the client likes, even before the server has said anything. Answered by one
    SubscribeApplied with the rows, or by one SubscriptionError; after an error nothing of the set
    is registered. A ``query_set_id`` that is live already is an error, and the live set stays. The
    same text twice in one set counts once.
    """

    request_id: int
    query_set_id: int
    queries: tuple[str, ...]


class Unsubscribe(NamedTuple):
    """End a query set.

    Answered by UnsubscribeApplied, after which the server never names the set again and its id is
    free; a set that is not live is answered by SubscriptionError. ``send_dropped_rows`` asks for
    the set's current rows in the answer, which is how a client's reference counts fall back.
    """

    request_id: int
    query_set_id: int
    send_dropped_rows: bool


class OneOffQuery(NamedTuple):
    """Read the rows of one query once, without registering anything.

    Answered by OneOffQueryResult: exactly one table, which may hold no rows, or an error text.
    """

    request_id: int
    query: str


class CallReducer(NamedTuple):
    """Run a reducer in one transaction.

    ``args`` is the BSATN of the product of the reducer's parameters, not yet checked. Answered by
    one ReducerResult, which also carries the caller's own share of the transaction's deltas: the
    caller gets no TransactionUpdate for its own call.
    """

    request_id: int
    reducer: str
    args: bytes


class CallProcedure(NamedTuple):
    """Run a procedure; it may open several transactions and runs beside other requests.

    ``args`` as in :class:`CallReducer`. Answered by one ProcedureResult when it is ready, which
    may be after the answers of later requests; deltas that it committed come before it as
    TransactionUpdates.
    """

    request_id: int
    procedure: str
    args: bytes


ClientMessage: TypeAlias = Subscribe | Unsubscribe | OneOffQuery | CallReducer | CallProcedure
