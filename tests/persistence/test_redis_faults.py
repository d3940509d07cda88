from __future__ import annotations

import asyncio
import shutil

import pytest
from redis_medium import Flood, RedisMedium
from redis_server import RedisServer, redis_server
from store_words import append, checkpoint, load, one, opened, put

from persistence import (
    FencedError,
    StoreFailedError,
    StoreOverloadedError,
    StoreReadError,
    StoreUncertainError,
    StoreWriteError,
)
from persistence.redis_keys import RedisKeys
from persistence.redis_store import RedisStore
from persistence.redis_url import RedisAddress


@pytest.fixture
def server(tmp_path):
    with redis_server(tmp_path / "redis", "--appendfsync", "always") as server:
        yield server


@pytest.fixture
def medium(server):
    return RedisMedium(server)


async def restarted(server):
    await asyncio.to_thread(server.start)


async def test_a_killed_server_is_waited_for_and_nothing_is_lost_or_doubled(server, medium):
    async with opened(medium) as store:
        flood = Flood(store)
        for _ in range(3):
            flood.pour(200)
            await flood.outcomes[-200]
            server.kill()
            flood.pour(200)
            await restarted(server)
            flood.pour(200)
            await flood.outcomes[-1]
        assert await flood.settled() == [None] * 1800
        assert len((await load(store, "a")).tail) == 1800


async def test_connections_that_are_cut_lose_and_double_nothing(server, medium):
    async with opened(medium) as store:
        floods = [Flood(store, actor) for actor in "abc"]
        for cut in range(40):
            for flood in floods:
                flood.pour(20)
                flood.pour_nothing()
            if cut % 3:
                await floods[cut % 3].outcomes[-cut]  # so that it is cut at various times
            server.command("CLIENT", "KILL", "TYPE", "normal")
        for flood in floods:
            assert set(await flood.settled()) == {None}
            assert flood.told == sorted(flood.told)
            assert len(flood.told) == 840
        lengths = [len(snapshot.tail) for snapshot in await store.load(["a", "b", "c"])]
        assert lengths == [800] * 3


async def test_checkpoints_and_values_survive_a_killed_server(server, medium):
    async with opened(medium) as store:
        rows = [put(1, b"k", b"v")]
        assert await append(store, one("a", 1, *rows), one("b", 1, *rows)) is None
        server.kill()
        folded = [checkpoint(store, "a", 1), checkpoint(store, "b", 1, rows)]
        written = asyncio.ensure_future(store.write_meta("key", b"value"))
        await asyncio.sleep(0)
        await restarted(server)
        assert await asyncio.gather(*folded) == [None, None]
        await written
        assert await store.read_meta("key") == b"value"
        for snapshot in await store.load(["a", "b"]):
            assert snapshot[1:] == (1, 10, [(1, rows[0].row)], [])


async def test_a_server_that_stands_still_is_asked_what_it_wrote(server, medium, told):
    async with opened(medium, parameters="reply_seconds=0.5") as store:
        assert await append(store, one("a", 1)) is None
        for seq in range(2, 6):
            server.pause()
            outcome = append(store, one("a", seq))
            await told.until("is lost")
            # Both the call and the question of the next connection reach the server together.
            server.resume()
            assert await outcome is None
        assert len((await load(store, "a")).tail) == 5


