"""Bots that call a ledger as fast as they are answered, and remember what they were told."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bot import RECONNECT_SECONDS, Bot, Lost, Refused, Words, connected, take_breath
from history import History, Outcome, now
from ledger_module import Add, Look, Pay, Put
from served import Served

from actors.keys import user_id_of

WRITERS = 3
PAYERS = 3
CLERKS = 4
IN_FLIGHT = 32
UNAVAILABLE = "state.actor_unavailable"

Line = tuple[int, int]
"""A round, and a connection in it."""


class Crowd:
    """Writers, payers and clerks on one server.

    Writers make calls without ids, many at once, and never again; payers make each call until it is
    acknowledged; clerks share a number, a new one in each round.

    Attributes:
        notes: calls of writers, by connection.
        numbers: calls of clerks, by the name of the number.
        paid: how many calls of each payer were acknowledged.
        users: who the payers are.
        answers: how many calls have been acknowledged.
    """

    def __init__(self, words: Words, server: Served, chance: random.Random) -> None:
        self.words = words
        self.server = server
        self.notes = History()
        self.numbers = History()
        self.paid = [0] * PAYERS
        self.users = [""] * PAYERS
        self.refused = 0
        self.answers = 0
        self._chance = chance
        self._tokens = [""] * PAYERS
        self._lines = itertools.count(1)
        self._ids = itertools.count(1)
        self._wanted: list[tuple[Callable[[], bool], asyncio.Event]] = []
        self._work: list[asyncio.Task[None]] = []
        self._struck_at = 0.0
        self._served_at = 0.0
        self.is_shaken = False

    # What a test does with it

    def begin(self, round_number: int) -> None:
        """Start everybody's work."""
        name = f"r{round_number}"
        for number in range(WRITERS):
            self._start(lambda bot: self._write(bot, round_number), "v2" if number % 2 else "v3")
        for payer in range(PAYERS):
            self._start(lambda bot, payer=payer: self._pay(bot, payer), payer=payer)
        for _ in range(CLERKS):
            self._start(lambda bot: self._keep_books(bot, name))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; looked at with each answer and each lost connection."""
        if not holds():
            looked = asyncio.Event()
            self._wanted.append((holds, looked))
            waiting = asyncio.ensure_future(looked.wait())
            await asyncio.wait([waiting, *self._work], return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            for task in self._work:
                if task.done():
                    task.result()
                    raise AssertionError("somebody stopped to work")

    def note_strike(self) -> None:
        """From now on, what is begun and answered has been served after the fault."""
        self._struck_at, self._served_at = now(), 0.0
        self.is_shaken = False

    @property
    def is_served_again(self) -> bool:
        """Whether a call that was begun after the fault has been acknowledged."""
        return self._served_at > 0

    @property
    def recovery_seconds(self) -> float:
        """From the fault to the first call that was begun after it and acknowledged."""
        return self._served_at - self._struck_at

    async def end(self) -> None:
        """Stop everybody; what is not answered now, nobody knows."""
        for task in self._work:
            task.cancel()
        for outcome in await asyncio.gather(*self._work, return_exceptions=True):
            if not isinstance(outcome, asyncio.CancelledError):
                raise AssertionError("somebody stopped to work") from outcome
        self._work.clear()

    async def finish(self) -> None:
        """Every payer's last call is made once more, and every receipt arrives."""
        for payer in range(PAYERS):
            async with connected(self.words, self.server, self._tokens[payer]) as bot:
                await bot.subscribe("SELECT * FROM payment", "SELECT * FROM receipt")
                number = self.paid[payer]
                await bot.call("pay", Pay(number, f"payment-{number}"))
                self.paid[payer] += 1
                count = self.paid[payer]
                await bot.until(lambda bot=bot, count=count: len(bot.rows("receipt")) >= count)

    # Work

    def _start(
        self, work: Callable[[Bot], Awaitable[None]], protocol: str = "v3", payer: int | None = None
    ) -> None:
        self._work.append(asyncio.create_task(self._again_and_again(work, protocol, payer)))

    async def _again_and_again(
        self, work: Callable[[Bot], Awaitable[None]], protocol: str, payer: int | None
    ) -> None:
        while True:
            token = "" if payer is None else self._tokens[payer]
            with contextlib.suppress(Lost):
                async with connected(self.words, self.server, token, protocol) as bot:
                    if payer is not None:
                        self._tokens[payer] = token or bot.token
                        self.users[payer] = user_id_of(bot.identity)
                    await work(bot)
            self._shake()
            await take_breath()

    async def _write(self, bot: Bot, round_number: int) -> None:
        line = round_number, next(self._lines)
        free = asyncio.Semaphore(IN_FLIGHT)
        for number in itertools.count():
            await free.acquire()
            invoked = now()
            call = bot.call("write_note", *line, number)
            call.add_done_callback(self._note(free, line, number, invoked))
            if call.done():
                await call

    def _note(
        self, free: asyncio.Semaphore, line: Line, number: int, invoked: float
    ) -> Callable[[asyncio.Future[None]], None]:
        def done(call: asyncio.Future[None]) -> None:
            outcome = self._outcome(call, invoked)
            self.notes.end(line, number, invoked, outcome)
            pause = RECONNECT_SECONDS if outcome is Outcome.FAIL else 0
            call.get_loop().call_later(pause, free.release)

        return done

    async def _pay(self, bot: Bot, payer: int) -> None:
        while True:
            number = self.paid[payer]
            invoked = now()
            try:
                await bot.call("pay", Pay(number, f"payment-{number}"))
            except Refused as refusal:
                await self._bear(refusal)
                continue
            self.paid[payer] += 1
            self._count(invoked)

    async def _keep_books(self, bot: Bot, name: str) -> None:
        while True:
            action, operand = self._chance.choice(("put", "add", "look")), next(self._ids)
            if action == "put":
                await self._try(name, ("put", operand), self._call(bot, Put(name, operand)))
            elif action == "add":
                await self._try(name, ("add", 1), self._add(bot, Add(name, 1, f"add-{operand}")))
            else:
                await self._try(name, ("look", 0), self._ask(bot, "look", Look(name)))

    async def _try(self, name: str, action: Any, call: Coroutine[Any, Any, int | None]) -> None:
        """Make a call and record what came of it."""
        invoked = now()
        try:
            answer = await call
        except Refused as refusal:
            self.numbers.end(name, action, invoked, Outcome.FAIL)
            await self._bear(refusal)
        except (Lost, asyncio.CancelledError):
            self.numbers.end(name, action, invoked, Outcome.INFO)
            raise
        else:
            self.numbers.end(name, action, invoked, Outcome.OK, answer)
            self._count(invoked)

    async def _call(self, bot: Bot, given: Put) -> None:
        await bot.call("put", given)

    async def _ask(self, bot: Bot, name: str, given: Look | Add) -> int:
        ok, value, code, *_ = await bot.ask(name, given)
        if not ok:
            raise Refused(code)
        return value.value

    async def _add(self, bot: Bot, given: Add) -> int:
        """Add once: over as many connections as it takes, with the one request id."""
        try:
            return await self._ask(bot, "add_and_return", given)
        except Lost:
            self._shake()
        while True:
            await take_breath()
            with contextlib.suppress(Lost, Refused):
                async with connected(self.words, self.server, bot.token) as other:
                    return await self._ask(other, "add_and_return", given)

    # Outcomes

    def _outcome(self, call: asyncio.Future[None], invoked: float) -> Outcome:
        error = None if call.cancelled() else call.exception()
        if error is None and not call.cancelled():
            self._count(invoked)
            return Outcome.OK
        if isinstance(error, Refused):
            assert error.code == UNAVAILABLE, error.text
            self.refused += 1
            self._shake()
            return Outcome.FAIL
        return Outcome.INFO

    async def _bear(self, refusal: Refused) -> None:
        """A refusal that a fault explains."""
        assert refusal.code == UNAVAILABLE, refusal.text
        self.refused += 1
        self._shake()
        await take_breath()

    def _count(self, invoked: float) -> None:
        self.answers += 1
        if not self._served_at and invoked > self._struck_at:
            self._served_at = now()
        self._look()

    def _shake(self) -> None:
        self.is_shaken = True
        self._look()

    def _look(self) -> None:
        for wanted in list(self._wanted):
            if wanted[0]():
                self._wanted.remove(wanted)
                wanted[1].set()
