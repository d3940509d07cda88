"""What operators see of actors: all of it true, of one moment, and without waking anybody."""

from __future__ import annotations

import logging
from collections import Counter

import pytest
from host_bench import SECOND, START_MICROS, Bench
from hypothesis import given, settings
from hypothesis import strategies as st
from town import ACTORS, MODULE, NAMES, PEOPLE, new_town, run
from town_module import Entry, Give, Purse, Say, Trap

from actors.errors import ReducerError
from actors.host.inspected import ActorOrder, ActorState, PlanOrder, Standing
from actors.host.journal import RowDiff
from actors.host.plain_json import moment_text
from actors.keys import ActorKey
from actors.limits import INSPECTED_CHARS_MAX, INSPECTION_SLICE, OUTBOX_ATTEMPTS_MAX
from actors.module.module import Module
from persistence.errors import StoreReadError


@pytest.fixture(autouse=True)
def _quiet(caplog) -> None:
    for name in ("actors.turn", "actors.letters", "actors.loader"):
        caplog.set_level(logging.CRITICAL, name)


async def three_people() -> tuple[Bench, list]:
    bench = await new_town().start()
    peers = [await bench.enter(who) for who in PEOPLE]
    for number, peer in enumerate(peers):
        for _ in range(number + 1):
            await peer.result("earn", 10)
    return bench, peers


def table(state: ActorState, name: str) -> list:
    """The rows that are shown of a module's table."""
    return [row for entry in state.tables if entry.name == name for row in entry.rows]


async def asleep(bench: Bench, key: ActorKey) -> None:
    """Let an actor whose user has gone leave memory."""
    await bench.settle()
    await bench.host.orders.passivate(key)
    await bench.settle()
    assert not bench.host.is_active(key)


# Lists


async def test_actors_are_listed_by_what_is_asked_for():
    bench, _ = await three_people()
    page = await bench.host.inspection.actors(kind="person", limit=10)
    assert [line.key for line in page.actors] == sorted(ACTORS)
    assert (page.total, page.after) == (3, None)
    page = await bench.host.inspection.actors(kind="person", order=ActorOrder.TURNS, limit=10)
    assert [line.key for line in page.actors] == ACTORS[::-1]
    line = page.actors[0]
    assert line.turns == 3
    assert (line.seq, line.stored_seq, line.waiting, line.plans) == (3, 0, 0, 0)
    assert line.standing is Standing.ACTIVE
    assert line.memory_bytes > 0


async def test_what_a_message_took_and_waits_for_is_listed():
    bench, (peer, other, _) = await three_people()
    began = bench.seconds

    class Slow:
        def turn(self, core: object, now: int) -> None:
            bench.seconds += 2

    bench.host.tell(ACTORS[1], Slow())
    bench.host.tell(ACTORS[1], Slow())
    page = await bench.host.inspection.actors(order=ActorOrder.MAILBOX, limit=1)
    assert (page.actors[0].key, page.actors[0].waiting) == (ACTORS[1], 2)
    await bench.settle()
    for order in (ActorOrder.BUSY, ActorOrder.SLOWEST):
        page = await bench.host.inspection.actors(order=order, limit=1)
        line = page.actors[0]
        assert line.key == ACTORS[1]
        assert (line.slow_turns, line.slowest_seconds, line.busy_seconds) == (2, 2.0, 4.0)
    bench.seconds += 7
    page = await bench.host.inspection.actors(order=ActorOrder.BUSY, limit=1)
    assert page.actors[0].idle_seconds == bench.seconds - began - 4
    del peer, other


@pytest.mark.parametrize("order", ActorOrder)
async def test_the_parts_of_a_list_are_the_whole_list(order, monkeypatch):
    monkeypatch.setattr("actors.host.inspection.INSPECTION_SLICE", 2)
    bench, _ = await three_people()
    await bench.host.activate([ActorKey(f"person/u_{number:032x}") for number in range(20)])
    found, after = [], None
    while True:
        page = await bench.host.inspection.actors(order=order, limit=4, after=after)
        found += [line.key for line in page.actors]
        after = page.after
        if after is None:
            break
    assert page.total == len(found) == bench.host.actor_count
    assert Counter(found).keys() == Counter(bench.host._cells.keys()).keys()
    whole = await bench.host.inspection.actors(order=order, limit=100)
    assert found == [line.key for line in whole.actors]


