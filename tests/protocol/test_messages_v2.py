from __future__ import annotations

import message_vectors as vectors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import DecodeError
from protocol.limits import SUBSCRIBE_QUERIES_MAX
from protocol.messages import (
    V2,
    CallProcedure,
    CallReducer,
    OneOffQuery,
    Subscribe,
    TableRows,
    TableUpdateRows,
    TransactionUpdate,
    Unsubscribe,
    V2Wire,
    decode_server_message,
    encode_client_message,
)

U32 = st.integers(0, 2**32 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BLOB = st.binary(max_size=40)
ROWS = st.lists(st.binary(min_size=1, max_size=12), max_size=5)

CLIENT_MESSAGES = st.one_of(
    st.builds(Subscribe, U32, U32, st.lists(TEXT, max_size=4).map(tuple)),
    st.builds(Unsubscribe, U32, U32, st.booleans()),
    st.builds(OneOffQuery, U32, TEXT),
    st.builds(CallReducer, U32, TEXT, BLOB),
    st.builds(CallProcedure, U32, TEXT, BLOB),
)


@pytest.mark.parametrize("name", vectors.CLIENT)
def test_client_vectors_both_ways(name):
    message, text = vectors.CLIENT[name]
    data = bytes.fromhex(text)
    assert encode_client_message(message) == data
    decoded, end = V2.decode_client_message(data)
    assert (decoded, end) == (message, len(data))
    assert type(decoded) is type(message)


@pytest.mark.parametrize("name", vectors.SERVER)
def test_server_vectors_both_ways(name):
    encoded, message, text = vectors.SERVER[name]
    data = bytes.fromhex(text)
    assert encoded == data
    decoded, end = decode_server_message(data)
    assert (decoded, end) == (message, len(data))
    assert type(decoded) is type(message)


def test_the_short_form_of_ok_is_decoded():
    message, text = vectors.S09
    assert decode_server_message(bytes.fromhex(text))[0] == message


@pytest.mark.parametrize("name", vectors.CLIENT)
def test_every_cut_of_a_client_message_is_refused(name):
    data = bytes.fromhex(vectors.CLIENT[name][1])
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            V2.decode_client_message(data[:size])


@pytest.mark.parametrize("name", vectors.SERVER)
def test_every_cut_of_a_server_message_is_refused(name):
    data = bytes.fromhex(vectors.SERVER[name][2])
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            decode_server_message(data[:size])


@pytest.mark.parametrize(
    "text",
    [
        "05",  # unknown tag
        "030100000001040000006e6f6f7000000000",  # call flags 1
        "01020000000000000002",  # unsubscribe flags 2
        "0000000000000000000100000001000000ff",  # a query that is not UTF-8
        "0300000000000100000080" + "00000000",  # a reducer's name that is not UTF-8
        "000000000000000000ffffffff",  # four billion queries
    ],
)
def test_bad_client_messages_are_refused(text):
    with pytest.raises(DecodeError):
        V2.decode_client_message(bytes.fromhex(text))


@given(CLIENT_MESSAGES, BLOB, BLOB)
def test_client_messages_are_found_among_other_bytes(message, before, after):
    data = encode_client_message(message)
    decoded, end = V2.decode_client_message(before + data + after, len(before))
    assert decoded == message
    assert type(decoded) is type(message)
    assert end == len(before) + len(data)


@given(st.binary(max_size=80))
def test_random_bytes_raise_decode_errors_only(data):
    for decode in (V2.decode_client_message, decode_server_message):
        try:
            _, end = decode(data, 0)
        except DecodeError:
            continue
        assert 0 < end <= len(data)


@given(st.sampled_from(sorted(vectors.SERVER)), st.data())
def test_altered_server_messages_raise_decode_errors_only(name, data):
    altered = bytearray.fromhex(vectors.SERVER[name][2])
    place = data.draw(st.integers(0, len(altered) - 1))
    altered[place] = data.draw(st.integers(0, 255))
    try:
        _, end = decode_server_message(bytes(altered))
    except DecodeError:
        return
    assert end <= len(altered)


@given(U32, I64, st.lists(st.tuples(U32, st.lists(st.tuples(TEXT, ROWS, ROWS)))))
def test_updates_composed_of_fragments_decode_to_their_parts(request_id, timestamp, query_sets):
    body = V2.dialect.transaction_body(
        [
            V2.dialect.query_set_update(
                set_id,
                [
                    V2.dialect.table_update(table, [V2.dialect.table_rows(table, inserts, deletes)])
                    for table, inserts, deletes in tables
                ],
            )
            for set_id, tables in query_sets
        ]
    )
    update, end = decode_server_message(V2.dialect.transaction_update(body, 0))
    assert isinstance(update, TransactionUpdate)
    assert end == 1 + len(body)
    assert [
        (one.query_set_id, [(table.table, *table.rows[0][:2]) for table in one.tables])
        for one in update.query_sets
    ] == query_sets
    result, _ = decode_server_message(V2.reducer_ok(request_id, timestamp, body))
    assert (result.request_id, result.timestamp) == (request_id, timestamp)
    assert result.outcome.update == update


def test_plans_of_one_table_become_entries_of_one_table_update():
    rows = [
        V2.dialect.table_rows("item", [b"a"], []),
        V2.dialect.table_rows("item", [b"bc"], [b"a"]),
    ]
    body = V2.dialect.transaction_body(
        [V2.dialect.query_set_update(4, [V2.dialect.table_update("t", rows)])]
    )
    update, _ = decode_server_message(V2.dialect.transaction_update(body, 0))
    assert update.query_sets[0].tables[0].rows == [
        TableUpdateRows([b"a"], [], is_event=False),
        TableUpdateRows([b"bc"], [b"a"], is_event=False),
    ]


def test_the_same_table_may_come_twice_in_an_answer():
    tables = [("t", V2.dialect.row_list("t", [b"a"])), ("t", V2.dialect.row_list("t", []))]
    applied, _ = decode_server_message(V2.subscribe_applied(1, 2, tables))
    assert applied.tables == [TableRows("t", [b"a"]), TableRows("t", [])]


def test_a_subscribe_has_a_bounded_number_of_queries():
    fits = encode_client_message(Subscribe(1, 2, ("",) * SUBSCRIBE_QUERIES_MAX))
    assert len(V2.decode_client_message(fits)[0].queries) == SUBSCRIBE_QUERIES_MAX
    with pytest.raises(DecodeError, match="too many"):
        V2.decode_client_message(
            encode_client_message(Subscribe(1, 2, ("",) * (SUBSCRIBE_QUERIES_MAX + 1)))
        )


def test_the_dialect_is_shared_by_all_connections():
    assert V2.dialect is V2Wire().dialect
    assert not V2.dialect.merges_sets


def test_a_body_of_one_fragment_is_spelled_alike_at_once():
    for set_id, table, rows in ((0, "t", [b"\x01"]), (7, "tables of ünï", [b"ab", b"c"])):
        for event in (False, True):
            fragment = V2.dialect.table_rows(table, rows, [b"gone"], event=event)
            sets = [
                V2.dialect.query_set_update(set_id, [V2.dialect.table_update(table, [fragment])])
            ]
            body = V2.dialect.single_body(set_id, table, rows, [b"gone"], event=event)
            assert body == V2.dialect.transaction_body(sets)
