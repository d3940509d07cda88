"""What operators have single actors do: it is done, or it is refused and nothing has changed."""

from __future__ import annotations

import asyncio
import logging

import pytest
from host_bench import SECOND, START_MICROS, Bench
from hypothesis import given, settings
from hypothesis import strategies as st
from town import ACTORS, MODULE, NAMES, PEOPLE, coins, new_town, run
from town_module import Give

from actors.errors import ReducerError
from actors.host import Budget
from actors.host.cell import CellState
from actors.host.orders import BY_HAND
from actors.limits import IDLE_SECONDS, QUARANTINE_FAILURES
from persistence.errors import StoreWriteError
from protocol.messages import ReducerErr, ReducerOk


@pytest.fixture(autouse=True)
def _quiet(caplog) -> None:
    for name in ("actors.turn", "actors.checkpoints", "actors.host"):
        caplog.set_level(logging.CRITICAL, name)


async def visited(budget: Budget | None = None) -> Bench:
    """A town that one person with 5 coins has visited and left."""
    bench = await Bench(MODULE, budget=budget).start()
    peer = await bench.enter(PEOPLE[0])
    await peer.result("earn", 5)
    await peer.session.disconnect()
    await bench.settle()
    return bench


async def refusal(order) -> str:
    with pytest.raises(ReducerError) as refused:
        await order
    return refused.value.code


# Checkpoints


async def test_a_checkpoint_answers_how_far_it_goes():
    bench = await visited()
    assert bench.disk.actors[ACTORS[0]].base_seq == 0
    assert await bench.host.orders.checkpoint(ACTORS[0]) == 1
    assert bench.disk.actors[ACTORS[0]].base_seq == 1
    assert await bench.host.orders.checkpoint(ACTORS[0]) == 1


async def test_a_checkpoint_that_fails_is_said_and_loses_nothing(monkeypatch):
    bench = await visited()
    error = StoreWriteError("the disk is full")
    monkeypatch.setattr(
        bench.store,
        "checkpoint",
        lambda *args: asyncio.get_running_loop().call_soon(args[2], error),
    )
    assert await refusal(bench.host.orders.checkpoint(ACTORS[0])) == "actor.checkpoint_failed"
    assert coins(bench, 0) == 5


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2), max_size=20), st.integers(0, 8))
def test_checkpoints_in_the_middle_of_work_hold_all_of_it(work, turns):
    """Whatever is on its way: every actor is stored as far as it had come, and nothing fails."""

    async def scenario() -> None:
        bench = await new_town().start()
        peers = [await bench.enter(who) for who in PEOPLE]
        await bench.host.activate(ACTORS)
        for who in work:
            peers[who].call("earn", 1)

        async def checkpoint() -> tuple[list[int], int]:
            before = [bench.host.core(key).seq for key in ACTORS]
            return before, await bench.host.orders.checkpoint_all()

        order = asyncio.ensure_future(checkpoint())
        for who in work[:turns]:
            await asyncio.sleep(0)
            peers[who].call("earn", 1)
        before, count = await order
        for key, seq in zip(ACTORS, before, strict=True):
            assert bench.host.core(key).base_seq >= seq
        await bench.settle()
        again = await bench.host.orders.checkpoint_all()
        for key in ACTORS:
            stored = bench.disk.actors.get(key)
            assert (0 if stored is None else stored.base_seq) == bench.host.core(key).seq
        assert again <= len(set(work)) <= count + again

    run(scenario)


# Passivation


async def test_who_is_sent_away_is_stored_and_comes_back():
    bench = await visited()
    passivation = bench.host.passivation
    before = passivation.resident_bytes
    await bench.host.orders.passivate(ACTORS[0])
    assert not bench.host.is_active(ACTORS[0])
    assert passivation.count == 1
    assert passivation.resident_bytes < before
    await bench.settle()
    assert bench.disk.actors[ACTORS[0]].base_seq == 1
    await bench.host.activate([ACTORS[0]])
    assert coins(bench, 0) == 5
    assert passivation.resident_bytes >= before


async def test_who_was_sent_away_is_forgotten_in_the_order_of_use():
    bench = await visited()
    await bench.host.orders.passivate(ACTORS[0])
    await bench.host.activate([ACTORS[0]])
    order = bench.host.passivation._order
    assert [entry.cell.state for entry in order if entry.key == ACTORS[0]].count(
        CellState.GONE
    ) == 1
    bench.idle(2 * IDLE_SECONDS)
    assert CellState.GONE not in [entry.cell.state for entry in order]
    assert not bench.host.is_active(ACTORS[0])
    assert bench.host.passivation.resident_bytes == sum(entry.cell.size_bytes for entry in order)


async def watched(bench: Bench) -> str:
    (await bench.enter(PEOPLE[1])).subscribe(1, "SELECT * FROM purse")
    await bench.settle()
    return "somebody subscribes"


async def connected(bench: Bench) -> str:
    await bench.enter(PEOPLE[1])
    await bench.host.activate([ACTORS[1]])
    return "its user is connected"


async def quarantined(bench: Bench) -> str:
    await bench.host.orders.quarantine(ACTORS[1], "x")
    return "release it first"


async def due_soon(bench: Bench) -> str:
    peer = await bench.enter(PEOPLE[1])
    await peer.result("remind", "tea", START_MICROS + SECOND)
    await peer.session.disconnect()
    await bench.settle()
    return "needed at once"


@pytest.mark.parametrize("hinder", [watched, connected, quarantined, due_soon])
async def test_who_would_be_missed_stays(hinder):
    bench = await new_town().start()
    reason = await hinder(bench)
    with pytest.raises(ReducerError, match=rf"actor\.busy: .*{reason}"):
        await bench.host.orders.passivate(ACTORS[1])
    assert bench.host.is_active(ACTORS[1])


async def test_what_is_not_in_memory_cannot_be_sent_away_or_checkpointed():
    bench = await new_town().start()
    assert await refusal(bench.host.orders.passivate(ACTORS[0])) == "actor.not_in_memory"
    assert await refusal(bench.host.orders.checkpoint(ACTORS[0])) == "actor.not_in_memory"
    with pytest.raises(ReducerError, match=r"actor\.not_quarantined"):
        bench.host.orders.release(ACTORS[0])
    assert not bench.host.is_active(ACTORS[0])


# Quarantine


async def test_a_quarantined_actor_takes_no_calls_and_all_else():
    bench = await visited()
    peer, other = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    await other.result("earn", 9)
    bench.clock.advance(7)
    await bench.host.orders.quarantine(ACTORS[0], "its purse looks odd")
    assert isinstance(await peer.result("earn", 1), ReducerErr)
    assert isinstance(await other.result("give", Give("r1", NAMES[0], 4)), ReducerOk)
    assert isinstance(await peer.result("earn", 1), ReducerErr)
    assert coins(bench, 0) == 9
    (failure,) = bench.host.orders.quarantined[ACTORS[0]]
    assert (failure.call, failure.error) == (BY_HAND, "its purse looks odd")
    assert failure.time == START_MICROS + 7 * SECOND
    bench.host.orders.release(ACTORS[0])
    assert isinstance(await peer.result("earn", 1), ReducerOk)
    for _ in range(QUARANTINE_FAILURES - 1):
        await peer.result("fall", "x")
    assert bench.host.orders.quarantined == {}


async def test_a_sleeper_is_quarantined_in_memory():
    bench = await visited()
    await bench.host.orders.passivate(ACTORS[0])
    await bench.host.orders.quarantine(ACTORS[0], "x")
    bench.idle(2 * IDLE_SECONDS)
    assert bench.host.is_active(ACTORS[0])