async def test_a_walk_lets_others_have_their_turn():
    bench, _ = await three_people()
    strangers = [ActorKey(f"person/u_{number:032x}") for number in range(2 * INSPECTION_SLICE)]
    await bench.host.activate(strangers)
    listing = bench.host.inspection.actors(limit=5)
    listing.send(None)  # it is on its way, and gives way in the middle
    assert bench.host.is_active(strangers[-1])
    listing.close()


async def test_quarantined_and_sleeping_and_damaged_actors_stand_so():
    bench, peers = await three_people()
    await bench.host.orders.quarantine(ACTORS[0], "to look at it")
    page = await bench.host.inspection.actors(standing=Standing.QUARANTINED, limit=10)
    assert [line.key for line in page.actors] == [ACTORS[0]]
    await peers[1].session.disconnect()
    await asleep(bench, ACTORS[1])
    page = await bench.host.inspection.stored(kind="person", limit=2)
    assert page.after is not None
    rest = await bench.host.inspection.stored(kind="person", limit=2, after=page.after[1])
    lines = {line.key: line for line in (*page.actors, *rest.actors)}
    assert rest.after is None
    assert list(lines) == sorted(ACTORS)
    assert [lines[key].standing for key in ACTORS] == [
        Standing.QUARANTINED,
        Standing.ASLEEP,
        Standing.ACTIVE,
    ]
    assert lines[ACTORS[1]].seq is None
    bench.disk.actors[ACTORS[1]].rows[next(iter(bench.disk.actors[ACTORS[1]].rows))] = b"x"
    with pytest.raises(ReducerError):
        await bench.host.activate([ACTORS[1]])
    page = await bench.host.inspection.stored(kind="person", limit=9)
    assert {line.key for line in page.actors if line.standing is Standing.DAMAGED} == {ACTORS[1]}
    with pytest.raises(ReducerError, match=r"actor\.damaged"):
        await bench.host.inspection.actor(ACTORS[1], rows=5)


# One actor


async def test_an_actor_is_shown_with_all_that_it_has():
    bench, (peer, other, _) = await three_people()
    await other.session.disconnect()
    await peer.result("note", "x" * (INSPECTED_CHARS_MAX + 1))
    await peer.result("remind", "tea", START_MICROS + 3_600 * SECOND)
    await peer.result("give", Give("r1", NAMES[1], 4))
    peer.subscribe(7, "SELECT * FROM purse", "SELECT * FROM entry WHERE number = 1")
    await bench.settle()
    state = await bench.host.inspection.actor(ACTORS[0], rows=10)
    assert table(state, "purse") == [{"user_id": NAMES[0], "coins": 6}]
    texts = [row["text"] for row in table(state, "entry")]
    assert texts[0].endswith(f"... ({INSPECTED_CHARS_MAX + 1} characters)")
    assert texts[1:] == ["gave 4", "thanked for 4"]
    (timer,) = state.system["actor_timer"].rows
    assert timer == {
        "timer_id": "ring:tea",
        "kind": "person.ring",
        "guard": 0,
        "fire_at": moment_text(START_MICROS + 3_600 * SECOND),
        "payload": {"word": "tea"},
    }
    turns = await bench.host.inspection.journal(ACTORS[0], count=20)
    (set_timer,) = [row.after for turn in turns for row in turn.rows if row.table == "actor_timer"]
    assert set_timer == timer
    (receipt,) = state.system["request_receipt"].rows
    assert receipt["function_name"] == "give"
    assert receipt["outcome"] == {"user_id": NAMES[0], "coins": 6}
    assert [row["src_actor"] for row in state.system["inbox_cursor"].rows] == [ACTORS[1]]
    assert {plan.query: plan.column for plan in state.plans} == {
        "SELECT * FROM purse": "",
        "SELECT * FROM entry WHERE number = 1": "number",
    }
    assert state.line.standing is Standing.ACTIVE
    assert state.time > START_MICROS


