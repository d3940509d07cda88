"""Who leaves memory and when, and that nobody notices (architecture 3 and 6)."""

from __future__ import annotations

import logging
from collections import Counter

import pytest
from host_bench import SECOND, START_MICROS, Bench
from hypothesis import given, settings
from hypothesis import strategies as st
from town import ACTORS, MODULE, NAMES, PEOPLE, coins, run, texts
from town_module import Give, Say

from actors.host import Budget, Caller
from actors.host.caller import service_caller
from actors.host.core import Failure
from actors.host.turns import Read, ReducerCall
from actors.keys import ActorKey
from actors.limits import (
    ACTOR_BYTES,
    IDLE_SECONDS,
    PASSIVATIONS_PER_SWEEP,
    PINNED_SECONDS,
    QUARANTINE_FAILURES,
    RESIDENT_SECONDS_MIN,
    SLEEPER_RECORDS_MAX,
    WAKE_HORIZON_SECONDS,
)
from actors.module.types import ConnectionId
from persistence.errors import StoreWriteError
from protocol.messages import ReducerOk

NO_ROOM = Budget(memory_bytes=0)
STRANGERS = [ActorKey(f"person/u_{number:032x}") for number in range(100, 400)]


async def town(budget: Budget | None = NO_ROOM) -> Bench:
    return await Bench(MODULE, budget=budget).start()


async def visit(bench: Bench, who: int, *calls: tuple) -> None:
    """Let a person come, make calls, and go."""
    peer = await bench.enter(PEOPLE[who])
    for call in calls:
        assert isinstance(await peer.result(*call), ReducerOk)
    await peer.session.disconnect()
    await bench.settle()


async def use(bench: Bench, key: ActorKey) -> None:
    """Let an actor take a turn that changes nothing."""
    reply = bench.host.future_reply()
    bench.host.tell(key, Read(lambda view: view.key, service_caller("tests"), reply))
    await reply


async def pass_time(bench: Bench, seconds: float = RESIDENT_SECONDS_MIN + 0.1) -> None:
    """Let time pass for the actors in memory, and sweep until nobody leaves any more."""
    bench.seconds += seconds
    before = None
    while before != bench.host.passivation.count:
        before = bench.host.passivation.count
        bench.host.passivation.sweep()
        await bench.turns(2)


def asleep(bench: Bench, key: str) -> bool:
    return not bench.host.is_active(ActorKey(key))


# Who leaves


async def test_without_room_all_leave_who_are_not_needed():
    bench = await town()
    await visit(bench, 0, ("earn", 5))
    await pass_time(bench)
    assert bench.host.actor_count == 0
    assert bench.host.passivation.resident_bytes == 0
    await visit(bench, 0, ("earn", 2))
    assert coins(bench, 0) == 7


async def test_with_room_an_actor_stays_until_it_was_idle_for_long():
    bench = await town(None)
    await visit(bench, 0, ("earn", 5))
    for _ in range(9):
        await pass_time(bench, IDLE_SECONDS / 10)
    assert not asleep(bench, ACTORS[0])
    await pass_time(bench, IDLE_SECONDS / 5)
    assert asleep(bench, ACTORS[0])


async def test_who_was_just_used_stays_whatever_the_budget():
    bench = await town()
    await visit(bench, 0, ("earn", 5))
    await pass_time(bench, RESIDENT_SECONDS_MIN / 2)
    assert not asleep(bench, ACTORS[0])
    await use(bench, ACTORS[0])
    await pass_time(bench, RESIDENT_SECONDS_MIN * 3 / 4)
    assert not asleep(bench, ACTORS[0])


async def test_newcomers_drive_out_who_is_idle_without_being_asked():
    bench = await town()
    await bench.host.activate(STRANGERS[:3])
    bench.seconds += RESIDENT_SECONDS_MIN + 1
    await bench.host.activate(STRANGERS[3:4])
    await bench.turns()
    assert [asleep(bench, key) for key in STRANGERS[:4]] == [True, True, True, False]


@settings(max_examples=60, deadline=None, print_blob=True)
@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 15))
def test_the_least_recently_used_leave_and_no_more_than_must(uses, room):
    async def scenario() -> None:
        bench = await town(Budget(memory_bytes=room * ACTOR_BYTES))
        order = [*sorted(bench.host._cells), *STRANGERS[:10]]
        for key in [*STRANGERS[:10], *(STRANGERS[number] for number in uses)]:
            bench.seconds += RESIDENT_SECONDS_MIN / 100
            await use(bench, key)
            order.remove(key)
            order.append(key)
        await bench.turns()
        assert set(bench.host._cells) == set(order), "nobody leaves within the first second"
        cells = bench.host._cells.items()
        sizes = {key: ACTOR_BYTES + cell.core.database.size_bytes() for key, cell in cells}
        await pass_time(bench)
        while order and sum(sizes[key] for key in order) > room * ACTOR_BYTES:
            order.pop(0)
        assert set(bench.host._cells) == set(order)
        assert bench.host.passivation.resident_bytes == sum(sizes[key] for key in order)

    run(scenario)


