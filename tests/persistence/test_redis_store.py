from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from conformance import StoreConformance
from redis_medium import Flood, RedisMedium
from redis_server import redis_server
from store_words import append, check_crashed_history, checkpoint, keeping, load, one, opened, put

from persistence import (
    CorruptActorError,
    Snapshot,
    StoreFormatError,
    StoreRefusedError,
    StoreWriteError,
)
from persistence.redis_library import LIBRARY, function_call
from persistence.redis_store import RedisStore
from persistence.redis_url import parse_redis_url


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis"), "--appendfsync", "always") as server:
        yield server


@pytest.fixture
def medium(server):
    return RedisMedium(server)


class TestRedisStore(StoreConformance):
    examples = 30

    @pytest.fixture(autouse=True)
    def _on(self, server):
        self.server = server

    @contextmanager
    def make_medium(self):
        yield RedisMedium(self.server)


async def test_what_was_opened_is_described_without_the_password(server, medium):
    server.command("ACL", "SETUSER", "me", "on", ">hunter2", "allkeys", "allcommands")
    store = store_as(server, "me:hunter2", medium.name)
    description = await store.open()
    assert description.kind == "redis"
    assert description.location == f"redis://127.0.0.1:{server.port}/0?name={medium.name}"
    assert description.durability == "appendonly=yes, appendfsync=always, replicas=0"
    assert description.risk == ""
    assert "hunter2" not in str(description)
    await store.close()


def store_as(server, credentials, name):
    url = server.url.replace("//", f"//{credentials}@")
    return RedisStore(parse_redis_url(url, name))


@pytest.mark.parametrize(
    ("settings", "durability", "risk"),
    [
        ({"appendfsync": "everysec"}, "appendonly=yes, appendfsync=everysec", "one second"),
        ({"appendfsync": "no"}, "appendonly=yes, appendfsync=no", "has not written yet"),
        ({"appendonly": "no"}, "appendonly=no", "last snapshot"),
        (
            {"maxmemory": "1gb", "maxmemory-policy": "allkeys-lru", "appendfsync": "always"},
            "appendonly=yes, appendfsync=always",
            "any key",
        ),
    ],
)
async def test_what_can_be_lost_is_told(tmp_path, settings, durability, risk):
    arguments = [word for key, value in settings.items() for word in (f"--{key}", value)]
    with redis_server(tmp_path, *arguments) as server:
        store = RedisMedium(server).store()
        description = await store.open()
        assert description.durability.startswith(durability)
        assert risk in description.risk
        await store.close()


async def test_settings_that_are_not_told_are_unknown(server, medium):
    rights = ("~*", "+@all", "-config")
    server.command("ACL", "SETUSER", "shy", "on", ">pw", *rights)
    store = store_as(server, "shy:pw", medium.name)
    description = await store.open()
    assert description.durability == "appendonly=unknown, appendfsync=unknown, replicas=0"
    assert "unknown" in description.risk
    await store.close()


@pytest.mark.parametrize(
    ("credentials", "reason"),
    [
        ("me:hunter3", "password was not accepted"),
        ("nobody:hunter3", "password was not accepted"),
        ("poor:hunter3", "NOPERM"),
    ],
)
async def test_a_server_that_lets_us_not_in_is_named(server, medium, credentials, reason):
    server.command("ACL", "SETUSER", "me", "on", ">hunter2", "allkeys", "allcommands")
    server.command("ACL", "SETUSER", "poor", "on", ">hunter3", "~*", "+@read")
    with pytest.raises(StoreRefusedError, match=reason) as caught:
        await store_as(server, credentials, medium.name).open()
    assert "hunter" not in str(caught.value)


async def test_a_password_that_is_missing_is_named(tmp_path):
    with redis_server(tmp_path, "--requirepass", "hunter2") as server:
        with pytest.raises(StoreRefusedError, match="password was not accepted"):
            await RedisMedium(server).store().open()
        store = store_as(server, ":hunter2", "x")
        await store.open()
        assert await append(store, one("a", 1)) is None
        await store.close()


async def test_waiting_for_disks_needs_a_newer_server(medium):
    with pytest.raises(StoreRefusedError, match=r"7\.2"):
        await medium.store("waitaof=1").open()


