"""Nothing leaves before it is durable, except to who asked not to wait (wire spec 8.4)."""

from __future__ import annotations

import asyncio
import logging

import pytest
from host_bench import Clock
from town import ACTORS, MODULE, NAMES, PEOPLE, coins, new_town, texts
from town_module import Arrival, Give, Post, earn

from actors.errors import ActorUnavailableError, ReducerError
from actors.host import Host
from actors.host.procedures import Run
from actors.limits import CHECKPOINT_RECORDS
from persistence.errors import FencedError, StoreWriteError
from persistence.memory import MemoryStore
from protocol.messages import ReducerErr, ReducerOk


@pytest.fixture(autouse=True)
def _quiet(caplog) -> None:
    caplog.set_level(logging.CRITICAL, "actors.host")


async def test_a_confirmed_connection_hears_nothing_before_it_is_durable():
    bench = await new_town().start()
    teller, listener = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    hasty = await bench.enter(PEOPLE[2], confirmed=False)
    for peer in (teller, listener, hasty):
        peer.subscribe(1, "SELECT * FROM notice")
    await bench.settle()
    for peer in (teller, listener, hasty):
        peer.forget()
    bench.store.hold()
    call = teller.call("post", Post("t", "x"))
    refused = teller.call("refuse", "no")
    listener.query("SELECT * FROM notice")
    await bench.turns()
    assert teller.messages == []
    assert listener.messages == []
    assert hasty.values("notice") == [("t", "x")]
    assert hasty.messages != []
    bench.store.release()
    await bench.settle()
    assert isinstance(teller.outcome(call), ReducerOk)
    assert isinstance(teller.outcome(refused), ReducerErr)
    assert listener.values("notice") == teller.values("notice") == [("t", "x")]


async def test_a_commit_right_behind_the_first_rows_is_told():
    bench = await new_town().start()
    teller, listener = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    topics = [f"t{number}" for number in range(3)]
    for number, topic in enumerate(topics):
        listener.subscribe(number, f"SELECT * FROM notice WHERE topic = '{topic}'")
        teller.call("post", Post(topic, "x"))
    await bench.settle()
    assert listener.values("notice") == [(topic, "x") for topic in topics]


async def test_errors_keep_their_place_behind_data_that_waits():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    bench.store.hold()
    peer.call("earn", 1)
    peer.send_call("nothing", b"")
    peer.subscribe(1, "SELECT * FROM nowhere")
    await bench.turns()
    assert peer.answered() == []
    bench.store.release()
    await bench.settle()
    assert peer.answered() == [1, 2, 3]


async def test_rounds_leave_one_by_one_as_they_become_durable():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    bench.store.hold()
    for _ in range(3):
        peer.call("earn", 1)
        await bench.turns()
    for number in range(1, 4):
        bench.store.release(1)
        await bench.turns()
        assert peer.answered() == list(range(1, number + 1))
    bench.store.release()
    await bench.settle()


async def test_reads_leave_at_once_when_everything_is_durable():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    await peer.result("earn", 1)
    bench.store.hold()
    peer.query("SELECT * FROM purse")
    await bench.turns()
    assert peer.answered() == [1, 2]
    bench.store.release()


async def test_a_store_that_fails_shows_nothing_and_everything_is_loaded_again():
    bench = await new_town().start()
    peer, hasty = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    peer.subscribe(1, "SELECT * FROM purse")
    await peer.result("earn", 5)
    bench.store.fail_next(StoreWriteError("full"))
    peer.forget()
    peer.call("earn", 7)
    hasty.call("earn", 7)
    assert not await bench.host.durable()
    await bench.turns()
    assert peer.messages == []
    assert (peer.aborted, hasty.aborted) == ([1012], [1012])
    await peer.session.disconnect()
    await hasty.session.disconnect()
    await bench.settle()
    again = await bench.enter(PEOPLE[0])
    again.subscribe(1, "SELECT * FROM purse")
    await again.result("earn", 1)
    assert again.values("purse") == [(NAMES[0], 6)]
    await bench.host.activate([ACTORS[1]])
    assert coins(bench, 1) == 0
    assert bench.fatal == []


@pytest.mark.parametrize("turns", range(12))
async def test_a_procedure_is_not_told_that_a_call_stands_which_the_store_took_back(turns):
    bench = await new_town().start()
    peer, other = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    bench.store.hold()
    bench.store.fail_next(StoreWriteError("full"))
    other.call("earn", 1)
    await bench.turns(4)
    # The call comes into memory while an earlier round is about to fail.
    run = Run(bench.host, peer.session.caller)
    calling = asyncio.ensure_future(run.call(earn, 5))
    await bench.turns(turns)
    bench.store.release(1)
    bench.store.release()
    (outcome,) = await asyncio.gather(calling, return_exceptions=True)
    await bench.crash()
    await bench.start()
    await bench.host.activate(ACTORS)
    assert coins(bench, 0) == (0 if isinstance(outcome, ReducerError) else 5)


