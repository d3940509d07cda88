from __future__ import annotations

import asyncio

import pytest
from redis_medium import Flood
from redis_server import SLOTS, redis_cluster
from store_words import append, checkpoint, load, one

from persistence.redis_keys import RedisKeys
from persistence.redis_store import RedisStore
from persistence.redis_url import RedisAddress


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


def store_on(servers, name):
    return RedisStore(RedisAddress(tuple(("127.0.0.1", s.port) for s in servers), name=name))


def home_of(cluster, name):
    """The slot of a store, and the server that has it."""
    slot = cluster[0].command("CLUSTER", "KEYSLOT", RedisKeys(name).owner)
    return slot, cluster[slot * len(cluster) // SLOTS]


@pytest.mark.parametrize("name", ["one", "two", "three", "four"])
async def test_any_node_tells_where_a_store_is(cluster, name):
    store = store_on(cluster[:1], name)
    await store.open()
    assert await append(store, one("a", 1, wake=5), one("b", 1)) is None
    assert await checkpoint(store, "a", 1) is None
    await store.write_meta("key", b"value")
    assert await store.read_meta("key") == b"value"
    assert await store.actors("", "", 9) == ["a", "b"]
    assert await store.due(9, 9) == [("a", 5)]
    assert len((await load(store, "b")).tail) == 1
    _, home = home_of(cluster, name)
    assert home.command("EXISTS", RedisKeys(name).owner) == 1
    await store.close()


async def test_a_slot_that_moves_takes_its_store_along(cluster):
    slot, source = home_of(cluster, "moving")
    target = cluster[cluster.index(source) - 1]
    store = store_on(cluster, "moving")
    await store.open()
    flood = Flood(store)
    flood.pour(100)
    assert await flood.settled() == [None] * 100
    moving = asyncio.ensure_future(asyncio.to_thread(move_slot, cluster, slot, source, target))
    while not moving.done():
        flood.pour(20)
        await flood.outcomes[-1]
    await moving
    flood.pour(20)
    assert set(await flood.settled()) == {None}
    assert len((await load(store, "a")).tail) == len(flood.outcomes)
    assert source.command("CLUSTER", "COUNTKEYSINSLOT", slot) == 0
    await store.close()


def move_slot(cluster, slot, source, target):
    source_id, target_id = [node.command("CLUSTER", "MYID") for node in (source, target)]
    target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
    source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
    while keys := source.command("CLUSTER", "GETKEYSINSLOT", slot, 1):
        source.command("MIGRATE", "127.0.0.1", target.port, keys[0], 0, 5_000)
    for node in (target, source, *cluster):
        node.command("CLUSTER", "SETSLOT", slot, "NODE", target_id)


async def test_a_node_that_was_killed_is_waited_for(cluster, told):
    _, home = home_of(cluster, "killed")
    store = store_on(cluster, "killed")
    await store.open()
    flood = Flood(store)
    flood.pour(50)
    assert await flood.settled() == [None] * 50
    home.kill()
    flood.pour(50)
    await told.until("is lost")
    await asyncio.to_thread(home.start)
    assert await flood.settled() == [None] * 100
    assert len((await load(store, "a")).tail) == 100
    await store.close()