async def test_a_server_away_for_too_long_fails_everything_until_it_is_back(server, medium, told):
    parameters = "reply_seconds=0.5&outage_seconds=1"
    async with opened(medium, parameters=parameters, pending_bytes_max=20_000) as store:
        assert await append(store, one("a", 1)) is None
        server.pause()
        flood = Flood(store, seq=1)
        flood.pour(3)
        reading = asyncio.ensure_future(store.load(["a"]))
        folding = checkpoint(store, "a", 1)
        writing = asyncio.ensure_future(store.write_meta("key", b""))
        errors = await flood.settled()
        assert [type(error) for error in errors] == [StoreUncertainError] + [StoreFailedError] * 2
        with pytest.raises(StoreReadError):
            await reading
        with pytest.raises(StoreWriteError):
            await writing
        assert isinstance(await folding, StoreReadError)
        # Now all fails at once, reset or not.
        with pytest.raises(StoreReadError, match="is away"):
            await store.load(["a"])
        with pytest.raises(StoreReadError, match="is away"):
            await store.read_meta("key")
        assert isinstance(await append(store, one("a", 2)), StoreFailedError)
        await store.reset()
        error = await append(store, one("a", 2))
        assert type(error) is StoreWriteError
        assert store.pending_bytes() == 0
        await store.reset()
        server.resume()
        await told.until("again")
        # What was uncertain is there whole, or not at all; and it stays as it is now.
        length = len((await load(store, "a")).tail)
        assert length in (1, 4)
        assert await append(store, one("a", length + 1)) is None
        assert len((await load(store, "a")).tail) == length + 1


async def test_what_waits_for_a_server_is_bounded(server, medium):
    async with opened(medium, pending_bytes_max=4_000) as store:
        assert await append(store, one("a", 1)) is None
        server.pause()
        flood = Flood(store, seq=1)
        flood.pour(100)
        assert store.pending_bytes() <= 4_000
        server.resume()
        errors = await flood.settled()
        accepted = errors.index(next(filter(None, errors)))
        assert isinstance(errors[accepted], StoreOverloadedError)
        assert errors[:accepted] == [None] * accepted
        await store.reset()
        assert len((await load(store, "a")).tail) == accepted + 1


async def test_closing_while_the_server_is_away_ends(server, medium, told):
    store = medium.store("outage_seconds=0.2")
    await store.open()
    server.kill()
    outcome = append(store, one("a", 1))
    await store.close()
    assert isinstance(outcome.result(), StoreWriteError)
    assert len(asyncio.all_tasks()) == 1


async def test_a_server_that_became_a_replica_is_waited_for(server, medium, told):
    async with opened(medium) as store:
        assert await append(store, one("a", 1)) is None
        server.command("REPLICAOF", "127.0.0.1", 1)
        outcome = append(store, one("a", 2))
        assert "READONLY" in await told.until("is lost")
        server.command("REPLICAOF", "NO", "ONE")
        assert await outcome is None
        assert len((await load(store, "a")).tail) == 2


async def test_a_server_that_stays_a_replica_is_named(server, medium):
    async with opened(medium, parameters="outage_seconds=1") as store:
        server.command("REPLICAOF", "127.0.0.1", 1)
        error = await append(store, one("a", 1))
        assert isinstance(error, StoreWriteError)
        assert "READONLY" in error.reason
    with pytest.raises(StoreWriteError, match="READONLY"):
        await medium.store("outage_seconds=1").open()


async def test_a_server_out_of_memory_refuses_and_a_checkpoint_frees_some(server, medium):
    async with opened(medium) as store:
        big = put(1, b"k", bytes(100_000))
        assert await append(store, *[one("a", seq, big) for seq in range(1, 11)]) is None
        used = server.command("INFO", "memory")["used_memory"]
        server.command("CONFIG", "SET", "maxmemory", used - 200_000)
        outcomes = [append(store, one("a", 11)), append(store, one("b", 1))]
        refused, later = await asyncio.gather(*outcomes)
        assert type(refused) is StoreWriteError
        assert "OOM" in refused.reason
        assert isinstance(later, StoreFailedError | StoreWriteError)
        await store.reset()
        assert len((await load(store, "a")).tail) == 10
        assert await checkpoint(store, "a", 10) is None
        assert await append(store, one("a", 11)) is None


async def test_a_server_that_loads_its_data_is_waited_for(server, medium, told):
    async with opened(medium) as store:
        assert await append(store, *[one(f"a{number}", 1) for number in range(300)]) is None
        server.kill()
        server.arguments += ["--key-load-delay", "1000", "--loading-process-events-interval-bytes"]
        server.arguments += ["1024"]
        outcome = append(store, one("b", 1))
        await asyncio.to_thread(server.start, loaded=False)
        assert await outcome is None
        async with opened(medium) as newer:
            assert len(await newer.actors("", "", 999)) == 301


