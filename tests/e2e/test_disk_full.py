"""A medium that refuses: nothing is acknowledged, everybody is told, and all goes on after it."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import Counter

import pytest
from bot import Lost, Refused, Words, connected, take_breath
from crowd import UNAVAILABLE
from ledger_module import Look, Note, Put
from places import Place, place
from served import HERE, environment
from stored import read_actors

from actors.module.module import Module
from protocol.close_codes import CLOSE_RESTART

pytestmark = pytest.mark.crash

NOTES_BEFORE = 400
NOTES_MAX = 1_000
REFUSALS = 5
ROOM_BYTES = 20_000
REASONS = {"the store does not take writes", "the store is too slow"}
MODULE = Module.load("ledger_module")
WORDS = Words(MODULE)


class Medium(ABC):
    """A store's medium that refuses for a while."""

    store = "redis"

    def __init__(self, here: Place) -> None:
        self.here = here

    @abstractmethod
    def refuse(self) -> None: ...

    @abstractmethod
    def accept(self) -> None: ...

    def command(self, *words: str | int):
        assert self.here.redis is not None
        return self.here.redis.command(*words)


class FullFolder(Medium):
    """No file may grow any more, but for a little room."""

    store = "sqlite"

    def refuse(self) -> None:
        sizes = [file.stat().st_size for file in self.here.server.data_dir.iterdir()]
        self.here.server.limit_files(max(sizes) + ROOM_BYTES)

    def accept(self) -> None:
        self.here.server.limit_files(resource.RLIM_INFINITY)


class ReadOnlyRedis(Medium):
    """Redis was told to follow another one."""

    def refuse(self) -> None:
        self.command("REPLICAOF", "127.0.0.1", 1)

    def accept(self) -> None:
        self.command("REPLICAOF", "NO", "ONE")


class FullMemory(Medium):
    """Redis has no memory left."""

    def refuse(self) -> None:
        self.command("CONFIG", "SET", "maxmemory", 1)

    def accept(self) -> None:
        self.command("CONFIG", "SET", "maxmemory", 0)


class FullRedisFolder(Medium):
    """Redis cannot write its log any more, and ends itself for that."""

    def refuse(self) -> None:
        pid = self.command("INFO", "server")["process_id"]
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (ROOM_BYTES, hard))

    def accept(self) -> None:
        assert self.here.redis is not None
        self.here.redis.kill()
        self.here.redis.start()


async def _write(here: Place, line: int, acknowledged: set[tuple[int, int]]) -> int | None:
    """Write notes one after the other until that fails; answers the close code, if it closed."""
    async with connected(WORDS, here.server) as bot:
        for number in range(NOTES_MAX):
            call = bot.call("write_note", 0, line, number)
            await asyncio.wait([call])
            error = call.exception()
            if isinstance(error, Lost):
                return bot.close_code
            if isinstance(error, Refused):
                assert error.code == UNAVAILABLE
                return None
            acknowledged.add((line, number))
    raise AssertionError("the medium takes everything")


@pytest.mark.parametrize("kind", [FullFolder, ReadOnlyRedis, FullMemory, FullRedisFolder])
async def test_a_medium_that_refuses(tmp_path, kind):
    query = "?outage_seconds=0.3" if kind.store == "redis" else ""
    with place("ledger_module", tmp_path, kind.store, "--no-rate-limits", query=query) as here:
        medium, server = kind(here), here.server
        acknowledged: set[tuple[int, int]] = set()
        async with connected(WORDS, server) as bot:
            await asyncio.gather(*[bot.call("write_note", 0, 0, n) for n in range(NOTES_BEFORE)])
            await bot.call("put", Put("n", 7))
        acknowledged.update((0, number) for number in range(NOTES_BEFORE))
        assert server.wait_until_ready(ready=True) == ""

        medium.refuse()
        codes = [await _write(here, line, acknowledged) for line in range(1, 1 + REFUSALS)]
        assert codes[0] == CLOSE_RESTART
        assert set(codes) <= {CLOSE_RESTART, None}
        assert await asyncio.to_thread(server.wait_until_ready, ready=False) in REASONS
        assert server.get("/livez")[0] == 200
        assert server.is_running

        await asyncio.to_thread(medium.accept)
        await asyncio.to_thread(server.wait_until_ready, ready=True)
        assert await _value(here) == 7
        async with connected(WORDS, server) as bot:
            await bot.call("write_note", 0, 99, 0)
        acknowledged.add((99, 0))
        await asyncio.to_thread(server.stop)
        assert "Traceback" not in server.log()

        actors = await read_actors(MODULE, server.data_dir, here.store_url)
        there = Counter((note.line, note.number) for note in actors["book/0"].rows(Note))
        assert set(there.values()) == {1}
        assert acknowledged <= there.keys()


async def _value(here: Place) -> int:
    """Look at the number, as soon as its actor can be read."""
    while True:
        async with connected(WORDS, here.server) as bot:
            ok, value, code, *_ = await bot.ask("look", Look("n"))
        if ok:
            return value.value
        assert code == UNAVAILABLE
        await take_breath()


def _refused_start(folder, *flags: str, blocks: str = "unlimited") -> str:
    """Start where that cannot work; answers the one line that says why."""
    done = subprocess.run(
        [
            *("sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh"),
            *(sys.executable, "-m", "server", "serve", "--port", "0"),
            *("--module", "ledger_module", "--data-dir", str(folder), *flags),
        ],
        cwd=HERE,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_a_disk_that_is_full_from_the_beginning(tmp_path):
    line = _refused_start(tmp_path / "data", blocks="8")
    assert line.startswith("genarrative: the store could not write: ")


def test_a_place_where_nothing_can_be_made(tmp_path):
    line = _refused_start(tmp_path / "data", "--store", "sqlite:///proc/nowhere/journal.sqlite3")
    assert line.startswith("genarrative: ")
    assert "/proc/nowhere" in line
