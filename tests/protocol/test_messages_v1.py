from __future__ import annotations

import json

import message_vectors
import pytest
import v1_vectors as vectors
from hypothesis import given
from hypothesis import strategies as st
from v1_vectors import ANSWERS, ONE_OFF, REQUESTS, SCHEMA, Talk

from protocol.errors import DecodeError
from protocol.limits import SUBSCRIBE_QUERIES_MAX
from protocol.messages import (
    CallProcedure,
    CallReducer,
    OneOffQuery,
    ReducerErr,
    ReducerResult,
    Subscribe,
    SubscribeLegacy,
    TransactionUpdate,
    UnreadableCall,
    Unsubscribe,
)
from protocol.messages.lexicon import FIRST_TABLE_ID, UNKNOWN_REDUCER_ID, Lexicon
from protocol.messages.requests import Request
from protocol.messages.v1_client import V1BsatnClient, V1Client, V1JsonClient
from protocol.messages.v1_requests import RequestId
from protocol.schema import ModuleSchema, ViewSchema
from protocol.upgrade import Subprotocol

BSATN, JSON = Subprotocol.V1_BSATN, Subprotocol.V1_JSON
BOTH = pytest.mark.parametrize("subprotocol", [BSATN, JSON])
AXE, AXE_4, CROSSBOW = message_vectors.AXE, message_vectors.AXE_4, message_vectors.CROSSBOW
MOMENT = message_vectors.MOMENT


def client(subprotocol: Subprotocol, *pending: Request) -> V1Client:
    waiting = {request.request_id: request for request in pending}
    if subprotocol is BSATN:
        return V1BsatnClient(waiting)
    return V1JsonClient(waiting, Lexicon(SCHEMA))


def spelled(subprotocol: Subprotocol, as_bsatn: str, as_json: str) -> bytes:
    return bytes.fromhex(as_bsatn) if subprotocol is BSATN else as_json.encode()


def greeted(subprotocol: Subprotocol, *pending: Request) -> V1Client:
    one = client(subprotocol, *pending)
    one.decode_server_message(Talk(subprotocol).greeting)
    return one


# --- requests


@BOTH
@pytest.mark.parametrize("name", REQUESTS)
def test_requests_are_understood(subprotocol, name):
    message, *texts = REQUESTS[name]
    decoded, _ = Talk(subprotocol).wire.decode_client_message(spelled(subprotocol, *texts))
    assert decoded == message
    assert type(decoded) is type(message)


@BOTH
@pytest.mark.parametrize("name", ["U01", "U02", "U04", "U05"])
def test_clients_spell_requests_so(subprotocol, name):
    message, *texts = REQUESTS[name]
    assert client(subprotocol).encode_client_message(message) == spelled(subprotocol, *texts)


def test_a_request_id_remembers_what_the_answer_repeats():
    talk = Talk(BSATN)
    quiet = talk.ask("U03")
    assert isinstance(quiet, RequestId)
    assert quiet == 0
    assert (quiet.name, quiet.args, quiet.is_quiet) == ("noop", b"", True)
    query = talk.ask("U07")
    assert isinstance(query, RequestId)
    assert query.message_id == b"\x01\x02"


@pytest.mark.parametrize("name", REQUESTS)
def test_every_cut_of_a_request_is_refused(name):
    data = bytes.fromhex(REQUESTS[name][1])
    wire = Talk(BSATN).wire
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            wire.decode_client_message(data[:size])


@pytest.mark.parametrize(
    "text",
    [
        "08",  # unknown tag
        "00040000006e6f6f70000000000000000002",  # call flags 2
        "07070000006164645f74776f100000002800000000000000020000000000000000000000" + "01",
        "01010000000100000" + "0ff07000000",  # a query that is not UTF-8
        "01ffffffff",  # four billion queries
    ],
)
def test_bad_requests_are_refused(text):
    with pytest.raises(DecodeError):
        Talk(BSATN).wire.decode_client_message(bytes.fromhex(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"Nothing":{}}',
        '{"Subscribe":{"query_strings":"SELECT * FROM item","request_id":1}}',
        '{"Subscribe":{"query_strings":[]}}',
        '{"Subscribe":{"query_strings":[],"request_id":-1}}',
        '{"Subscribe":{"query_strings":[],"request_id":1,"more":1}}',
        '{"CallReducer":{"reducer":"noop","args":"[]","request_id":1,"flags":2}}',
        '{"CallReducer":{"reducer":"noop","args":[],"request_id":1,"flags":0}}',
        '{"SubscribeMulti":{"query_strings":[],"request_id":1,"query_id":1}}',
        '{"OneOffQuery":{"message_id":"xx","query_string":""}}',
        "[" * 100_000,
    ],
)
def test_json_that_is_no_request_is_refused(text):
    with pytest.raises(DecodeError):
        Talk(JSON).wire.decode_client_message(text.encode())


