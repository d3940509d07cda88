from __future__ import annotations

import message_vectors as vectors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.client import Client, QuerySetState
from protocol.client_cache import ClientCache
from protocol.connection import Connection
from protocol.errors import DecodeError
from protocol.limits import CLIENT_FRAME_BYTES_MAX
from protocol.messages import (
    V2,
    CallProcedure,
    CallReducer,
    InitialConnection,
    OneOffQuery,
    Subscribe,
    Unsubscribe,
)
from protocol.upgrade import Subprotocol

V2_NAME, V3_NAME = Subprotocol.V2_BSATN, Subprotocol.V3_BSATN


def client(subprotocol: Subprotocol = V3_NAME) -> Client:
    return Client(subprotocol, ClientCache())


def frame(*messages: bytes) -> bytes:
    return b"\x00" + b"".join(messages)


@pytest.mark.parametrize("subprotocol", [V2_NAME, V3_NAME])
def test_requests_reach_the_server_in_order(subprotocol):
    one = client(subprotocol)
    server = Connection(subprotocol, V2)
    one.subscribe(["SELECT * FROM item"])
    one.call_reducer("noop")
    one.call_procedure("add_two", b"\x01")
    one.query("SELECT * FROM item")
    one.unsubscribe(0)
    frames = one.frames()
    assert len(frames) == (1 if subprotocol is V3_NAME else 5)
    assert one.frames() == []
    received = [message for data in frames for message in server.receive_frame(data)]
    assert received == [
        Subscribe(0, 0, ("SELECT * FROM item",)),
        CallReducer(1, "noop", b""),
        CallProcedure(2, "add_two", b"\x01"),
        OneOffQuery(3, "SELECT * FROM item"),
        Unsubscribe(4, 0, send_dropped_rows=True),
    ]
    assert list(one.pending.values()) == received


def test_v3_frames_of_a_client_are_bounded():
    one = client()
    for size in (CLIENT_FRAME_BYTES_MAX // 2, CLIENT_FRAME_BYTES_MAX // 2, 10):
        one.call_reducer("r", bytes(size))
    frames = one.frames()
    assert len(frames) == 2
    assert max(map(len, frames)) <= CLIENT_FRAME_BYTES_MAX


def test_a_session():
    one = client()
    hello = V2.initial_connection(vectors.IDENTITY, vectors.CONNECTION, "tok")
    assert one.receive_frame(frame(hello)) == [one.hello]
    assert one.hello == InitialConnection(vectors.IDENTITY, vectors.CONNECTION, "tok")
    assert one.cache is not None
    items = one.cache.table("item")
    one.subscribe(["SELECT * FROM item"])
    assert one.query_sets == {0: QuerySetState.REQUESTED}
    one.receive_frame(frame(vectors.SERVER["S02"][0]))
    assert one.query_sets == {0: QuerySetState.LIVE}
    assert items.rows() == [vectors.AXE]
    call = one.call_reducer("add_item")
    update = V2.dialect.table_update(
        "item", [V2.dialect.table_rows("item", [vectors.CROSSBOW], [])]
    )
    body = V2.dialect.transaction_body([V2.dialect.query_set_update(0, [update])])
    one.receive_frame(frame(V2.reducer_ok(call, 1, body)))
    assert items.rows() == [vectors.AXE, vectors.CROSSBOW]
    gone = V2.dialect.table_update("item", [V2.dialect.table_rows("item", [], [vectors.CROSSBOW])])
    body = V2.dialect.transaction_body([V2.dialect.query_set_update(0, [gone])])
    one.receive_frame(frame(V2.dialect.transaction_update(body, 0)))
    assert one.pending == {}
    end = one.unsubscribe(0)
    assert one.query_sets == {0: QuerySetState.ENDING}
    one.receive_frame(
        frame(
            V2.unsubscribe_applied(end, 0, [("item", V2.dialect.row_list("item", [vectors.AXE]))])
        )
    )
    assert items.rows() == []
    assert one.query_sets == {}
    assert one.pending == {}
    assert one.cache.faults() == []


def test_every_kind_of_answer_settles_its_request():
    one = client()
    one.subscribe(["bad"])
    reducers = [one.call_reducer("r") for _ in range(2)]
    procedures = [one.call_procedure("p") for _ in range(2)]
    queries = [one.query("q") for _ in range(2)]
    one.receive_frame(
        frame(
            V2.subscription_error(0, 0, "bad"),
            V2.reducer_err(reducers[0], 1, "no"),
            V2.reducer_internal_error(reducers[1], 1, "no"),
            V2.procedure_returned(procedures[0], 1, 1, b""),
            V2.procedure_error(procedures[1], "no"),
            V2.one_off_query_result(queries[0], "item", V2.dialect.row_list("item", [])),
            V2.one_off_query_error(queries[1], "no"),
        )
    )
    assert one.pending == {}
    assert one.query_sets == {}


def test_a_live_set_may_end_with_an_error():
    one = client()
    one.subscribe(["SELECT * FROM item"])
    one.receive_frame(frame(vectors.SERVER["S03"][0], vectors.SERVER["S15"][0]))
    assert one.query_sets == {}


def test_a_client_without_a_cache_keeps_no_rows():
    one = Client(V3_NAME)
    one.subscribe(["SELECT * FROM item"])
    for name in ("S02", "S05", "S08", "S13"):
        one.receive_frame(frame(vectors.SERVER[name][0]))
    assert one.cache is None
    assert one.query_sets == {}


@pytest.mark.parametrize("data", [b"", b"\x01\x00", b"\x02", b"\x00", b"\x00\x09"])
def test_bad_frames_are_refused(data):
    with pytest.raises(DecodeError):
        client().receive_frame(data)


def test_v2_frames_hold_one_message():
    with pytest.raises(DecodeError, match="after the message"):
        client(V2_NAME).receive_frame(frame(vectors.SERVER["S08"][0], b"\x00"))


@given(st.binary(max_size=60), st.booleans())
def test_random_frames_raise_decode_errors_only(data, tagged):
    for subprotocol in (V2_NAME, V3_NAME):
        try:
            messages = client(subprotocol).receive_frame(frame(data) if tagged else data)
        except DecodeError:
            continue
        assert messages
