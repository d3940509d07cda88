"""Rows of scheduled tables fire when they are due: each slot once, whatever happens (spec 11)."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from itertools import pairwise

import chime_module
from chime_module import Bell, Chime, Rung, Tolled
from host_bench import SECOND, START_MICROS, Bench, Clock, claims
from hypothesis import given, settings
from hypothesis import strategies as st
from interludes import INTERLUDES, interlude

from actors.host import Budget, Host
from actors.host.caller import service_caller
from actors.host.turns import ReducerCall
from actors.keys import ActorKey, user_id_of
from actors.limits import FIRINGS_PER_TURN, PINNED_SECONDS, QUARANTINE_FAILURES
from actors.module.module import Module
from actors.module.system import ScheduledRow
from actors.module.types import Identity, ScheduleInterval, ScheduleTime
from persistence.memory import MemoryDisk, MemoryStore
from protocol.messages import ReducerErr, ReducerInternalError, ReducerOk

MODULE = Module("chimes", [chime_module])
ANN = claims(1)
ANNS = ActorKey(f"person/{user_id_of(ANN.identity)}")
TOWER = ActorKey("database/0")


async def new_bench(**options) -> Bench:
    return await Bench(MODULE, **options).start()


def rung(bench: Bench) -> list[tuple[str, int]]:
    """What rang, and the second of the slot that it rang for."""
    return [(row.text, (row.due - START_MICROS) // SECOND) for row in bench.rows(ANNS, Rung)]


def tolled(bench: Bench) -> list[int]:
    return [(row.due - START_MICROS) // SECOND for row in bench.rows(TOWER, Tolled)]


async def hang_bell(bench: Bench, micros: int) -> int:
    """Hang a bell; answers when, which no slot is counted from but this one's."""
    peer = await bench.enter(ANN)
    assert isinstance(await peer.result("hang", 1, micros), ReducerOk)
    (due,) = bench.rows(TOWER, ScheduledRow)
    return due.due_at - abs(micros)


async def test_a_row_with_a_time_calls_once_and_goes_with_the_call():
    bench = await new_bench()
    peer = await bench.enter(ANN)
    peer.subscribe(1, "SELECT * FROM chime", "SELECT * FROM rung")
    await peer.result("set_chime", START_MICROS + 10 * SECOND, "x")
    await bench.let_time_pass(9.999)
    assert rung(bench) == []
    peer.forget()
    await bench.let_time_pass(0.002)
    (row,) = bench.rows(ANNS, Rung)
    assert row.due == START_MICROS + 10 * SECOND
    assert row.at >= row.due
    assert row.sender == service_caller("database").identity
    assert row.connection == 0
    assert not row.is_trusted
    assert bench.rows(ANNS, Chime) == bench.rows(ANNS, ScheduledRow) == []
    (update,) = peer.updates()
    assert {table.table for table in update.query_sets[0].tables} == {"chime", "rung"}
    await bench.let_time_pass(60)
    assert len(rung(bench)) == 1


async def test_the_caller_is_the_database_that_the_host_was_given():
    store = MemoryStore(MemoryDisk())
    await store.open()
    clock = Clock()
    own = Identity(77)
    host = Host(MODULE, store, secret=bytes(32), clock=clock, identity=own)
    await host.start()
    call = ("hang", (1, SECOND))
    reply = host.future_reply()
    args = host.encode_arguments(*call)
    caller = service_caller("test")
    host.tell(TOWER, ReducerCall(host.reducers["hang"], call[1], args, caller, reply))
    await reply
    clock.advance(1.5)
    await host._wakes.look()
    while not host.core(TOWER).database.rows(Tolled):
        await host.durable()
    (last,) = await host.inspection.journal(TOWER, count=1)
    assert (last.call, last.caller) == ("toll", str(own))
    assert last.arguments["bell"]["id"] == 1
    await host.stop()


async def test_a_time_that_has_passed_calls_at_once():
    bench = await new_bench()
    peer = await bench.enter(ANN)
    await peer.result("set_chime", START_MICROS - 10 * SECOND, "x")
    await bench.let_time_pass(0.001)
    assert rung(bench) == [("x", -10)]