@BOTH
def test_queries_of_one_subscription_are_bounded(subprotocol):
    one, talk = client(subprotocol), Talk(subprotocol)
    fits = one.encode_client_message(Subscribe(1, 2, ("",) * SUBSCRIBE_QUERIES_MAX))
    assert len(talk.wire.decode_client_message(fits)[0].queries) == SUBSCRIBE_QUERIES_MAX
    over = one.encode_client_message(Subscribe(1, 2, ("",) * (SUBSCRIBE_QUERIES_MAX + 1)))
    with pytest.raises(DecodeError, match="too many"):
        talk.wire.decode_client_message(over)


def json_call(function: str, args: object, *, procedure: bool = False) -> object:
    kind, name = ("CallProcedure", "procedure") if procedure else ("CallReducer", "reducer")
    text = args if isinstance(args, str) else json.dumps(args)
    call = {kind: {name: function, "args": text, "request_id": 3, "flags": 0}}
    return Talk(JSON).wire.decode_client_message(json.dumps(call).encode())[0]


@pytest.mark.parametrize(
    "args",
    [["axe", 3], {"qty": 3, "name": "axe"}, ' [ "axe" , 3 ] '],
)
def test_arguments_come_in_order_or_by_name(args):
    assert json_call("add_item", args) == CallReducer(3, "add_item", vectors.ADD_AXE)


@pytest.mark.parametrize(
    "args",
    [[], ["axe"], ["axe", "3"], ["axe", 3, 4], {"name": "axe"}, "no json", "", ["axe", 2**31]],
)
@pytest.mark.parametrize("function", ["add_item", "add_two"])
def test_arguments_that_do_not_fit_are_told_not_to_fit(function, args):
    is_procedure = function == "add_two"
    call = json_call(function, args, procedure=is_procedure)
    assert isinstance(call, UnreadableCall)
    assert (call.request_id, call.function, call.is_procedure) == (3, function, is_procedure)
    assert call.error


def test_an_unknown_function_is_for_others_to_look_for():
    assert json_call("nobody", [1]) == CallReducer(3, "nobody", b"")
    assert json_call("nobody", [1], procedure=True) == CallProcedure(3, "nobody", b"")


# --- answers


@BOTH
@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_spelled_so(subprotocol, name):
    answer, _, *texts = ANSWERS[name]
    assert answer(Talk(subprotocol)) == spelled(subprotocol, *texts)


@BOTH
@pytest.mark.parametrize("name", ANSWERS)
def test_clients_understand_answers(subprotocol, name):
    _, message, *texts = ANSWERS[name]
    data = spelled(subprotocol, *texts)
    calls = (CallReducer(0, "add_item", b""), CallProcedure(0, "add_two", b""))
    one = greeted(subprotocol, calls[name in ("V08", "failed procedure")])
    decoded, end = one.decode_server_message(data)
    assert (decoded, end) == (message, len(data))
    assert type(decoded) is type(message)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_cut_of_an_answer_is_refused(name):
    data = bytes.fromhex(ANSWERS[name][2])
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            greeted(BSATN).decode_server_message(data[:size])


@BOTH
@pytest.mark.parametrize("name", ONE_OFF)
def test_one_off_queries_are_answered_under_their_message_id(subprotocol, name):
    message, text = ONE_OFF[name]
    talk = Talk(subprotocol)
    data = client(subprotocol).encode_client_message(OneOffQuery(0x0201, vectors.EVERYTHING))
    asked, _ = talk.wire.decode_client_message(data)
    if message.error is None:
        ((table, rows),) = talk.listed(AXE)
        answer = talk.wire.one_off_query_result(asked.request_id, table, rows)
    else:
        answer = talk.wire.one_off_query_error(asked.request_id, message.error)
    assert client(subprotocol).decode_server_message(answer)[0] == message
    if subprotocol is BSATN:
        assert answer == bytes.fromhex(text)


@BOTH
def test_others_learn_nothing_but_the_rows_and_the_request_id(subprotocol):
    talk = Talk(subprotocol)
    answer = talk.wire.dialect.transaction_update(talk.body([CROSSBOW], [AXE]), 77)
    light, _ = client(subprotocol).decode_server_message(answer)
    assert isinstance(light, TransactionUpdate)
    if subprotocol is JSON:
        assert json.loads(answer)["TransactionUpdateLight"]["request_id"] == 77
    else:
        assert answer[1:5] == (77).to_bytes(4, "little")


