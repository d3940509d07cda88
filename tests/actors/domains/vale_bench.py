"""Test Vale in one process: a host over a store in memory, and players as clients know them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

import pytest
from user_bench import SERVICE, START_MICROS, claims

from actors.claims import Claims
from actors.domains.gameplay.combat import BattleSnapshot
from actors.domains.gameplay.story import StoryChoice, StoryFunction, StorySession
from actors.domains.kinds import STORY, USER
from actors.domains.rules.combat import BattleSide, BattleStatus, CombatAction
from actors.host import Host
from actors.keys import ActorKey, user_id_of
from actors.module.module import Module
from actors.module.schema import AND_RETURN, answer_types, module_procedures
from actors.module.system import DeadLetter, OutboxMessage
from actors.module.types import ConnectionId
from persistence.memory import MemoryDisk, MemoryStore
from protocol.bsatn import compile_codec
from protocol.client_cache import ClientCache
from protocol.messages import (
    V2,
    CallProcedure,
    CallReducer,
    InitialConnection,
    ProcedureResult,
    ReducerErr,
    ReducerInternalError,
    ReducerOk,
    ReducerResult,
    Subscribe,
    SubscribeApplied,
    SubscriptionError,
    TransactionUpdate,
    decode_server_message,
)

MODULE = Module.load("actors.domains.entry", fixtures=True)
PROCEDURES = module_procedures(MODULE)
ANSWERS = {name: compile_codec(kind) for name, kind in answer_types(MODULE).items()}
PROFILE = "cwp_fixture_vale"
TABLES = (
    "my_player_progression",
    "my_chapter_progression",
    "battle_state",
    "battle_combatant",
    "battle_event",
    "reward_settlement",
    "inventory_slot",
)


class RefusedError(Exception):
    """A call came back as refused; ``code`` is its error code."""

    def __init__(self, code: str, text: str = "", details: str | None = None) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.details = None if details is None else json.loads(details)


class Clock:
    """A millisecond passes with every look; tests let more time pass."""

    def __init__(self) -> None:
        self.micros = START_MICROS

    def __call__(self) -> int:
        self.micros += 1_000
        return self.micros

    def wait(self, micros: int) -> None:
        self.micros += micros


class Vale:
    """A running host with Test Vale published."""

    def __init__(self, disk: MemoryDisk, providers: dict[type, object] | None = None) -> None:
        self.disk = disk
        self.providers = providers
        self.clock = Clock()
        self.host: Host
        # Reducer calls since the last mark, what procedures answered, and the disk as it was.
        self.calls: list[tuple[Claims, str, bytes]] = []
        self.answers: dict[tuple[str, bytes], bytes] = {}
        self.image = MemoryDisk()
        self._connections = 0

    async def start(self) -> None:
        store = MemoryStore(self.disk)
        await store.open()
        self.host = Host(
            MODULE, store, secret=bytes(32), clock=self.clock, providers=self.providers
        )
        await self.host.start()

    async def enter(self, who: Claims) -> Player:
        """A connected player."""
        self._connections += 1
        # No connection id comes twice, not even after a restart.
        player = Player(self, who, self.disk.epoch * 1_000 + self._connections)
        await player.connect()
        return player

    def rows(self, key: ActorKey, table: type) -> list[Any]:
        return list(self.host.core(key).database[table])

    def all_rows(self) -> dict[tuple[str, str], list[Any]]:
        """Every row of the module, by actor and table."""
        return {
            (key, name): sorted(self.rows(ActorKey(key), declared.row), key=repr)
            for key in self.disk.actors
            for name, declared in MODULE.tables.items()
            if key.partition("/")[0] in {kind.name for kind in declared.kinds}
        }

    def mark(self) -> None:
        """Remember the disk as it is now, and which calls come after."""
        self.image = deepcopy(self.disk)
        self.calls.clear()

    async def wake(self, key: ActorKey) -> None:
        """Let an actor look whether one of its timers is due."""
        self.host._wake(key)
        await self.settle()

    def check_mail(self) -> None:
        """Every message was taken, and none broke its handler."""
        for key, cell in self.host._cells.items():
            for table in (OutboxMessage, DeadLetter):
                assert list(cell.core.database[table]) == [], key

    async def settle(self) -> None:
        """Wait until no actor has anything to do."""
        for _ in range(3):
            await self.host.durable()
            while any(cell.waiting for cell in self.host._cells.values()):
                await self.host.durable()


class Player:
    """One connection, and the rows and answers that it got, in order."""

    def __init__(self, vale: Vale, who: Claims, number: int) -> None:
        self.vale = vale
        self.claims = who
        self.user_id = user_id_of(who.identity)
        self.cache = ClientCache(MODULE.schema)
        self.deltas: list[tuple[str, int, int]] = []
        self.story_id = ""
        self._session = vale.host.open_session(
            claims=who,
            connection_id=ConnectionId(number),
            token="token",
            wire=V2,
            confirmed=True,
            sink=self,
        )
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._requests = 0
        self._number = number

    # The sink of the session

    def deliver(self, messages: list[bytes]) -> None:
        for data in messages:
            self._take(decode_server_message(data, 0)[0])

    def abort(self, close_code: int, reason: str) -> None:
        raise AssertionError(f"closed with {close_code}: {reason}")

    def _take(self, message: Any) -> None:
        match message:
            case TransactionUpdate():
                self._update(message)
            case SubscribeApplied():
                self.cache.add(message.tables)
                self._answers.pop(message.request_id).set_result(None)
            case SubscriptionError():
                assert message.request_id is not None
                refusal = RefusedError("subscription", message.error)
                self._answers.pop(message.request_id).set_exception(refusal)
            case ReducerResult():
                if isinstance(message.outcome, ReducerOk):
                    self._update(message.outcome.update)
                self._answers.pop(message.request_id).set_result(message.outcome)
            case ProcedureResult():
                self._answers.pop(message.request_id).set_result(message)
            case InitialConnection():
                pass

    def _update(self, update: TransactionUpdate) -> None:
        self.cache.update(update)
        for query_set in update.query_sets:
            for table in query_set.tables:
                inserts = sum(len(rows.inserts) for rows in table.rows)
                deletes = sum(len(rows.deletes) for rows in table.rows)
                self.deltas.append((table.table, inserts, deletes))

    # What a client does

    async def connect(self) -> None:
        await self._session.connect()

    async def leave(self) -> None:
        await self._session.disconnect()

    async def subscribe(self, *tables: str) -> None:
        queries = tuple(f"SELECT * FROM {table}" for table in tables)
        await self._ask(lambda number: Subscribe(number, number, queries))

    async def call(self, name: str, *fields: object, request: str = "") -> None:
        """Call a reducer by its name; a request id of its own is added unless one is given."""
        args = self._encode(MODULE.reducers[name].parameters, fields, request)
        self._note(name, args)
        outcome = await self._ask(lambda number: CallReducer(number, name, args))
        if isinstance(outcome, ReducerErr | ReducerInternalError):
            code, _, text = outcome.error.partition(": ")
            raise RefusedError(code, text)

    async def ask(self, name: str, *fields: object, request: str = "") -> Any:
        """Call a procedure by its name and answer what it answers."""
        declared = PROCEDURES[name]
        input_type = declared.input
        takes_request = input_type is not None and "request_id" in input_type._fields
        args = self._encode(declared.parameters, fields, request if takes_request else None)
        self._note(name.removesuffix(AND_RETURN), args)
        result = await self._ask(lambda number: CallProcedure(number, name, args))
        assert result.error is None, result.error
        self.vale.answers[name, args] = result.value
        ok, value, code, text, details = ANSWERS[name].decode_all(result.value)
        if not ok:
            raise RefusedError(code, text, details)
        return value

    async def repeat(self, name: str, args: bytes) -> bytes | None:
        """Send the same bytes again; answers what the procedure of that name does, if any."""
        if name in PROCEDURES:
            result = await self._ask(lambda number: CallProcedure(number, name, args))
            assert result.error is None, result.error
            return result.value
        await self._ask(lambda number: CallReducer(number, name, args))
        return None

    def rows(self, table: str) -> list[Any]:
        return self.cache.table(table).values()

    def _encode(self, parameters: Any, fields: Sequence[object], request: str | None) -> bytes:
        values: tuple[object, ...] = tuple(fields)
        if request is not None:
            self._requests += 1
            values = (*values, request or f"r-{self._number}-{self._requests}")
        return compile_codec(parameters).encode((values,) if parameters.elements else ())

    def _note(self, name: str, args: bytes) -> None:
        if name in MODULE.reducers:
            self.vale.calls.append((self.claims, name, args))

    async def _ask(self, make: Callable[[int], Any]) -> Any:
        self._requests += 1
        number = self._requests
        answer = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self._session.receive([make(number)])
        result = await answer
        await self.vale.settle()
        return result

    # What a player of a story does

    async def begin(self, role: str = "wanderer", profile: str = PROFILE) -> StorySession:
        session = await self.ask("begin_story_session_and_return", profile, role, None)
        await self.vale.settle()
        self.story_id = session.story_session_id
        return session

    async def begin_again(self) -> StorySession:
        """Give the running story up for a new one."""
        await self.call("abandon_story_session", self.story_id)
        return await self.begin()

    async def save(
        self, label: str | None = None, *, replace: str | None = None, story_id: str = ""
    ) -> Any:
        """Archive the running story; answers the archive."""
        story_id = story_id or self.story_id
        return await self.ask("create_save_archive_and_return", None, story_id, label, replace)

    async def restore(self, archive_id: str) -> None:
        """Go on from an archive, in the session that begins with it."""
        begun = await self.ask("restore_save_archive_and_return", None, archive_id)
        await self.vale.settle()
        self.story_id = begun.story_session_id

    @property
    def story(self) -> ActorKey:
        return STORY.key(self.story_id)

    @property
    def home(self) -> ActorKey:
        return USER.key(self.user_id)

    @property
    def session(self) -> StorySession:
        (session,) = self.vale.rows(self.story, StorySession)
        return session

    def story_rows(self, table: type) -> list[Any]:
        return self.vale.rows(self.story, table)

    def own_rows(self, table: type) -> list[Any]:
        return self.vale.rows(self.home, table)

    def choices(self) -> list[StoryChoice]:
        return sorted(self.story_rows(StoryChoice), key=lambda row: row.position)

    def choice(self, function: StoryFunction, target: str | None = None) -> StoryChoice:
        return next(
            row
            for row in self.choices()
            if row.function is function and target in {None, row.target_key}
        )

    async def choose(self, function: StoryFunction, target: str | None = None) -> StorySession:
        choice = self.choice(function, target)
        return await self.ask(
            "continue_story_and_return",
            self.story_id,
            choice.choice_id,
            None,
            self.session.turn,
            False,
        )

    async def say(self, text: str) -> StorySession:
        return await self.ask(
            "continue_story_and_return", self.story_id, None, text, self.session.turn, False
        )

    async def act(
        self,
        battle: BattleSnapshot,
        action: CombatAction,
        *,
        skill: str | None = None,
        item: str | None = None,
        target: int | None = None,
        request: str = "",
    ) -> Any:
        row = battle.battle
        return await self.ask(
            "resolve_combat_action_and_return",
            row.battle_state_id,
            row.version,
            action,
            skill,
            item,
            target,
            request=request,
        )

    async def battle(self, battle_state_id: str) -> BattleSnapshot:
        return await self.ask("get_battle_state", battle_state_id)

    async def fight_on(self, battle: BattleSnapshot) -> Any:
        """One turn of the combat policy of domain 13.0."""
        own = next(row for row in battle.combatants if row.user_id == self.user_id)
        hostiles = [
            row for row in battle.combatants if row.side is BattleSide.HOSTILE and row.alive
        ]
        target = min(hostiles, key=lambda row: (row.hp, row.seq)).seq
        ready = {
            skill.skill_id
            for skill in own.skills
            if skill.mana_cost <= own.mana
            and skill.skill_id not in {one.skill_id for one in own.cooldowns}
        }
        if own.hp * 100 < own.stats.max_hp * 35 and "mend" in ready:
            return await self.act(battle, CombatAction.SKILL, skill="mend")
        if "power_strike" in ready:
            return await self.act(battle, CombatAction.SKILL, skill="power_strike", target=target)
        return await self.act(battle, CombatAction.BASIC_ATTACK, target=target)

    async def fight_out(self, battle: BattleSnapshot) -> Any:
        """Fight by the policy to the end; answers the last resolution."""
        for _ in range(40):
            resolution = await self.fight_on(battle)
            battle = resolution.snapshot
            if battle.battle.status is BattleStatus.ENDED:
                return resolution
        raise AssertionError("no outcome within 40 actions")


async def refusal(call: Any) -> str:
    """The code that a call is refused with; it must be refused."""
    with pytest.raises(RefusedError) as refused:
        await call
    return refused.value.code


@asynccontextmanager
async def running_vale(
    disk: MemoryDisk | None = None, providers: dict[type, object] | None = None
) -> Any:
    """A host with Test Vale published; stopped in the end."""
    vale = Vale(disk or MemoryDisk(), providers)
    await vale.start()
    service = await vale.enter(SERVICE)
    await service.ask("load_fixture_world_and_return")
    try:
        yield vale
        await vale.settle()
        vale.check_mail()
    finally:
        await vale.host.stop()


@asynccontextmanager
async def playing(
    disk: MemoryDisk | None = None, providers: dict[type, object] | None = None
) -> Any:
    """A player who has just begun Test Vale, and follows it."""
    async with running_vale(disk, providers) as vale:
        player = await vale.enter(claims(1))
        await player.subscribe(*TABLES)
        await player.begin()
        yield player