async def test_an_interval_calls_again_and_again_and_lateness_does_not_add_up():
    bench = await new_bench()
    hung = await hang_bell(bench, 10 * SECOND)
    for late in (0.3, 0.7, 0.1, 0.9):
        await bench.let_time_pass(10 + late - bench_lag(bench, hung))
    dues = [row.due - hung for row in bench.rows(TOWER, Tolled)]
    assert dues == [10 * SECOND, 20 * SECOND, 30 * SECOND, 40 * SECOND]


def bench_lag(bench: Bench, hung: int) -> float:
    """How far the clock is behind the last slot."""
    return (bench.clock() - hung) % (10 * SECOND) / SECOND


async def test_a_negative_interval_counts_by_its_magnitude():
    bench = await new_bench()
    hung = await hang_bell(bench, -10 * SECOND)
    await bench.let_time_pass(10.5)
    assert [row.due - hung for row in bench.rows(TOWER, Tolled)] == [10 * SECOND]


async def test_an_interval_that_is_too_short_or_too_long_is_refused():
    bench = await new_bench()
    peer = await bench.enter(ANN)
    for micros in (0, 999, -999, 2**62 + 1, -(2**63)):
        outcome = await peer.result("set_interval", micros, "x")
        assert isinstance(outcome, ReducerErr)
        assert outcome.error.startswith("chime.invalid_schedule")
    assert isinstance(await peer.result("set_interval", 1_000, "x"), ReducerOk)


async def test_missed_slots_are_skipped_and_the_latest_one_calls_late():
    bench = await new_bench()
    peer = await bench.enter(ANN)
    await peer.result("set_interval", 10 * SECOND, "x")
    await bench.crash()
    bench.clock.advance(57)
    await bench.start()
    await bench.let_time_pass(0)
    assert rung(bench) == [("x", 50)]
    tally = bench.host.catalogue.schedules["chime"].tally
    assert (tally.fired, tally.skipped, tally.failed) == (1, 4, 0)
    assert 6.9 < tally.late_seconds.total < 7.1
    await bench.let_time_pass(4)
    assert rung(bench) == [("x", 50), ("x", 60)]


async def test_missed_slots_are_caught_up_as_far_as_the_table_says():
    bench = await new_bench()
    hung = await hang_bell(bench, 10 * SECOND)
    await bench.crash()
    bench.clock.advance(57)
    await bench.start()
    await bench.settle()
    dues = [row.due - hung for row in bench.rows(TOWER, Tolled)]
    assert dues == [30 * SECOND, 40 * SECOND, 50 * SECOND]
    assert bench.rows(TOWER, Bell)[0].times == 3
    assert bench.host.catalogue.schedules["bell"].tally.skipped == 2


async def test_all_missed_slots_call_when_they_are_few():
    bench = await new_bench()
    await hang_bell(bench, 10 * SECOND)
    await bench.crash()
    bench.clock.advance(20.5)
    await bench.start()
    await bench.settle()
    assert len(tolled(bench)) == 2


async def test_an_actor_that_sleeps_is_woken_for_its_rows():
    bench = await new_bench(budget=Budget(memory_bytes=0))
    peer = await bench.enter(ANN)
    await peer.result("set_interval", 60 * SECOND, "x")
    await peer.session.disconnect()
    await bench.settle()
    bench.idle(PINNED_SECONDS + 2)
    assert not bench.host.is_active(ANNS)
    await bench.let_time_pass(61)
    assert rung(bench) == [("x", 60)]


async def test_a_row_that_is_due_soon_keeps_its_actor_awake():
    bench = await new_bench(budget=Budget(memory_bytes=0))
    peer = await bench.enter(ANN)
    await peer.result("set_interval", 2 * SECOND, "x")
    await peer.session.disconnect()
    await bench.settle()
    bench.idle(PINNED_SECONDS + 2)
    assert bench.host.is_active(ANNS)


