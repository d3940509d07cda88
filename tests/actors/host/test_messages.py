"""Messages between actors, timers and effects, one promise at a time (domain 12.1)."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise

import pytest
from host_bench import SECOND, START_MICROS, Bench
from town import ACTORS, NAMES, PEOPLE, coins, new_town, texts
from town_module import Give, Letter, Say

from actors.errors import ReducerError
from actors.host.mail import retry_micros
from actors.host.turns import CallFailedError
from actors.keys import ActorKey
from actors.limits import OUTBOX_ATTEMPTS_MAX, OUTBOX_RETRY_SECONDS_MAX
from actors.module.system import ActorTimer, DeadLetter, InboxCursor, OutboxMessage
from actors.module.types import product_type
from protocol.bsatn import compile_codec
from protocol.messages import ReducerErr, ReducerInternalError

LETTER = compile_codec(product_type(Letter))


@pytest.fixture(autouse=True)
def _quiet(caplog) -> None:
    """Handlers break on purpose here."""
    caplog.set_level(logging.CRITICAL, "actors.turn")
    caplog.set_level(logging.CRITICAL, "actors.host")
    caplog.set_level(logging.CRITICAL, "actors.letters")


async def two_people() -> tuple[Bench, list]:
    bench = await new_town().start()
    peers = [await bench.enter(who) for who in PEOPLE[:2]]
    for peer in peers:
        await peer.result("earn", 100)
    return bench, peers


async def test_a_message_and_its_answer_leave_no_trace_but_cursors():
    bench, (peer, _) = await two_people()
    await peer.result("give", Give("r1", NAMES[1], 5))
    await bench.settle()
    assert (coins(bench, 0), coins(bench, 1)) == (95, 105)
    assert texts(bench, 0) == ["gave 5", "thanked for 5"]
    assert texts(bench, 1) == ["got 5"]
    for person, other in ((0, 1), (1, 0)):
        assert bench.rows(ACTORS[person], OutboxMessage) == []
        (cursor,) = bench.rows(ACTORS[person], InboxCursor)
        assert (cursor.src_actor, cursor.last_seq) == (ACTORS[other], 1)


async def test_an_actor_may_write_to_itself():
    bench, (peer, _) = await two_people()
    await peer.result("give", Give("r1", NAMES[0], 5))
    await bench.settle()
    assert coins(bench, 0) == 100
    assert texts(bench, 0) == ["gave 5", "got 5", "thanked for 5"]


async def test_a_refused_transaction_sends_nothing():
    bench, (peer, _) = await two_people()
    assert isinstance(await peer.result("give", Give("r1", NAMES[1], 500)), ReducerErr)
    assert isinstance(await peer.result("fall", "down"), ReducerInternalError)
    await bench.settle()
    assert texts(bench, 0) == []
    assert coins(bench, 1) == 100


@pytest.mark.parametrize(
    "key", ["person/", "person/a b", "person/" + "x" * 161, "person", "/x", "Person/x", ""]
)
async def test_a_key_that_no_store_could_keep_is_refused(key):
    _, (peer, _) = await two_people()
    outcome = await peer.result("send_nowhere", key)
    assert isinstance(outcome, ReducerErr)
    assert outcome.error.startswith("input.invalid_id")
    assert peer.aborted == []


async def test_an_unknown_kind_is_our_defect():
    _, (peer, _) = await two_people()
    assert isinstance(await peer.result("send_nowhere", "nobody/x"), ReducerInternalError)
    assert peer.aborted == []
    assert isinstance(await peer.result("send_nowhere", "room/x"), ReducerInternalError)


async def test_a_handler_that_breaks_is_asked_again_after_longer_and_longer_pauses():
    bench, (peer, other) = await two_people()
    await other.result("set_trap", "x", True)
    peer.call("say", Say("r1", NAMES[1], "x", 0))
    await bench.settle()
    pauses = []
    while bench.rows(ACTORS[0], OutboxMessage):
        (waiting,) = bench.rows(ACTORS[0], OutboxMessage)
        assert waiting.attempts == len(pauses) + 1
        pauses.append((waiting.next_attempt_at - bench.clock()) / SECOND)
        # Shortly before its time, nothing happens.
        await bench.let_time_pass(pauses[-1] - 0.5)
        assert bench.rows(ACTORS[0], OutboxMessage) == [waiting]
        await bench.let_time_pass(0.5)
    assert [round(pause) for pause in pauses] == [2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert len(pauses) == OUTBOX_ATTEMPTS_MAX - 1
    (letter,) = bench.rows(ACTORS[1], DeadLetter)
    assert (letter.src_actor, letter.dst_actor) == (ACTORS[0], ACTORS[1])
    assert letter.kind == "person.word"
    assert letter.error == "RuntimeError: trapped"
    assert texts(bench, 1) == []


async def test_a_dead_letter_is_applied_once_when_its_cause_is_mended():
    bench, (peer, other) = await two_people()
    await other.result("set_trap", "x", True)
    peer.call("say", Say("r1", NAMES[1], "x", 0))
    await bench.settle()
    for _ in range(OUTBOX_ATTEMPTS_MAX):
        await bench.let_time_pass(OUTBOX_RETRY_SECONDS_MAX + 1)
    (letter,) = bench.rows(ACTORS[1], DeadLetter)
    assert letter.on_behalf_of == PEOPLE[0].identity
    with pytest.raises(CallFailedError):
        await bench.host.replay_dead_letter(ACTORS[1], letter.message_key)
    assert bench.rows(ACTORS[1], DeadLetter) == [letter]
    await other.result("set_trap", "x", False)
    await bench.host.replay_dead_letter(ACTORS[1], letter.message_key)
    assert bench.rows(ACTORS[1], DeadLetter) == []
    assert texts(bench, 1) == ["heard x 0"]
    with pytest.raises(ReducerError, match="dead letter"):
        await bench.host.replay_dead_letter(ACTORS[1], letter.message_key)
    assert texts(bench, 1) == ["heard x 0"]


async def test_a_timer_that_was_parked_rings_when_it_is_asked_to():
    bench, (peer, _) = await two_people()
    await peer.result("set_trap", "a", True)
    await peer.result("remind", "a", START_MICROS + SECOND)
    await bench.let_time_pass(2)
    (letter,) = bench.rows(ACTORS[0], DeadLetter)
    await peer.result("set_trap", "a", False)
    await bench.host.replay_dead_letter(ACTORS[0], letter.message_key)
    assert texts(bench, 0) == ["rang a"]
    assert bench.rows(ACTORS[0], DeadLetter) == []


async def test_what_waits_behind_a_broken_message_follows_when_it_is_mended_or_parked():
    bench, (peer, other) = await two_people()
    await other.result("set_trap", "x", True)
    for number, word in enumerate("xyz"):
        peer.call("say", Say(f"r{number}", NAMES[1], word, 0))
    await bench.settle()
    assert texts(bench, 1) == []
    await other.result("set_trap", "x", False)
    await bench.let_time_pass(2)
    assert texts(bench, 1) == ["heard x 0", "heard y 0", "heard z 0"]
    await other.result("set_trap", "y", True)
    for number, word in enumerate("yz"):
        peer.call("say", Say(f"s{number}", NAMES[1], word, 0))
    await bench.settle()
    for _ in range(OUTBOX_ATTEMPTS_MAX):
        await bench.let_time_pass(OUTBOX_RETRY_SECONDS_MAX + 1)
    assert texts(bench, 1)[3:] == ["heard z 0"]
    assert len(bench.rows(ACTORS[1], DeadLetter)) == 1
    assert bench.rows(ACTORS[0], OutboxMessage) == []


async def test_a_message_that_cannot_arrive_is_sent_less_and_less_often():
    bench, (peer, _) = await two_people()
    await bench.settle()
    bench.host._cells[ACTORS[1]].hold()  # it takes no turns, as if it were stuck
    await peer.result("note", "before")
    call = peer.call("say", Say("r1", NAMES[1], "x", 0))
    await bench.turns()
    assert call in peer.answered()
    sent_at = []
    for second in range(1, 300):
        posted = bench.host._cells[ACTORS[1]].waiting
        bench.clock.advance(1)
        await bench.host._wakes.look()
        await bench.turns(6)
        if bench.host._cells[ACTORS[1]].waiting > posted:
            sent_at.append(second)
    gaps = [later - earlier for earlier, later in pairwise([0, *sent_at])]
    # The clock is looked at each second, so every pause may seem a second longer.
    assert gaps[:6] == [2, 3, 6, 12, 24, 48]
    assert set(gaps[6:]) <= {60, 61}
    bench.host._cells[ACTORS[1]].release()
    await bench.settle()
    assert texts(bench, 1) == ["heard x 0"]


@pytest.mark.parametrize("attempts", range(12))
def test_pauses_double_up_to_a_minute(attempts):
    assert retry_micros(attempts) == min(60, 2**attempts) * SECOND


async def test_a_timer_replaces_one_of_its_name_and_may_be_taken_back():
    bench, (peer, _) = await two_people()
    await peer.result("remind", "a", START_MICROS + 5 * SECOND)
    await peer.result("remind", "a", START_MICROS + 9 * SECOND)
    await peer.result("remind", "b", START_MICROS + 5 * SECOND)
    await peer.result("forget", "b")
    assert isinstance(await peer.result("forget", "b"), ReducerErr)
    await bench.let_time_pass(6)
    assert texts(bench, 0) == []
    await bench.let_time_pass(3)
    assert texts(bench, 0) == ["rang a"]
    await bench.let_time_pass(100)
    assert texts(bench, 0) == ["rang a"]


async def test_a_past_time_rings_at_once():
    bench, (peer, _) = await two_people()
    await peer.result("remind", "a", START_MICROS - 5 * SECOND)
    await peer.result("remind", "b", -7)
    await bench.let_time_pass(0)
    assert sorted(texts(bench, 0)) == ["rang a", "rang b"]


async def test_timers_ring_in_the_order_of_their_times():
    bench, (peer, _) = await two_people()
    for word, seconds in (("c", 3), ("a", 1), ("b", 2)):
        await peer.result("remind", word, START_MICROS + seconds * SECOND)
    await bench.let_time_pass(10)
    assert texts(bench, 0) == ["rang a", "rang b", "rang c"]


async def test_a_timer_that_breaks_is_parked_and_the_others_ring():
    bench, (peer, _) = await two_people()
    await peer.result("set_trap", "a", True)
    for word in "ab":
        await peer.result("remind", word, START_MICROS + SECOND)
    await bench.let_time_pass(2)
    assert texts(bench, 0) == ["rang b"]
    (letter,) = bench.rows(ACTORS[0], DeadLetter)
    assert letter.kind == "person.ring"
    assert bench.rows(ACTORS[0], ActorTimer) == []


class Postman:
    """A worker that delivers a letter when it is told to."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.doors: dict[str, asyncio.Event] = {}
        self.broken = 0

    async def __call__(self, source: ActorKey, message: OutboxMessage) -> None:
        text = LETTER.decode_all(message.payload).text
        self.seen.append(text)
        assert source == ACTORS[0]
        if text in self.doors:
            await self.doors[text].wait()
        if self.broken:
            self.broken -= 1
            raise OSError("no stamps")


