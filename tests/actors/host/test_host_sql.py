"""SQL statements over a host: who reads what, and what a write may do."""

from __future__ import annotations

import pytest
from host_bench import Bench, claims
from town import NAMES, PEOPLE, new_town
from town_module import HALL, Arrival, Entry, Furnish, Notice, Post, Purse

from actors.errors import ReducerError
from actors.host.caller import Caller, service_caller
from actors.host.sql import SqlAnswer
from actors.limits import QUARANTINE_FAILURES
from actors.module.types import ConnectionId
from protocol.errors import SqlError
from protocol.types import STRING, U64, Field, ProductType

MIRA = Caller(PEOPLE[0], ConnectionId(0))
SERVICE = service_caller("tests")
TOPICS = [
    next(topic for topic in map(str, range(99)) if HALL.shard_key(topic) == shard)
    for shard in HALL.shard_keys()
]
"""A topic of each shard."""


async def furnished() -> Bench:
    """Two people with purses, two rooms with chairs, a hall with notices."""
    bench = await new_town().start()
    peers = [await bench.enter(who) for who in PEOPLE[:2]]
    for number, peer in enumerate(peers):
        await peer.result("earn", 10 + number)
        await peer.result("post", Post(TOPICS[number], "free"))
    await peers[0].result("furnish", Furnish("a", 1, "red"))
    await peers[0].result("furnish", Furnish("b", 2, "red"))
    await peers[0].result("turn_key", "room/a", is_open := True)
    await peers[0].result("turn_key", "room/b", not is_open)
    await bench.settle()
    return bench


async def ask(bench: Bench, text: str, caller: Caller = MIRA, *, is_owner: bool = False):
    return (await bench.host.sql(text, caller, is_owner)).rows


async def test_a_caller_reads_what_its_subscriptions_read():
    bench = await furnished()
    assert await ask(bench, "SELECT * FROM purse") == [(NAMES[0], 10)]
    assert await ask(bench, "SELECT coins FROM my_wealth") == [(10,)]
    assert await ask(bench, "SELECT id FROM chair") == [(1,)]
    assert sorted(await ask(bench, "SELECT topic FROM notice")) == sorted(
        (topic,) for topic in TOPICS
    )
    stranger = Caller(claims(9), ConnectionId(0))
    assert await ask(bench, "SELECT * FROM purse", stranger) == []
    assert await ask(bench, "SELECT * FROM chair", stranger) == []
    assert len(await ask(bench, "SELECT * FROM notice", stranger)) == 2
    await bench.stop()


async def test_actors_that_sleep_are_read_too():
    bench = await furnished()
    await bench.crash()
    await bench.start()
    text = "SELECT chair.id, purse.coins FROM chair CROSS JOIN purse"
    assert await ask(bench, text) == [(1, 10)]
    await bench.stop()


async def test_joins_are_over_all_actors_that_a_caller_reads():
    bench = await furnished()
    answer = await bench.host.sql(
        "SELECT n.topic, o.topic AS other FROM notice n JOIN notice o ON n.text = o.text"
        " WHERE n.topic < o.topic",
        MIRA,
        is_owner=False,
    )
    assert answer == SqlAnswer(
        ProductType((Field("topic", STRING), Field("other", STRING))), [tuple(sorted(TOPICS))]
    )
    assert [len(bench.rows(key, Notice)) for key in HALL.shard_keys()] == [1, 1]
    count = await bench.host.sql("SELECT COUNT(*) AS n FROM notice", MIRA, is_owner=False)
    assert count == SqlAnswer(ProductType((Field("n", U64),)), [(2,)])
    await bench.stop()


async def test_private_tables_are_the_owners():
    bench = await furnished()
    with pytest.raises(SqlError, match="no such table: `trap`"):
        await ask(bench, "SELECT * FROM trap")
    assert await ask(bench, "SELECT * FROM trap", SERVICE, is_owner=True) == []
    with pytest.raises(SqlError, match="is not authorized to run SQL DML statements"):
        await ask(bench, "DELETE FROM arrival")
    await bench.stop()