async def test_what_a_failing_reducer_wrote_is_gone_and_its_slot_too(caplog):
    caplog.set_level(logging.CRITICAL, "actors.turn")
    bench = await new_bench()
    peer = await bench.enter(ANN)
    for text in ("refuses", "breaks"):
        await peer.result("set_chime", START_MICROS + SECOND, text)
        await peer.result("set_interval", 10 * SECOND, text)
    await bench.let_time_pass(10.5)
    assert rung(bench) == []
    assert [type(row.scheduled_at) for row in bench.rows(ANNS, Chime)] == [ScheduleInterval] * 2
    assert {row.due_at > bench.clock() for row in bench.rows(ANNS, ScheduledRow)} == {True}
    tally = bench.host.catalogue.schedules["chime"].tally
    assert (tally.fired, tally.failed) == (0, 4)
    await peer.result("set_chime", START_MICROS + 12 * SECOND, "well")
    await bench.let_time_pass(2)
    assert rung(bench) == [("well", 12)]


async def test_rows_call_in_quarantine_too_and_its_reason_stays():
    bench = await new_bench()
    peer = await bench.enter(ANN)
    await peer.result("set_chime", START_MICROS + SECOND, "refuses")
    await peer.result("set_chime", START_MICROS + 2 * SECOND, "well")
    await bench.host.orders.quarantine(ANNS, "a test")
    await bench.let_time_pass(3)
    assert rung(bench) == [("well", 2)]
    assert [failure.error for failure in bench.host.core(ANNS).evidence] == ["a test"]


async def test_a_row_that_breaks_again_and_again_quarantines_nobody(caplog):
    caplog.set_level(logging.CRITICAL, "actors.turn")
    bench = await new_bench()
    peer = await bench.enter(ANN)
    for number in range(2 * QUARANTINE_FAILURES):
        await peer.result("set_chime", START_MICROS + number, "breaks")
    await bench.let_time_pass(1)
    assert bench.host.catalogue.schedules["chime"].tally.failed == 2 * QUARANTINE_FAILURES
    assert isinstance(await peer.result("drop", "x"), ReducerOk)


async def test_a_reducer_may_schedule_its_row_anew_or_delete_it():
    bench = await new_bench()
    peer = await bench.enter(ANN)
    await peer.result("set_chime", START_MICROS + SECOND, "once more")
    await peer.result("set_interval", 2 * SECOND, "only once")
    await bench.let_time_pass(5)
    assert rung(bench) == [("once more", 1), ("only once", 4)]
    (chime,) = bench.rows(ANNS, Chime)
    assert isinstance(chime.scheduled_at, ScheduleTime)
    await bench.let_time_pass(10.1)
    assert rung(bench)[2:] == [("last time", 15)]
    assert bench.rows(ANNS, Chime) == bench.rows(ANNS, ScheduledRow) == []


async def test_an_update_keeps_the_slots_unless_it_changes_the_schedule():
    bench = await new_bench()
    peer = await bench.enter(ANN)
    await peer.result("set_interval", 10 * SECOND, "a")
    await bench.let_time_pass(7)
    await peer.result("rename", "a", "b")
    await bench.let_time_pass(4)
    assert rung(bench) == [("b", 10)]
    await peer.result("move", "b", START_MICROS + 13 * SECOND)
    await bench.let_time_pass(30)
    assert rung(bench) == [("b", 10), ("b", 13)]


async def test_a_row_that_is_deleted_does_not_call():
    bench = await new_bench()
    peer = await bench.enter(ANN)
    await peer.result("set_chime", START_MICROS + 10 * SECOND, "a")
    await peer.result("drop", "a")
    assert bench.rows(ANNS, ScheduledRow) == []
    await bench.let_time_pass(60)
    assert rung(bench) == []


async def test_very_many_rows_that_are_due_at_once_all_call():
    bench = await new_bench()
    peer = await bench.enter(ANN)
    count = 3 * FIRINGS_PER_TURN + 1
    for number in range(count):
        peer.call("set_chime", START_MICROS + 10 * SECOND, str(number))
    await bench.settle()
    bench.clock.advance(11)
    await bench.host._wakes.look()
    await bench.turns(2)
    await bench.settle()
    while any(row.due_at <= bench.clock() for row in bench.rows(ANNS, ScheduledRow)):
        await bench.turns()
    assert Counter(text for text, _ in rung(bench)) == Counter(map(str, range(count)))


