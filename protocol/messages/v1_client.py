"""Protocol v1, the client's side: requests to bytes or JSON, and answers back to neutral words.

Rows, arguments and returned values are BSATN for whoever uses this, in either spelling; v1.json
takes the module's types from a lexicon. Source: wire spec 7.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, cast

from protocol.bsatn import compile_codec
from protocol.errors import DecodeError
from protocol.messages.answers import (
    InitialConnection,
    OneOffQueryResult,
    ProcedureResult,
    QuerySetUpdate,
    ReducerErr,
    ReducerOk,
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
from protocol.messages.lexicon import Lexicon
from protocol.messages.requests import (
    CallProcedure,
    CallReducer,
    OneOffQuery,
    Request,
    Subscribe,
)
from protocol.messages.v1_types import (
    CLIENT_BSATN,
    CLIENT_JSON,
    SERVER_BSATN,
    SERVER_JSON,
    ClientTag,
    ServerTag,
)
from protocol.row_list import split_rows
from protocol.sats_json import compile_json, dumps, loads
from protocol.values import Variant

__all__ = ["V1BsatnClient", "V1Client", "V1JsonClient"]

_MESSAGE_ID = struct.Struct("<I")


class V1Client:
    """One connection's spelling of requests and answers; v1.bsatn and v1.json derive from it.

    Args:
        pending: requests without an answer, by id, oldest first; ids begin with 1.
    """

    def __init__(self, pending: Mapping[int, Request]) -> None:
        self._pending = pending
        self._connection_id = 0

    def encode_client_message(self, message: Request) -> bytes:
        """Spell one request; subscriptions have the form of several queries."""
        return self._spell(self._variant(message))

    def decode_server_message(self, data: bytes, offset: int = 0) -> tuple[ServerMessage, int]:
        """Decode the answer at ``offset``, after the tag; returns it and the offset after it.

        Raises:
            DecodeError: the bytes are no message; nothing else is ever raised.
        """
        message, end = self._read(data, offset)
        return self._neutral(ServerTag(message.tag), message.value), end

    def _spell(self, message: Variant) -> bytes:
        raise NotImplementedError

    def _read(self, data: bytes, offset: int) -> tuple[Variant, int]:
        raise NotImplementedError

    def _args(self, name: str, args: bytes, *, is_procedure: bool) -> Any:
        """Arguments as a request holds them."""
        raise NotImplementedError

    def _value(self, procedure: str, value: Any) -> bytes:
        """BSATN of a returned value."""
        raise NotImplementedError

    def _rows(self, table: str, rows: Any) -> list[bytes]:
        """BSATN of the rows of a list."""
        raise NotImplementedError

    def _query_update(self, update: Any) -> tuple[Any, Any]:
        """The two lists of an update: deletes, inserts."""
        raise NotImplementedError

    def _variant(self, message: Request) -> Variant:
        number = message.request_id
        if isinstance(message, CallReducer):
            args = self._args(message.reducer, message.args, is_procedure=False)
            return Variant(ClientTag.CALL_REDUCER, (message.reducer, args, number, 0))
        if isinstance(message, CallProcedure):
            args = self._args(message.procedure, message.args, is_procedure=True)
            return Variant(ClientTag.CALL_PROCEDURE, (message.procedure, args, number, 0))
        if isinstance(message, OneOffQuery):
            return Variant(ClientTag.ONE_OFF_QUERY, (_MESSAGE_ID.pack(number), message.query))
        query_id = (message.query_set_id,)
        if isinstance(message, Subscribe):
            queries = list(message.queries)
            return Variant(ClientTag.SUBSCRIBE_MULTI, (queries, number, query_id))
        return Variant(ClientTag.UNSUBSCRIBE_MULTI, (number, query_id))

    def _neutral(self, tag: ServerTag, fields: Any) -> ServerMessage:
        match tag:
            case ServerTag.TRANSACTION_UPDATE_LIGHT:
                _, update = fields
                return self._update(update)
            case ServerTag.TRANSACTION_UPDATE:
                return self._transaction(fields)
            case ServerTag.IDENTITY_TOKEN:
                identity, token, self._connection_id = fields
                return InitialConnection(identity, fields[2], token)
            case ServerTag.SUBSCRIPTION_ERROR:
                _, number, set_id, _, error = fields
                if set_id is None:
                    raise DecodeError(f"all subscriptions are ended: {error}")
                return SubscriptionError(number, set_id, error)
            case ServerTag.ONE_OFF_QUERY_RESPONSE:
                return self._one_off(fields)
            case ServerTag.PROCEDURE_RESULT:
                return self._procedure_result(fields)
            case _:
                return self._applied(tag, fields)

    def _applied(self, tag: ServerTag, fields: Any) -> SubscribeApplied | UnsubscribeApplied:
        if tag is ServerTag.INITIAL_SUBSCRIPTION:
            update, number, _ = fields
            return SubscribeApplied(number, 0, self._listed(update))
        number, _, (set_id,), update = fields
        if tag in (ServerTag.SUBSCRIBE_APPLIED, ServerTag.UNSUBSCRIBE_APPLIED):
            _, _, table = update
            update = ([table],)
        if tag in (ServerTag.SUBSCRIBE_APPLIED, ServerTag.SUBSCRIBE_MULTI_APPLIED):
            return SubscribeApplied(number, set_id, self._listed(update))
        return UnsubscribeApplied(number, set_id, self._listed(update, is_dropped=True))

    def _listed(self, update: Any, *, is_dropped: bool = False) -> list[TableRows]:
        """The rows of a DatabaseUpdate that has only such as come, or go."""
        (tables,) = update
        listed = []
        for _, name, _, updates in tables:
            rows: list[bytes] = []
            for part in updates:
                deletes, inserts = self._query_update(part)
                rows += self._rows(name, deletes if is_dropped else inserts)
            listed.append(TableRows(name, rows))
        return listed

    def _update(self, update: Any) -> TransactionUpdate:
        (tables,) = update
        changed = []
        for _, name, _, updates in tables:
            parts = []
            for part in updates:
                deletes, inserts = self._query_update(part)
                came, went = self._rows(name, inserts), self._rows(name, deletes)
                parts.append(TableUpdateRows(came, went, is_event=False))
            changed.append(TableUpdate(name, parts))
        return TransactionUpdate([QuerySetUpdate(0, changed)] if changed else [])

    def _transaction(self, fields: Any) -> ServerMessage:
        status, timestamp, _, connection_id, (name, _, _, number), _, _ = fields
        is_committed = status.tag == 0
        if connection_id != self._connection_id:
            return self._update(status.value) if is_committed else TransactionUpdate([])
        outcome: ReducerOutcome
        if is_committed:
            outcome = ReducerOk(b"", self._update(status.value))
        else:
            outcome = ReducerErr(status.value if status.tag == 1 else "out of energy")
        return ReducerResult(number or self._oldest_call(name), timestamp, outcome)

    def _oldest_call(self, name: str) -> int:
        """The call that is meant by an answer without an id: calls that never ran have none."""
        for number, request in self._pending.items():
            if isinstance(request, CallReducer) and request.reducer == name:
                return number
        return 0

    def _one_off(self, fields: Any) -> OneOffQueryResult:
        message_id, error, tables, _ = fields
        if len(message_id) != _MESSAGE_ID.size:
            raise DecodeError("the answer to a query that was not asked")
        (number,) = _MESSAGE_ID.unpack(message_id)
        rows = [TableRows(name, self._rows(name, listed)) for name, listed in tables]
        return OneOffQueryResult(number, rows, error)

    def _procedure_result(self, fields: Any) -> ProcedureResult:
        status, timestamp, duration, number = fields
        if status.tag:
            error = status.value if status.tag == 2 else "out of energy"
            return ProcedureResult(number, timestamp, duration, b"", error)
        request = self._pending.get(number)
        name = request.procedure if isinstance(request, CallProcedure) else ""
        value = self._value(name, status.value)
        return ProcedureResult(number, timestamp, duration, value, None)


class V1BsatnClient(V1Client):
    """A client that speaks v1.bsatn."""

    def _spell(self, message: Variant) -> bytes:
        return _client_bsatn.encode(message)

    def _read(self, data: bytes, offset: int) -> tuple[Variant, int]:
        return cast("tuple[Variant, int]", _server_bsatn.decode(data, offset))

    def _args(self, name: str, args: bytes, *, is_procedure: bool) -> bytes:
        del name, is_procedure
        return args

    def _value(self, procedure: str, value: bytes) -> bytes:
        del procedure
        return value

    def _rows(self, _table: str, rows: Any) -> list[bytes]:
        hint, data = rows
        return split_rows(tuple(hint.value) if hint.tag else hint.value, data)

    def _query_update(self, update: Variant) -> tuple[Any, Any]:
        if update.tag:
            raise DecodeError("rows are compressed, which was not asked for")
        return cast("tuple[Any, Any]", update.value)


class V1JsonClient(V1Client):
    """A client that speaks v1.json.

    Args:
        lexicon: of the module that the server runs.
    """

    def __init__(self, pending: Mapping[int, Request], lexicon: Lexicon) -> None:
        super().__init__(pending)
        self._lexicon = lexicon

    def _spell(self, message: Variant) -> bytes:
        return dumps(_client_json.to_typed(message))

    def _read(self, data: bytes, offset: int) -> tuple[Variant, int]:
        return cast("Variant", _server_json.from_json(loads(data[offset:]))), len(data)

    def _args(self, name: str, args: bytes, *, is_procedure: bool) -> str:
        return self._lexicon.arguments_to_json(name, args, is_procedure=is_procedure)

    def _value(self, procedure: str, value: str) -> bytes:
        return self._lexicon.returned_from_json(procedure, value)

    def _rows(self, table: str, rows: Sequence[str]) -> list[bytes]:
        return self._lexicon.rows_from_json(table, rows)

    def _query_update(self, update: Any) -> tuple[Any, Any]:
        return cast("tuple[Any, Any]", update)


_client_bsatn = compile_codec(CLIENT_BSATN)
_server_bsatn = compile_codec(SERVER_BSATN)
_client_json = compile_json(CLIENT_JSON)
_server_json = compile_json(SERVER_JSON)
