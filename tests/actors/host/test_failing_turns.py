"""Turns that go wrong: they roll back whole, answer, and take nobody with them."""

from __future__ import annotations

import logging

import pytest
from host_bench import claims
from town import ACTORS, NAMES, PEOPLE, coins, new_town, texts
from town_module import Give

from actors.errors import ReducerError
from actors.host.core import ActorCore
from actors.limits import QUARANTINE_FAILURES
from protocol.messages import (
    OneOffQueryResult,
    ReducerErr,
    ReducerInternalError,
    ReducerOk,
    SubscribeApplied,
)

FATAL = "The instance encountered a fatal error."


@pytest.fixture(autouse=True)
def _quiet(caplog) -> None:
    for name in ("actors.turn", "actors.cell", "actors.loader"):
        caplog.set_level(logging.CRITICAL, name)


async def test_a_refusal_is_told_to_the_caller_alone():
    bench = await new_town().start()
    peer, twin = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[0])
    for who in (peer, twin):
        who.subscribe(1, "SELECT * FROM entry")
    assert await peer.result("refuse", "no") == ReducerErr("town.refused: no")
    assert texts(bench, 0) == []
    assert twin.updates() == []
    assert peer.values("entry") == []


async def test_a_defect_is_told_without_details():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    assert await peer.result("fall", "secret") == ReducerInternalError(FATAL)
    assert await peer.result("write_nonsense") == ReducerInternalError(FATAL)
    assert texts(bench, 0) == []
    assert isinstance(await peer.result("earn", 1), ReducerOk)


async def test_an_actor_that_fails_again_and_again_is_quarantined_alone():
    bench = await new_town().start()
    peer, other = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    await other.result("earn", 10)
    for _ in range(QUARANTINE_FAILURES - 1):
        await peer.result("fall", "x")
    assert isinstance(await peer.result("earn", 1), ReducerOk)
    for _ in range(QUARANTINE_FAILURES):
        await peer.result("fall", "x")
    outcome = await peer.result("earn", 1)
    assert isinstance(outcome, ReducerErr)
    assert outcome.error.startswith("state.actor_unavailable")
    # Its rows are read, messages arrive, others work; none of that lets calls in again.
    peer.subscribe(1, "SELECT * FROM purse")
    assert isinstance(await other.result("give", Give("r1", NAMES[0], 4)), ReducerOk)
    assert peer.values("purse") == [(NAMES[0], 5)]
    assert isinstance(await peer.result("earn", 1), ReducerErr)
    evidence = bench.host.orders.quarantined
    assert evidence.keys() == {ACTORS[0]}
    assert len(evidence[ACTORS[0]]) == QUARANTINE_FAILURES
    assert {(each.call, each.error) for each in evidence[ACTORS[0]]} == {
        ("fall", "RuntimeError: x")
    }
    bench.host.orders.release(ACTORS[0])
    assert bench.host.orders.quarantined == {}
    assert isinstance(await peer.result("earn", 1), ReducerOk)
    assert coins(bench, 0) == 6


async def test_a_refusal_is_no_failure():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    for _ in range(QUARANTINE_FAILURES):
        await peer.result("fall", "x")
        await peer.result("refuse", "x")
    assert isinstance(await peer.result("earn", 1), ReducerOk)


async def test_a_full_mailbox_refuses_and_answers_in_order(monkeypatch):
    monkeypatch.setattr("actors.host.loop_actor.MAILBOX_MESSAGES_MAX", 8)
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    for _ in range(2_000):
        peer.call("earn", 1)
    await bench.settle()
    assert peer.answered() == list(range(1, 2_001))
    outcomes = [type(peer.outcome(number)) for number in range(1, 2_001)]
    assert outcomes[:10] == [*[ReducerOk] * 8, ReducerErr, ReducerOk]
    assert set(outcomes) == {ReducerOk, ReducerErr}
    assert coins(bench, 0) == outcomes.count(ReducerOk)
    refused = peer.outcome(9)
    assert refused.error.startswith("state.actor_unavailable")


async def test_many_refused_calls_behind_another_actor_do_not_pile_up(monkeypatch):
    monkeypatch.setattr("actors.host.loop_actor.MAILBOX_MESSAGES_MAX", 8)
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    peer.subscribe(1, "SELECT * FROM purse")
    for _ in range(3_000):
        peer.call("earn", 1)
    peer.query("SELECT * FROM purse")
    await bench.settle()
    assert peer.answered() == list(range(1, 3_003))
    assert peer.session.pending == 0
    earned = [isinstance(peer.outcome(number), ReducerOk) for number in range(2, 3_002)]
    assert 8 <= coins(bench, 0) == sum(earned) < 3_000


async def test_what_escapes_from_a_turn_takes_nobody_with_it():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    await peer.result("earn", 1)

    class Bomb:
        def turn(self, core: ActorCore, now: int) -> None:
            from town_module import Entry

            core.database[Entry].insert(Entry(0, "half done"))
            raise ZeroDivisionError

        def refuse(self, error: ReducerError) -> None:
            raise AssertionError

    bench.host.tell(ACTORS[0], Bomb())
    outcome = await peer.result("earn", 1)
    assert isinstance(outcome, ReducerOk)
    assert coins(bench, 0) == 2
    assert texts(bench, 0) == []


async def test_a_damaged_actor_stays_away_and_the_others_come():
    bench = await new_town().start()
    for who in PEOPLE[:2]:
        peer = await bench.enter(who)
        await peer.result("earn", 3)
    await bench.crash()
    stored = bench.disk.actors[ACTORS[0]]
    last = stored.journal[stored.last_seq]
    stored.journal[stored.last_seq] = last[:-1] + bytes([last[-1] ^ 1])
    await bench.start()
    peer, other = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    outcome = await peer.result("earn", 1)
    assert isinstance(outcome, ReducerErr)
    assert outcome.error.startswith("state.actor_unavailable")
    peer.subscribe(1, "SELECT * FROM purse")
    peer.query("SELECT * FROM purse")
    peer.query("SELECT * FROM notice")
    assert isinstance(await other.result("earn", 1), ReducerOk)
    assert peer.session.pending == 0
    answers = [m for m in peer.messages if isinstance(m, OneOffQueryResult)]
    assert answers[0].error.startswith("state.actor_unavailable")
    assert answers[1].error is None
    assert not any(isinstance(m, SubscribeApplied) for m in peer.messages)
    stored.journal[stored.last_seq] = last
    assert isinstance(await peer.result("earn", 1), ReducerOk)
    assert coins(bench, 0) == 4


async def test_a_role_is_needed_where_one_is_asked_for():
    bench = await new_town().start()
    player, service = await bench.enter(PEOPLE[0]), await bench.enter(claims(8, "service"))
    outcome = await player.result("sweep")
    assert outcome == ReducerErr("auth.forbidden: sweep needs another role")
    assert isinstance(await service.result("sweep"), ReducerOk)