async def test_a_password_that_changed_is_named_and_the_old_one_helps(server, medium, told):
    async with opened(medium, parameters="outage_seconds=0.2") as store:
        server.command("CONFIG", "SET", "requirepass", "hunter2")
        server.command("CLIENT", "KILL", "TYPE", "normal", password="hunter2")
        error = await append(store, one("a", 1))
        assert "password was not accepted" in error.reason
        server.command("CONFIG", "SET", "requirepass", "", password="hunter2")
        await told.until("again")
        await store.reset()
        assert await append(store, one("a", 1)) is None


async def test_a_server_that_went_back_is_noticed(server, medium, tmp_path, told):
    """A copy of the data from before some batches takes the server's place."""
    async with opened(medium) as store:
        assert await append(store, one("a", 1), one("b", 1)) is None
        server.kill()
        shutil.copytree(server.folder, tmp_path / "copy")
        await restarted(server)
        assert await append(store, one("a", 2)) is None
        server.kill()
        shutil.rmtree(server.folder)
        shutil.copytree(tmp_path / "copy", server.folder)
        await restarted(server)
        # Nothing of b was lost; but what a acknowledged was, so all must be loaded again.
        error = await append(store, one("b", 2))
        assert isinstance(error, StoreFailedError)
        assert "lost the last 1 batches" in str(error.first)
        await store.reset()
        assert [len(found.tail) for found in await store.load(["a", "b"])] == [1, 1]
        assert await append(store, one("a", 2), one("b", 2)) is None


async def test_a_server_that_lost_everything_has_lost_its_owner(tmp_path):
    with redis_server(tmp_path, "--appendonly", "no") as server:
        async with opened(RedisMedium(server)) as store:
            assert await append(store, one("a", 1)) is None
            server.kill()
            await restarted(server)
            error = await append(store, one("a", 2))
            assert isinstance(error, FencedError)
            assert (error.epoch, error.newer) == (1, 0)
            assert "lost what it had" in str(error)
            await store.reset()
            assert isinstance(await append(store, one("a", 2)), FencedError)
            with pytest.raises(FencedError):
                await store.load(["a"])
            with pytest.raises(FencedError):
                await store.check_owner()


async def test_an_owner_that_was_away_finds_the_newer_one(server, medium):
    async with opened(medium) as older:
        assert await append(older, one("a", 1)) is None
        server.kill()
        outcome = append(older, one("a", 2))
        newer = medium.store()
        opening = asyncio.ensure_future(newer.open())
        await asyncio.sleep(0)
        await restarted(server)
        await opening
        error = await outcome
        if error is None:
            # The older came first; then it is told with the next batch.
            error = await append(older, one("a", 3))
        assert isinstance(error, FencedError)
        await newer.close()


async def test_a_replica_takes_over(server, tmp_path, told):
    server.command("CONFIG", "SET", "repl-diskless-sync-delay", 0)
    replica = RedisServer(tmp_path / "replica", "--replicaof", f"127.0.0.1 {server.port}")
    await asyncio.to_thread(replica.start)
    nodes = (("127.0.0.1", server.port), ("127.0.0.1", replica.port))
    store = RedisStore(RedisAddress(nodes))
    await store.open()
    try:
        flood = Flood(store)
        flood.pour(100)
        assert await flood.settled() == [None] * 100
        question = ("HGET", RedisKeys("genarrative").owner, "batch")
        await asyncio.to_thread(replica.until, lambda batch: batch == b"100", *question)
        server.kill()
        flood.pour(100)
        await told.until("is lost")
        replica.command("REPLICAOF", "NO", "ONE")
        assert await flood.settled() == [None] * 200
        assert len((await load(store, "a")).tail) == 200
    finally:
        await store.close()
        replica.kill()
