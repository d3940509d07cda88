"""A store that dies after so many records, and hosts that are started again on what it left.

Whatever leaves an actor leaves after its round is durable, whether an answer, a message or an
effect. "Before a send" is therefore "after the journal write of its round", and so many records,
counted one by one, are all the places of domain 12.9 where a process can die.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from host_bench import SECOND, Bench, Peer
from scripted_model import ScriptedModel
from user_bench import MODULE

from actors.claims import Claims
from actors.host import Host
from actors.keys import ActorKey
from actors.module.schema import AND_RETURN, module_procedures
from actors.module.system import DeadLetter, OutboxMessage
from actors.module.text_model import TextModel
from persistence.memory import MemoryDisk, MemoryStore
from persistence.record import decode_record
from persistence.store import Done, PlainAppend
from protocol.messages import ProcedureResult, ReducerOk, ReducerOkEmpty, ReducerResult
from protocol.types import TIMESTAMP, OptionType

__all__ = ["Flow", "MortalBench", "MortalStore", "Tables"]

_GENERATED = re.compile(
    r"\b(mod|rs|ss|bt|st|ex|wl|xp|sa|bv|ait|cws|op|msg|card|chk|cwp|ao)_[0-9a-z]{26}\b"
)
_BY_TIME = frozenset({"connection_key", "action_credit"})
"""Columns that follow from when and how often somebody connected, beside the timestamps."""

_LIVING_TURNS = 2_000
"""Turns of the loop within which a flow has written what it has to write."""

_DYING_TURNS = 60
"""Turns that a process goes on for after its last record, unheard by anybody."""

_EFFECT_LOOKS = 3
"""Times in a row that actors must be found idle: an effect takes a while from call to call."""

_RETRY_SECONDS = 2.0

_PROCEDURES = module_procedures(MODULE)

Tables = dict[str, list[str]]


class MortalStore(MemoryStore):
    """Takes so many records; with the last one it is dead, and answers nothing any more.

    Attributes:
        records_left: how many it takes still; None for all that come.
        taken: how many it has taken.
        calls: the functions, messages and timers of the records that it has taken.
    """

    def __init__(self, disk: MemoryDisk) -> None:
        super().__init__(disk)
        self.records_left: int | None = None
        self.taken = 0
        self.calls: set[str] = set()

    def append(self, batch: Sequence[PlainAppend], done: Done) -> None:
        taken = list(batch)[: self.records_left]
        if self.records_left is not None:
            self.records_left -= len(taken)
        self.taken += len(taken)
        self.calls.update(decode_record(record).call for _, _, record, _ in taken)
        is_dead = len(taken) < len(batch) or self.records_left == 0
        super().append(taken, _unheard if is_dead else done)


def _unheard(error: Exception | None) -> None:
    """Nobody lives to hear it."""


class Flow(NamedTuple):
    """What sets a flow going, and the disk before it.

    Attributes:
        image: the disk.
        now: microseconds, when the flow is set going.
        people: who is connected meanwhile.
        calls: reducer calls, all sent at once.
        by_chance: columns and tables that depend on draws or ids of the flow itself.
        model: makes each process's text model; without one turns are told at once.
        waits: seconds since ``now`` at which the actors whose time has come are woken.
        is_parting: the last one of the people goes as soon as the calls are sent.
        is_replay: the dead letters that there are get applied again.
        is_parked: dead letters are what the flow comes to.
    """

    image: MemoryDisk
    now: int
    people: Sequence[Claims]
    calls: Sequence[tuple[Claims, str, bytes]] = ()
    by_chance: frozenset[str] = frozenset()
    model: Callable[[], ScriptedModel] | None = None
    waits: Sequence[int] = ()
    is_parting: bool = False
    is_replay: bool = False
    is_parked: bool = False


class MortalBench(Bench):
    """One process after another on one disk; each but the last one dies."""

    store: MortalStore

    def __init__(self, flow: Flow) -> None:
        super().__init__(MODULE, deepcopy(flow.image))
        self.flow = flow
        self.clock.micros = flow.now
        self.peers: dict[str, Peer] = {}
        self._asked: list[tuple[Peer, int]] = []

    async def start(self) -> MortalBench:
        model = self.flow.model
        self.store = MortalStore(self.disk)
        await self.store.open()
        self.host = Host(
            MODULE,
            self.store,
            secret=bytes(32),
            clock=self.clock,
            failed=self.fatal.append,
            providers=None if model is None else {TextModel: model()},
            stopwatch=lambda: self.seconds,
        )
        await self.host.start()
        await self._activate_all()
        self.peers = {who.subject: await self.enter(who) for who in self.flow.people}
        await self.settle()
        self._asked = []
        return self

    async def settle(self) -> None:
        """Until nothing is written any more, also by effects; one that waits is not waited for."""
        quiet = 0
        while quiet < (1 if self.flow.model is None else _EFFECT_LOOKS):
            before = self.store.taken
            await super().settle()
            quiet = quiet + 1 if self.store.taken == before else 0

    def ask(self) -> None:
        """Set the flow going; its calls have the request ids that they always have."""
        for who, name, args in self.flow.calls:
            peer = self.peers[who.subject]
            self._asked.append((peer, peer.send_call(name, args)))
        if self.flow.is_parting:
            self.host.spawn(self.peers[self.flow.people[-1].subject].session.disconnect())
        if self.flow.is_replay:
            for key in self.disk.actors:
                for letter in self.rows(key, DeadLetter):
                    replay = self.host.replay_dead_letter(ActorKey(key), letter.message_key)
                    self.host.spawn(replay)

    async def die_after(self, records: int) -> int:
        """Set the flow going in a process that writes so many records and no more.

        Answers how many it could have written still, when the flow needed no more.
        """
        await self.start()
        self.store.records_left = records
        self.ask()
        await self._live()
        for wait in self.flow.waits:
            if self.store.records_left:
                self._turn_clock(wait)
                await self.host._wakes.look()
                await self._live()
        left = self.store.records_left
        await self.crash()
        return left

    async def finish(self, *, in_turn: bool = False) -> int:
        """Bring the flow to its end in a process that lives; answers the records it took.

        With ``in_turn`` each call waits until the one before it has had all of its effects.
        """
        await self.start()
        before = self.store.taken
        if in_turn:
            for who, name, args in self.flow.calls:
                peer = self.peers[who.subject]
                self._asked.append((peer, peer.send_call(name, args)))
                await self.settle()
        else:
            self.ask()
            await self.settle()
        for wait in self.flow.waits:
            self._turn_clock(wait)
            await self.host._wakes.look()
            await self.settle()
        taken = self.store.taken - before
        for _ in range(2):
            await self.let_time_pass(_RETRY_SECONDS)
        await self._activate_all()
        await self.settle()
        for key in self.disk.actors:
            assert self.rows(key, OutboxMessage) == [], key
            assert self.flow.is_parked or self.rows(key, DeadLetter) == [], key
        assert self.fatal == []
        return taken

    async def ask_again(self) -> list[bytes | str]:
        """Repeat the calls with their request ids, and answer what they had answered.

        Raises:
            AssertionError: a repeated call wrote something.
        """
        before = self.store.taken
        answers: list[bytes | str] = []
        for who, name, args in self.flow.calls:
            peer = self.peers[who.subject]
            if name + AND_RETURN in _PROCEDURES:
                request_id = peer.procedure(name + AND_RETURN, args)
                await self.settle()
                answers.append(_answer(peer, ProcedureResult, request_id).value)
            else:
                request_id = peer.send_call(name, args)
                await self.settle()
                answers.append(repr(_answer(peer, ReducerResult, request_id).outcome))
        assert self.store.taken == before, "a call that was repeated had effects again"
        return answers

    def known_ids(self) -> set[str]:
        """Generated ids in the rows of all actors."""
        texts = (repr(row) for _, rows in self._tables() for row in rows)
        return {match.group() for text in texts for match in _GENERATED.finditer(text)}

    def tables(self, known_ids: set[str]) -> Tables:
        """All rows of the module without times and chance, and what the last calls came to.

        New ids are told by their prefix.
        """

        def mask(match: re.Match[str]) -> str:
            return match.group() if match.group() in known_ids else f"{match.group(1)}_new"

        found: Tables = {"outcomes": [_outcome(peer, number) for peer, number in self._asked]}
        for (key, table), rows in self._tables():
            place = f"{_GENERATED.sub(mask, key)} {table}"
            texts = [_GENERATED.sub(mask, repr(self._lasting(row))) for row in rows]
            if texts:
                found.setdefault(place, []).extend(texts)
        return {place: sorted(texts) for place, texts in found.items()}

    async def _activate_all(self) -> None:
        await self.host.activate([ActorKey(key) for key in self.disk.actors])
        await self.settle()

    async def _live(self) -> None:
        for _ in range(_LIVING_TURNS):
            if self.store.records_left == 0:
                break
            await self.turns(1)
        await self.turns(_DYING_TURNS)

    def _turn_clock(self, seconds: int) -> None:
        """Time goes forward only, also when the process is not the first one."""
        self.clock.micros = max(self.clock.micros, self.flow.now + seconds * SECOND)

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
            letters = [(letter.kind, letter.error) for letter in self.rows(key, DeadLetter)]
            found.append(((key, DeadLetter.__name__), letters))
        return found

    def _lasting(self, row: Any) -> object:
        if type(row) is tuple:
            return row
        elements = type(row).__table__.row_type.elements
        times = {TIMESTAMP, OptionType(TIMESTAMP)}
        return {
            element.name: value
            for element, value in zip(elements, row, strict=True)
            if element.type not in times
            and element.name not in self.flow.by_chance
            and element.name not in _BY_TIME
        }


def _answer(peer: Peer, kind: type, request_id: int) -> Any:
    (answer,) = (
        each for each in peer.messages if isinstance(each, kind) and each.request_id == request_id
    )
    return answer


def _outcome(peer: Peer, request_id: int) -> str:
    """Accepted, or why not."""
    outcome = _answer(peer, ReducerResult, request_id).outcome
    return "accepted" if isinstance(outcome, ReducerOk | ReducerOkEmpty) else repr(outcome)