async def test_who_sleeps_is_shown_as_it_was_and_sleeps_on():
    bench, peers = await three_people()
    await peers[0].result("remind", "tea", START_MICROS + 3_600 * SECOND)
    await peers[0].session.disconnect()
    await bench.settle()
    awake = await bench.host.inspection.actor(ACTORS[0], rows=10)
    for _ in range(2):  # first its journal's tail is read, then its checkpoint
        await asleep(bench, ACTORS[0])
        state = await bench.host.inspection.actor(ACTORS[0], rows=10)
        assert not bench.host.is_active(ACTORS[0])
        assert state.line.standing is Standing.ASLEEP
        assert state.line.seq == awake.line.seq
        assert (state.tables, state.system) == (awake.tables, awake.system)
        assert state.time == awake.time
        await bench.host.activate([ACTORS[0]])


async def test_a_table_is_shown_as_far_as_is_asked_and_counted_whole():
    bench, (peer, *_) = await three_people()
    for number in range(7):
        await peer.result("note", str(number))
    state = await bench.host.inspection.actor(ACTORS[0], rows=3, table="entry")
    (entries,) = state.tables
    assert (entries.name, entries.is_public, entries.count) == ("entry", True, 7)
    assert [row["text"] for row in entries.rows] == ["0", "1", "2"]
    assert state.system == {}
    with pytest.raises(ReducerError, match=r"table\.not_found.*entry"):
        await bench.host.inspection.actor(ACTORS[0], rows=3, table="chair")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("nobody/x", "actor.unknown_kind"),
        ("person", "actor.unknown_kind"),
        ("person/", "actor.unknown_kind"),
        (f"person/u_{5:032x}", "actor.not_found"),
    ],
)
async def test_who_does_not_exist_is_not_made_by_looking(key, code):
    bench = await new_town().start()
    for look in (
        bench.host.inspection.actor(ActorKey(key), rows=1),
        bench.host.inspection.journal(ActorKey(key), count=1),
    ):
        with pytest.raises(ReducerError) as refused:
            await look
        assert refused.value.code == code
    assert key not in bench.host._cells


async def test_a_store_that_cannot_be_read_is_said(monkeypatch):
    bench = await new_town().start()

    async def fail(*_: object) -> None:
        raise StoreReadError("the disk is gone")

    monkeypatch.setattr(bench.store, "load", fail)
    monkeypatch.setattr(bench.store, "actors", fail)
    for look in (
        bench.host.inspection.actor(ACTORS[0], rows=1),
        bench.host.inspection.stored(limit=1),
    ):
        with pytest.raises(ReducerError, match=r"state\.actor_unavailable.*the disk is gone"):
            await look


# Journal


async def test_a_journal_says_who_did_what_and_what_it_changed():
    bench, (peer, other, _) = await three_people()
    await other.result("give", Give("r1", NAMES[0], 4))
    await peer.result("earn", 5)
    earn, _, got = await bench.host.inspection.journal(ACTORS[0], count=3)
    assert (earn.call, earn.caller, earn.source) == ("earn", str(PEOPLE[0].identity), "")
    assert earn.arguments == {"coins": 5}
    assert earn.time >= START_MICROS
    assert earn.rows == (
        RowDiff(
            "purse",
            {"user_id": NAMES[0], "coins": 14},
            {"user_id": NAMES[0], "coins": 19},
            is_before_known=True,
            columns=("coins",),
        ),
    )
    assert (got.call, got.caller, got.source) == ("person.coins", "", ACTORS[1])
    assert got.arguments == {"coins": 4, "origin": NAMES[1]}
    diffs = {diff.table: diff for diff in got.rows}
    assert diffs["purse"].before == {"user_id": NAMES[0], "coins": 10}
    assert diffs["entry"].before is None
    assert diffs["entry"].is_before_known
    (gave,) = await bench.host.inspection.journal(ACTORS[1], count=1, before=4)
    assert (gave.call, gave.seq) == ("give", 3)
    assert gave.arguments == {"request_id": "r1", "to": NAMES[0], "coins": 4}