@BOTH
def test_a_quiet_caller_is_told_what_others_are_told(subprotocol):
    talk = Talk(subprotocol)
    body = talk.body([AXE], [])
    quiet = talk.ask("U03")
    assert talk.wire.reducer_ok(quiet, MOMENT, body) == talk.wire.dialect.transaction_update(
        body, 0
    )
    assert talk.wire.reducer_ok(quiet, MOMENT, talk.wire.dialect.transaction_body(())) is None
    assert talk.wire.reducer_err(quiet, MOMENT, "no") is None
    assert talk.wire.reducer_internal_error(quiet, MOMENT, "no") is None
    assert talk.wire.reducer_not_run(quiet, MOMENT, "no", is_internal=True)


@BOTH
def test_a_caller_without_deltas_is_told_of_its_commit(subprotocol):
    talk = Talk(subprotocol)
    answer = talk.wire.reducer_ok(talk.ask("U02"), 9, talk.wire.dialect.transaction_body(()))
    assert answer is not None
    result, _ = greeted(subprotocol).decode_server_message(answer)
    assert isinstance(result, ReducerResult)
    assert result.outcome == (b"", TransactionUpdate([]))


@BOTH
def test_a_call_that_is_refused_is_reported_in_full(subprotocol):
    talk = Talk(subprotocol)
    _, _, *texts = ANSWERS["V04"]
    answer = talk.wire.reducer_not_run(talk.ask("U02", 5), MOMENT, "nope", is_internal=False)
    assert answer == spelled(subprotocol, *texts)


@BOTH
def test_a_call_that_nobody_could_run_is_named_and_nothing_else(subprotocol):
    talk = Talk(subprotocol)
    answer = talk.wire.reducer_not_run(talk.ask("U02", 9), 5, "no", is_internal=True)
    if subprotocol is JSON:
        update = json.loads(answer)["TransactionUpdate"]
        assert update["reducer_call"] == {
            "reducer_name": "add_item",
            "reducer_id": 2,
            "args": "[]",
            "request_id": 0,
        }
        assert update["total_host_execution_duration"] == {"__time_duration_micros__": 0}
    waiting = CallReducer(11, "noop", b""), CallReducer(12, "add_item", b"")
    result, _ = greeted(subprotocol, *waiting).decode_server_message(answer)
    assert result == ReducerResult(12, 5, ReducerErr("no"))


@BOTH
def test_a_legacy_subscription_that_fails_is_answered_as_a_call_without_a_name(subprotocol):
    talk = Talk(subprotocol)
    answer = talk.wire.subscription_error(talk.ask("U06"), 0, "bad")
    result, _ = greeted(subprotocol).decode_server_message(answer)
    assert isinstance(result, ReducerResult)
    assert result.outcome == ReducerErr("bad")
    if subprotocol is JSON:
        call = json.loads(answer)["TransactionUpdate"]["reducer_call"]
        assert (call["reducer_name"], call["reducer_id"]) == ("", UNKNOWN_REDUCER_ID)


@BOTH
def test_a_set_that_ends_by_itself_ends_them_all(subprotocol):
    answer = Talk(subprotocol).wire.subscription_error(None, 3, "bad")
    with pytest.raises(DecodeError, match="all subscriptions are ended: bad"):
        client(subprotocol).decode_server_message(answer)


@BOTH
def test_a_table_is_named_once_and_without_rows_not_at_all(subprotocol):
    talk = Talk(subprotocol)
    note = bytes(8) + b"\x01" + b"\x00"
    row_list = talk.wire.dialect.row_list
    tables = [
        ("note", row_list("note", [note])),
        *talk.listed(AXE),
        ("note", row_list("note", [])),
        *talk.listed(CROSSBOW),
        *talk.listed(),
    ]
    answer = talk.wire.subscribe_applied(talk.ask("U01"), 0, tables)
    applied, _ = client(subprotocol).decode_server_message(answer)
    assert applied.tables == [("item", [AXE, CROSSBOW]), ("note", [note])]
    nothing = talk.wire.subscribe_applied(talk.ask("U01"), 0, [*talk.listed(), *talk.listed()])
    assert client(subprotocol).decode_server_message(nothing)[0].tables == []


@BOTH
def test_one_table_of_an_update_has_all_its_queries(subprotocol):
    dialect = Talk(subprotocol).wire.dialect
    parts = [
        dialect.table_rows("item", [AXE_4], [AXE]),
        dialect.table_rows("item", [CROSSBOW], []),
    ]
    table = dialect.table_update("item", parts)
    body = dialect.transaction_body([dialect.query_set_update(4, [table])])
    update, _ = client(subprotocol).decode_server_message(dialect.transaction_update(body, 0))
    ((_, ((name, rows),)),) = update.query_sets
    assert name == "item"
    assert rows == [([AXE_4], [AXE], False), ([CROSSBOW], [], False)]
    if subprotocol is JSON:
        assert json.loads(body)["tables"][0]["num_rows"] == 3