async def test_a_server_without_functions_is_too_old(tmp_path):
    with redis_server(tmp_path, "--rename-command", "FCALL", "") as server:
        store = RedisMedium(server).store()
        with pytest.raises(StoreRefusedError, match=r"needs Redis 7\.0"):
            await store.open()


async def test_nobody_listens(tmp_path):
    with redis_server(tmp_path) as server:
        server.kill()
        with pytest.raises(StoreWriteError, match="Connect call failed"):
            await RedisMedium(server).store("outage_seconds=0.1").open()


@pytest.mark.parametrize("command", ["SET", "SADD"])
async def test_keys_of_another_program_are_refused(server, medium, command):
    server.command(command, medium.keys.owner, "theirs")
    with pytest.raises(StoreFormatError, match="another program"):
        await medium.store().open()


async def test_a_format_of_the_future_is_refused(server, medium):
    server.command("HSET", medium.keys.owner, "format", "99")
    with pytest.raises(StoreFormatError, match="format 99"):
        await medium.store().open()


async def test_stores_of_other_names_know_nothing_of_each_other(server, medium):
    other = RedisMedium(server)
    async with opened(medium) as store, opened(other) as neighbour:
        assert await append(store, one("a", 1, wake=5)) is None
        await store.write_meta("key", b"value")
        assert await neighbour.actors("", "", 9) == []
        assert await neighbour.due(9, 9) == []
        assert await neighbour.read_meta("key") is None
        assert await append(neighbour, one("a", 1)) is None
        assert await append(store, one("a", 2)) is None


async def test_an_altered_row_concerns_its_actor_only(server, medium):
    async with opened(medium) as store:
        await append(store, one("a", 1, put(1, b"k")), one("b", 1, put(1, b"k")), one("c", 1))
        for name in "ab":
            assert await checkpoint(store, name, 1) is None
        field = b"\0\0\0\1k"
        value = server.command("HGET", medium.keys.rows("a"), field)
        for damage in (value[:-1], b"", value[:4] + b"x", b"\0" + value[1:]):
            server.command("HSET", medium.keys.rows("a"), field, damage)
            damaged, sound = await store.load(["a", "b"])
            assert isinstance(damaged, CorruptActorError)
            assert (damaged.actor, damaged.seq) == ("a", 1)
            assert isinstance(sound, Snapshot)


async def test_keys_of_the_wrong_kind_concern_their_actor_only(server, medium):
    async with opened(medium) as store:
        await append(store, *[one(name, 1) for name in "abc"])
        assert await checkpoint(store, "c", 1) is None
        server.command("SET", medium.keys.rows("a"), "x")
        server.command("SET", medium.keys.journal("b"), "x")
        server.command("HSET", medium.keys.rows("c"), "", "nonsense")
        answers = await store.load(["a", "b", "c", "d"])
        kinds = [type(answer) for answer in answers]
        assert kinds == [CorruptActorError] * 3 + [Snapshot]
        for name in "abc":
            assert isinstance(await checkpoint(store, name, 1), CorruptActorError)
        # A batch that meets such a key is refused whole.
        assert isinstance(await append(store, one("d", 1), one("a", 2)), StoreWriteError)
        await store.reset()
        assert (await load(store, "d")).tail == []
        assert await append(store, one("d", 1)) is None


async def test_all_batches_of_a_loop_turn_go_as_one_call(server, medium):
    async with opened(medium) as store:
        assert await append(store, one("a", 1)) is None
        before = calls(server)
        flood = Flood(store, seq=1)
        flood.pour(500)
        assert await flood.settled() == [None] * 500
        assert calls(server) - before == 1


def calls(server):
    return server.command("INFO", "commandstats")["cmdstat_fcall"]["calls"]


async def test_a_batch_that_fails_spares_those_grouped_before_it(medium):
    async with opened(medium) as store:
        outcomes = [append(store, one("a", 1)), append(store, one("b", 1), one("c", 7))]
        first, second = await asyncio.gather(*outcomes)
        assert first is None
        assert (second.actor, second.expected, second.given) == ("c", 1, 7)
        await store.reset()
        assert await store.actors("", "", 9) == ["a"]
        assert await append(store, one("a", 2), one("b", 1)) is None


