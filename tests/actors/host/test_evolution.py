"""A module may grow over a store: every row stays what it was, whenever it was written."""

from __future__ import annotations

import asyncio
import logging

import pytest
from grown import ANN, ANNS, BOB, BOBS, HEAD, TWO, V1, V2, V3, fill, module_of, rows, served
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.host import Budget
from actors.keys import ActorKey
from actors.limits import PINNED_SECONDS
from persistence.memory import MemoryDisk
from protocol.client_cache import ClientCache
from protocol.messages import ReducerOk, SubscribeApplied


@pytest.mark.parametrize("is_checkpointed", [True, False])
async def test_rows_of_before_have_the_defaults_of_new_columns(is_checkpointed):
    disk = MemoryDisk()
    bench = await served(V1, disk)
    await fill(bench)
    await (bench.stop() if is_checkpointed else bench.crash())
    assert bool(disk.actors[ANNS].rows) is is_checkpointed
    for _ in range(2):
        bench = await served(V2, disk)
        await bench.host.activate([ANNS])
        await bench.settle()
        assert rows(bench, "item") == [(1, "a", 1, "old", 7), (2, "b", 1, "old", 7)]
        assert rows(bench, "mark") == [("x", 5), ("y", 5)]
        await (bench.stop() if is_checkpointed else bench.crash())


async def test_rows_of_before_can_be_changed_deleted_and_looked_up():
    disk = MemoryDisk()
    bench = await served(V1, disk)
    await fill(bench)
    await bench.stop()
    bench = await served(V2, disk)
    peer = await bench.enter(ANN)
    peer.subscribe(1, "SELECT * FROM item", "SELECT * FROM mark")
    await bench.settle()
    assert [row[3:] for row in peer.values("item")] == [("old", 7)] * 2
    await peer.result("drop", 1)
    await peer.result("put", 2, "c")
    await peer.result("wipe", "x")
    # The code of the row that went is free, and that of the one that stayed is taken.
    assert isinstance(await peer.result("put", 3, "a"), ReducerOk)
    assert "already_exists" in (await peer.result("put", 4, "c")).error
    expected = [(2, "c", 1, "old", 7), (3, "a", 1, "old", 7)]
    assert rows(bench, "item") == [tuple(row) for row in peer.values("item")] == expected
    assert rows(bench, "mark") == [("y", 5)]
    await bench.crash()
    bench = await served(V2, disk)
    await bench.host.activate([ANNS])
    assert rows(bench, "item") == expected
    assert rows(bench, "mark") == [("y", 5)]
    await bench.stop()
    numbers = {number for number, *_ in disk.actors[ANNS].rows}
    bench = await served(V2, disk)
    await bench.host.activate([ANNS])
    assert {table.layout.id for table in bench.host.core(ANNS).database.tables()} >= numbers


async def test_what_was_deleted_before_stays_away():
    disk = MemoryDisk()
    bench = await served(V1, disk)
    await fill(bench)
    await bench.stop()
    bench = await served(V1, disk)
    peer = await bench.enter(ANN)
    # One row is in the checkpoint, the other in the journal alone; both deletions are in that.
    for call in (("put", 3, "c"), ("inscribe", "z"), ("drop", 1), ("drop", 3)):
        await peer.result(*call)
    for text in ("x", "z"):
        await peer.result("wipe", text)
    await bench.crash()
    for _ in range(2):
        bench = await served(V2, disk)
        await bench.host.activate([ANNS])
        await bench.settle()
        assert rows(bench, "item") == [(2, "b", 1, "old", 7)]
        assert rows(bench, "mark") == [("y", 5)]
        await bench.crash()


async def test_a_default_is_that_of_the_version_that_brought_the_column():
    disk = MemoryDisk()
    bench = await served(V1, disk)
    await fill(bench, ANN)
    await fill(bench, BOB)
    await bench.stop()
    bench = await served(V2, disk)
    await bench.host.activate([ANNS])
    await bench.settle()
    await bench.stop()
    bench = await served(V3, disk)
    await bench.host.activate([ANNS, BOBS])
    await bench.settle()
    # One was awake in between, the other slept through it.
    for actor in (ANNS, BOBS):
        assert rows(bench, "item", actor) == [
            (1, "a", 1, "old", 7, "third"),
            (2, "b", 1, "old", 7, "third"),
        ]