async def test_an_actor_that_has_grown_weighs_more():
    bench = await town(None)
    await visit(bench, 0, ("earn", 5))
    await pass_time(bench)
    before = bench.host.passivation.resident_bytes
    await visit(bench, 0, ("note", "x" * 100_000))
    await pass_time(bench, IDLE_SECONDS + 1)
    await use(bench, ACTORS[0])
    await pass_time(bench)
    assert not asleep(bench, ACTORS[0])
    assert bench.host.passivation.resident_bytes > before + 100_000


async def test_who_cannot_leave_is_not_looked_at_again_and_again(monkeypatch):
    bench = await town()
    for who in PEOPLE:
        await (await bench.enter(who)).result("earn", 1)
    looks: Counter[str] = Counter()
    passivation, may_leave = bench.host.passivation, bench.host.passivation.may_leave
    monkeypatch.setattr(
        passivation, "may_leave", lambda cell: looks.update([cell.core.key]) or may_leave(cell)
    )
    for _ in range(int(PINNED_SECONDS / 2)):
        await pass_time(bench)
    assert set(looks) >= set(ACTORS)
    assert set(looks.values()) == {1}
    await pass_time(bench, PINNED_SECONDS + RESIDENT_SECONDS_MIN)
    assert {looks[key] for key in ACTORS} == {2}


async def test_a_sweep_stops_after_so_many_and_goes_on_in_a_later_callback():
    bench = await town()
    await bench.host.activate(STRANGERS)
    await bench.turns()
    bench.seconds += RESIDENT_SECONDS_MIN + 1
    before = bench.host.actor_count
    bench.host.passivation.sweep()
    assert bench.host.actor_count == before - PASSIVATIONS_PER_SWEEP
    await bench.turns()
    assert bench.host.actor_count == 0


# Who stays


async def connected(bench: Bench) -> None:
    await bench.enter(PEOPLE[0])


async def full_mailbox(bench: Bench) -> None:
    bench.host._cells[ACTORS[0]].hold()  # it takes no turns, as if it were stuck
    reply = bench.host.future_reply()
    bench.host.tell(ACTORS[0], Read(lambda view: view.key, service_caller("tests"), reply))


async def undurable_turn(bench: Bench) -> None:
    bench.store.hold()
    endpoint = bench.host.reducers["earn"]
    args = bench.host.encode_arguments("earn", (1,))
    caller, reply = Caller(PEOPLE[0], ConnectionId(0)), bench.host.future_reply()
    bench.host.tell(ACTORS[0], ReducerCall(endpoint, (1,), args, caller, reply))
    await reply


async def awaited(bench: Bench) -> None:
    await bench.host.next_commit(ACTORS[0])


async def quarantined(bench: Bench) -> None:
    evidence = (Failure("call", "error", bench.clock()),) * QUARANTINE_FAILURES
    bench.host.core(ACTORS[0]).evidence = evidence


async def timer_soon(bench: Bench) -> None:
    await visit(bench, 0, ("remind", "x", START_MICROS + WAKE_HORIZON_SECONDS * SECOND))


async def message_on_its_way(bench: Bench) -> None:
    await bench.host.activate(ACTORS[1:2])
    bench.host._cells[ACTORS[1]].hold()  # it does not acknowledge
    peer = await bench.enter(PEOPLE[0])
    peer.call("give", Give("r1", NAMES[1], 1))
    await bench.turns()
    await peer.session.disconnect()


@pytest.mark.parametrize(
    "reason",
    [
        connected,
        full_mailbox,
        undurable_turn,
        awaited,
        quarantined,
        timer_soon,
        message_on_its_way,
    ],
)
async def test_who_is_needed_stays(reason):
    bench = await town()
    await visit(bench, 0, ("earn", 5))
    await reason(bench)
    await pass_time(bench)
    assert not asleep(bench, ACTORS[0])


async def test_who_is_watched_stays_until_nobody_watches():
    bench = await town()
    peer = await bench.enter(PEOPLE[0])
    peer.subscribe(1, "SELECT * FROM notice")
    await bench.settle()
    await pass_time(bench)
    assert not asleep(bench, "hall/0")
    peer.unsubscribe(1)
    await bench.settle()
    await pass_time(bench, PINNED_SECONDS + 2)
    assert asleep(bench, "hall/0")


async def test_a_waiter_that_gave_up_keeps_nobody():
    bench = await town()
    await visit(bench, 0, ("earn", 5))
    (await bench.host.next_commit(ACTORS[0])).cancel()
    await pass_time(bench)
    assert asleep(bench, ACTORS[0])


async def test_a_timer_far_away_keeps_nobody_and_rings():
    bench = await town()
    await visit(bench, 0, ("remind", "x", START_MICROS + 3_600 * SECOND))
    await pass_time(bench)
    assert asleep(bench, ACTORS[0])
    await bench.let_time_pass(3_601)
    assert texts(bench, 0) == ["rang x"]
    await pass_time(bench)
    assert asleep(bench, ACTORS[0])


