"""The crash matrix: whatever became durable, the end is the one of a run without a crash.

Domain 12.1 and 12.9: messages take effect exactly once and in order, timers fire once, calls that
are repeated with their request ids happen once.
"""

from __future__ import annotations

from collections import Counter

from host_bench import START_MICROS, Bench
from hypothesis import given, settings
from hypothesis import strategies as st
from town import ACTORS, NAMES, PEOPLE, coins, new_town, run, texts
from town_module import Give, Say

from actors.module.system import ActorTimer, DeadLetter, InboxCursor, OutboxMessage

RICH = 100
TIMER_SECONDS = 30

PERSON = st.integers(0, 2)
GIFTS = st.tuples(st.just("give"), PERSON, PERSON, st.integers(1, 5))
WORDS = st.tuples(st.just("say"), PERSON, PERSON, st.integers(0, 4))
TIMERS = st.tuples(st.just("remind"), PERSON, PERSON, st.integers(1, TIMER_SECONDS))
FLOWS = st.lists(st.one_of(GIFTS, WORDS, TIMERS), min_size=1, max_size=8)
CRASHES = st.lists(st.integers(0, 12), min_size=1, max_size=3)


async def people_of(bench: Bench) -> list:
    return [await bench.enter(who) for who in PEOPLE]


def ask(peers: list, flows: list[tuple]) -> None:
    """Send every request; those of one flow have the same id whenever they are sent."""
    for number, (kind, person, other, detail) in enumerate(flows):
        request_id = f"flow{number}"
        if kind == "give":
            peers[person].call("give", Give(request_id, NAMES[other], detail))
        elif kind == "say":
            word = f"w{number}"
            peers[person].call("say", Say(request_id, NAMES[other], word, detail))
        else:
            at = START_MICROS + detail * 1_000_000
            peers[person].call("remind", f"t{number}", at)


async def begin() -> Bench:
    bench = await new_town().start()
    for peer in await people_of(bench):
        await peer.result("earn", RICH)
    return bench


async def finish(bench: Bench) -> tuple[list[int], list[Counter]]:
    """Let everything come to its end; answers what is left of it."""
    await bench.settle()
    for _ in range(4):
        await bench.let_time_pass(TIMER_SECONDS)
    await bench.host.activate(ACTORS)
    await bench.settle()
    for actor in ACTORS:
        assert bench.rows(actor, OutboxMessage) == []
        assert bench.rows(actor, ActorTimer) == []
        assert bench.rows(actor, DeadLetter) == []
    purses = [coins(bench, person) for person in range(3)]
    return purses, [Counter(texts(bench, person)) for person in range(3)]


async def without_a_crash(flows: list[tuple]) -> tuple[list[int], list[Counter]]:
    bench = await begin()
    ask(await people_of(bench), flows)
    ended = await finish(bench)
    await bench.stop()
    return ended


@settings(max_examples=80, deadline=None, print_blob=True)
@given(FLOWS, CRASHES)
def test_the_end_is_the_same_whatever_became_durable(flows, crashes):
    async def scenario() -> None:
        wanted = await without_a_crash(flows)
        bench = await begin()
        for writes in crashes:
            peers = await people_of(bench)
            bench.store.hold()
            ask(peers, flows)
            await bench.turns()
            for _ in range(writes):
                bench.store.release(1)
                await bench.turns(8)
            await bench.crash()
            await bench.start()
        ask(await people_of(bench), flows)
        assert await finish(bench) == wanted
        # And once more from the disk alone.
        await bench.stop()
        await bench.start()
        assert await finish(bench) == wanted
        await bench.stop()

    # A reminder that is set again rings again, so it is set once: see the timers' own tests.
    flows = [flow for flow in flows if flow[0] != "remind"]
    run(scenario)


@settings(max_examples=40, deadline=None, print_blob=True)
@given(st.lists(TIMERS, min_size=1, max_size=5), st.integers(0, 6), st.integers(0, TIMER_SECONDS))
def test_a_timer_rings_once_and_not_before_its_time(timers, writes, seconds):
    async def scenario() -> None:
        bench = await begin()
        ask(await people_of(bench), timers)
        await bench.settle()
        bench.store.hold()
        bench.clock.advance(seconds)
        await bench.host._wakes.look()
        await bench.turns()
        for _ in range(writes):
            bench.store.release(1)
            await bench.turns(8)
        await bench.crash()
        await bench.start()
        await bench.host.activate(ACTORS)
        await bench.settle()
        for number, (_, person, _, due) in enumerate(timers):
            rung = texts(bench, person).count(f"rang t{number}")
            assert rung == int(due <= seconds)
        _, ended = await finish(bench)
        assert ended == [
            Counter(f"rang t{n}" for n, timer in enumerate(timers) if timer[1] == person)
            for person in range(3)
        ]
        await bench.stop()

    run(scenario)


@settings(max_examples=40, deadline=None, print_blob=True)
@given(st.integers(1, 20), st.lists(st.integers(0, 10), min_size=1, max_size=3))
def test_messages_of_a_pair_arrive_in_order(count, crashes):
    async def scenario() -> None:
        bench = await begin()
        for writes in crashes:
            (peer, *_) = await people_of(bench)
            bench.store.hold()
            for number in range(1, count + 1):
                peer.call("say", Say(f"r{number}", NAMES[1], f"{number:03d}", 0))
                if number % 3 == 0:
                    await bench.turns(2)
            await bench.turns()
            for _ in range(writes):
                bench.store.release(1)
                await bench.turns(8)
            await bench.crash()
            await bench.start()
        (peer, *_) = await people_of(bench)
        for number in range(1, count + 1):
            peer.call("say", Say(f"r{number}", NAMES[1], f"{number:03d}", 0))
        await finish(bench)
        heard = [text for text in texts(bench, 1) if text.startswith("heard")]
        assert heard == [f"heard {number:03d} 0" for number in range(1, count + 1)]
        (cursor,) = bench.rows(ACTORS[1], InboxCursor)
        assert (cursor.src_actor, cursor.last_seq) == (ACTORS[0], count)
        await bench.stop()

    run(scenario)


async def test_a_mailbox_that_overflows_loses_no_message(monkeypatch):
    monkeypatch.setattr("actors.host.loop_actor.MAILBOX_MESSAGES_MAX", 4)
    bench = await begin()
    peer, other = (await people_of(bench))[:2]
    for number in range(3):
        peer.call("say", Say(f"r{number}", NAMES[1], f"{number}", 0))
        other.call("say", Say(f"r{number}", NAMES[0], f"{number}", 0))
    await bench.settle()
    for _ in range(4):
        for who in (peer, other):
            for _ in range(4):
                who.call("earn", 0)
        await bench.let_time_pass(10)
    await finish(bench)
    for person in (0, 1):
        heard = [text for text in texts(bench, person) if text.startswith("heard")]
        assert heard == ["heard 0 0", "heard 1 0", "heard 2 0"]
