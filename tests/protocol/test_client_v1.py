"""The client core over version 1 does what it does over the others."""

from __future__ import annotations

import struct
import time

import pytest
import v1_vectors as vectors
from message_vectors import AXE, AXE_4, CONNECTION, CROSSBOW, EVERYTHING, IDENTITY
from v1_vectors import ADD_AXE, ADD_TWO, SCHEMA

from protocol.client import Client, QuerySetState
from protocol.client_cache import ClientCache
from protocol.connection import Connection
from protocol.errors import DecodeError
from protocol.messages import (
    CallProcedure,
    CallReducer,
    ClientMessage,
    InitialConnection,
    OneOffQuery,
    OneOffQueryResult,
    ProcedureResult,
    ReducerErr,
    ReducerOk,
    Subscribe,
    Unsubscribe,
    Wires,
)
from protocol.messages.v1 import V1Wire
from protocol.upgrade import Subprotocol

BOTH = pytest.mark.parametrize("subprotocol", [Subprotocol.V1_BSATN, Subprotocol.V1_JSON])


class Line:
    """A client and the wire of the server that it talks to."""

    def __init__(self, subprotocol: Subprotocol) -> None:
        wire = Wires(SCHEMA, time.perf_counter).open(subprotocol)
        assert isinstance(wire, V1Wire)
        self.wire = wire
        self.server = Connection(subprotocol, wire)
        self.client = Client(subprotocol, ClientCache(SCHEMA), SCHEMA)
        self.say(wire.initial_connection(IDENTITY, CONNECTION, "tok"))

    @property
    def items(self) -> list[bytes]:
        assert self.client.cache is not None
        assert self.client.cache.faults() == []
        return self.client.cache.table("item").rows()

    def ask(self) -> ClientMessage:
        """The one request that the client has queued, as the server reads it."""
        (frame,) = self.client.frames()
        data = frame.decode() if self.client.is_text else frame
        (message,) = self.server.receive_frame(data)
        return message

    def say(self, message: bytes | None) -> object:
        assert message is not None
        (frame,) = self.server.frames([message])
        (heard,) = self.client.receive_frame(frame)
        return heard

    def listed(self, *rows: bytes) -> list[tuple[str, bytes]]:
        return [("item", self.wire.dialect.row_list("item", rows))]

    def body(self, inserts: list[bytes], deletes: list[bytes]) -> bytes:
        dialect = self.wire.dialect
        table = dialect.table_update("item", [dialect.table_rows("item", inserts, deletes)])
        return dialect.transaction_body([dialect.query_set_update(0, [table])])


@BOTH
def test_a_session(subprotocol):
    line = Line(subprotocol)
    client, wire = line.client, line.wire
    assert client.hello == InitialConnection(IDENTITY, CONNECTION, "tok")

    client.subscribe([EVERYTHING])
    asked = line.ask()
    assert asked == Subscribe(1, 0, (EVERYTHING,))
    assert client.query_sets == {0: QuerySetState.REQUESTED}
    line.say(wire.subscribe_applied(asked.request_id, 0, line.listed(AXE)))
    assert client.query_sets == {0: QuerySetState.LIVE}
    assert line.items == [AXE]

    number = client.call_reducer("add_item", ADD_AXE)
    call = line.ask()
    assert call == CallReducer(number, "add_item", ADD_AXE)
    result = line.say(wire.reducer_ok(call.request_id, 5, line.body([CROSSBOW], [])))
    assert (result.request_id, type(result.outcome)) == (number, ReducerOk)
    assert line.items == [AXE, CROSSBOW]
    line.say(wire.dialect.transaction_update(line.body([AXE_4], [AXE]), 77))
    assert sorted(line.items) == sorted([AXE_4, CROSSBOW])

    client.unsubscribe(0)
    asked = line.ask()
    assert asked == Unsubscribe(3, 0, send_dropped_rows=True)
    line.say(wire.unsubscribe_applied(asked.request_id, 0, line.listed(AXE_4, CROSSBOW)))
    assert line.items == []
    assert client.query_sets == {}
    assert client.pending == {}


@BOTH
def test_calls_that_never_ran_are_the_oldest_of_their_name(subprotocol):
    line = Line(subprotocol)
    numbers = [line.client.call_reducer(name) for name in ("noop", "gone", "gone")]
    frames = line.client.frames()
    asked = [
        line.server.receive_frame(frame.decode() if line.client.is_text else frame)[0]
        for frame in frames
    ]
    for call, number in zip(asked[1:], numbers[1:], strict=True):
        refusal = line.wire.reducer_not_run(call.request_id, 5, "no", is_internal=True)
        result = line.say(refusal)
        assert (result.request_id, result.outcome) == (number, ReducerErr("no"))
    assert list(line.client.pending) == numbers[:1]


@BOTH
def test_queries_and_procedures(subprotocol):
    line = Line(subprotocol)
    number = line.client.query(EVERYTHING)
    asked = line.ask()
    assert asked == OneOffQuery(0, EVERYTHING)
    ((table, rows),) = line.listed(AXE)
    result = line.say(line.wire.one_off_query_result(asked.request_id, table, rows))
    assert result == OneOffQueryResult(number, [("item", [AXE])], None)

    number = line.client.call_procedure("add_two", ADD_TWO)
    asked = line.ask()
    assert asked == CallProcedure(number, "add_two", ADD_TWO)
    value = struct.pack("<Q", 42)
    result = line.say(line.wire.procedure_returned(asked.request_id, 5, 6, value))
    assert result == ProcedureResult(number, 5, 6, value, None)
    assert line.client.pending == {}


@BOTH
def test_updates_of_other_callers_that_tell_who_called_are_updates(subprotocol):
    line, other = Line(subprotocol), Line(subprotocol)
    other.wire.initial_connection(IDENTITY, CONNECTION.__class__(9), "tok")
    other.client.call_reducer("noop")
    told = other.wire.reducer_ok(other.ask().request_id, 5, other.body([AXE], []))
    line.say(told)
    assert line.items == [AXE]


def test_json_needs_the_types_of_the_module():
    with pytest.raises(ValueError, match=r"v1\.json needs the module's types"):
        Client(Subprotocol.V1_JSON)


def test_json_of_another_module_is_refused():
    client = Client(Subprotocol.V1_JSON, ClientCache(), SCHEMA.__class__())
    _, _, _, text = vectors.ANSWERS["V05"]
    with pytest.raises(DecodeError, match="no type is known for table item"):
        client.receive_frame(text.encode())
