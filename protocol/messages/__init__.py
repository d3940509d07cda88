"""Messages of the wire: requests, answers, and the versions that spell them."""

from __future__ import annotations

from protocol.messages.answers import (
    InitialConnection,
    OneOffQueryResult,
    ProcedureResult,
    QuerySetUpdate,
    ReducerErr,
    ReducerInternalError,
    ReducerOk,
    ReducerOkEmpty,
    ReducerOutcome,
    ReducerResult,
    ServerMessage,
    SubscribeApplied,
    SubscriptionError,
    TableRows,
    TableUpdate,
    TableUpdateRows,
    TransactionUpdate,
    UnsubscribeApplied,
)
from protocol.messages.requests import (
    CallProcedure,
    CallReducer,
    ClientMessage,
    OneOffQuery,
    OpaqueId,
    Request,
    Subscribe,
    SubscribeLegacy,
    UnreadableCall,
    Unsubscribe,
)
from protocol.messages.v2 import V2, V2Wire
from protocol.messages.v2_client import decode_server_message, encode_client_message
from protocol.messages.wire import Dialect, Wire
from protocol.messages.wires import Wires

__all__ = [
    "V2",
    "CallProcedure",
    "CallReducer",
    "ClientMessage",
    "Dialect",
    "InitialConnection",
    "OneOffQuery",
    "OneOffQueryResult",
    "OpaqueId",
    "ProcedureResult",
    "QuerySetUpdate",
    "ReducerErr",
    "ReducerInternalError",
    "ReducerOk",
    "ReducerOkEmpty",
    "ReducerOutcome",
    "ReducerResult",
    "Request",
    "ServerMessage",
    "Subscribe",
    "SubscribeApplied",
    "SubscribeLegacy",
    "SubscriptionError",
    "TableRows",
    "TableUpdate",
    "TableUpdateRows",
    "TransactionUpdate",
    "UnreadableCall",
    "Unsubscribe",
    "UnsubscribeApplied",
    "V2Wire",
    "Wire",
    "Wires",
    "decode_server_message",
    "encode_client_message",
]
