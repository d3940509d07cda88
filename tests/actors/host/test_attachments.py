"""Whose rows a caller reads: the own actor's, attached sessions', and what is everyone's.

The law with audiences (domain 1.6): after everything has settled, a client holds what the actors
of its audience hold, whatever was subscribed, attached and detached when.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest
from host_bench import Bench, Peer
from hypothesis import given, settings
from hypothesis import strategies as st
from town import ACTORS, NAMES, PEOPLE, new_town, run
from town_module import (
    Chair,
    Furnish,
    Garden,
    Grow,
    Key,
    Notice,
    Plant,
    Post,
    Purse,
    Sofa,
    Visit,
)

from actors.limits import ATTACHED_ACTORS_MAX, IDLE_SECONDS
from actors.module.types import product_type
from protocol.bsatn import compile_codec
from protocol.messages import ProcedureResult, ReducerOk

ROOMS = ("room/a", "room/b", "roomy/a", "roomy/b")
OWN, ROOMED, SOFAS, SHARED, SPREAD = "purse", "chair", "sofa", "notice", "plant"
TEXTS = {
    "SELECT * FROM purse": (OWN, lambda row: True),
    "SELECT * FROM my_wealth": ("my_wealth", lambda row: row.coins > 0),
    "SELECT * FROM chair": (ROOMED, lambda row: True),
    "SELECT * FROM chair WHERE colour = 'red'": (ROOMED, lambda row: row.colour == "red"),
    "SELECT * FROM sofa": (SOFAS, lambda row: True),
    "SELECT * FROM notice": (SHARED, lambda row: True),
    "SELECT * FROM notice WHERE topic = 't1'": (SHARED, lambda row: row.topic == "t1"),
    "SELECT * FROM plant": (SPREAD, lambda row: True),
    "SELECT * FROM plant WHERE colour = 'red'": (SPREAD, lambda row: row.colour == "red"),
    "SELECT * FROM key WHERE is_open = TRUE": ("key", lambda row: row.is_open),
}
ROWS = {
    OWN: Purse,
    "my_wealth": Purse,
    ROOMED: Chair,
    SOFAS: Sofa,
    SHARED: Notice,
    SPREAD: Plant,
    "key": Key,
}
ENCODE = {row: compile_codec(product_type(row)).encode for row in set(ROWS.values())}

PERSON = st.integers(0, 1)
COLOURS = st.sampled_from(["red", "blue"])
STEPS = st.one_of(
    st.tuples(st.just("earn"), PERSON),
    st.tuples(st.just("key"), PERSON, st.sampled_from(ROOMS), st.booleans()),
    st.tuples(st.just("key"), PERSON, st.sampled_from(ROOMS), st.booleans()),
    st.tuples(st.just("room"), st.sampled_from("ab"), st.integers(1, 2), COLOURS),
    st.tuples(st.just("roomy"), st.sampled_from("ab"), st.integers(3, 4), COLOURS),
    st.tuples(st.just("grow"), PERSON, st.sampled_from([None, "a", "b"]), COLOURS),
    st.tuples(st.just("grow"), PERSON, st.sampled_from([None, "a", "b"]), COLOURS),
    st.tuples(st.just("post"), st.sampled_from(["t1", "t2", "t3"]), COLOURS),
    st.tuples(
        st.just("subscribe"),
        PERSON,
        st.integers(0, 2),
        st.lists(st.sampled_from(sorted(TEXTS)), min_size=1, max_size=4, unique=True),
    ),
    st.tuples(st.just("unsubscribe"), PERSON, st.integers(0, 2)),
    st.tuples(st.just("sleep")),
    st.tuples(st.just("turns"), st.integers(1, 4)),
)


async def take(bench: Bench, peers: list[Peer], step: tuple[Any, ...]) -> None:
    kind, *rest = step
    if kind == "earn":
        peers[rest[0]].call("earn", 1)
    elif kind == "key":
        peers[rest[0]].call("turn_key", rest[1], rest[2])
    elif kind in ("room", "roomy"):
        # A key is unique in its actor; a client that reads several needs it unique in all.
        room, number, colour = rest
        seat = Furnish(room, number + 10 * (room == "b"), colour)
        peers[2].call("furnish" if kind == "room" else "furnish_roomy", seat)
    elif kind == "grow":
        peers[rest[0]].call("grow", Grow(rest[1], "pot", rest[2]))
    elif kind == "post":
        peers[2].call("post", Post(*rest))
    elif kind == "subscribe":
        peers[rest[0]].subscribe(rest[1], *rest[2])
    elif kind == "unsubscribe":
        peers[rest[0]].unsubscribe(rest[1])
    elif kind == "turns":
        await bench.turns(rest[0])
    else:
        bench.idle(IDLE_SECONDS + 1)


async def rows_of(bench: Bench, key: str, row: type) -> list[Any]:
    return (await bench.stored_rows(key, row))[row.__name__]


async def readable(bench: Bench, person: int, table: str) -> list[Any]:
    """What a person may read of a table, straight from the actors."""
    row = ROWS[table]
    if table == SHARED:
        keys = ["hall/0", "hall/1"]
    elif table in (ROOMED, SOFAS):
        kind = "room/" if table == ROOMED else "roomy/"
        held = await rows_of(bench, ACTORS[person], Key)
        keys = [key.room for key in held if key.is_open and key.room.startswith(kind)]
    else:
        keys = [ACTORS[person]]
        if table == SPREAD:
            held = await rows_of(bench, ACTORS[person], Key)
            keys += [key.room for key in held if key.is_open and key.room.startswith("room/")]
    return [entry for key in keys for entry in await rows_of(bench, key, row)]


async def check(bench: Bench, peer: Peer, person: int) -> None:
    wanted: dict[str, Counter[bytes]] = {}
    for queries in peer.sets.values():
        for text in queries:
            table, test = TEXTS[text]
            rows = [row for row in await readable(bench, person, table) if test(row)]
            wanted.setdefault(table, Counter()).update(map(ENCODE[ROWS[table]], rows))
    held = {name: cache.counts() for name, cache in peer.cache.tables().items()}
    assert {n: bag for n, bag in held.items() if bag} == {n: b for n, b in wanted.items() if b}


@settings(max_examples=150, deadline=None, print_blob=True)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=6), min_size=2, max_size=8))
def test_a_client_holds_what_its_audience_may_read(bursts):
    async def scenario() -> None:
        bench = await new_town().start()
        peers = [await bench.enter(who) for who in PEOPLE]
        for burst in bursts:
            for step in burst:
                await take(bench, peers, step)
            await bench.settle()
            for person in (0, 1):
                await check(bench, peers[person], person)
                assert peers[person].session.pending == 0
        await bench.stop()

    run(scenario)


async def open_room(peer: Peer, *rooms: str) -> None:
    for room in rooms:
        await peer.result("turn_key", room, True)


async def test_attaching_brings_rows_and_detaching_takes_them():
    bench = await new_town().start()
    peer, maker = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[2])
    await maker.result("furnish", Furnish("a", 1, "red"))
    peer.subscribe(1, "SELECT * FROM chair")
    await bench.settle()
    assert peer.values("chair") == []
    await open_room(peer, "room/a")
    assert peer.values("chair") == [(1, "red")]
    await maker.result("furnish", Furnish("a", 1, "blue"))
    assert peer.values("chair") == [(1, "blue")]
    await peer.result("turn_key", "room/a", False)
    assert peer.values("chair") == []
    peer.forget()
    await maker.result("furnish", Furnish("a", 2, "red"))
    assert peer.messages == []


async def test_others_never_see_the_own_actors_rows():
    bench = await new_town().start()
    peer, other = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    twin = await bench.enter(PEOPLE[0])
    for who in (peer, other, twin):
        who.subscribe(1, "SELECT * FROM purse", "SELECT * FROM my_wealth")
    await peer.result("earn", 5)
    assert peer.values("purse") == twin.values("purse") == [(NAMES[0], 5)]
    assert twin.values("my_wealth") == [(NAMES[0], 5)]
    assert other.values("purse") == []
    assert other.updates() == []


async def test_a_set_that_is_made_while_a_key_is_turned_does_not_hide_it_from_the_others():
    bench = await new_town().start()
    peer, maker = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[2])
    for number, room in enumerate("ab"):
        await maker.result("furnish", Furnish(room, number, "red"))
    peer.subscribe(1, "SELECT * FROM chair")
    await bench.settle()
    peer.call("turn_key", "room/a", True)
    peer.subscribe(2, "SELECT * FROM chair")
    peer.call("turn_key", "room/b", True)
    peer.call("turn_key", "room/a", False)
    peer.subscribe(3, "SELECT * FROM chair")
    peer.unsubscribe(2)
    await bench.settle()
    assert peer.values("chair") == [(1, "red")]
    assert list(peer.cache.table("chair").counts().values()) == [2]


async def test_a_kind_whose_name_begins_another_is_another():
    bench = await new_town().start()
    peer, maker = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[2])
    await maker.result("furnish_roomy", Furnish("a", 1, "red"))
    peer.subscribe(1, "SELECT * FROM chair")
    peer.subscribe(2, "SELECT * FROM sofa")
    await open_room(peer, "roomy/a")
    assert peer.values("chair") == []
    assert peer.values("sofa") == [(1, "red")]
    await maker.result("furnish_roomy", Furnish("a", 2, "red"))
    assert len(peer.values("sofa")) == 2


async def test_rows_of_several_kinds_are_read_where_the_caller_may_read():
    bench = await new_town().start()
    peer, other = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    for who in (peer, other):
        who.subscribe(1, "SELECT * FROM plant")
        await who.result("grow", Grow(None, "own", "green"))
    await other.result("grow", Grow("a", "fern", "green"))
    await open_room(peer, "room/a")
    mine, theirs = [(f"{name}.own", "green") for name in NAMES[:2]]
    assert peer.values("plant") == [("a.fern", "green"), mine]
    assert other.values("plant") == [theirs]
    await peer.result("turn_key", "room/a", False)
    assert peer.values("plant") == [mine]


@pytest.mark.parametrize(
    ("place", "answer"),
    [
        (None, None),
        (NAMES[0], None),
        (f"{NAMES[0]}.pot", None),
        ("a", None),
        ("b.chair.1", None),
        (NAMES[1], "auth.forbidden"),
        ("z", "input.invalid_id"),
        ("a/b", "input.invalid_id"),
    ],
)
async def test_a_call_of_several_kinds_goes_where_its_name_says(place, answer):
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    outcome = await peer.result("grow", Grow(place, "fern", "green"))
    if answer is not None:
        assert outcome.error.startswith(answer)
        return
    assert isinstance(outcome, ReducerOk)
    name = NAMES[0] if place is None else place.partition(".")[0]
    key = f"person/{name}" if name == NAMES[0] else f"room/{name}"
    grown = await rows_of(bench, key, Plant)
    assert grown == [Plant(f"{name}.fern", "green")]
    encode = compile_codec(product_type(Visit)).encode
    number = peer.procedure("garden", encode(Visit(place)))
    await bench.settle()
    (told,) = (
        m for m in peer.messages if isinstance(m, ProcedureResult) and m.request_id == number
    )
    assert compile_codec(product_type(Garden)).decode_all(told.value).plants == grown


async def test_a_join_over_several_kinds_reads_the_actors_that_hold_both_sides():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    await peer.result("grow", Grow(None, "own", "red"))
    await peer.result("grow", Grow("a", "fern", "red"))
    await open_room(peer, "room/a")
    peer.subscribe(1, "SELECT p.* FROM plant p JOIN chair c ON p.colour = c.colour")
    await bench.settle()
    assert peer.values("plant") == []
    await peer.result("furnish", Furnish("a", 1, "red"))
    assert peer.values("plant") == [("a.fern", "red")]


async def test_attached_actors_are_bounded():
    bench = await new_town().start()
    peer, maker = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[2])
    rooms = [f"r{number:03d}" for number in range(ATTACHED_ACTORS_MAX + 2)]
    for number, room in enumerate(rooms):
        maker.call("furnish", Furnish(room, number, "red"))
        peer.call("turn_key", f"room/{room}", True)
    await bench.settle()
    peer.subscribe(1, "SELECT * FROM chair")
    await bench.settle()
    assert len(peer.values("chair")) == ATTACHED_ACTORS_MAX
    await peer.result("turn_key", "room/r000", False)
    assert len(peer.values("chair")) == ATTACHED_ACTORS_MAX
    assert (0, "red") not in peer.values("chair")


async def test_an_attached_actor_that_is_damaged_hides_no_other(caplog):
    caplog.set_level(logging.CRITICAL)
    bench = await new_town().start()
    maker = await bench.enter(PEOPLE[2])
    for number, room in enumerate("ab"):
        await maker.result("furnish", Furnish(room, number, "red"))
    await bench.crash()
    stored = bench.disk.actors["room/a"]
    stored.journal[1] = stored.journal[1][:-1]
    await bench.start()
    peer = await bench.enter(PEOPLE[0])
    peer.subscribe(1, "SELECT * FROM chair")
    await bench.settle()
    await open_room(peer, "room/a", "room/b")
    assert peer.values("chair") == [(1, "red")]


@pytest.mark.parametrize("confirmed", [True, False])
async def test_a_delta_never_comes_before_the_one_that_caused_it(confirmed):
    """Transaction B was caused by a message of transaction A: A is heard first (domain 1.6)."""
    from town_module import Give

    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    watcher = await bench.enter(PEOPLE[0], confirmed=confirmed)
    watcher.subscribe(1, "SELECT * FROM entry")
    await peer.result("earn", 9)
    await peer.result("give", Give("r1", NAMES[0], 4))
    await bench.settle()
    codec = watcher.cache.table("entry")._codec
    heard = [
        codec.decode_all(row)[1]
        for update in watcher.updates()
        for query_set in update.query_sets
        for table in query_set.tables
        for rows in table.rows
        for row in rows.inserts
    ]
    assert heard == ["gave 4", "got 4", "thanked for 4"]
