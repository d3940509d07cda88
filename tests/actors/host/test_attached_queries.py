"""Joins over actors that come and go, with SQLite as the judge.

The colours of a room are its own, so that rows of different actors never join there either.
"""

from __future__ import annotations

import sqlite3
from collections import Counter

import pytest
from host_bench import Bench, Peer
from hypothesis import given, settings
from hypothesis import strategies as st
from town import ACTORS, PEOPLE, new_town, run
from town_module import Chair, Furnish, Grow, Key, Notice, Plant, Post, Purse

from actors.keys import ActorKey
from actors.module.types import product_type
from protocol.bsatn import compile_codec
from protocol.messages import OneOffQueryResult, SubscriptionError

TEXTS = (
    "SELECT chair.* FROM chair JOIN plant ON chair.colour = plant.colour",
    "SELECT plant.* FROM chair JOIN plant ON chair.colour = plant.colour",
    "SELECT p.* FROM plant p JOIN plant q ON p.colour = q.colour WHERE p.pot <> q.pot",
    "SELECT c.* FROM chair c JOIN chair d ON d.colour = c.colour WHERE c.id <= d.id",
    "SELECT * FROM plant WHERE colour = 'a-red' OR colour = 'own-red'",
    "SELECT * FROM plant WHERE colour > 'a-red' AND colour <= 'own'",
    "SELECT * FROM purse WHERE coins > 2 ORDER BY coins DESC LIMIT 1",
)
ROOMS = ("a", "b")
PERSON = st.integers(0, 1)
HUES = st.sampled_from(["red", "blue"])
STEPS = st.one_of(
    st.tuples(st.just("key"), PERSON, st.sampled_from(ROOMS), st.booleans()),
    st.tuples(st.just("key"), PERSON, st.sampled_from(ROOMS), st.booleans()),
    st.tuples(st.just("chair"), st.sampled_from(ROOMS), st.integers(1, 3), HUES),
    st.tuples(st.just("plant"), PERSON, st.sampled_from([None, *ROOMS]), st.integers(0, 2), HUES),
    st.tuples(st.just("earn"), PERSON, st.integers(1, 3)),
    st.tuples(
        st.just("subscribe"),
        PERSON,
        st.integers(0, 2),
        st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4, unique=True),
    ),
    st.tuples(st.just("unsubscribe"), PERSON, st.integers(0, 2)),
)
ENCODE = {row: compile_codec(product_type(row)).encode for row in (Chair, Plant, Purse)}


def returned(text: str) -> type:
    if "purse" in text:
        return Purse
    return Chair if text.startswith(("SELECT chair", "SELECT c.")) else Plant


def judged(bench: Bench, person: int, texts: tuple[str, ...]) -> dict[str, Counter]:
    """What SQLite answers over the actors that a person reads."""
    keys = [key.room for key in bench.rows(ACTORS[person], Key) if key.is_open]
    read = [ACTORS[person], *map(ActorKey, keys)]
    database = sqlite3.connect(":memory:")
    for row in (Chair, Plant, Purse):
        names = [element.name for element in product_type(row).elements]
        table = row.__name__.lower()
        database.execute(f"CREATE TABLE {table} ({', '.join(names)})")
        marks = ", ".join("?" * len(names))
        rows = [tuple(found) for key in read for found in bench.rows(key, row)]
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    bags: dict[str, Counter] = {}
    for text in texts:
        row = returned(text)
        found = [ENCODE[row](row(*values)) for values in database.execute(text)]
        bags.setdefault(row.__name__.lower(), Counter()).update(found)
    database.close()
    return {table: bag for table, bag in bags.items() if bag}


async def take(peers: list[Peer], step: tuple) -> None:
    kind, *detail = step
    if kind == "key":
        person, room, is_open = detail
        peers[person].call("turn_key", f"room/{room}", is_open)
    elif kind == "chair":
        room, number, hue = detail
        peers[0].call("furnish", Furnish(room, ROOMS.index(room) * 10 + number, f"{room}-{hue}"))
    elif kind == "plant":
        person, place, pot, hue = detail
        peers[person].call("grow", Grow(place, f"{person}{pot}", f"{place or 'own'}-{hue}"))
    elif kind == "earn":
        peers[detail[0]].call("earn", detail[1])
    elif kind == "subscribe":
        peers[detail[0]].subscribe(detail[1], *detail[2])
    else:
        peers[detail[0]].unsubscribe(detail[1])


@settings(max_examples=100, deadline=None, print_blob=True)
@given(st.lists(STEPS, min_size=5, max_size=30))
def test_joins_follow_the_actors_that_a_caller_reads(steps):
    async def scenario() -> None:
        bench = await new_town().start()
        peers = [await bench.enter(who) for who in PEOPLE[:2]]
        for peer in peers:
            peer.subscribe(9, *TEXTS)
        await bench.settle()
        for step in steps:
            await take(peers, step)
            await bench.settle()
            for person, peer in enumerate(peers):
                held = {name: table.counts() for name, table in peer.cache.tables().items()}
                texts = tuple(text for asked in peer.sets.values() for text in asked)
                assert {name: bag for name, bag in held.items() if bag} == judged(
                    bench, person, texts
                )
        await bench.stop()

    run(scenario)


@pytest.mark.parametrize(
    ("table", "column"), [("notice", "text"), ("chair", "colour"), ("plant", "colour")]
)
async def test_a_live_window_over_several_actors_is_refused(table, column):
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    text = f"SELECT * FROM {table} ORDER BY {column} LIMIT 2"
    peer.subscribe(1, text)
    await bench.settle()
    (error,) = (message for message in peer.messages if isinstance(message, SubscriptionError))
    assert error.error == (
        f"Unsupported SELECT: ORDER BY in a subscription to `{table}`, whose rows are several"
        f" actors', executing: `{text}`"
    )
    await bench.stop()


async def test_a_window_that_is_asked_once_is_over_all_actors():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    for number in range(8):
        await peer.result("post", Post(f"t{number}", f"text {number % 3}"))
    shards = [bench.rows(f"hall/{shard}", Notice) for shard in (0, 1)]
    assert all(shards)
    wanted = sorted((row for rows in shards for row in rows), key=lambda row: row.topic)
    wanted.sort(key=lambda row: row.text, reverse=True)
    encode = compile_codec(product_type(Notice)).encode
    for text, rows in (
        ("SELECT * FROM notice ORDER BY text DESC", wanted),
        ("SELECT * FROM notice WHERE text <> 'text 2' ORDER BY text DESC LIMIT 4", wanted[2:6]),
        ("SELECT * FROM notice LIMIT 0", []),
    ):
        peer.query(text)
        await bench.settle()
        answer = peer.messages[-1]
        assert isinstance(answer, OneOffQueryResult)
        assert list(answer.tables[0].rows) == [encode(row) for row in rows]
    peer.query("SELECT * FROM notice LIMIT 3")
    await bench.settle()
    assert len(peer.messages[-1].tables[0].rows) == 3
    await bench.stop()