async def test_a_host_whose_first_words_are_refused_does_not_start():
    store = MemoryStore()
    await store.open()
    store.fail_next(StoreWriteError("full"))
    host = Host(MODULE, store, secret=bytes(32), clock=Clock())
    with pytest.raises(
        ActorUnavailableError, match=r"init failed, nothing begins: state\.actor_unavailable"
    ):
        await host.start()
    await host.stop()
    assert store.disk.actors == {}
    assert (await new_town(store.disk).start()).rows("desk/0", Arrival) != []


async def test_calls_while_the_store_recovers_are_kept():
    bench = await new_town().start()
    recovered, reset = asyncio.Event(), bench.store.reset

    async def reset_slowly() -> None:
        await recovered.wait()
        await reset()

    bench.store.reset = reset_slowly
    peer = await bench.enter(PEOPLE[0])
    await peer.result("earn", 1)
    bench.store.fail_next(StoreWriteError("full"))
    peer.call("earn", 7)
    assert not await bench.host.durable()
    # The connection is still there, the store is about to be reset.
    late = peer.call("earn", 2)
    await bench.turns()
    assert peer.answered() == [1]
    recovered.set()
    await bench.turns()
    await bench.settle()
    assert isinstance(peer.outcome(late), ReducerOk)
    await bench.crash()
    await bench.start()
    await bench.host.activate(ACTORS)
    assert coins(bench, 0) == 3


async def test_an_owner_that_was_fenced_is_told_once_and_stays_quiet():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    await peer.result("earn", 1)
    other = MemoryStore(bench.disk)
    await other.open()
    peer.forget()
    peer.call("earn", 1)
    assert not await bench.host.durable()
    await bench.turns()
    await asyncio.wait_for(peer.session.disconnect(), 5)
    assert [type(error) for error in bench.fatal] == [FencedError]
    assert peer.messages == []
    assert not await bench.host.durable()
    await asyncio.wait_for(bench.host.stop(), 5)


async def test_a_transaction_too_large_for_the_store_is_refused_alone(monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL, "actors.turn")
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    monkeypatch.setattr("persistence.record.RECORD_BYTES_MAX", 4_000)
    outcomes = [await peer.result("note", text) for text in ("a", "b" * 5_000, "c")]
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "ReducerOk",
        "ReducerInternalError",
        "ReducerOk",
    ]
    assert texts(bench, 0) == ["a", "c"]
    assert peer.aborted == []


async def test_a_sink_that_fails_stops_nobody_else(caplog):
    caplog.set_level(logging.CRITICAL, "actors.rounds")
    bench = await new_town().start()
    peers = [await bench.enter(who, confirmed=number > 0) for number, who in enumerate(PEOPLE)]

    def fail(messages) -> None:
        raise OSError("gone")

    for peer in peers[:2]:
        peer.deliver = fail
    for peer in peers:
        peer.call("earn", 1)
    await bench.settle()
    assert peers[2].answered() == [1]
    await bench.crash()
    await bench.start()
    await bench.host.activate(ACTORS)
    assert [coins(bench, person) for person in range(3)] == [1, 1, 1]


async def test_a_long_journal_is_checkpointed_while_it_grows():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    for number in range(CHECKPOINT_RECORDS + 20):
        peer.call("earn", 1)
        if number % 1_000 == 0:
            await bench.settle()
    await bench.settle()
    stored = bench.disk.actors[ACTORS[0]]
    assert stored.last_seq == CHECKPOINT_RECORDS + 20
    assert stored.base_seq > 0
    assert len(stored.journal) < CHECKPOINT_RECORDS
    await bench.crash()
    await bench.start()
    await bench.host.activate(ACTORS[:1])
    assert coins(bench, 0) == CHECKPOINT_RECORDS + 20


async def test_a_journal_of_few_large_records_is_checkpointed_while_it_grows(monkeypatch):
    monkeypatch.setattr("actors.host.checkpoints.CHECKPOINT_BYTES", 100_000)
    bench = await new_town().start()
    large, small = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    for number in range(25):
        large.call("note", f"{number:010d}" * 1_000)
        small.call("note", f"{number}")
        await bench.settle()
    stored, other = (bench.disk.actors[actor] for actor in ACTORS[:2])
    tail = stored.last_seq - stored.base_seq
    assert stored.base_seq > 0
    assert tail * 10_000 < 100_000
    assert (other.base_seq, len(other.journal)) == (0, 25)
    await bench.crash()
    await bench.start()
    await bench.host.activate(ACTORS[:1])
    assert len(texts(bench, 0)) == 25


async def test_a_host_that_stops_leaves_everything_checkpointed():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    await peer.result("earn", 9)
    peer.call("give", Give("r1", NAMES[1], 4))
    await bench.stop()
    for actor in ACTORS[:2]:
        stored = bench.disk.actors[actor]
        assert stored.base_seq == stored.last_seq > 0
    await bench.start()
    await bench.host.activate(ACTORS[:2])
    assert [coins(bench, 0), coins(bench, 1)] == [5, 4]
    assert texts(bench, 0) == ["gave 4", "thanked for 4"]