async def test_what_no_call_did_has_no_arguments():
    bench, (peer, other, _) = await three_people()
    await peer.result("give", Give("r1", NAMES[1], 4))
    entries = await bench.host.inspection.journal(ACTORS[0], count=10)
    named = {entry.call: entry.arguments for entry in entries}
    assert named["outbox.acknowledge"] is None
    assert named["person.thanks"] == {"coins": 4}
    del other


async def test_what_was_before_is_unknown_when_nobody_keeps_it(monkeypatch):
    monkeypatch.setattr("actors.host.journal.JOURNAL_LOOK_BACK_RECORDS", 2)
    bench, (peer, *_) = await three_people()
    for number in range(4):
        await peer.result("note", str(number))
    await peer.result("earn", 1)
    await bench.host.orders.checkpoint(ACTORS[0])
    (earn,) = await bench.host.inspection.journal(ACTORS[0], count=1)
    (diff,) = earn.rows
    assert (diff.before, diff.is_before_known, diff.columns) == (None, False, ())
    assert diff.after == {"user_id": NAMES[0], "coins": 11}


async def test_what_was_before_is_found_in_the_checkpoint_below():
    bench, (peer, *_) = await three_people()
    await peer.result("note", "x")
    await bench.host.orders.checkpoint(ACTORS[0])
    bench.disk.actors[ACTORS[0]].journal.clear()
    for _ in range(2):
        await peer.result("earn", 1)
    for count in (1, 2):
        entries = await bench.host.inspection.journal(ACTORS[0], count=count)
        (diff,) = entries[-1].rows
        assert diff.before == {"user_id": NAMES[0], "coins": 12 - count}
        assert diff.is_before_known


steps = st.lists(
    st.sampled_from(["earn", "note", "trap", "untrap", "checkpoint", "sleep"]), max_size=25
)


@settings(max_examples=40, deadline=None)
@given(steps, st.integers(1, 30))
def test_each_change_begins_where_the_one_before_ended(done, count):
    async def scenario() -> None:
        bench = await new_town().start()
        key = ACTORS[0]
        seq = 0
        for step in done:
            peer = await bench.enter(PEOPLE[0])
            if step == "earn":
                await peer.result("earn", 1)
            elif step == "note":
                await peer.result("note", "x")
            elif step in {"trap", "untrap"}:
                await peer.result("set_trap", "x", step == "trap")
            elif step == "checkpoint":
                await bench.host.activate([key])
                await bench.host.orders.checkpoint(key)
            await peer.session.disconnect()
            await bench.settle()
            if step == "sleep" and bench.host.is_active(key):
                await asleep(bench, key)
        await bench.host.activate([key])
        seq = bench.host.core(key).seq
        if not seq:
            return
        entries = await bench.host.inspection.journal(key, count=count)
        assert [entry.seq for entry in entries] == list(range(seq, max(0, seq - count), -1))
        known: dict[tuple[str, object], object] = {}
        for entry in entries[::-1]:
            for diff in entry.rows:
                assert diff.is_before_known
                row = diff.after if isinstance(diff.after, dict) else diff.before
                assert isinstance(row, dict)
                place = (diff.table, next(iter(row.values())))
                assert diff.before == known.get(place, diff.before)
                assert diff.before != diff.after
                known[place] = diff.after
        shown = await bench.host.inspection.actor(key, rows=100)
        rows = {
            (entry.name, next(iter(row.values()))): row
            for entry in (*shown.tables, *shown.system.values())
            for row in entry.rows
        }
        for place, after in known.items():
            assert rows.get(place) == after
        assert len(bench.rows(key, Trap)) + len(bench.rows(key, Entry)) + len(
            bench.rows(key, Purse)
        ) == sum(entry.count for entry in shown.tables)

    run(scenario)


# Subscriptions