async def test_a_write_is_one_transaction_that_subscribers_hear_of_and_that_stays():
    bench = await furnished()
    peer = await bench.enter(PEOPLE[2])
    peer.subscribe(1, "SELECT * FROM arrival", "SELECT * FROM arrival ORDER BY number LIMIT 1")
    await bench.settle()
    before = bench.rows("desk/0", Arrival)

    async def write(text: str) -> tuple[int, int, int]:
        answer = await bench.host.sql(text, SERVICE, is_owner=True)
        await bench.settle()
        assert answer.schema == ProductType(())
        assert answer.rows == []
        return answer[2:]

    assert await write("DELETE FROM arrival") == (0, len(before), 0)
    assert await write("INSERT INTO arrival VALUES (7, 'x'), (8, 'y'), (0, 'z')") == (3, 0, 0)
    assert sorted(row.text for row in bench.rows("desk/0", Arrival)) == ["x", "y", "z"]
    peer.forget()
    assert await write("UPDATE arrival SET text = 'w' WHERE number = 7 OR number = 8") == (0, 0, 2)
    assert len(peer.updates()) == 1
    rows = bench.rows("desk/0", Arrival)
    assert peer.values("arrival") == rows
    assert [row.text for row in rows if row.number in (7, 8)] == ["w", "w"]
    await bench.crash()
    await bench.start()
    assert bench.rows("desk/0", Arrival) == rows
    await bench.stop()


async def test_keys_may_be_traded_within_an_update():
    bench = await furnished()
    await ask(bench, "DELETE FROM arrival", SERVICE, is_owner=True)
    await ask(bench, "INSERT INTO arrival VALUES (7, 'x')", SERVICE, is_owner=True)
    await ask(bench, "UPDATE arrival SET number = 8", SERVICE, is_owner=True)
    assert bench.rows("desk/0", Arrival) == [Arrival(8, "x")]
    await ask(bench, "INSERT INTO arrival VALUES (9, 'y')", SERVICE, is_owner=True)
    with pytest.raises(SqlError, match=r"arrival.already_exists: key 5 is taken"):
        await ask(bench, "UPDATE arrival SET number = 5", SERVICE, is_owner=True)
    assert bench.rows("desk/0", Arrival) == [Arrival(8, "x"), Arrival(9, "y")]
    await bench.stop()


async def test_the_owner_writes_to_its_own_actor_and_to_nobody_elses():
    bench = await furnished()
    await ask(
        bench, f"INSERT INTO entry VALUES (1, 'for {SERVICE.user_id}')", SERVICE, is_owner=True
    )
    assert [row.number for row in bench.rows(f"person/{SERVICE.user_id}", Entry)] == [1]
    assert all(
        row.number != 1 or "for" not in row.text for row in bench.rows(f"person/{NAMES[0]}", Entry)
    )
    assert await ask(bench, "SELECT * FROM purse", SERVICE, is_owner=True) == []
    for table in ("notice", "chair", "plant"):
        with pytest.raises(SqlError, match=f"the rows of `{table}` are several actors'"):
            await ask(bench, f"DELETE FROM {table}", SERVICE, is_owner=True)
    with pytest.raises(SqlError, match="`my_wealth` is a view"):
        await ask(bench, "DELETE FROM my_wealth", SERVICE, is_owner=True)
    assert bench.rows(f"person/{NAMES[0]}", Purse) == [Purse(NAMES[0], 10)]
    await bench.stop()


async def test_a_quarantined_actor_takes_no_writes():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    service = Caller(PEOPLE[0], ConnectionId(0))
    for _ in range(QUARANTINE_FAILURES):
        await peer.result("fall", "down")
    with pytest.raises(ReducerError, match=r"state.actor_unavailable"):
        await ask(bench, "DELETE FROM purse", service, is_owner=True)
    await bench.stop()
