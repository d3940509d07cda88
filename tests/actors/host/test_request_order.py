"""Requests of one connection: answered in order, over however many actors (wire spec 8.1)."""

from __future__ import annotations

import pytest
from host_bench import claims
from hypothesis import given, settings
from hypothesis import strategies as st
from town import MODULE, NAMES, PEOPLE, coins, new_town, run
from town_module import ODD_JOBS, Furnish, Give, Notice, Post, Say

from actors import Rate, ReducerError
from actors.host.admission import admit
from actors.limits import QUERY_SETS_MAX
from protocol.messages import (
    OneOffQueryResult,
    ProcedureResult,
    ReducerErr,
    ReducerInternalError,
    ReducerOk,
    SubscribeApplied,
    SubscriptionError,
    UnsubscribeApplied,
)

REQUESTS = st.sampled_from(
    ["earn", "room", "hall", "subscribe", "unsubscribe", "query", "unknown", "nonsense", "refuse"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(REQUESTS, max_size=25))
def test_answers_come_in_the_order_of_the_requests(requests):
    async def scenario() -> None:
        bench = await new_town().start()
        peer = await bench.enter(PEOPLE[0])
        for number, request in enumerate(requests):
            if request == "earn":
                peer.call("earn", 1)
            elif request == "room":
                peer.call("furnish", Furnish(f"r{number % 3}", number, "red"))
            elif request == "hall":
                peer.call("post", Post(f"t{number}", "x"))
            elif request == "subscribe":
                peer.subscribe(number % 4, "SELECT * FROM purse", "SELECT * FROM notice")
            elif request == "unsubscribe":
                peer.unsubscribe(number % 4)
            elif request == "query":
                peer.query("SELECT * FROM notice WHERE text = 'x'")
            elif request == "unknown":
                peer.send_call("nothing", b"")
            elif request == "nonsense":
                peer.send_call("earn", b"\1\2")
            else:
                peer.call("refuse", "no")
        await bench.settle()
        assert peer.answered() == list(range(1, len(requests) + 1))
        assert peer.session.pending == 0
        await bench.stop()

    run(scenario)


async def test_a_snapshot_holds_all_that_was_asked_before_it():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    for number in range(5):
        peer.call("earn", 1)
        peer.query("SELECT * FROM purse")
        peer.call("post", Post(f"t{number}", "x"))
        peer.query("SELECT * FROM notice")
    await bench.settle()
    answers = [message for message in peer.messages if isinstance(message, OneOffQueryResult)]
    purse = peer.cache.table("purse")._codec
    counted = [len(answer.tables[0].rows) for answer in answers]
    assert counted == [1, 1, 1, 2, 1, 3, 1, 4, 1, 5]
    earned = [purse.decode_all(answer.tables[0].rows[0])[1] for answer in answers[::2]]
    assert earned == [1, 2, 3, 4, 5]


async def test_requests_before_the_connection_stands_wait_for_it():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    early = type(peer)(bench, PEOPLE[0], 77)
    early.call("earn", 5)
    early.subscribe(1, "SELECT * FROM purse")
    await bench.settle()
    assert early.messages == []
    await early.connect()
    await bench.settle()
    kinds = [type(message).__name__ for message in early.messages]
    assert kinds == ["InitialConnection", "ReducerResult", "SubscribeApplied"]
    assert early.values("purse") == [(NAMES[0], 5)]


async def test_two_connections_do_not_wait_for_each_other():
    bench = await new_town().start()
    slow, fast = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    slow.call("say", Say("r1", NAMES[1], "x", 3))
    slow.call("furnish", Furnish("r1", 1, "red"))
    fast.call("earn", 1)
    await bench.settle()
    assert slow.answered() == [1, 2]
    assert fast.answered() == [1]


async def test_what_a_caller_may_not_do_is_told_in_words():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    outcomes = [
        peer.outcome(await_id)
        for await_id in (
            peer.send_call("nothing", b""),
            peer.send_call("depart", b""),
            peer.send_call("earn", b"\1"),
            peer.call("sweep"),
            peer.call("furnish", Furnish("a/b", 1, "red")),
            peer.call("furnish", Furnish("", 1, "red")),
            peer.call("give", Give("", NAMES[1], 1)),
            peer.call("give", Give("x" * 65, NAMES[1], 1)),
        )
        if not await bench.settle()
    ]
    assert outcomes[:2] == [
        ReducerInternalError("no such reducer"),
        ReducerInternalError("can't directly call special OnDisconnect lifecycle reducer"),
    ]
    assert isinstance(outcomes[2], ReducerInternalError)
    assert outcomes[2].error.startswith("invalid arguments for reducer earn: ")
    codes = [outcome.error.partition(":")[0] for outcome in outcomes[3:]]
    assert codes == ["auth.forbidden", *["input.invalid_id"] * 4]
    assert coins(bench, 0) == 0


async def test_a_row_id_finds_the_actor_of_its_session():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    assert isinstance(await peer.result("furnish", Furnish("r1.chair.7", 7, "red")), ReducerOk)
    assert bench.host.is_active("room/r1")


async def test_shards_of_a_hall_are_read_as_one():
    bench = await new_town().start()
    peer, other = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    peer.subscribe(1, "SELECT * FROM notice")
    for number in range(8):
        await other.result("post", Post(f"t{number}", "x"))
    await bench.settle()
    assert peer.values("notice") == [(f"t{number}", "x") for number in range(8)]
    shards = [bench.rows(key, Notice) for key in ("hall/0", "hall/1")]
    assert all(shards)


async def test_a_procedure_reads_and_waits_and_calls():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    peer.subscribe(1, "SELECT * FROM purse")
    waiting = peer.procedure("wait_for_coins", (6).to_bytes(8, "little"))
    calling = peer.procedure("earn_twice", (3).to_bytes(8, "little"))
    giving_up = peer.procedure("wait_for_coins", (0).to_bytes(8, "little"))
    unknown = peer.procedure("nothing")
    nonsense = peer.procedure("earn_twice", b"\1")
    await bench.settle()
    reading = peer.procedure("wealth")
    await bench.settle()
    results = {m.request_id: m for m in peer.messages if isinstance(m, ProcedureResult)}
    assert results[calling].value == (6).to_bytes(8, "little")
    assert results[reading].value == (6).to_bytes(8, "little")
    assert results[waiting].value == b"\1"
    assert results[giving_up].value in (b"\0", b"\1")
    assert results[unknown].error == "No such procedure"
    assert results[nonsense].error.startswith("invalid arguments for procedure earn_twice: ")
    assert (results[nonsense].timestamp, results[nonsense].duration) == (0, 0)
    # What a procedure did was told before its result, as updates and not with a result.
    kinds = [type(m).__name__ for m in peer.messages]
    assert kinds.count("TransactionUpdate") == 2
    last = len(kinds) - kinds[::-1].index("TransactionUpdate")
    assert last <= peer.messages.index(results[calling])
    assert peer.session.pending == 0


async def test_query_sets_are_bounded():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    for number in range(QUERY_SETS_MAX + 1):
        peer.subscribe(number, "SELECT * FROM purse")
    await bench.settle()
    (refused,) = (m for m in peer.messages if isinstance(m, SubscriptionError))
    assert refused.query_set_id == QUERY_SETS_MAX
    assert refused.error.startswith("limit.quota_exceeded")
    peer.unsubscribe(0)
    peer.subscribe(QUERY_SETS_MAX, "SELECT * FROM purse")
    await bench.settle()
    assert isinstance(peer.messages[-2], UnsubscribeApplied)
    assert isinstance(peer.messages[-1], SubscribeApplied)


async def test_a_rate_is_asked_for_every_call():
    bench = await new_town().start()
    asked = []

    def admission(who, now, rate) -> bool:
        asked.append((who, now, rate))
        return len(asked) <= 2

    peer = await bench.enter(PEOPLE[0])
    peer.session.admission = admission
    outcomes = [await peer.result("earn", 1) for _ in range(3)]
    assert [type(outcome) for outcome in outcomes] == [ReducerOk, ReducerOk, ReducerErr]
    assert outcomes[2].error.startswith("limit.rate_exceeded")
    assert asked == [(PEOPLE[0], bench.clock(), None)] * 3
    assert coins(bench, 0) == 2


async def test_functions_of_one_rate_are_asked_for_it_together():
    bench = await new_town().start()
    asked = []

    def admission(_who, _now, rate) -> bool:
        asked.append(rate)
        return asked.count(ODD_JOBS) <= 2

    peer = await bench.enter(PEOPLE[0])
    peer.session.admission = admission
    assert isinstance(await peer.result("sweep_yard", 1), ReducerOk)
    peer.procedure("count_chickens")
    await bench.settle()
    refused = await peer.result("sweep_yard", 1)
    assert refused.error.startswith("limit.rate_exceeded")
    assert asked == [None, ODD_JOBS] * 3
    assert coins(bench, 0) == 1


async def test_what_a_procedure_calls_keeps_to_the_rates():
    bench = await new_town().start()
    asked = []

    def admission(_who, _now, rate) -> bool:
        asked.append(rate)
        return rate is None

    peer = await bench.enter(PEOPLE[0])
    await peer.result("earn", 1)
    peer.session.admission = admission
    peer.procedure("do_both", b"\0")
    await bench.settle()
    assert coins(bench, 0) == 1
    assert asked == [None, ODD_JOBS]
    peer.procedure("do_both", b"\1")
    await bench.settle()
    assert asked == [None, ODD_JOBS, None], "the server itself is not limited"


@pytest.mark.parametrize(("per_minute", "seconds"), [(1, 60), (7, 9), (30, 2), (60, 1), (120, 1)])
async def test_a_refused_caller_learns_when_to_try_again(per_minute, seconds):
    rate = Rate("calls", per_minute=per_minute, burst=1)
    with pytest.raises(ReducerError) as refused:
        admit(lambda _who, _now, asked: asked is None, PEOPLE[0], 0, rate)
    assert refused.value.code == "limit.rate_exceeded"
    assert refused.value.details == {"retry_after_seconds": seconds}
    admit(None, PEOPLE[0], 0, rate)


async def test_a_privileged_token_expires_and_may_name_others():
    bench = await new_town().start()
    service = await bench.enter(claims(9, "service", expires_at=bench.clock() + 1))
    assert isinstance(await service.result("sweep"), ReducerOk)
    bench.clock.advance(1)
    for call in (("sweep",), ("earn", 1)):
        outcome = await service.result(*call)
        assert outcome.error.startswith("auth.token_expired")


async def test_an_ordinary_caller_goes_on_with_an_expired_token():
    bench = await new_town().start()
    player = await bench.enter(claims(0, "player", expires_at=bench.clock() + 1))
    bench.clock.advance(1)
    assert isinstance(await player.result("earn", 1), ReducerOk)


@pytest.mark.parametrize(
    "name",
    sorted(name for name, entry in MODULE.reducers.items() if entry.parameters.elements),
)
async def test_a_call_of_rubbish_never_reaches_an_actor(name):
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    before = bench.host.turn_count
    outcome = peer.send_call(name, b"\xff" * 7)
    await bench.settle()
    assert isinstance(peer.outcome(outcome), ReducerInternalError | ReducerErr)
    assert bench.host.turn_count == before


async def test_bytes_after_the_arguments_are_ignored_as_the_official_host_does(caplog):
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    args = bench.host.encode_arguments("earn", (1,))
    outcome = peer.send_call("earn", args + b"\xff\xff")
    await bench.settle()
    assert isinstance(peer.outcome(outcome), ReducerOk)
    assert coins(bench, 0) == 1
    assert "2 bytes after the arguments of earn" in caplog.text
