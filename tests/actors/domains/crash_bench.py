"""A store that dies after so many records, and hosts that are started again on what it left."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from host_bench import Bench, Peer
from user_bench import MODULE

from actors.claims import Claims
from actors.host import Host
from actors.keys import ActorKey
from actors.module.system import DeadLetter, OutboxMessage
from persistence.memory import MemoryDisk, MemoryStore
from persistence.store import Append, Done
from protocol.types import TIMESTAMP, OptionType

_GENERATED = re.compile(r"\b(rs|ss|bt|st|ex|wl|xp|sa)_[0-9a-z]{26}\b")
_BY_TIME = frozenset({"connection_key", "action_credit"})
"""Columns that follow from when and how often somebody connected, beside the timestamps."""

_DYING_TURNS = 60
_RETRY_SECONDS = 2.0

Tables = dict[str, list[str]]


class MortalStore(MemoryStore):
    """Takes so many records; with the last one it is dead, and answers nothing any more."""

    def __init__(self, disk: MemoryDisk) -> None:
        super().__init__(disk)
        self.records_left: int | None = None
        self.taken = 0

    def append(self, batch: Sequence[Append], done: Done) -> None:
        taken = list(batch)[: self.records_left]
        if self.records_left is not None:
            self.records_left -= len(taken)
        self.taken += len(taken)
        is_dead = len(taken) < len(batch) or self.records_left == 0
        super().append(taken, _unheard if is_dead else done)


def _unheard(error: Exception | None) -> None:
    """Nobody lives to hear it."""


class Flow(NamedTuple):
    """Calls that set a flow going, and the disk before them.

    Attributes:
        now: microseconds, when the flow is set going.
        people: who is connected meanwhile.
        by_chance: columns and tables that depend on draws or ids of the flow itself.
    """

    image: MemoryDisk
    now: int
    people: Sequence[Claims]
    calls: Sequence[tuple[Claims, str, bytes]]
    by_chance: frozenset[str] = frozenset()


class MortalBench(Bench):
    """One process after another on one disk; each but the last one dies."""

    store: MortalStore

    def __init__(self, flow: Flow) -> None:
        super().__init__(MODULE, deepcopy(flow.image))
        self.flow = flow
        self.clock.micros = flow.now

    async def start(self) -> MortalBench:
        self.store = MortalStore(self.disk)
        await self.store.open()
        self.host = Host(
            MODULE,
            self.store,
            secret=bytes(32),
            clock=self.clock,
            failed=self.fatal.append,
            stopwatch=lambda: self.seconds,
        )
        await self.host.start()
        await self.host.activate([ActorKey(key) for key in self.disk.actors])
        await self.settle()
        self.peers: dict[str, Peer] = {
            who.subject: await self.enter(who) for who in self.flow.people
        }
        await self.settle()
        return self

    def ask(self) -> None:
        """Send the flow's calls, with the request ids that they always have."""
        for who, name, args in self.flow.calls:
            self.peers[who.subject].send_call(name, args)

    async def die_after(self, records: int) -> int:
        """Start the flow in a process that writes so many records and no more.

        Answers how many it could have written still, when the flow needed no more.
        """
        await self.start()
        self.store.records_left = records
        self.ask()
        await self.turns(_DYING_TURNS)
        left = self.store.records_left
        await self.crash()
        return left

    async def finish(self) -> int:
        """Run the flow to its end in a process that lives; answers the records it took."""
        await self.start()
        before = self.store.taken
        self.ask()
        await self.settle()
        taken = self.store.taken - before
        for _ in range(2):
            await self.let_time_pass(_RETRY_SECONDS)
        await self.host.activate([ActorKey(key) for key in self.disk.actors])
        await self.settle()
        for key in self.disk.actors:
            assert self.rows(key, OutboxMessage) == [], key
            assert self.rows(key, DeadLetter) == [], key
        assert self.fatal == []
        return taken

    def known_ids(self) -> set[str]:
        """Generated ids in the rows of all actors."""
        texts = (repr(row) for _, rows in self._tables() for row in rows)
        return {match.group() for text in texts for match in _GENERATED.finditer(text)}

    def tables(self, known_ids: set[str]) -> Tables:
        """All rows of the module without times and chance; new ids are told by their prefix."""

        def mask(match: re.Match[str]) -> str:
            return match.group() if match.group() in known_ids else f"{match.group(1)}_new"

        found: Tables = {}
        for (key, table), rows in self._tables():
            place = f"{_GENERATED.sub(mask, key)} {table}"
            texts = [_GENERATED.sub(mask, repr(self._lasting(row))) for row in rows]
            if texts:
                found.setdefault(place, []).extend(texts)
        return {place: sorted(texts) for place, texts in found.items()}

    def _tables(self) -> list[tuple[tuple[str, str], list[Any]]]:
        found = []
        for key in sorted(self.disk.actors):
            kind = key.partition("/")[0]
            for name, declared in MODULE.tables.items():
                if (
                    kind in {each.name for each in declared.kinds}
                    and name not in self.flow.by_chance
                ):
                    found.append(((key, name), self.rows(key, declared.row)))
        return found

    def _lasting(self, row: Any) -> dict[str, Any]:
        elements = type(row).__table__.row_type.elements
        times = {TIMESTAMP, OptionType(TIMESTAMP)}
        return {
            element.name: value
            for element, value in zip(elements, row, strict=True)
            if element.type not in times
            and element.name not in self.flow.by_chance
            and element.name not in _BY_TIME
        }