async def test_nobody_but_the_schedule_can_call_the_reducer():
    bench = await new_bench()
    peer = await bench.enter(claims(1, "service"))
    request_id = peer.send_call("ring", b"")
    await bench.settle()
    outcome = peer.outcome(request_id)
    assert outcome == ReducerInternalError("no such reducer")
    private = {one.name for one in MODULE.schema.reducers if one.is_private}
    assert private == {"ring", "toll"}
    schedules = {table.name: table.schedule for table in MODULE.schema.tables}
    assert schedules["chime"] == ("ring", "scheduled_at")
    assert schedules["rung"] is None


# The law: whatever crashes, each slot calls at most once, and the latest one does.

STEPS = st.one_of(
    st.tuples(st.just("time"), st.integers(-2, 20)),
    st.tuples(st.just("interval"), st.integers(1, 7)),
    st.tuples(st.just("drop"), st.integers(0, 5)),
    INTERLUDES,
)


class Grid:
    """The slots that rows have: a row's text says how it was scheduled."""

    def __init__(self) -> None:
        self.count = 0
        self.texts: list[str] = []
        self.sure: set[tuple[str, int]] = set()

    def name(self, what: str, number: int) -> str:
        self.count += 1
        self.texts.append(f"{what} {number} {self.count}")
        return self.texts[-1]

    def check(self, bench: Bench) -> None:
        """Each slot was of its row's grid, and called once; what was durable once stays."""
        rows = bench.rows(ANNS, Rung)
        slots = [(row.text, row.due) for row in rows]
        assert max(Counter(slots).values(), default=0) <= 1, "a slot called twice"
        assert self.sure <= set(slots), "a call that was durable is gone"
        self.sure = set(slots)
        by_text: dict[str, list[int]] = {}
        for row in rows:
            by_text.setdefault(row.text, []).append(row.due)
            assert row.at >= row.due, "nothing calls before its time"
        for text, dues in by_text.items():
            what, number, _ = text.split()
            if what == "time":
                assert dues == [START_MICROS + int(number) * SECOND]
            else:
                steps = {
                    (later - before) % (int(number) * SECOND) for before, later in pairwise(dues)
                }
                assert steps <= {0}, "slots are off their grid"
                assert dues == sorted(dues)


async def play(bench: Bench, grid: Grid, steps: list[tuple]) -> None:
    peer = await bench.enter(ANN)
    bench.store.hold()
    for kind, *rest in steps:
        if kind == "time":
            at = START_MICROS + rest[0] * SECOND
            peer.call("set_chime", at, grid.name("time", rest[0]))
        elif kind == "interval":
            peer.call("set_interval", rest[0] * SECOND, grid.name("every", rest[0]))
        elif kind == "drop":
            if grid.texts:
                peer.call("drop", grid.texts[rest[0] % len(grid.texts)])
        else:
            await interlude(bench, kind, *rest)


@settings(max_examples=80, deadline=None, print_blob=True)
@given(st.lists(st.lists(STEPS, max_size=12), min_size=1, max_size=4))
def test_each_slot_calls_once_whatever_crashes(lives):
    async def scenario() -> None:
        bench = await Bench(MODULE, budget=Budget(memory_bytes=0)).start()
        grid = Grid()
        for steps in lives:
            await play(bench, grid, steps)
            await bench.crash()
            oracle = await bench.long_ago([ANNS])
            grid.check(oracle)
            await oracle.crash()
            await bench.start()
        await bench.let_time_pass(30)
        await bench.host.activate([ANNS])
        await bench.settle()
        grid.check(bench)
        # Nothing is due any more: times have called, and of each interval the latest slot has.
        for row in bench.rows(ANNS, Chime):
            assert isinstance(row.scheduled_at, ScheduleInterval)
        dues = bench.rows(ANNS, ScheduledRow)
        assert {row.key for row in dues} == {row.id for row in bench.rows(ANNS, Chime)}
        assert all(row.due_at > bench.clock() for row in dues)
        await bench.stop()

    asyncio.run(scenario())