async def test_an_effect_is_requested_when_its_request_is_durable():
    bench, (peer, _) = await two_people()
    postman = Postman()
    bench.host.effects.register("mail", postman)
    bench.store.hold()
    peer.call("write_letter", "dear")
    await bench.turns()
    assert postman.seen == []
    bench.store.release()
    await bench.settle()
    assert postman.seen == ["dear"]
    assert bench.rows(ACTORS[0], OutboxMessage) == []


async def test_an_effect_that_is_slow_is_not_requested_twice():
    bench, (peer, _) = await two_people()
    postman = Postman()
    postman.doors["slow"] = asyncio.Event()
    bench.host.effects.register("mail", postman)
    await peer.result("write_letter", "slow")
    for _ in range(5):
        await bench.let_time_pass(70)
    assert postman.seen == ["slow"]
    postman.doors["slow"].set()
    await bench.settle()
    assert bench.rows(ACTORS[0], OutboxMessage) == []


async def test_an_effect_that_is_done_does_not_end_those_before_it():
    bench, (peer, _) = await two_people()
    postman = Postman()
    postman.doors["slow"] = asyncio.Event()
    bench.host.effects.register("mail", postman)
    await peer.result("write_letter", "slow")
    await peer.result("write_letter", "fast")
    await bench.settle()
    waiting = [LETTER.decode_all(m.payload).text for m in bench.rows(ACTORS[0], OutboxMessage)]
    assert waiting == ["slow"]
    await bench.crash()
    await bench.start()
    again = Postman()
    bench.host.effects.register("mail", again)
    await bench.host.activate(ACTORS[:1])
    await bench.settle()
    assert again.seen == ["slow"]


async def test_an_effect_that_fails_is_requested_again():
    bench, (peer, _) = await two_people()
    postman = Postman()
    postman.broken = 2
    bench.host.effects.register("mail", postman)
    await peer.result("write_letter", "x")
    await bench.settle()
    assert postman.seen == ["x"]
    await bench.let_time_pass(3)
    await bench.let_time_pass(5)
    assert postman.seen == ["x", "x", "x"]
    assert bench.rows(ACTORS[0], OutboxMessage) == []


async def test_a_request_waits_for_a_worker_of_its_kind():
    bench, (peer, _) = await two_people()
    await peer.result("write_letter", "x")
    await bench.let_time_pass(100)
    assert len(bench.rows(ACTORS[0], OutboxMessage)) == 1
    postman = Postman()
    bench.host.effects.register("mail", postman)
    await bench.let_time_pass(OUTBOX_RETRY_SECONDS_MAX + 1)
    assert postman.seen == ["x"]
    assert bench.rows(ACTORS[0], OutboxMessage) == []