def test_rows_are_objects_at_first_and_arrays_in_changes():
    dialect = Talk(JSON).wire.dialect
    tagged = bytes(8) + b"\x00\x01\x00\x00\x00x" + b"\x01\x01\x00\x00\x00\x01\x00\x00\x00y"
    plain = bytes(8) + b"\x01" + b"\x00"
    first = json.loads(dialect.bare_rows(dialect.row_list("note", [tagged, plain])))
    assert [json.loads(row) for row in first] == [
        {"key": 0, "text": [0, "x"], "shape": [1, ["y"]]},
        {"key": 0, "text": [1, []], "shape": [0, []]},
    ]
    changed = json.loads(dialect.table_rows("note", [plain], [tagged])[8:])
    assert {name: [json.loads(row) for row in rows] for name, rows in changed.items()} == {
        "deletes": [[0, [0, "x"], [1, ["y"]]]],
        "inserts": [[0, [1, []], [0, []]]],
    }
    lexicon = Lexicon(SCHEMA)
    assert lexicon.rows_from_json("note", first) == [tagged, plain]
    assert lexicon.rows_from_json("note", changed["deletes"]) == [tagged]


def test_a_procedure_without_a_value_returns_an_empty_array():
    talk = Talk(JSON)
    text = '{"CallProcedure":{"procedure":"forget","args":"[]","request_id":4,"flags":0}}'
    asked, _ = talk.wire.decode_client_message(text.encode())
    answer = talk.wire.procedure_returned(asked.request_id, 1, 2, b"")
    assert json.loads(answer)["ProcedureResult"]["status"] == {"Returned": "[]"}
    result, _ = client(JSON, asked).decode_server_message(answer)
    assert (result.request_id, result.value, result.error) == (4, b"", None)


def test_compressed_rows_are_refused_by_our_client():
    data = bytearray.fromhex(ANSWERS["V05"][2])
    data[data.index(bytes.fromhex("010000000001")) + 4] = 2
    with pytest.raises(DecodeError):
        client(BSATN).decode_server_message(bytes(data))


def test_numbers_of_tables_and_functions():
    views = (ViewSchema("mine", vectors.ITEM),)
    lexicon = Lexicon(ModuleSchema(tables=SCHEMA.tables, reducers=SCHEMA.reducers, views=views))
    assert [lexicon.table_id(name) for name in ("note", "item", "mine")] == [
        FIRST_TABLE_ID,
        FIRST_TABLE_ID + 1,
        FIRST_TABLE_ID + 2,
    ]
    assert [lexicon.reducer_id(name) for name in ("init", "add_item", "nobody")] == [
        0,
        2,
        UNKNOWN_REDUCER_ID,
    ]


U32 = st.integers(0, 2**32 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
QUERIES = st.lists(TEXT, max_size=4).map(tuple)
ADDING = st.tuples(TEXT, st.integers(-(2**31), 2**31 - 1)).map(
    lambda pair: (
        len(pair[0].encode()).to_bytes(4, "little")
        + pair[0].encode()
        + pair[1].to_bytes(4, "little", signed=True)
    )
)


@BOTH
@given(
    st.one_of(
        st.builds(Subscribe, U32, U32, QUERIES),
        st.builds(Unsubscribe, U32, U32, st.just(value=True)),
        st.builds(CallReducer, U32, st.just("add_item"), ADDING),
    )
)
def test_requests_come_out_as_they_went_in(subprotocol, message):
    data = client(subprotocol).encode_client_message(message)
    decoded, end = Talk(subprotocol).wire.decode_client_message(data)
    assert (decoded, end) == (message, len(data))


@BOTH
@given(st.binary(max_size=80))
def test_random_bytes_raise_decode_errors_only(subprotocol, data):
    for decode in (
        Talk(subprotocol).wire.decode_client_message,
        client(subprotocol).decode_server_message,
    ):
        try:
            decode(data, 0)
        except DecodeError:
            continue


@BOTH
@given(st.sampled_from(sorted(ANSWERS)), st.data())
def test_altered_answers_raise_decode_errors_only(subprotocol, name, data):
    _, _, *texts = ANSWERS[name]
    altered = bytearray(spelled(subprotocol, *texts))
    place = data.draw(st.integers(0, len(altered) - 1))
    altered[place] = data.draw(st.integers(0, 255))
    try:
        _, end = greeted(subprotocol).decode_server_message(bytes(altered))
    except DecodeError:
        return
    assert end <= len(altered)


def test_legacy_is_a_request_of_version_one_alone():
    message, _ = Talk(JSON).wire.decode_client_message(REQUESTS["U06"][2].encode())
    assert isinstance(message, SubscribeLegacy)