async def test_bytes_left_over_from_a_lost_connection_cannot_write(server, medium):
    async with opened(medium) as store:
        assert await append(store, one("a", 1)) is None
        plan = b'{"sizes":[1],"actors":[1],"seqs":[2],"wakes":[-1]}'
        keys = [medium.keys.owner, medium.keys.names, medium.keys.wakes]
        keys += [medium.keys.journal("a"), medium.keys.rows("a")]
        words = (f"{LIBRARY}_append", len(keys), *keys)
        record = one("a", 2).record
        assert server.command("FCALL", *words, 1, 0, 2, plan, "a", record) == [b"stale"]
        assert server.command("FCALL", *words, 0, 1, 2, plan, "a", record) == [b"fenced", b"1"]
        assert server.command("FCALL", *words, 1, 1, 3, plan, "a", record) == [b"gap"]
        assert len((await load(store, "a")).tail) == 1


async def test_functions_that_were_flushed_are_loaded_again(server, medium, caplog):
    caplog.set_level(logging.CRITICAL, "persistence.redis")
    async with opened(medium) as store:
        assert await append(store, one("a", 1)) is None
        server.command("FUNCTION", "FLUSH")
        assert await append(store, one("a", 2)) is None
        server.command("FUNCTION", "FLUSH")
        assert len((await load(store, "a")).tail) == 2


async def test_a_big_batch_and_big_rows_pass(medium):
    changes = [put(1, b"%05d" % number, bytes(50)) for number in range(5_000)]
    async with opened(medium) as store:
        batch = [one(f"a{number}", 1) for number in range(3_000)]
        assert await append(store, one("big", 1, *changes), *batch) is None
        assert await checkpoint(store, "big", 1) is None
        assert await append(store, one("big", 2)) is None
        drops = [change._replace(row=None) for change in changes[1:]]
        assert await checkpoint(store, "big", 2, drops) is None
        assert (await load(store, "big")).rows == [(1, changes[0].row)]
        assert len(await store.load([f"a{number}" for number in range(3_000)])) == 3_000


async def test_history_grows_over_checkpoints(medium):
    async with opened(medium, retention=keeping(1_500)) as store:
        batch = [one("a", seq) for seq in range(1, 4_001)]
        assert await append(store, *batch) is None
        for through in (1, 1_200, 3_000):
            assert await checkpoint(store, "a", through) is None
        records = [item.record for item in batch]
        assert await store.history("a", 0, 9_999) == records[1_500:]
        assert await store.history("a", 2_990, 20) == records[2_990:3_010]
        assert await store.history("a", 3_500, 1) == records[3_500:3_501]
    async with opened(medium) as store:
        assert await checkpoint(store, "a", 3_001) is None
        assert await store.history("a", 0, 9_999) == records[3_001:]


async def test_history_is_trimmed_where_it_lies(server, medium):
    async with opened(medium, retention=keeping(100, 10_000)) as store:
        batch = [one("a", seq, put(1, b"k")) for seq in range(1, 1_001)]
        assert await append(store, *batch) is None
        for through in (50, 400, 1_000):
            assert await checkpoint(store, "a", through) is None
        assert server.command("LLEN", medium.keys.journal("a")) == 100
        noted = sum(len(item.record) for item in batch[-100:])
        assert server.command("HGET", medium.keys.rows("a"), "") == b"1000 10000 100 %d" % noted
    async with opened(medium, retention=keeping(size=0)) as store:
        assert await store.trim("", 9) == ""
        assert server.command("EXISTS", medium.keys.journal("a")) == 0
        assert server.command("HGET", medium.keys.rows("a"), "") == b"1000 10000 0 0"
    async with opened(medium, retention=keeping(7)) as store:
        assert await append(store, one("a", 1_001)) is None
        assert await checkpoint(store, "a", 1_001) is None
        assert server.command("HGET", medium.keys.rows("a"), "") == b"1001 10010 1 unknown"


