"""Servers and stores that are killed again and again lose nothing and do nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import statistics
from collections import Counter

import ledger_module
import pytest
from bot import Bot, Words, connected
from crowd import Crowd
from history import Operation, Outcome, is_linearizable, number, respects_time
from ledger_module import Entry, Note, Payment, Receipt, Register
from places import FAULTS, Place, faulty_place
from stored import StoredActor, read_actors

from actors.module.module import Module
from actors.module.system import DeadLetter, OutboxMessage

pytestmark = pytest.mark.crash

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "3"))
SEED = int(os.environ.get("CRASH_SEED", "0")) or random.randrange(2**31)
ROUND_ANSWERS_MAX = 400
AFTER_ANSWERS_MAX = 100
CONVERGED_SECONDS_MAX = 20
MODULE = Module.load("ledger_module")
WORDS = Words(MODULE)


class Watcher:
    """A connection that subscribes before the load begins; a new one when it is lost."""

    def __init__(self, place: Place, *queries: str) -> None:
        self._place = place
        self._queries = queries
        self._stack = contextlib.AsyncExitStack()
        self._bot: Bot

    async def start(self) -> None:
        self._bot = await self._stack.enter_async_context(connected(WORDS, self._place.server))
        await self._bot.subscribe(*self._queries)

    async def check(self) -> None:
        """What updates have made of the first rows is what a newcomer is told."""
        if self._bot.is_lost:
            await self._stack.aclose()
            await self.start()
        async with connected(WORDS, self._place.server) as fresh:
            await fresh.subscribe(*self._queries)
            async with asyncio.timeout(CONVERGED_SECONDS_MAX):
                for table in ("note", "register", "entry"):
                    await asyncio.gather(
                        self._bot.until(lambda table=table: self._agrees(fresh, table)),
                        fresh.until(lambda table=table: self._agrees(fresh, table)),
                    )

    def _agrees(self, fresh: Bot, table: str) -> bool:
        return sorted(fresh.rows(table)) == sorted(self._bot.rows(table))

    async def stop(self) -> None:
        await self._stack.aclose()


async def _round(crowd: Crowd, place: Place, number: int, chance: random.Random) -> None:
    watcher = Watcher(
        place,
        f"SELECT * FROM note WHERE round = {number}",
        f"SELECT * FROM register WHERE name = 'r{number}'",
        "SELECT * FROM entry",
    )
    await watcher.start()
    crowd.begin(number)
    strike_at = crowd.answers + chance.randint(1, ROUND_ANSWERS_MAX)
    await crowd.until(lambda: crowd.answers >= strike_at)
    crowd.note_strike()
    place.strike()
    if chance.random() < 0.5:
        await crowd.until(lambda: crowd.is_shaken)
    await place.heal()
    await crowd.until(lambda: crowd.is_served_again)
    end_at = crowd.answers + chance.randint(0, AFTER_ANSWERS_MAX)
    await crowd.until(lambda: crowd.answers >= end_at)
    await crowd.end()
    assert place.server.is_running
    await watcher.check()
    await watcher.stop()


def _check_book(crowd: Crowd, book: StoredActor) -> None:
    notes = sorted(book.rows(Note), key=lambda note: note.seq)
    # Nothing but calls happens in the book: its turns are numbered without a gap.
    assert [note.seq for note in notes] == list(range(1, book.seq + 1))
    calls: dict[tuple[int, int, object], Operation] = {
        (*line, call.action): call for line, made in crowd.notes.operations.items() for call in made
    }
    there = Counter((note.round, note.line, note.number) for note in notes)
    assert set(there.values()) == {1}, "a call took effect twice"
    acknowledged = {key for key, call in calls.items() if call.outcome is Outcome.OK}
    refused = {key for key, call in calls.items() if call.outcome is Outcome.FAIL}
    assert acknowledged <= there.keys(), "an acknowledged call is gone"
    assert not refused & there.keys(), "a refused call took effect"
    # A connection's calls take effect in their order, and none is left out but the refused.
    for line in crowd.notes.operations:
        numbers = [note.number for note in notes if (note.round, note.line) == line]
        left_out = {key[2] for key in refused if key[:2] == line}
        length = len(numbers) + len(left_out)
        assert numbers == [n for n in range(length) if n not in left_out][: len(numbers)]
    assert respects_time([calls[note.round, note.line, note.number] for note in notes])


def _check_payments(crowd: Crowd, actors: dict[str, StoredActor]) -> None:
    entries = Counter((entry.user_id, entry.number) for entry in actors["vault/0"].rows(Entry))
    assert set(entries.values()) == {1}
    for payer, user_id in enumerate(crowd.users):
        wallet = actors[f"wallet/{user_id}"]
        expected = list(range(crowd.paid[payer]))
        assert sorted(row.number for row in wallet.rows(Payment)) == expected
        assert sorted(row.number for row in wallet.rows(Receipt)) == expected
        assert sorted(number for user, number in entries if user == user_id) == expected


def _check_numbers(crowd: Crowd, actors: dict[str, StoredActor]) -> None:
    last = {
        row.name: row.value
        for name, actor in actors.items()
        if name.startswith("shelf/")
        for row in actor.rows(Register)
    }
    for name, calls in crowd.numbers.operations.items():
        # What is stored is what somebody who looks after everything would see.
        end = max(call.invoked for call in calls) + 1e9
        final = Operation(("look", 0), end, end, Outcome.OK, last.get(name, 0))
        assert is_linearizable([*calls, final], 0, number), (name, calls, final)


async def _check(crowd: Crowd, place: Place) -> None:
    actors = await read_actors(MODULE, place.server.data_dir, place.store_url)
    _check_book(crowd, actors["book/0"])
    _check_payments(crowd, actors)
    _check_numbers(crowd, actors)
    for actor in actors.values():
        assert actor.rows(DeadLetter) == []
        assert actor.rows(OutboxMessage) == []


@pytest.mark.timeout(90 + 10 * ROUNDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(tmp_path, fault):
    print("seed", SEED)
    chance = random.Random(SEED)
    assert MODULE.tables["note"].row is ledger_module.Note

    async def crash(place: Place) -> None:
        crowd = Crowd(WORDS, place.server, chance)
        recoveries = []
        for round_number in range(ROUNDS):
            await _round(crowd, place, round_number, chance)
            recoveries.append(crowd.recovery_seconds)
        await crowd.finish()
        place.server.stop()
        await _check(crowd, place)
        assert crowd.notes.count(Outcome.OK) > ROUNDS
        print(
            f"{fault}: {ROUNDS} faults; acknowledged {crowd.notes.count(Outcome.OK)} notes, "
            f"{sum(crowd.paid)} payments, {crowd.numbers.count(Outcome.OK)} calls on numbers; "
            f"refused {crowd.refused}; unknown {crowd.notes.count(Outcome.INFO)} notes, "
            f"{crowd.numbers.count(Outcome.INFO)} calls on numbers; seconds to the first call "
            f"served: median {statistics.median(recoveries):.2f}, most {max(recoveries):.2f}"
        )

    with faulty_place(fault, "ledger_module", tmp_path, "--no-rate-limits") as place:
        asyncio.run(crash(place))
        assert "Traceback" not in place.server.log()
