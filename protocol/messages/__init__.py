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
    Subscribe,
    Unsubscribe,
)
from protocol.messages.v2 import V2, V2Wire
from protocol.messages.v2_client import decode_server_message, encode_client_message
from protocol.messages.wire import Wire

__all__ = [
    "V2",
    "CallProcedure",
    "CallReducer",
    "ClientMessage",
    "InitialConnection",
    "OneOffQuery",
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
    "Subscribe",
    "SubscribeApplied",
    "SubscriptionError",
    "TableRows",
    "TableUpdate",
    "TableUpdateRows",
    "TransactionUpdate",
    "Unsubscribe",
    "UnsubscribeApplied",
    "V2Wire",
    "Wire",
    "decode_server_message",
    "encode_client_message",
]
