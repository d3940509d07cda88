"""Protocol v2 (and v3), the client's side: requests to bytes, and bytes to answers.

Used by our own client core, by load tests and by tests; the server only needs ``v2``.
Source: wire spec 6.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from struct import Struct
from typing import TypeVar

from protocol.errors import DecodeError
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
    OneOffQuery,
    OpaqueId,
    Request,
    Subscribe,
)
from protocol.row_list import decode_rows
from protocol.values import ConnectionId, Identity

__all__ = ["decode_server_message", "encode_client_message"]

_T = TypeVar("_T")

_U32 = Struct("<I")
_IDS = Struct("<II")
_I64 = Struct("<q")
_CALL_HEAD = Struct("<BIBI")
_SUBSCRIBE_HEAD = Struct("<BIII")
_UNSUBSCRIBE = Struct("<BIIB")
_TAG_ID = Struct("<BI")
_REDUCER_HEAD = Struct("<IqB")
_PROCEDURE_TAIL = Struct("<qqI")


def _text(value: str) -> bytes:
    data = value.encode()
    return _U32.pack(len(data)) + data


def _call(tag: int, request_id: OpaqueId, name: str, args: bytes) -> bytes:
    data = name.encode()
    head = _CALL_HEAD.pack(tag, request_id, 0, len(data))
    return b"".join((head, data, _U32.pack(len(args)), args))


def encode_client_message(message: Request) -> bytes:
    """Spell one request, without any frame around it."""
    if isinstance(message, CallReducer):
        return _call(3, message.request_id, message.reducer, message.args)
    if isinstance(message, CallProcedure):
        return _call(4, message.request_id, message.procedure, message.args)
    if isinstance(message, Subscribe):
        queries = message.queries
        head = _SUBSCRIBE_HEAD.pack(0, message.request_id, message.query_set_id, len(queries))
        return head + b"".join(map(_text, queries))
    if isinstance(message, OneOffQuery):
        return _TAG_ID.pack(2, message.request_id) + _text(message.query)
    flags = 1 if message.send_dropped_rows else 0
    return _UNSUBSCRIBE.pack(1, message.request_id, message.query_set_id, flags)


def _u32(data: bytes, offset: int) -> tuple[int, int]:
    value: int = _U32.unpack_from(data, offset)[0]
    return value, offset + 4


def _bytes(data: bytes, offset: int) -> tuple[bytes, int]:
    size, start = _u32(data, offset)
    if start + size > len(data):
        raise DecodeError("bytes are cut short", offset)
    return data[start : start + size], start + size


def _string(data: bytes, offset: int) -> tuple[str, int]:
    text, end = _bytes(data, offset)
    return text.decode(), end


def _array(
    element: Callable[[bytes, int], tuple[_T, int]], data: bytes, offset: int
) -> tuple[list[_T], int]:
    """Read a counted list; every element of these messages takes at least four bytes."""
    count, end = _u32(data, offset)
    if count > (len(data) - end) // 4:
        raise DecodeError(f"{count} elements do not fit", offset)
    values = []
    for _ in range(count):
        value, end = element(data, end)
        values.append(value)
    return values, end


def _table_rows(data: bytes, offset: int) -> tuple[TableRows, int]:
    table, end = _string(data, offset)
    rows, end = decode_rows(data, end)
    return TableRows(table, rows), end


def _query_rows(data: bytes, offset: int) -> tuple[list[TableRows], int]:
    return _array(_table_rows, data, offset)


def _update_rows(data: bytes, offset: int) -> tuple[TableUpdateRows, int]:
    tag = data[offset]
    if tag > 1:
        raise DecodeError(f"unknown update rows tag {tag}", offset)
    inserts, end = decode_rows(data, offset + 1)
    if tag == 1:
        return TableUpdateRows(inserts, [], is_event=True), end
    deletes, end = decode_rows(data, end)
    return TableUpdateRows(inserts, deletes, is_event=False), end


def _table_update(data: bytes, offset: int) -> tuple[TableUpdate, int]:
    table, end = _string(data, offset)
    rows, end = _array(_update_rows, data, end)
    return TableUpdate(table, rows), end


def _query_set_update(data: bytes, offset: int) -> tuple[QuerySetUpdate, int]:
    query_set_id, end = _u32(data, offset)
    tables, end = _array(_table_update, data, end)
    return QuerySetUpdate(query_set_id, tables), end


def _initial_connection(data: bytes, offset: int) -> tuple[ServerMessage, int]:
    token, end = _string(data, offset + 48)
    identity = Identity.from_bytes(data[offset : offset + 32], "little")
    connection_id = ConnectionId.from_bytes(data[offset + 32 : offset + 48], "little")
    return InitialConnection(identity, connection_id, token), end


def _subscribe_applied(data: bytes, offset: int) -> tuple[ServerMessage, int]:
    request_id, query_set_id = _IDS.unpack_from(data, offset)
    tables, end = _query_rows(data, offset + 8)
    return SubscribeApplied(request_id, query_set_id, tables), end


def _unsubscribe_applied(data: bytes, offset: int) -> tuple[ServerMessage, int]:
    request_id, query_set_id = _IDS.unpack_from(data, offset)
    tag = data[offset + 8]
    if tag > 1:
        raise DecodeError(f"unknown option tag {tag}", offset + 8)
    if tag == 1:
        return UnsubscribeApplied(request_id, query_set_id, None), offset + 9
    tables, end = _query_rows(data, offset + 9)
    return UnsubscribeApplied(request_id, query_set_id, tables), end


def _subscription_error(data: bytes, offset: int) -> tuple[ServerMessage, int]:
    tag = data[offset]
    if tag > 1:
        raise DecodeError(f"unknown option tag {tag}", offset)
    request_id: int | None = None
    end = offset + 1
    if tag == 0:
        request_id, end = _u32(data, end)
    query_set_id, end = _u32(data, end)
    error, end = _string(data, end)
    return SubscriptionError(request_id, query_set_id, error), end


def _transaction_update(data: bytes, offset: int) -> tuple[TransactionUpdate, int]:
    query_sets, end = _array(_query_set_update, data, offset)
    return TransactionUpdate(query_sets), end


def _one_off_query_result(data: bytes, offset: int) -> tuple[ServerMessage, int]:
    request_id, end = _u32(data, offset)
    tag = data[end]
    if tag > 1:
        raise DecodeError(f"unknown result tag {tag}", end)
    if tag == 0:
        tables, end = _query_rows(data, end + 1)
        return OneOffQueryResult(request_id, tables, None), end
    error, end = _string(data, end + 1)
    return OneOffQueryResult(request_id, [], error), end


def _outcome(tag: int, data: bytes, offset: int) -> tuple[ReducerOutcome, int]:
    if tag == 0:
        ret_value, end = _bytes(data, offset)
        update, end = _transaction_update(data, end)
        return ReducerOk(ret_value, update), end
    if tag == 1:
        return ReducerOkEmpty(), offset
    if tag == 2:
        payload, end = _bytes(data, offset)
        return ReducerErr(_string(payload, 0)[0]), end
    if tag == 3:
        error, end = _string(data, offset)
        return ReducerInternalError(error), end
    raise DecodeError(f"unknown outcome tag {tag}", offset - 1)


def _reducer_result(data: bytes, offset: int) -> tuple[ServerMessage, int]:
    request_id, timestamp, tag = _REDUCER_HEAD.unpack_from(data, offset)
    outcome, end = _outcome(tag, data, offset + 13)
    return ReducerResult(request_id, timestamp, outcome), end


def _procedure_result(data: bytes, offset: int) -> tuple[ServerMessage, int]:
    tag = data[offset]
    if tag > 1:
        raise DecodeError(f"unknown procedure status tag {tag}", offset)
    value = b""
    error: str | None = None
    if tag == 0:
        value, end = _bytes(data, offset + 1)
    else:
        error, end = _string(data, offset + 1)
    timestamp, duration, request_id = _PROCEDURE_TAIL.unpack_from(data, end)
    return ProcedureResult(request_id, timestamp, duration, value, error), end + 20


_DECODERS: tuple[Callable[[bytes, int], tuple[ServerMessage, int]], ...] = (
    _initial_connection,
    _subscribe_applied,
    _unsubscribe_applied,
    _subscription_error,
    _transaction_update,
    _one_off_query_result,
    _reducer_result,
    _procedure_result,
)


def decode_server_message(data: bytes, offset: int = 0) -> tuple[ServerMessage, int]:
    """Decode the answer at ``offset``, after the frame's tag; returns it and the offset after it.

    Raises:
        DecodeError: the bytes are no message; nothing else is ever raised.
    """
    try:
        tag = data[offset]
        if tag >= len(_DECODERS):
            raise DecodeError(f"unknown server message tag {tag}", offset)
        return _DECODERS[tag](data, offset + 1)
    except (struct.error, IndexError):
        raise DecodeError("message is cut short", len(data)) from None
    except UnicodeDecodeError:
        raise DecodeError("string is not UTF-8", offset) from None