async def test_a_store_of_the_format_before_is_taken_over(server, medium):
    async with opened(medium, retention=keeping(0)) as store:
        batch = [one("a", seq) for seq in range(1, 10)]
        assert await append(store, *batch) is None
        assert await checkpoint(store, "a", 4) is None
    server.command("HSET", medium.keys.owner, "format", "1")
    server.command("HSET", medium.keys.rows("a"), "", "4 40")
    async with opened(medium, retention=keeping(size=3 * len(batch[0].record))) as store:
        assert (await load(store, "a"))[1:3] == (4, 40)
        assert await checkpoint(store, "a", 5) is None
        assert await store.history("a", 0, 9) == [item.record for item in batch[4:]]
        assert await checkpoint(store, "a", 9) is None
        assert await store.history("a", 0, 9) == [item.record for item in batch[6:]]
    assert server.command("HGET", medium.keys.owner, "format") == b"2"


async def test_a_sweep_spares_keys_of_the_wrong_kind(server, medium):
    async with opened(medium, retention=keeping(9)) as store:
        await append(store, *[one(name, 1) for name in "abc"])
        for name in "abc":
            assert await checkpoint(store, name, 1) is None
        server.command("SET", medium.keys.journal("a"), "x")
        server.command("DEL", medium.keys.rows("b"))
        server.command("SET", medium.keys.rows("b"), "x")
    async with opened(medium, retention=keeping(0)) as store:
        assert await store.trim("", 9) == ""
        assert await store.history("c", 0, 9) == []
        assert server.command("GET", medium.keys.journal("a")) == b"x"


async def test_a_programmers_error_is_told_and_the_store_goes_on(medium):
    async with opened(medium) as store:
        record = one("a", 1).record
        assert isinstance(await append(store, ("a", 1, record, "soon")), StoreWriteError)
        await store.reset()
        assert await append(store, one("a", 1)) is None


async def test_a_cancelled_load_harms_nobody(medium):
    async with opened(medium) as store:
        assert await append(store, one("a", 1)) is None
        abandoned = asyncio.ensure_future(store.load(["a"]))
        await asyncio.sleep(0)
        abandoned.cancel()
        assert len((await load(store, "a")).tail) == 1
        assert abandoned.cancelled()


async def test_closing_ends_the_connection(server, medium):
    before = server.command("INFO", "clients")["connected_clients"]
    async with opened(medium) as store:
        assert await append(store, one("a", 1)) is None
        assert server.command("INFO", "clients")["connected_clients"] == before + 1
    assert server.command("INFO", "clients")["connected_clients"] == before
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.crash
@pytest.mark.parametrize("acknowledged_min", [1, 300])
def test_a_killed_server_and_owner_lose_nothing_acknowledged(tmp_path, acknowledged_min):
    script = Path(__file__).with_name("crash_writer.py")
    with redis_server(tmp_path, "--appendfsync", "always") as server:
        medium = RedisMedium(server, name="genarrative")
        with subprocess.Popen(
            [sys.executable, str(script), server.url], stdout=subprocess.PIPE
        ) as child:
            for _ in range(acknowledged_min):
                assert child.stdout.readline()
            server.kill()
            child.send_signal(signal.SIGKILL)
            rest = child.stdout.read().split()
        server.start()
        asyncio.run(check_after_crash(medium, acknowledged_min + len(rest)))


async def check_after_crash(medium, acknowledged):
    async with opened(medium) as store:
        first, second = await store.load(["a", "b"])
        assert isinstance(first, Snapshot)
        assert isinstance(second, Snapshot)
        length = first.base_seq + len(first.tail)
        assert length >= acknowledged
        assert second.base_seq + len(second.tail) == length
        assert await store.due(10**6, 9) == [("b", length)]
        for snapshot in (first, second):
            await check_crashed_history(store, snapshot)
        assert await append(store, one("a", length + 1)) is None


def test_a_call_is_spelt_for_the_server():
    assert function_call("put", [b"k"], 1, "a") == (
        b"*6\r\n$5\r\nFCALL\r\n$%d\r\n%b_put\r\n$1\r\n1\r\n$1\r\nk\r\n$1\r\n1\r\n$1\r\na\r\n"
        % (len(LIBRARY) + 4, LIBRARY.encode())
    )
