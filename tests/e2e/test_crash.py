"""A server that is killed again and again loses nothing acknowledged and does nothing twice."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter

import ledger_module
import pytest
from bot import Bot, Lost, Words, connected
from ledger_module import Entry, Note, Pay, Payment, Receipt
from served import Served, serving
from stored import read_actors

from actors.keys import user_id_of
from actors.module.module import Module
from actors.module.system import DeadLetter, OutboxMessage

pytestmark = pytest.mark.crash

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "10"))
SEED = int(os.environ.get("CRASH_SEED", "0")) or random.randrange(2**31)
WRITERS = 3
PAYERS = 3
IN_FLIGHT = 32
ROUND_ANSWERS_MAX = 600


class Crowd:
    """Bots that call as fast as they are answered, and know what they were told."""

    def __init__(self, words: Words, server: Served) -> None:
        self.words = words
        self.server = server
        self.noted: set[tuple[int, int, int]] = set()
        self.paid: list[int] = [0] * PAYERS
        self.tokens: list[str] = [""] * PAYERS
        self.users: list[str] = [""] * PAYERS
        self.is_last = False
        self._answers = 0
        self._kill_at = 0
        self._time_to_kill = asyncio.Event()

    async def round(self, life: int, kill_at: int) -> None:
        """Let everybody work until so many answers have come, then kill the server."""
        self._answers, self._kill_at = 0, kill_at
        self._time_to_kill.clear()
        work = [asyncio.create_task(self._write(number, life)) for number in range(WRITERS)]
        work += [asyncio.create_task(self._pay(number)) for number in range(PAYERS)]
        await self._time_to_kill.wait()
        self.server.kill()
        for outcome in await asyncio.gather(*work, return_exceptions=True):
            assert isinstance(outcome, Lost), outcome

    async def _write(self, writer: int, life: int) -> None:
        """Many calls in flight; what is not acknowledged is never asked for again."""
        async with connected(self.words, self.server, protocol="v2" if writer % 2 else "v3") as bot:
            free = asyncio.Semaphore(IN_FLIGHT)
            number = 0
            while True:
                await free.acquire()
                call = bot.call("write_note", writer, life, number)
                call.add_done_callback(self._acknowledge(free, (writer, life, number)))
                if call.done():
                    await call
                number += 1

    def _acknowledge(self, free: asyncio.Semaphore, what: tuple[int, int, int]):
        def done(call: asyncio.Future[None]) -> None:
            free.release()
            if call.exception() is None:
                self.noted.add(what)
                self._count()

        return done

    async def _pay(self, payer: int) -> None:
        """One call at a time, repeated with its request id until it is acknowledged."""
        async with connected(self.words, self.server, self.tokens[payer]) as bot:
            self._introduce(payer, bot)
            while True:
                number = self.paid[payer]
                await bot.call("pay", Pay(number, f"payment-{number}"))
                self.paid[payer] += 1
                self._count()

    def _introduce(self, payer: int, bot: Bot) -> None:
        self.tokens[payer] = self.tokens[payer] or bot.token
        self.users[payer] = user_id_of(bot.identity)

    def _count(self) -> None:
        self._answers += 1
        if self._answers >= self._kill_at:
            self._time_to_kill.set()

    async def finish(self) -> None:
        """Every payer's last call is repeated once more, and every receipt arrives."""
        for payer in range(PAYERS):
            async with connected(self.words, self.server, self.tokens[payer]) as bot:
                await bot.subscribe("SELECT * FROM payment", "SELECT * FROM receipt")
                number = self.paid[payer]
                await bot.call("pay", Pay(number, f"payment-{number}"))
                self.paid[payer] += 1
                count = self.paid[payer]
                await bot.until(lambda bot=bot, count=count: len(bot.rows("receipt")) >= count)


async def _check(module: Module, crowd: Crowd) -> None:
    actors = await read_actors(module, crowd.server.data_dir)
    book = actors["book/0"]
    notes = book.rows(Note)
    # Nothing but calls happens in the book: its turns are numbered without a gap.
    assert sorted(note.seq for note in notes) == list(range(1, book.seq + 1))
    there = Counter((note.writer, note.life, note.number) for note in notes)
    assert set(there.values()) == {1}, "a call took effect twice"
    assert crowd.noted <= there.keys(), "an acknowledged call is gone"
    # A connection's calls take effect in their order: what is there of each is a beginning.
    lengths = Counter((writer, life) for writer, life, _ in there)
    for writer, life, number in there:
        assert number < lengths[writer, life]

    entries = Counter((entry.user_id, entry.number) for entry in actors["vault/0"].rows(Entry))
    assert set(entries.values()) == {1}
    for payer, user_id in enumerate(crowd.users):
        wallet = actors[f"wallet/{user_id}"]
        expected = list(range(crowd.paid[payer]))
        assert sorted(row.number for row in wallet.rows(Payment)) == expected
        assert sorted(row.number for row in wallet.rows(Receipt)) == expected
        assert sorted(number for user, number in entries if user == user_id) == expected
    for actor in actors.values():
        assert actor.rows(DeadLetter) == []
        assert actor.rows(OutboxMessage) == []


@pytest.mark.timeout(60 + 6 * ROUNDS)
def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(tmp_path):
    print("seed", SEED)
    chance = random.Random(SEED)
    module = Module.load("ledger_module")
    assert module.tables["note"].row is ledger_module.Note

    async def crash(server: Served) -> None:
        crowd = Crowd(Words(module), server)
        for life in range(ROUNDS):
            await crowd.round(life, chance.randint(1, ROUND_ANSWERS_MAX))
            server.start()
        await crowd.finish()
        server.stop()
        await _check(module, crowd)
        assert len(crowd.noted) > ROUNDS
        print(len(crowd.noted), "notes and", sum(crowd.paid), "payments acknowledged")

    with serving("ledger_module", tmp_path / "data", "--no-rate-limits") as server:
        asyncio.run(crash(server))
        assert "Traceback" not in server.log()
