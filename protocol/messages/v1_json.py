"""The JSON spelling of protocol v1, made of the same rows of BSATN (wire spec 4 and 7.4)."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import cast

from protocol.messages.requests import (
    ClientMessage,
    OpaqueId,
)
from protocol.messages.v1 import CallReport, V1Dialect
from protocol.messages.v1_requests import neutral_request
from protocol.messages.v1_types import CLIENT_JSON, ServerTag
from protocol.sats_json import compile_json, dumps, loads
from protocol.values import ConnectionId, Identity, Variant

__all__ = ["V1Json"]

_from_json = compile_json(CLIENT_JSON).from_json

_APPLIED = {
    ServerTag.SUBSCRIBE_APPLIED: b"SubscribeApplied",
    ServerTag.UNSUBSCRIBE_APPLIED: b"UnsubscribeApplied",
    ServerTag.SUBSCRIBE_MULTI_APPLIED: b"SubscribeMultiApplied",
    ServerTag.UNSUBSCRIBE_MULTI_APPLIED: b"UnsubscribeMultiApplied",
}


class V1Json(V1Dialect):
    """v1.json. A list of rows is an array of strings, each the JSON text of a row.

    The rows of first results are objects, those of updates arrays (wire spec 4, surprise 21).
    """

    def transaction_update(self, body: bytes, request_id: OpaqueId) -> bytes:
        """TransactionUpdateLight."""
        number = index(request_id)
        return b'{"TransactionUpdateLight":{"request_id":%d,"update":%b}}' % (number, body)

    def _rows(self, table: str, rows: Sequence[bytes]) -> bytes:
        return dumps(self.lexicon.initial_rows(table, rows))

    def _changes(self, table: str, inserts: Sequence[bytes], deletes: Sequence[bytes]) -> bytes:
        changed = self.lexicon.changed_rows
        return _query_update(dumps(changed(table, deletes)), dumps(changed(table, inserts)))

    def _listed(self, rows: bytes, *, is_dropped: bool) -> bytes:
        return _query_update(rows, b"[]") if is_dropped else _query_update(b"[]", rows)

    def _table(self, table: str, count: int, updates: Sequence[bytes]) -> bytes:
        return b'{"table_id":%d,"table_name":%b,"num_rows":%d,"updates":[%b]}' % (
            self.lexicon.table_id(table),
            dumps(table),
            count,
            b",".join(updates),
        )

    def _database(self, tables: Sequence[bytes]) -> bytes:
        return b'{"tables":[%b]}' % b",".join(tables)

    # --- messages

    def decode_request(self, data: bytes, offset: int, began: float) -> tuple[ClientMessage, int]:
        """Decode by the declared type; arguments become BSATN by those of the function."""
        structure = loads(data[offset:])
        request = cast("Variant", _from_json(structure))
        return neutral_request(request, began, self.lexicon.arguments_from_json), len(data)

    def identity_token(self, identity: Identity, token: str, connection_id: ConnectionId) -> bytes:
        """IdentityToken."""
        who = {"identity": _identity(identity), "token": token}
        return dumps({"IdentityToken": {**who, "connection_id": _connection(connection_id)}})

    def initial_subscription(self, update: bytes, request_id: int, duration: int) -> bytes:
        """InitialSubscription."""
        return (
            b'{"InitialSubscription":{"database_update":%b,"request_id":%d,'
            b'"total_host_execution_duration":%b}}'
        ) % (update, request_id, dumps(_duration(duration)))

    def single_applied(
        self, tag: ServerTag, request_id: int, duration: int, query_id: int, table: str, rows: bytes
    ) -> bytes:
        """SubscribeApplied or UnsubscribeApplied."""
        number = self.lexicon.table_id(table)
        listed = b'{"table_id":%d,"table_name":%b,"table_rows":%b}' % (number, dumps(table), rows)
        return _applied(tag, request_id, duration, query_id, b'"rows":' + listed)

    def multi_applied(
        self, tag: ServerTag, request_id: int, duration: int, query_id: int, update: bytes
    ) -> bytes:
        """SubscribeMultiApplied or UnsubscribeMultiApplied."""
        return _applied(tag, request_id, duration, query_id, b'"update":' + update)

    def subscription_error(
        self, duration: int, request_id: int | None, query_id: int | None, error: str
    ) -> bytes:
        """SubscriptionError."""
        refusal = {
            "total_host_execution_duration_micros": duration,
            "request_id": _option(request_id),
            "query_id": _option(query_id),
            "table_id": _option(None),
            "error": error,
        }
        return dumps({"SubscriptionError": refusal})

    def one_off_response(
        self, message_id: bytes, error: str | None, table: tuple[str, bytes] | None, duration: int
    ) -> bytes:
        """OneOffQueryResponse."""
        tables = b""
        if table is not None:
            name, rows = table
            tables = b'{"table_name":%b,"rows":%b}' % (dumps(name), self.bare_rows(rows))
        return (
            b'{"OneOffQueryResponse":{"message_id":%b,"error":%b,"tables":[%b],'
            b'"total_host_execution_duration":%b}}'
        ) % (dumps(message_id.hex()), dumps(_option(error)), tables, dumps(_duration(duration)))

    def call_committed(self, update: bytes, report: CallReport) -> bytes:
        """TransactionUpdate, Committed."""
        return _spell(b'{"Committed":%b}' % update, report)

    def call_failed(self, error: str, report: CallReport) -> bytes:
        """TransactionUpdate, Failed."""
        return _spell(dumps({"Failed": error}), report)

    def procedure_returned(
        self, name: str, value: bytes, timestamp: int, duration: int, request_id: int
    ) -> bytes:
        """ProcedureResult, Returned; the value is a string of JSON."""
        returned = {"Returned": self.lexicon.returned_to_json(name, value)}
        return _procedure_result(returned, timestamp, duration, request_id)

    def procedure_failed(self, error: str, timestamp: int, duration: int, request_id: int) -> bytes:
        """ProcedureResult, InternalError."""
        return _procedure_result({"InternalError": error}, timestamp, duration, request_id)


def _query_update(deletes: bytes, inserts: bytes) -> bytes:
    return b'{"deletes":%b,"inserts":%b}' % (deletes, inserts)


def _applied(
    tag: ServerTag, request_id: int, duration: int, query_id: int, content: bytes
) -> bytes:
    return (
        b'{"%b":{"request_id":%d,"total_host_execution_duration_micros":%d,'
        b'"query_id":{"id":%d},%b}}'
    ) % (_APPLIED[tag], request_id, duration, query_id, content)


def _spell(status: bytes, report: CallReport) -> bytes:
    call = {
        "reducer_name": report.reducer,
        "reducer_id": report.reducer_id,
        "args": report.args or "[]",
        "request_id": int(report.request_id),
    }
    rest = {
        "timestamp": {"__timestamp_micros_since_unix_epoch__": report.timestamp},
        "caller_identity": _identity(report.identity),
        "caller_connection_id": _connection(report.connection_id),
        "reducer_call": call,
        "energy_quanta_used": {"quanta": 0},
        "total_host_execution_duration": _duration(report.duration),
    }
    return b'{"TransactionUpdate":{"status":%b,%b}' % (status, dumps(rest)[1:])


def _procedure_result(
    status: dict[str, str], timestamp: int, duration: int, request_id: int
) -> bytes:
    result = {
        "status": status,
        "timestamp": {"__timestamp_micros_since_unix_epoch__": timestamp},
        "total_host_execution_duration": _duration(duration),
        "request_id": int(request_id),
    }
    return dumps({"ProcedureResult": result})


def _identity(identity: Identity) -> dict[str, str]:
    return {"__identity__": hex(identity)}


def _connection(connection_id: ConnectionId) -> dict[str, int]:
    return {"__connection_id__": int(connection_id)}


def _duration(micros: int) -> dict[str, int]:
    return {"__time_duration_micros__": micros}


def _option(value: object) -> dict[str, object]:
    if value is None:
        return {"none": []}
    return {"some": int(value) if isinstance(value, int) else value}
