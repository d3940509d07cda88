"""Chat: everybody talks, and everybody hears everybody; each speaker's words in order, none lost.

Each message says who speaks, its number, and when it was due. In the end each says good-bye, and
nobody leaves before having heard that of all others.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from loadtest.bot import Bot
from loadtest.engine.guests import Guest, play_guests
from loadtest.engine.scenario import Facts, Finding, Scenario, Shape
from loadtest.engine.stage import Site, Stage
from loadtest.errors import CheckError, expect
from loadtest.limits import DRAIN_SECONDS_MAX
from protocol.messages.answers import QuerySetUpdate

__all__ = ["CHAT", "Said"]

_QUERIES = ("SELECT * FROM message", "SELECT * FROM user")
_TEXT_AT = 32 + 8 + 4
"""A row begins with the sender, the time, and the length of the text."""
_GOOD_BYE = 0


class Said(NamedTuple):
    """What a message says of itself; ``due`` is 0 in a speaker's last one."""

    run: str
    speaker: int
    number: int
    due: int

    def args(self) -> bytes:
        """As the argument of ``send_message``."""
        return _text(f"{self.run} {self.speaker} {self.number} {self.due}")

    @classmethod
    def of(cls, row: bytes, run: str) -> Said | None:
        """From a row; None for words of other loads, or of people."""
        words = row[_TEXT_AT:].decode(errors="replace").split()
        if len(words) != 4 or words[0] != run:
            return None
        return cls(run, *map(int, words[1:]))


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<I", len(data)) + data


class _Speaker(Guest):
    """A user who talks and listens."""

    def __init__(self, stage: Stage, number: int) -> None:
        super().__init__(stage, number)
        self._bot: Bot
        self._token: str | None = None
        self._said = 0
        self._heard: dict[int, int] | None = None
        self._gone: set[int] = set()

    async def enter(self) -> None:
        before, self._heard = self._heard or {}, None
        bot = await self.stage.connect(self._token)
        if self._token is not None and bot.hello.identity != self._bot.hello.identity:
            self.meter.broke("whoever came back is somebody else")
        self._bot, self._token = bot, bot.hello.token
        bot.watcher = self._hear
        await bot.subscribe(*_QUERIES)
        self._heard = self._history()
        for speaker, number in before.items():
            if self._heard.get(speaker, 0) < number:
                self.meter.broke(f"message {number} of speaker {speaker} was there and is gone")

    async def act(self, due: int) -> None:
        kind = self.stage.draw(("send", "rename"))
        try:
            if kind == "send":
                # The number is taken at once, and its message sent before anything else happens.
                self._said += 1
                said = Said(self.stage.plan.run, self.number, self._said, due)
                await self._bot.call("send_message", said.args())
                self.meter.notes["messages"] += 1
            else:
                await self._bot.call("set_name", _text(f"{self.stage.plan.run}-{self.number}"))
        finally:
            self.meter.answered(kind, due)

    def cut(self) -> None:
        self._bot.cut()

    async def leave(self) -> None:
        plan = self.stage.plan
        said = Said(plan.run, self.number, self._said + 1, _GOOD_BYE)
        await self._bot.call("send_message", said.args())
        self.meter.notes["messages"] += 1
        try:
            await self._bot.until(lambda: len(self._gone) == plan.users, DRAIN_SECONDS_MAX)
        except TimeoutError:
            missing = sorted(set(range(plan.users)) - self._gone)
            raise CheckError(f"the last words of speakers {missing} were not heard") from None
        if faults := self._bot.cache.faults():
            raise CheckError(f"the subscription does not balance: {faults[0]}")
        await self._bot.close()

    def _hear(self, query_sets: Sequence[QuerySetUpdate]) -> None:
        rows = (
            row
            for query_set in query_sets
            for table in query_set.tables
            if table.table == "message"
            for part in table.rows
            for row in part.inserts
        )
        for row in rows:
            said = Said.of(row, self.stage.plan.run)
            if said is not None:
                self._note(said)

    def _note(self, said: Said) -> None:
        if said.due == _GOOD_BYE:
            self._gone.add(said.speaker)
        if said.speaker != self.number:
            self.meter.delivered(said.due or None)
        if self._heard is None:  # the first rows are not read yet; this message is among them
            return
        last = self._heard.get(said.speaker, 0)
        if said.number != last + 1:
            self.meter.broke(f"message {said.number} of a speaker came after {last}")
        self._heard[said.speaker] = said.number

    def _history(self) -> dict[int, int]:
        """The last message of each speaker, from all rows that are here."""
        rows = self._bot.cache.table("message").rows()
        heard, gone = _last_words(rows, self.stage.plan.run)
        self._gone |= gone
        return heard


def _last_words(rows: Sequence[bytes], run: str) -> tuple[dict[int, int], set[int]]:
    """How many messages each speaker's rows are, and who has said good-bye.

    Raises:
        CheckError: a speaker's messages are not 1, 2, 3 and so on.
    """
    numbers: dict[int, list[int]] = {}
    gone: set[int] = set()
    for row in rows:
        said = Said.of(row, run)
        if said is not None:
            numbers.setdefault(said.speaker, []).append(said.number)
            if said.due == _GOOD_BYE:
                gone.add(said.speaker)
    for speaker, found in numbers.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            raise CheckError(
                f"of speaker {speaker} there are {len(found)} messages to {max(found)}"
            )
    return {speaker: len(found) for speaker, found in numbers.items()}, gone


async def _play(stage: Stage) -> None:
    await play_guests(stage, _Speaker)


async def _check(site: Site, finding: Finding) -> Facts:
    bot = await Bot.connect(site.address)
    rows = await bot.query(_QUERIES[0])
    await bot.close()
    heard, _ = _last_words(rows, site.plan.run)
    expect("messages that are kept", sum(heard.values()), finding.notes.get("messages", 0))
    return {"messages": sum(heard.values())}


CHAT = Scenario(
    "chat",
    "everybody talks to everybody",
    "examples.chat",
    _play,
    check=_check,
    kinds={"send": 95, "rename": 5},
    rate=0.5,
    bystanders=_QUERIES,
    shapes=frozenset({Shape.STORM, Shape.RECONNECTS, Shape.SLOW_READERS}),
)
