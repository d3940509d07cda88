"""Who sleeps is woken when it is time: once, in order, and not all at once (domain 12.1, 12.9)."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from itertools import count

from host_bench import SECOND, START_MICROS, Bench, Clock, claims
from hypothesis import given, settings
from hypothesis import strategies as st
from interludes import INTERLUDES, interlude
from town import ACTORS, MODULE, NAMES, PEOPLE, new_town, run, texts
from town_module import Say

from actors.host import Budget, Caller
from actors.host.turns import ReducerCall
from actors.host.wakes import Wakes
from actors.keys import ActorKey, user_id_of
from actors.limits import PINNED_SECONDS, WAKE_HORIZON_SECONDS
from actors.module.system import ActorTimer, OutboxMessage
from actors.module.types import ConnectionId
from persistence.memory import MemoryDisk, MemoryStore, StoredActor
from protocol.messages import ReducerOk

HORIZON = WAKE_HORIZON_SECONDS * SECOND


def sleepers(*wakes: int) -> MemoryDisk:
    """A disk with actors that are to be woken at these times, named by their number."""
    stored = {f"person/{number}": StoredActor(wake=at) for number, at in enumerate(wakes)}
    return MemoryDisk(actors=stored)


class Alarm:
    """Wakes over a disk; what they wake waits until it is ``taken``."""

    def __init__(self, disk: MemoryDisk) -> None:
        self.clock = Clock()
        self.store = MemoryStore(disk)
        self.woken: list[ActorKey] = []
        self.waiting = 0
        loop = asyncio.get_running_loop()
        self.wakes = Wakes(self.store, loop, self.clock, self._wake, self._spawn, self._count)

    def _wake(self, key: ActorKey) -> None:
        self.woken.append(key)
        self.waiting += 1

    def _spawn(self, work) -> None:
        raise AssertionError("the test looks itself")

    def _count(self) -> int:
        return self.waiting


async def alarm(disk: MemoryDisk) -> Alarm:
    made = Alarm(disk)
    await made.store.open()
    return made


async def test_who_is_late_is_woken_at_once_in_the_order_of_times():
    late = await alarm(sleepers(*(START_MICROS - ago for ago in (5, 70, 1, 33, 6))))
    await late.wakes.look()
    assert late.woken == [f"person/{number}" for number in (1, 3, 4, 0, 2)]


async def test_who_is_not_due_yet_sleeps_on():
    early = await alarm(sleepers(START_MICROS + 1))
    await early.wakes.look()
    assert early.woken == []
    early.clock.micros += 1
    await early.wakes.look()
    assert early.woken == ["person/0"]
    early.wakes.stop()


async def test_not_more_are_woken_than_the_store_can_be_asked_for(monkeypatch):
    monkeypatch.setattr("actors.host.wakes.WAKES_WAITING_MAX", 3)
    herd = await alarm(sleepers(*range(1, 11)))
    await herd.wakes.look()
    assert len(herd.woken) == 3
    await herd.wakes.look()
    assert len(herd.woken) == 3
    herd.waiting = 1
    await herd.wakes.look()
    assert len(herd.woken) == 5
    herd.wakes.stop()


async def test_who_had_to_wait_is_woken_without_another_look(monkeypatch):
    monkeypatch.setattr("actors.host.wakes.WAKES_WAITING_MAX", 3)
    monkeypatch.setattr("actors.host.wakes.WAKE_PAUSE_SECONDS", 0.0)
    herd = await alarm(sleepers(*range(1, 11)))
    await herd.wakes.look()
    while len(herd.woken) < 10:
        herd.waiting = 0
        await asyncio.sleep(0)
    assert herd.woken == [f"person/{number}" for number in range(10)]


async def test_a_look_says_whether_there_may_be_more(monkeypatch):
    monkeypatch.setattr("actors.host.wakes.WAKES_PER_LOOK", 4)
    assert await (await alarm(sleepers(1, 2, 3, 4, 5))).wakes.look()
    assert not await (await alarm(sleepers(1, 2, 3))).wakes.look()


async def test_only_the_near_future_is_kept_in_memory():
    far = await alarm(sleepers())
    await far.wakes.look()
    far.wakes.add(START_MICROS + 3 * HORIZON, ActorKey("person/0"))
    far.wakes.add(START_MICROS + HORIZON, ActorKey("person/1"))
    assert [key for _, key in far.wakes._heap] == ["person/1"]
    far.wakes.stop()


async def test_an_actor_of_a_kind_that_is_gone_does_not_keep_the_others_asleep():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    await peer.result("remind", "x", START_MICROS + 60 * SECOND)
    await bench.stop()
    bench.disk.actors["ghost/1"] = StoredActor(wake=1)
    await bench.start()
    await bench.let_time_pass(61)
    assert texts(bench, 0) == ["rang x"]


async def remind_many(bench: Bench, people: int, at: int) -> list[ActorKey]:
    """Let many people, who are not connected, set a timer each."""
    endpoint, keys = bench.host.reducers["remind"], []
    for number in range(100, 100 + people):
        who = claims(number)
        keys.append(ActorKey(f"person/{user_id_of(who.identity)}"))
        args = bench.host.encode_arguments("remind", ("x", at))
        caller, reply = Caller(who, ConnectionId(0)), bench.host.future_reply()
        bench.host.tell(keys[-1], ReducerCall(endpoint, ("x", at), args, caller, reply))
    await bench.settle()
    return keys


async def test_a_crowd_that_is_due_at_one_moment_comes_in_bit_by_bit(monkeypatch):
    bench = await new_town().start()
    keys = await remind_many(bench, 60, START_MICROS + SECOND)
    await bench.stop()
    monkeypatch.setattr("actors.host.wakes.WAKES_WAITING_MAX", 7)
    monkeypatch.setattr("actors.host.wakes.WAKES_PER_LOOK", 25)
    monkeypatch.setattr("actors.host.wakes.WAKE_PAUSE_SECONDS", 0.0)
    await bench.start()
    bench.clock.advance(2)
    most = 0
    while any(disk.wake for disk in bench.disk.actors.values()):
        await bench.host._wakes.look()
        for _ in range(20):
            most = max(most, len(bench.host._loader))
            await asyncio.sleep(0)
    assert 0 < most <= 7
    await bench.settle()
    for key in keys:
        assert [entry.text for entry in bench.rows(key, MODULE.tables["entry"].row)] == ["rang x"]


async def test_a_sender_that_left_is_woken_for_its_unsent_message(caplog):
    caplog.set_level(logging.CRITICAL, "actors.turn")
    bench = await Bench(MODULE, budget=Budget(memory_bytes=0)).start()
    sender, receiver = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    await receiver.result("set_trap", "x", True)
    sender.call("say", Say("r1", NAMES[1], "x", 0))
    await bench.settle()
    await sender.session.disconnect()
    while bench.host.is_active(ACTORS[0]):
        # It stays while the next attempt is near, and leaves when the pauses have become long.
        await bench.let_time_pass(1)
        bench.idle(PINNED_SECONDS + 2)
    assert bench.disk.actors[ACTORS[0]].wake > bench.clock()
    await receiver.result("set_trap", "x", False)
    await bench.let_time_pass(60)
    assert texts(bench, 1) == ["heard x 0"]
    assert bench.rows(ACTORS[0], OutboxMessage) == []


# The law: whatever crashes, each timer rings once.

PERSON = st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just("set"), PERSON, st.integers(-2, 20)),
    st.tuples(st.just("set"), PERSON, st.integers(-2, 20)),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
    INTERLUDES,
)


class Ringing:
    """What must have become of each timer; a timer's name says whose it is and when it is due.

    Attributes:
        sure: names of timers that were durable at the last crash.
        cancelled: names of those for which a cancellation was sent since then.
    """

    def __init__(self) -> None:
        self.numbers = count()
        self.sent: list[tuple[str, int]] = []
        self.due: dict[str, int] = {}
        self.sure: set[str] = set()
        self.gone: set[str] = set()
        self.cancelled: set[str] = set()

    def check(self, waiting: set[str], rung: Counter[str], now: int) -> None:
        """Compare with what is on the disk, and believe the disk about what nobody could know."""
        assert set(rung.values()) <= {1}, "no timer rings twice"
        assert not waiting & set(rung), "a timer that has rung is gone"
        alive = waiting | set(rung)
        assert self.sure - self.cancelled <= alive, "no timer is lost"
        assert not self.gone & alive, "what was taken back stays away"
        assert all(self.due[name] <= now for name in rung), "none rings before its time"
        self.gone |= set(self.due) - alive
        self.sure = alive
        self.cancelled.clear()


async def stored_timers(bench: Bench) -> tuple[set[str], Counter[str]]:
    """Who waits and who has rung, as the disk has it."""
    oracle = await bench.long_ago(ACTORS)
    waiting = {
        timer.timer_id.removeprefix("ring:")
        for actor in ACTORS
        for timer in oracle.rows(actor, ActorTimer)
    }
    rung = Counter(text.removeprefix("rang ") for who in range(3) for text in texts(oracle, who))
    await oracle.crash()
    return waiting, rung


async def play(bench: Bench, ringing: Ringing, steps: list[tuple]) -> list:
    """Do steps while durability is held back; answers the calls that cancelled, and their peers."""
    peers = [await bench.enter(who) for who in PEOPLE]
    bench.store.hold()
    cancels = []
    for kind, *rest in steps:
        if kind == "set":
            person, seconds = rest
            name, at = f"t{next(ringing.numbers)}", bench.clock() + seconds * SECOND
            ringing.sent.append((name, person))
            ringing.due[name] = at
            peers[person].call("remind", name, at)
        elif kind == "cancel":
            if ringing.sent:
                name, person = ringing.sent[rest[0] % len(ringing.sent)]
                ringing.cancelled.add(name)
                cancels.append((name, peers[person], peers[person].call("forget", name)))
        else:
            await interlude(bench, kind, *rest)
    return cancels


@settings(max_examples=100, deadline=None, print_blob=True)
@given(st.lists(st.lists(STEPS, max_size=12), min_size=1, max_size=4))
def test_each_timer_rings_once_whatever_crashes(lives):
    async def scenario() -> None:
        bench = await Bench(MODULE, budget=Budget(memory_bytes=0)).start()
        ringing = Ringing()
        for steps in lives[:-1]:
            await play(bench, ringing, steps)
            await bench.crash()
            ringing.check(*await stored_timers(bench), bench.clock())
            await bench.start()
        cancels = await play(bench, ringing, lives[-1])
        bench.store.release()
        await bench.settle()
        for name, peer, request_id in cancels:
            if isinstance(peer.outcome(request_id), ReducerOk):
                ringing.gone.add(name)
        await bench.let_time_pass(60)
        await bench.let_time_pass(60)
        waiting, rung = await stored_timers(bench)
        assert waiting == set()
        assert rung == Counter(set(ringing.due) - ringing.gone)
        await bench.stop()

    run(scenario)


async def test_late_timers_of_one_actor_ring_in_the_order_of_their_times():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    for word, seconds in zip("cab", (30, 10, 20), strict=True):
        await peer.result("remind", word, START_MICROS + seconds * SECOND)
    await bench.crash()
    bench.clock.advance(3_600)
    await bench.start()
    await bench.settle()
    assert texts(bench, 0) == ["rang a", "rang b", "rang c"]
