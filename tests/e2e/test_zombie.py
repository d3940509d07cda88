"""A server that stood still while another one took its store: it learns so, and nobody believes it.

What it had not written is never written; what it held back is never seen; it ends by itself.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from pathlib import Path
from typing import Any

import pytest
from bot import Bot, Lost, Words, connected
from history import History, Outcome, now
from ledger_module import Add, Note
from places import Place, place
from served import Served
from stored import read_actors

from actors.module.module import Module

pytestmark = pytest.mark.crash

IN_FLIGHT = 16
NOTES = 300
LINES = 3
MODULE = Module.load("ledger_module")
WORDS = Words(MODULE)


class Load:
    """Notes written to one server, and every row of them that a subscriber of it was shown."""

    def __init__(self, server: Served, first_line: int) -> None:
        self.history = History()
        self.seen: set[tuple[Any, ...]] = set()
        self._server = server
        self._lines = range(first_line, first_line + LINES)
        self._enough = asyncio.Event()
        self._work: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin, and wait until some notes were acknowledged."""
        self._work = [asyncio.create_task(self._write(line)) for line in self._lines]
        self._work.append(asyncio.create_task(self._watch()))
        await asyncio.wait_for(self._enough.wait(), 30)

    async def lost(self) -> None:
        """Wait until every connection is lost."""
        for outcome in await asyncio.gather(*self._work, return_exceptions=True):
            assert isinstance(outcome, Lost), outcome

    async def end(self) -> None:
        """Stop."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def _write(self, line: int) -> None:
        async with connected(WORDS, self._server) as bot:
            free = asyncio.Semaphore(IN_FLIGHT)
            for number in itertools.count():
                await free.acquire()
                call = bot.call("write_note", 0, line, number)
                call.add_done_callback(self._note(free, (line, number), now()))
                if call.done():
                    await call

    def _note(self, free: asyncio.Semaphore, note: tuple[int, int], invoked: float) -> Any:
        def done(call: asyncio.Future[None]) -> None:
            free.release()
            is_ok = not call.cancelled() and call.exception() is None
            self.history.end(0, note, invoked, Outcome.OK if is_ok else Outcome.INFO)
            if self.history.count(Outcome.OK) >= NOTES:
                self._enough.set()

        return done

    async def _watch(self) -> None:
        async with connected(WORDS, self._server) as bot:
            await bot.subscribe("SELECT * FROM note")
            await bot.until(lambda: self._look(bot))

    def _look(self, bot: Bot) -> bool:
        self.seen.update(bot.rows("note"))
        return False


def _heir(older: Served, folder: Path, *flags: str) -> Served:
    """A server of the same keys in a folder of its own; not started yet."""
    shutil.copytree(older.data_dir, folder, ignore=shutil.ignore_patterns("*.lock", "lock"))
    return Served("ledger_module", folder, *flags)


async def test_a_server_that_stood_still_while_its_store_was_taken_over(tmp_path):
    with place("ledger_module", tmp_path, "redis", "--no-rate-limits") as old:
        heir = _heir(old.server, tmp_path / "heir", "--store", old.store_url, "--no-rate-limits")
        try:
            await _take_over(old, heir)
        finally:
            heir.kill()


async def _take_over(old: Place, heir: Served) -> None:
    zombie = old.server
    before = Load(zombie, 0)
    await before.start()
    async with connected(WORDS, zombie) as bot:
        token = bot.token
        _, first, *_ = await bot.ask("add_and_return", Add("n", 1, "once"))
    zombie.pause()
    await asyncio.to_thread(heir.start)
    taken_at = now()
    after = Load(heir, LINES)
    await after.start()
    async with connected(WORDS, heir, token) as bot:
        # What was acknowledged there is known here, to the receipt.
        assert (await bot.ask("add_and_return", Add("n", 1, "once")))[1] == first
    zombie.resume()
    await before.lost()
    assert await asyncio.to_thread(zombie.exit_code) == 2
    assert "was fenced by the owner of epoch 2" in zombie.log()
    with pytest.raises(Lost):
        async with connected(WORDS, zombie):
            pass
    assert heir.wait_until_ready(ready=True) == ""
    await after.end()
    await asyncio.to_thread(heir.stop)

    late = [call for call in before.history.operations[0] if call.invoked > taken_at]
    assert all(call.outcome is Outcome.INFO for call in late)
    notes = (await read_actors(MODULE, heir.data_dir, old.store_url))["book/0"].rows(Note)
    there = [(note.line, note.number) for note in notes]
    assert len(set(there)) == len(there)
    for load in (before, after):
        acknowledged = {
            call.action for call in load.history.operations[0] if call.outcome is Outcome.OK
        }
        assert acknowledged <= set(there)
        assert len(acknowledged) >= NOTES
        assert load.seen <= {tuple(note) for note in notes}
        assert len(load.seen) >= NOTES


async def test_a_server_that_stands_still_keeps_its_folder(tmp_path):
    with place("ledger_module", tmp_path, "sqlite") as here:
        here.server.pause()
        second = Served("ledger_module", here.server.data_dir)
        second.begin()
        assert await asyncio.to_thread(second.exit_code) == 2
        assert "genarrative: data folder is locked" in here.server.log()
        here.server.resume()
        async with connected(WORDS, here.server) as bot:
            await bot.call("write_note", 0, 0, 0)
