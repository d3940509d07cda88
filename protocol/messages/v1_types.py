"""Protocol v1 as declared types: the messages of v1.bsatn and v1.json, from one description.

The two differ in three places: what a list of rows is, what arguments and a returned value are, and
that only v1.bsatn could say that rows are compressed. Codecs for either are compiled from here.
Source: wire spec 7.1, 7.2 and 7.4.
"""

from __future__ import annotations

from enum import IntEnum

from protocol.types import (
    BYTES,
    CONNECTION_ID,
    IDENTITY,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    U8,
    U16,
    U32,
    U64,
    U128,
    UNIT,
    AlgebraicType,
    ArrayType,
    Field,
    OptionType,
    ProductType,
    SumType,
)

__all__ = [
    "CLIENT_BSATN",
    "CLIENT_JSON",
    "SERVER_BSATN",
    "SERVER_JSON",
    "ClientTag",
    "ServerTag",
]


class ClientTag(IntEnum):
    """What a client asks; in the order of the wire."""

    CALL_REDUCER = 0
    SUBSCRIBE = 1
    ONE_OFF_QUERY = 2
    SUBSCRIBE_SINGLE = 3
    SUBSCRIBE_MULTI = 4
    UNSUBSCRIBE = 5
    UNSUBSCRIBE_MULTI = 6
    CALL_PROCEDURE = 7


class ServerTag(IntEnum):
    """What a server says; in the order of the wire."""

    INITIAL_SUBSCRIPTION = 0
    TRANSACTION_UPDATE = 1
    TRANSACTION_UPDATE_LIGHT = 2
    IDENTITY_TOKEN = 3
    ONE_OFF_QUERY_RESPONSE = 4
    SUBSCRIBE_APPLIED = 5
    UNSUBSCRIBE_APPLIED = 6
    SUBSCRIPTION_ERROR = 7
    SUBSCRIBE_MULTI_APPLIED = 8
    UNSUBSCRIBE_MULTI_APPLIED = 9
    PROCEDURE_RESULT = 10


def _product(**fields: AlgebraicType) -> ProductType:
    return ProductType(tuple(Field(name, declared) for name, declared in fields.items()))


def _sum(**variants: AlgebraicType) -> SumType:
    return SumType(tuple(Field(name, declared) for name, declared in variants.items()))


_QUERY_ID = _product(id=U32)
_MICROS = U64


def _client_messages(args: AlgebraicType) -> SumType:
    queries = ArrayType(STRING)
    ended = _product(request_id=U32, query_id=_QUERY_ID)
    return _sum(
        CallReducer=_product(reducer=STRING, args=args, request_id=U32, flags=U8),
        Subscribe=_product(query_strings=queries, request_id=U32),
        OneOffQuery=_product(message_id=BYTES, query_string=STRING),
        SubscribeSingle=_product(query=STRING, request_id=U32, query_id=_QUERY_ID),
        SubscribeMulti=_product(query_strings=queries, request_id=U32, query_id=_QUERY_ID),
        Unsubscribe=ended,
        UnsubscribeMulti=ended,
        CallProcedure=_product(procedure=STRING, args=args, request_id=U32, flags=U8),
    )


def _server_messages(rows: AlgebraicType, value: AlgebraicType, *, compressable: bool) -> SumType:
    update: AlgebraicType = _product(deletes=rows, inserts=rows)
    if compressable:
        update = _sum(Uncompressed=update, Brotli=BYTES, Gzip=BYTES)
    table = _product(table_id=U32, table_name=STRING, num_rows=U64, updates=ArrayType(update))
    database = _product(tables=ArrayType(table))
    single = _product(
        request_id=U32,
        total_host_execution_duration_micros=_MICROS,
        query_id=_QUERY_ID,
        rows=_product(table_id=U32, table_name=STRING, table_rows=table),
    )
    multi = _product(
        request_id=U32,
        total_host_execution_duration_micros=_MICROS,
        query_id=_QUERY_ID,
        update=database,
    )
    return _sum(
        InitialSubscription=_product(
            database_update=database,
            request_id=U32,
            total_host_execution_duration=TIME_DURATION,
        ),
        TransactionUpdate=_product(
            status=_sum(Committed=database, Failed=STRING, OutOfEnergy=UNIT),
            timestamp=TIMESTAMP,
            caller_identity=IDENTITY,
            caller_connection_id=CONNECTION_ID,
            reducer_call=_product(reducer_name=STRING, reducer_id=U32, args=value, request_id=U32),
            energy_quanta_used=_product(quanta=U128),
            total_host_execution_duration=TIME_DURATION,
        ),
        TransactionUpdateLight=_product(request_id=U32, update=database),
        IdentityToken=_product(identity=IDENTITY, token=STRING, connection_id=CONNECTION_ID),
        OneOffQueryResponse=_product(
            message_id=BYTES,
            error=OptionType(STRING),
            tables=ArrayType(_product(table_name=STRING, rows=rows)),
            total_host_execution_duration=TIME_DURATION,
        ),
        SubscribeApplied=single,
        UnsubscribeApplied=single,
        SubscriptionError=_product(
            total_host_execution_duration_micros=_MICROS,
            request_id=OptionType(U32),
            query_id=OptionType(U32),
            table_id=OptionType(U32),
            error=STRING,
        ),
        SubscribeMultiApplied=multi,
        UnsubscribeMultiApplied=multi,
        ProcedureResult=_product(
            status=_sum(Returned=value, OutOfEnergy=UNIT, InternalError=STRING),
            timestamp=TIMESTAMP,
            total_host_execution_duration=TIME_DURATION,
            request_id=U32,
        ),
    )


_ROW_LIST = _product(
    size_hint=_sum(FixedSize=U16, RowOffsets=ArrayType(U64)),
    rows_data=BYTES,
)

CLIENT_BSATN = _client_messages(BYTES)
"""Requests of v1.bsatn; a value is ``Variant(ClientTag, tuple of the fields)``."""

CLIENT_JSON = _client_messages(STRING)
"""Requests of v1.json: arguments are a JSON text."""

SERVER_BSATN = _server_messages(_ROW_LIST, BYTES, compressable=True)
"""Answers of v1.bsatn; a value is ``Variant(ServerTag, tuple of the fields)``."""

SERVER_JSON = _server_messages(ArrayType(STRING), STRING, compressable=False)
"""Answers of v1.json: a list of rows is an array of JSON texts."""