async def test_who_sleeps_is_inspected_with_the_columns_of_today():
    disk = MemoryDisk()
    bench = await served(V1, disk)
    await fill(bench)
    await bench.stop()
    bench = await served(V2, disk)
    state = await bench.host.inspection.actor(ANNS, rows=10)
    shown = {table.name: table.rows for table in state.tables}
    assert shown["mark"] == ({"text": "x", "weight": 5}, {"text": "y", "weight": 5})
    assert not bench.host.is_active(ANNS)
    entries = await bench.host.inspection.journal(ANNS, count=10)
    (first,) = (entry for entry in entries if entry.arguments == {"id": 1, "code": "a"})
    assert [diff.after["note"] for diff in first.rows if diff.table == "item"] == ["old"]


async def test_rows_are_stored_anew_once_and_bit_by_bit(monkeypatch):
    monkeypatch.setattr("actors.host.old_rows.EVOLUTION_RECORD_BYTES", 20)
    disk = MemoryDisk()
    bench = await served(V1, disk)
    await fill(bench)
    await bench.stop()
    was = disk.actors[ANNS].rows
    for _ in range(2):
        # A crash after the first record leaves every row in one of the two layouts.
        bench = await served(V2, disk)
        bench.store.hold()
        bench.host._summon(ANNS)
        await bench.turns()
        bench.store.release(1)
        await bench.turns()
        await bench.crash()
    bench = await served(V2, disk)
    await bench.host.activate([ANNS])
    await bench.settle()
    seq = bench.host.core(ANNS).seq
    assert rows(bench, "item") == [(1, "a", 1, "old", 7), (2, "b", 1, "old", 7)]
    assert rows(bench, "mark") == [("x", 5), ("y", 5)]
    await bench.stop()
    assert len(disk.actors[ANNS].rows) == len(was)
    bench = await served(V2, disk)
    await bench.host.activate([ANNS])
    await bench.settle()
    assert bench.host.core(ANNS).seq == seq
    calls = [entry.call for entry in await bench.host.inspection.journal(ANNS, count=50)]
    assert calls.count("schema.evolve") > 1


async def test_a_table_may_become_scheduled_later(caplog):
    disk = MemoryDisk()
    text = """
    @table(primary_key="id")
    class Bell:
        id: u64
        scheduled_at: ScheduleAt

    @reducer
    def hang(ctx: ReducerContext, id: u64, micros: i64) -> None:
        ctx.db[Bell].insert(Bell(id, ScheduleInterval(micros)))
    """
    scheduled = (
        text.replace('"id")', '"id", scheduled="toll")')
        + """
    @table(primary_key="id", auto_increment="id")
    class Tolled:
        id: u64
        bell: u64

    @reducer
    def toll(ctx: ReducerContext, bell: Bell) -> None:
        ctx.db[Tolled].insert(Tolled(0, bell.id))
    """
    )
    bench = await served(module_of(text), disk)
    peer = await bench.enter(ANN)
    await peer.result("hang", 1, 10_000_000)
    await peer.result("hang", 2, 0)  # no interval that a scheduled row could have
    await bench.stop()
    caplog.set_level(logging.CRITICAL, "actors")
    bench = await served(module_of(scheduled), disk)
    await bench.settle()
    await bench.let_time_pass(11)
    assert rows(bench, "tolled", ActorKey("database/0")) == [(1, 1)]
    await bench.crash()
    # And it may be that no longer: what was due is dropped.
    unscheduled = scheduled.replace(', scheduled="toll")', ")")
    bench = await served(module_of(unscheduled), disk)
    await bench.let_time_pass(60)
    assert rows(bench, "tolled", ActorKey("database/0")) == [(1, 1)]
    assert rows(bench, "bell", ActorKey("database/0")) != []
    assert not bench.host.core(ActorKey("database/0")).mail.wake_at()


