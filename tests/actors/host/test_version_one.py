"""What a connection of version 1 hears, in either spelling (wire spec 7.3)."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

import pytest
from host_bench import Bench, Peer
from hypothesis import given, settings
from hypothesis import strategies as st
from town import NAMES, PEOPLE, new_town, run
from town_module import Furnish, Give, Grow, Notice, Post
from v1_peer import OldPeer, enter_old

from actors.host.procedures import FATAL
from actors.limits import QUERY_SETS_MAX
from protocol.messages import (
    OneOffQueryResult,
    ProcedureResult,
    ReducerErr,
    ReducerOk,
    ReducerResult,
    SubscribeApplied,
    SubscriptionError,
    TransactionUpdate,
    UnsubscribeApplied,
    Wires,
)
from protocol.messages.lexicon import UNKNOWN_REDUCER_ID
from protocol.messages.v1_types import ServerTag
from protocol.upgrade import Subprotocol

BSATN, JSON = Subprotocol.V1_BSATN, Subprotocol.V1_JSON
BOTH = pytest.mark.parametrize("subprotocol", [BSATN, JSON])
PURSE, NOTICES = "SELECT * FROM purse", "SELECT * FROM notice"
RED = "SELECT * FROM plant WHERE colour = 'red'"


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = await new_town().start()
    yield bench
    await bench.stop()


async def enter(bench: Bench, subprotocol: Subprotocol, person: int = 0) -> OldPeer:
    wires = Wires(bench.module.schema, time.perf_counter)
    return await enter_old(bench, wires, PEOPLE[person], 500 + person, subprotocol)


def kinds(peer: OldPeer) -> list[ServerTag]:
    return [tag for tag, _ in peer.raw]


REQUESTS = st.sampled_from(
    [
        *("earn", "room", "hall", "multi", "single", "legacy", "end", "query"),
        *("unknown", "nonsense", "refuse", "bad query"),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([BSATN, JSON]), st.lists(REQUESTS, max_size=25))
def test_answers_come_in_the_order_of_the_requests(subprotocol, requests):
    async def scenario() -> None:
        bench = await new_town().start()
        peer = await enter(bench, subprotocol)
        for number, request in enumerate(requests):
            match request:
                case "earn":
                    peer.call("earn", 1)
                case "room":
                    peer.call("furnish", Furnish(f"r{number % 3}", number, "red"))
                case "hall":
                    peer.call("post", Post(f"t{number}", "x"))
                case "multi":
                    peer.subscribe(number % 4, PURSE, NOTICES)
                case "single":
                    peer.subscribe_single(number % 4, NOTICES)
                case "legacy":
                    peer.subscribe_legacy(PURSE, NOTICES)
                case "end":
                    peer.unsubscribe(number % 4, single=number % 3 == 0)
                case "query":
                    peer.query("SELECT * FROM notice WHERE text = 'x'")
                case "unknown":
                    peer.send_call("nothing", b"", "[]")
                case "nonsense":
                    peer.send_call("earn", b"\1\2", "[]")
                case "refuse":
                    peer.call("refuse", "no")
                case _:
                    peer.subscribe(5, "SELECT * FROM nowhere")
        await bench.settle()
        assert peer.answered() == list(range(1, len(requests) + 1))
        assert peer.session.pending == 0
        await bench.stop()

    run(scenario)


@BOTH
async def test_the_first_message_says_who_the_caller_is(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    assert kinds(peer) == [ServerTag.IDENTITY_TOKEN]
    assert peer.hello() == (PEOPLE[0].identity, 500, "token")


@BOTH
async def test_a_caller_is_told_of_its_call_and_others_of_the_rows_alone(bench, subprotocol):
    caller = await enter(bench, subprotocol)
    other = await enter(bench, JSON if subprotocol is BSATN else BSATN, person=1)
    newer = await bench.enter(PEOPLE[2])
    for peer in (caller, other, newer):
        peer.subscribe(0, NOTICES)
    await bench.settle()
    for peer in (caller, other, newer):
        peer.forget()
    number = caller.call("post", Post("t1", "x"))
    await bench.settle()
    ((tag, fields),) = caller.raw
    status, timestamp, identity, connection_id, call, _, duration = fields
    assert tag is ServerTag.TRANSACTION_UPDATE
    assert status.tag == 0
    assert timestamp >= bench.clock.micros
    assert (identity, connection_id) == (PEOPLE[0].identity, 500)
    name, reducer_id, args, request_id = call
    assert (name, request_id) == ("post", number)
    assert bench.module.schema.reducers[reducer_id].name == "post"
    assert args == ('[["t1","x"]]' if caller.is_json else b"\2\0\0\0t1\1\0\0\0x")
    assert duration >= 0
    ((tag, fields),) = other.raw
    assert tag is ServerTag.TRANSACTION_UPDATE_LIGHT
    assert fields[0] == number
    assert len(newer.updates()) == 1
    caller.call("earn", 1)
    await bench.settle()
    assert kinds(caller) == [ServerTag.TRANSACTION_UPDATE] * 2
    assert len(other.raw) == 1, "nobody hears of a commit that does not concern it"


@BOTH
async def test_the_request_id_of_a_newer_caller_is_told_too(bench, subprotocol):
    peer, newer = await enter(bench, subprotocol), await bench.enter(PEOPLE[1])
    peer.subscribe(0, NOTICES)
    await bench.settle()
    peer.forget()
    newer.query(NOTICES)
    number = newer.call("post", Post("t1", "x"))
    await bench.settle()
    assert [fields[0] for _, fields in peer.raw] == [number] == [2]
    newer.call("give", Give("g1", NAMES[0], 1))
    newer.procedure("earn_twice", (1).to_bytes(8, "little"))
    peer.subscribe(1, PURSE)
    await bench.settle()
    peer.forget()
    newer.call("earn", 5)
    newer.call("give", Give("g2", NAMES[0], 5))
    await bench.settle()
    assert [fields[0] for _, fields in peer.raw] == [0], "a message from actor to actor has no id"


@BOTH
async def test_what_goes_wrong_is_told_in_the_words_of_the_wire(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    peer.forget()
    peer.call("refuse", "coins.none")
    peer.call("write_nonsense")
    peer.send_call("nothing", b"", "[]")
    peer.send_call("earn", b"\1\2", '["x"]')
    peer.send_call("depart", b"", "[]")
    peer.call("sweep")
    await bench.settle()
    failures = [(fields[0].value, *fields[4]) for _, fields in peer.raw]
    assert kinds(peer) == [ServerTag.TRANSACTION_UPDATE] * 6
    assert [fields[0].tag for _, fields in peer.raw] == [1] * 6
    texts = [text for text, *_ in failures]
    assert texts[0] == "town.refused: coins.none"
    assert texts[1] == "The instance encountered a fatal error."
    assert texts[2] == "no such reducer"
    assert texts[3].startswith("invalid arguments for reducer earn: ")
    assert texts[4] == "can't directly call special OnDisconnect lifecycle reducer"
    assert texts[5].startswith("auth.forbidden")
    # A call that never ran has its name, and neither arguments nor an id.
    nothing = "[]" if peer.is_json else b""
    assert failures[0][1:] == ("refuse", failures[0][2], peer._args(*REFUSED), 1)
    assert failures[2][1:] == ("nothing", UNKNOWN_REDUCER_ID, nothing, 0)
    assert failures[3][1:] == ("earn", failures[3][2], nothing, 0)
    # What is refused to this caller was a call like any other.
    assert failures[5][1:] == ("sweep", failures[5][2], nothing, 6)
    assert UNKNOWN_REDUCER_ID not in (failures[3][2], failures[5][2])


REFUSED = ("refuse", b"\x0a\0\0\0coins.none")


@BOTH
async def test_a_quiet_caller_hears_only_what_concerns_its_rows(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    peer.subscribe(0, NOTICES)
    await bench.settle()
    peer.forget()
    peer.call("earn", 1, quiet=True)
    peer.call("refuse", "no", quiet=True)
    peer.call("write_nonsense", quiet=True)
    await bench.settle()
    assert peer.messages == []
    assert peer.session.pending == 0
    number = peer.call("post", Post("t1", "x"), quiet=True)
    await bench.settle()
    ((tag, (request_id, _)),) = peer.raw
    assert (tag, request_id) == (ServerTag.TRANSACTION_UPDATE_LIGHT, number)
    nothing = "[]" if peer.is_json else b""
    peer.send(0, "nothing", nothing, 99, 1)
    await bench.settle()
    assert isinstance(peer.messages[-1], ReducerResult)
    assert peer.messages[-1].outcome == ReducerErr("no such reducer")


@BOTH
async def test_a_text_counts_once_whoever_holds_it(bench, subprotocol):
    peer, newer = await enter(bench, subprotocol), await bench.enter(PEOPLE[1])
    await newer.result("post", Post("t1", "x"))
    peer.subscribe(0, NOTICES, NOTICES)
    peer.subscribe(1, f" {NOTICES} ", "SELECT * FROM purse")
    peer.subscribe_single(2, NOTICES)
    peer.subscribe(3, "SELECT * FROM notice WHERE topic = 't1'")
    await bench.settle()
    applied = [message for message in peer.messages if isinstance(message, SubscribeApplied)]
    assert [[(t.table, len(t.rows)) for t in message.tables] for message in applied] == [
        [("notice", 1)],
        [],
        [("notice", 0)],
        [("notice", 1)],
    ]
    peer.forget()
    await newer.result("post", Post("t1", "y"))
    ((_, (_, ((table,),))),) = peer.raw
    assert (table[1], table[2], len(table[3])) == ("notice", 4, 2)
    peer.forget()
    for query_id in (0, 2, 1, 3):
        peer.unsubscribe(query_id)
        await bench.settle()
    ended = [message for message in peer.messages if isinstance(message, UnsubscribeApplied)]
    assert [sum(len(t.rows) for t in message.tables) for message in ended] == [0, 0, 1, 1]
    assert peer.held() == {}
    peer.forget()
    await newer.result("post", Post("t1", "z"))
    assert peer.messages == []


@BOTH
async def test_all_tables_are_their_texts(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    peer.call("earn", 3)
    peer.subscribe(0, "SELECT * FROM *")
    peer.subscribe(1, PURSE)
    peer.unsubscribe(0)
    await bench.settle()
    tables = [
        [t.table for t in message.tables]
        for message in peer.messages
        if isinstance(message, SubscribeApplied | UnsubscribeApplied)
    ]
    assert "purse" in tables[0]
    assert tables[1] == []
    assert "purse" not in tables[2]
    assert list(peer.held()) == ["purse"]


@BOTH
async def test_answers_have_the_form_of_their_requests(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    peer.forget()
    peer.subscribe_single(0, PURSE)
    peer.subscribe(1, NOTICES)
    peer.unsubscribe(0, single=True)
    peer.unsubscribe(1)
    peer.subscribe(2, PURSE, NOTICES)
    peer.unsubscribe(2, single=True)
    peer.subscribe_legacy(PURSE)
    await bench.settle()
    assert kinds(peer) == [
        ServerTag.SUBSCRIBE_APPLIED,
        ServerTag.SUBSCRIBE_MULTI_APPLIED,
        ServerTag.UNSUBSCRIBE_APPLIED,
        ServerTag.UNSUBSCRIBE_MULTI_APPLIED,
        ServerTag.SUBSCRIBE_MULTI_APPLIED,
        ServerTag.UNSUBSCRIBE_MULTI_APPLIED,  # there is no single form of two tables
        ServerTag.INITIAL_SUBSCRIPTION,
    ]


@BOTH
async def test_the_legacy_set_is_replaced_and_stays_after_an_error(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    await (newer := await bench.enter(PEOPLE[1])).result("post", Post("t1", "x"))
    peer.call("earn", 3)
    peer.subscribe_legacy(NOTICES)
    peer.subscribe_legacy(PURSE)
    await bench.settle()
    peer.forget()
    await newer.result("post", Post("t2", "x"))
    assert peer.messages == []
    peer.subscribe_legacy(NOTICES, "SELECT * FROM nowhere")
    await bench.settle()
    ((tag, fields),) = peer.raw
    assert tag is ServerTag.TRANSACTION_UPDATE
    assert fields[0].value.endswith(", executing: `SELECT * FROM nowhere`")
    assert fields[4][:2] == ("", UNKNOWN_REDUCER_ID)
    peer.forget()
    peer.call("earn", 1)
    await bench.settle()
    (result,) = peer.messages
    assert isinstance(result.outcome, ReducerOk)
    assert result.outcome.update.query_sets


@BOTH
async def test_query_errors_name_request_and_query(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    peer.subscribe(4, NOTICES)
    await bench.settle()
    peer.forget()
    wrong = peer.subscribe(5, NOTICES, "SELECT * FROM nowhere")
    again = peer.subscribe(4, PURSE)
    unknown = peer.unsubscribe(6)
    unheld = peer.unsubscribe(5, single=True)
    await bench.settle()
    errors = peer.messages
    assert all(isinstance(message, SubscriptionError) for message in errors)
    assert [error[:2] for error in errors] == [(wrong, 5), (again, 4), (unknown, 6), (unheld, 5)]
    assert errors[0].error == (
        "no such table: `nowhere`. If the table exists, it may be marked private., "
        "executing: `SELECT * FROM nowhere`"
    )
    assert errors[1].error.startswith("Subscription with id 4 already exists for client: ")
    assert errors[2].error.startswith("Subscription not found: ")


@BOTH
async def test_subscriptions_are_bounded(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    for number in range(QUERY_SETS_MAX + 1):
        peer.subscribe(number, PURSE)
    await bench.settle()
    (refused,) = (m for m in peer.messages if isinstance(m, SubscriptionError))
    assert refused.query_set_id == QUERY_SETS_MAX
    assert refused.error.startswith("limit.quota_exceeded")


@BOTH
async def test_one_off_queries_are_answered_by_their_message_ids(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    await (await bench.enter(PEOPLE[1])).result("post", Post("t1", "x"))
    found, empty, wrong = map(peer.query, (NOTICES, "SELECT * FROM plant", "SELECT * FROM nowhere"))
    await bench.settle()
    answers = [message for message in peer.messages if isinstance(message, OneOffQueryResult)]
    assert [answer.request_id for answer in answers] == [found, empty, wrong]
    assert [[(t.table, len(t.rows)) for t in answer.tables] for answer in answers] == [
        [("notice", 1)],
        [("plant", 0)],
        [],
    ]
    assert [answer.error for answer in answers[:2]] == [None, None]
    assert answers[2].error is not None
    assert answers[2].error.startswith("no such table: `nowhere`")


@BOTH
async def test_procedures_answer_their_caller(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    peer.subscribe(0, PURSE)
    await bench.settle()
    peer.forget()
    earned = peer.procedure("earn_twice", (3).to_bytes(8, "little"))
    await bench.settle()
    *updates, result = peer.messages
    assert len(updates) == 2
    assert all(isinstance(message, TransactionUpdate) for message in updates)
    assert isinstance(result, ProcedureResult)
    assert (result.request_id, result.value) == (earned, (6).to_bytes(8, "little"))
    peer.forget()
    args = '["x"]' if peer.is_json else b"\1"
    peer.send(7, "nothing", "[]" if peer.is_json else b"", 7, 0)
    peer.send(7, "earn_twice", args, 8, 0)
    await bench.settle()
    unknown, nonsense = sorted(peer.messages, key=lambda message: message.request_id)
    assert unknown == ProcedureResult(7, 0, 0, b"", "No such procedure")
    assert nonsense.error.startswith("invalid arguments for procedure earn_twice: ")
    assert FATAL.startswith("The module instance encountered a fatal error: ")


@BOTH
async def test_attached_actors_come_and_go_as_one_update(bench, subprotocol):
    peer, newer = await enter(bench, subprotocol), await bench.enter(PEOPLE[1])
    for room in ("a", "b"):
        await newer.result("grow", Grow(room, f"pot {room}", "red"))
    peer.subscribe(0, "SELECT * FROM plant")
    peer.subscribe(1, RED, "SELECT * FROM chair")
    await bench.settle()
    for is_open in (True, False):
        peer.forget()
        peer.call("turn_key", "room/a", is_open)
        await bench.settle()
        result, update = peer.raw
        assert result[0] is ServerTag.TRANSACTION_UPDATE
        request_id, ((table,),) = update[1]
        assert (update[0], request_id) == (ServerTag.TRANSACTION_UPDATE_LIGHT, 0)
        _, name, count, parts = table
        assert (name, count, len(parts)) == ("plant", 2, 2)
    assert peer.held() == {}


@BOTH
async def test_a_snapshot_holds_all_that_was_asked_before_it(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    for number in range(4):
        peer.call("post", Post(f"t{number}", "x"))
        peer.subscribe(number, f"SELECT * FROM notice WHERE topic <> 'x{number}'")
    await bench.settle()
    applied = [message for message in peer.messages if isinstance(message, SubscribeApplied)]
    assert [len(message.tables[0].rows) for message in applied] == [1, 2, 3, 4]
    assert sorted(set(peer.cache.table("notice").counts().values())) == [4]


async def test_first_rows_are_objects_and_changes_are_arrays(bench):
    peer, newer = await enter(bench, JSON), await bench.enter(PEOPLE[1])
    await newer.result("post", Post("t1", "x"))
    peer.subscribe(0, NOTICES)
    await bench.settle()
    await newer.result("post", Post("t1", "y"))
    applied, update = (json.loads(frame) for frame in peer.frames[1:])
    (first,) = applied["SubscribeMultiApplied"]["update"]["tables"]
    assert [json.loads(row) for row in first["updates"][0]["inserts"]] == [
        {"topic": "t1", "text": "x"}
    ]
    (changed,) = update["TransactionUpdateLight"]["update"]["tables"]
    assert changed["updates"] == [{"deletes": ['["t1","x"]'], "inserts": ['["t1","y"]']}]
    assert changed["table_name"] == "notice"
    assert changed["num_rows"] == 2


async def test_connections_with_equal_queries_are_sent_the_same_bytes(bench, monkeypatch):
    made = []
    wires = Wires(bench.module.schema, time.perf_counter)
    lexicon = wires._json.lexicon
    changed_rows = lexicon.changed_rows
    monkeypatch.setattr(
        lexicon,
        "changed_rows",
        lambda table, rows: made.append(len(rows)) or changed_rows(table, rows),
    )
    peers = [
        await enter_old(bench, wires, PEOPLE[number % 3], 600 + number, JSON) for number in range(4)
    ]
    for number, peer in enumerate(peers):
        if number % 2:
            peer.subscribe(8, PURSE)  # texts are numbered as they come: these come second
        peer.subscribe(number, NOTICES, "SELECT * FROM notice WHERE topic = 't1'")
    await bench.settle()
    newer: Peer = await bench.enter(PEOPLE[0])
    await newer.result("post", Post("t1", "x"))
    assert sum(made) == 2, "one row, in two queries, for four connections"
    assert len({peer.frames[-1] for peer in peers}) == 1
    assert bench.rows("hall/0", Notice) + bench.rows("hall/1", Notice) == [("t1", "x")]


@BOTH
async def test_nothing_is_left_of_a_connection_that_ended(bench, subprotocol):
    peer = await enter(bench, subprotocol)
    peer.subscribe(0, NOTICES, PURSE)
    peer.subscribe_legacy(NOTICES)
    await bench.settle()
    await peer.session.disconnect()
    boards = [bench.host.board(key) for key in ("hall/0", "hall/1")]
    assert not any(boards)


@BOTH
async def test_requests_before_the_connection_stands_wait_for_it(bench, subprotocol):
    wires = Wires(bench.module.schema, time.perf_counter)
    early = OldPeer(bench, wires, PEOPLE[0], 77, subprotocol)
    early.call("earn", 5)
    early.subscribe(1, PURSE)
    await bench.settle()
    assert early.messages == []
    await early.connect()
    await bench.settle()
    assert kinds(early) == [
        ServerTag.IDENTITY_TOKEN,
        ServerTag.TRANSACTION_UPDATE,
        ServerTag.SUBSCRIBE_MULTI_APPLIED,
    ]
    assert early.raw[1][1][3] == 77