# What becomes of what they held


async def test_who_makes_room_leaves_a_short_journal_as_it_is():
    bench = await town()
    await visit(bench, 0, ("earn", 5))
    await pass_time(bench)
    stored = bench.disk.actors[ACTORS[0]]
    assert (stored.base_seq, len(stored.journal)) == (0, stored.last_seq)


async def test_who_makes_room_leaves_no_long_journal():
    bench = await town()
    await visit(bench, 0, *[("earn", 1)] * (SLEEPER_RECORDS_MAX + 1))
    await pass_time(bench)
    await bench.settle()
    stored = bench.disk.actors[ACTORS[0]]
    assert stored.base_seq == stored.last_seq  # what is still there is history
    await bench.host.activate(ACTORS[:1])
    assert coins(bench, 0) == SLEEPER_RECORDS_MAX + 1


async def test_who_was_idle_leaves_no_journal():
    bench = await town(None)
    await visit(bench, 0, ("earn", 5))
    await pass_time(bench, IDLE_SECONDS + 1)
    await bench.settle()
    stored = bench.disk.actors[ACTORS[0]]
    assert stored.base_seq == stored.last_seq  # what is still there is history


async def test_who_comes_back_before_its_checkpoint_is_written_is_whole():
    bench = await town(None)
    await visit(bench, 0, ("earn", 5))
    peer = await bench.enter(PEOPLE[1])
    await peer.result("earn", 9)
    bench.store.hold()
    await pass_time(bench, IDLE_SECONDS + 1)
    assert asleep(bench, ACTORS[0])
    peer.call("give", Give("r1", NAMES[0], 4))
    await bench.turns()
    assert coins(bench, 0) == 9
    bench.store.release()
    await bench.settle()
    await pass_time(bench, IDLE_SECONDS + 1)
    await bench.crash()
    await bench.start()
    await bench.host.activate(ACTORS)
    assert (coins(bench, 0), texts(bench, 0)) == (9, ["got 4"])


async def test_a_store_that_fails_leaves_the_order_of_use_in_order(caplog):
    caplog.set_level(logging.CRITICAL, "actors.host")
    bench = await town()
    peer = await bench.enter(PEOPLE[0])
    await peer.result("earn", 1)
    bench.store.fail_next(StoreWriteError("full"))
    peer.call("earn", 7)
    assert not await bench.host.durable()
    await peer.session.disconnect()
    await bench.settle()
    await visit(bench, 0, ("earn", 1))
    await pass_time(bench)
    assert bench.host.actor_count == 0
    assert bench.host.passivation.resident_bytes == 0


PERSON = st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just("give"), PERSON, PERSON, st.integers(1, 3)),
    st.tuples(st.just("say"), PERSON, PERSON, st.integers(0, 3)),
    st.tuples(st.just("note"), PERSON),
    st.tuples(st.just("leave"), PERSON),
    st.tuples(st.just("turns"), st.integers(1, 6)),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("sweep")),
)


async def play(budget: Budget | None, steps: list[tuple]) -> list[tuple]:
    """Do all steps without waiting for anything; answers what came of it, by person."""
    bench = await town(budget)
    peers = [await bench.enter(who) for who in PEOPLE]
    for peer in peers:
        await peer.result("earn", 100)
    for number, (kind, *rest) in enumerate(steps):
        if kind == "give":
            peers[rest[0]].call("give", Give(f"r{number}", NAMES[rest[1]], rest[2]))
        elif kind == "say":
            peers[rest[0]].call("say", Say(f"r{number}", NAMES[rest[1]], f"w{number}", rest[2]))
        elif kind == "note":
            peers[rest[0]].call("note", f"note {number}")
        elif kind == "turns":
            await bench.turns(rest[0])
        elif kind == "leave":
            await bench.settle()
            await peers[rest[0]].session.disconnect()
            bench._connections += 1
            peers[rest[0]] = await bench.enter(PEOPLE[rest[0]])
        else:
            bench.idle(PINNED_SECONDS + RESIDENT_SECONDS_MIN + 1)
    await bench.settle()
    for peer in peers:
        await peer.session.disconnect()
    await bench.settle()
    if budget is not None:
        await pass_time(bench, PINNED_SECONDS * 2)
        assert bench.host.actor_count == 0
    await bench.host.activate(ACTORS)
    return [
        (
            coins(bench, who),
            Counter(texts(bench, who)),
            [text for text in texts(bench, who) if text.startswith("note")],
        )
        for who in range(3)
    ]


@settings(max_examples=80, deadline=None, print_blob=True)
@given(st.lists(STEPS, max_size=25))
def test_a_budget_changes_nothing_that_anybody_sees(steps):
    async def scenario() -> None:
        assert await play(NO_ROOM, steps) == await play(None, steps)

    run(scenario)