async def test_a_client_with_older_bindings_goes_on_with_what_has_not_changed():
    disk = MemoryDisk()
    bench = await served(V1, disk)
    await fill(bench)
    await bench.stop()
    grown = module_of(
        TWO.replace(
            "    hue: Hue\n    note: str = 'old'\n    size: u32 | None = 7\n", "    hue: Hue\n"
        ),
        HEAD + "    BLUE = 2\n",
    )
    bench = await served(grown, disk)
    peer = await bench.enter(ANN)
    peer.cache = ClientCache(V1.schema)
    peer.subscribe(1, "SELECT * FROM item")
    await bench.settle()
    assert isinstance(peer.messages[-1], SubscribeApplied)
    assert isinstance(await peer.result("put", 3, "c"), ReducerOk)
    assert [tuple(row) for row in peer.values("item")] == [(1, "a", 1), (2, "b", 1), (3, "c", 1)]


# The law: whatever is done in whatever versions, crashes included, rows are what a model says.

OPS = st.one_of(
    st.tuples(st.just("put"), st.integers(1, 2), st.sampled_from("ab")),
    st.tuples(st.just("drop"), st.integers(1, 2)),
    st.tuples(st.just("inscribe"), st.sampled_from("wx")),
    st.tuples(st.just("wipe"), st.sampled_from("wx")),
    st.tuples(st.just("checkpoint")),
    st.tuples(st.just("sleep")),
)
LIVES = st.lists(
    st.tuples(st.integers(0, 2), st.booleans(), st.lists(OPS, max_size=8)), min_size=2, max_size=5
)
ITEM_ENDS = ((), ("old", 7), ("old", 7, "third"))
NEW_ITEM_ENDS = ((), ("old", 7), ("of version three", 8, "third"))
MARK_ENDS = ((), (5,), (5,))


class Model:
    def __init__(self) -> None:
        self.items: dict[int, tuple] = {}
        self.marks: dict[tuple, None] = {}
        self.version = 0

    def grow(self, version: int) -> None:
        # Who leaps over a version gets the defaults of that one which brings the columns.
        ends = NEW_ITEM_ENDS if self.version == 0 else ITEM_ENDS
        for item, row in self.items.items():
            self.items[item] = (*row, *ends[version][len(row) - 3 :])
        self.marks = {(row[0], *MARK_ENDS[version]): None for row in self.marks}
        self.version = version

    def do(self, op: tuple) -> None:
        if op[0] == "put":
            _, item, code = op
            taken = {row[1] for number, row in self.items.items() if number != item}
            if code not in taken:
                self.items[item] = (item, code, 1, *NEW_ITEM_ENDS[self.version])
        elif op[0] == "drop":
            self.items.pop(op[1], None)
        elif op[0] == "inscribe":
            self.marks[op[1], *MARK_ENDS[self.version]] = None
        elif op[0] == "wipe":
            self.marks = {row: None for row in self.marks if row[0] != op[1]}


@settings(max_examples=120, deadline=None, print_blob=True)
@given(LIVES)
def test_rows_are_what_a_model_says_in_any_version(lives):
    async def scenario() -> None:
        disk, model = MemoryDisk(), Model()
        for wanted, is_crash, ops in lives:
            version = max(model.version, wanted)
            bench = await served((V1, V2, V3)[version], disk, budget=Budget(memory_bytes=0))
            model.grow(version)
            peer = await bench.enter(ANN)
            for op in ops:
                if op[0] == "checkpoint":
                    await bench.host.orders.checkpoint_all()
                elif op[0] == "sleep":
                    await peer.session.disconnect()
                    bench.idle(PINNED_SECONDS + 2)
                    await bench.settle()
                    peer = await bench.enter(ANN)
                else:
                    await peer.result(*op)
                    model.do(op)
            await bench.host.activate([ANNS])
            assert rows(bench, "item") == sorted(model.items.values())
            assert sorted(rows(bench, "mark")) == sorted(model.marks)
            await (bench.crash() if is_crash else bench.stop())

    asyncio.run(scenario())