async def test_plans_are_listed_with_what_they_cost():
    bench, (peer, other, third) = await three_people()
    twin = await bench.enter(PEOPLE[0])
    for one in (peer, twin, other):
        one.subscribe(1, "SELECT * FROM purse", "SELECT * FROM my_wealth")
    third.subscribe(1, "SELECT * FROM notice WHERE topic = 'a'")
    await bench.settle()
    await peer.result("earn", 1)
    await peer.result("note", "x")
    page = await bench.host.inspection.plans(order=PlanOrder.SUBSCRIBERS, limit=50)
    assert page.total == 6
    first = page.plans[0]
    assert (first.actor, first.subscribers) == (ACTORS[0], 2)
    assert set(first.connections) == {str(one.session.caller.connection_id) for one in (peer, twin)}
    page = await bench.host.inspection.plans(actor=ACTORS[0], order=PlanOrder.UPDATES, limit=50)
    plans = {plan.name: plan for plan in page.plans}
    assert {name: (plan.source, plan.updates, plan.rows) for name, plan in plans.items()} == {
        "purse": ("table", 1, 2),
        "my_wealth": ("view", 1, 2),
    }
    assert plans["my_wealth"].caller == str(PEOPLE[0].identity)
    assert plans["purse"].caller == ""
    page = await bench.host.inspection.plans(name="notice", order=PlanOrder.ROWS, limit=1)
    assert page.total == 2
    assert (page.plans[0].column, len(page.plans)) == ("topic", 1)


# Dead letters


async def letters(bench: Bench, peers: list) -> None:
    """Have the second person park a message of the first, and the first a timer of its own."""
    await peers[1].result("set_trap", "x", True)
    await peers[0].result("set_trap", "a", True)
    await peers[0].result("remind", "a", START_MICROS + SECOND)
    peers[0].call("say", Say("r1", NAMES[1], "x", 0))
    for _ in range(OUTBOX_ATTEMPTS_MAX):
        await bench.settle()
        await bench.let_time_pass(61)


async def test_dead_letters_of_all_actors_are_listed_until_they_are_applied():
    bench, peers = await three_people()
    found = await bench.host.inspection.dead_letters(limit=10)
    assert (found.rows, found.is_whole) == ((), True)
    await letters(bench, peers)
    found = await bench.host.inspection.dead_letters(limit=10)
    assert found.is_whole
    assert [(row["dst_actor"], row["src_actor"], row["kind"]) for row in found.rows] == [
        (ACTORS[0], ACTORS[0], "person.ring"),
        (ACTORS[1], ACTORS[0], "person.word"),
    ]
    assert found.rows[1]["payload"] == {"word": "x", "hops": 0, "back_to": NAMES[0]}
    assert found.rows[1]["error"] == "RuntimeError: trapped"
    short = await bench.host.inspection.dead_letters(limit=1)
    assert (short.rows, short.is_whole) == (found.rows[:1], False)
    await peers[0].result("set_trap", "a", False)
    await bench.host.replay_dead_letter(ACTORS[0], str(found.rows[0]["message_key"]))
    found = await bench.host.inspection.dead_letters(limit=10)
    assert [row["dst_actor"] for row in found.rows] == [ACTORS[1]]


async def test_dead_letters_of_sleepers_are_listed_and_found_again_after_a_restart():
    bench, peers = await three_people()
    await letters(bench, peers)
    await peers[1].session.disconnect()
    await asleep(bench, ACTORS[1])
    found = await bench.host.inspection.dead_letters(limit=10)
    assert len(found.rows) == 2
    assert not bench.host.is_active(ACTORS[1])
    await bench.crash()
    await bench.start()
    await bench.host.activate(ACTORS)
    assert await bench.host.inspection.dead_letters(limit=10) == found


async def test_when_too_many_keep_dead_letters_the_list_says_so(monkeypatch):
    monkeypatch.setattr("actors.host.inspection.LETTER_ACTORS_MAX", 1)
    bench, peers = await three_people()
    await letters(bench, peers)
    found = await bench.host.inspection.dead_letters(limit=10)
    assert (len(found.rows), found.is_whole) == (1, False)


async def test_bytes_that_nobody_understands_any_more_are_shown_as_they_are():
    bench, peers = await three_people()
    await peers[0].result("earn", 5)
    forgetful = Module("town", [])
    forgetful.tables.update(MODULE.tables)
    bench.host.inspection._meanings.__init__(forgetful)  # type: ignore[misc]
    (entry, *_) = await bench.host.inspection.journal(ACTORS[0], count=1)
    assert entry.arguments == "0500000000000000"
