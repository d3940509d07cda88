"""A host on a memory disk, a clock that tests turn, and connections as clients know them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from actors.claims import Claims
from actors.host import Budget, Host, Session
from actors.host.cell import CellState
from actors.keys import ActorKey
from actors.module.module import Module
from actors.module.types import ConnectionId, Identity
from persistence.memory import MemoryDisk, MemoryStore
from protocol.client_cache import ClientCache
from protocol.messages import (
    V2,
    CallProcedure,
    CallReducer,
    InitialConnection,
    OneOffQuery,
    ReducerOk,
    ReducerResult,
    ServerMessage,
    Subscribe,
    SubscribeApplied,
    TransactionUpdate,
    Unsubscribe,
    UnsubscribeApplied,
    decode_server_message,
)

START_MICROS = 1_700_000_000_000_000
SECOND = 1_000_000
LOOP_TURNS = 40
"""Callbacks of the loop after which everything that can happen without durability has."""

SETTLED_LOOKS = 12
"""Looks in a row that must find nothing to do: activations take several callbacks of the loop."""


def claims(number: int, *roles: str, expires_at: int | None = None) -> Claims:
    """Claims of one of many callers."""
    return Claims(
        issuer="localhost",
        subject=f"subject-{number}",
        audience=(),
        identity=Identity((0xC200 << 240) + (number << 80)),
        roles=frozenset(roles or ("player", "creator")),
        display_name=None,
        locale=None,
        issued_at=0,
        expires_at=expires_at,
        raw_claims_json="{}",
    )


class Clock:
    """Stands still until a test moves it on."""

    def __init__(self) -> None:
        self.micros = START_MICROS

    def __call__(self) -> int:
        return self.micros

    def advance(self, seconds: float) -> None:
        self.micros += round(seconds * SECOND)


class Bench:
    """One host after another on one disk."""

    def __init__(
        self,
        module: Module,
        disk: MemoryDisk | None = None,
        providers: dict[type, object] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.module = module
        self.budget = budget
        self.disk = disk if disk is not None else MemoryDisk()
        self.providers = providers
        self.clock = Clock()
        self.seconds = 0.0
        self.fatal: list[Exception] = []
        self.complaints: list[AssertionError] = []
        self.store: MemoryStore
        self.host: Host
        self._connections = 0

    async def start(self) -> Bench:
        """Open the disk and start a host; a host that was there before has crashed."""
        self.store = MemoryStore(self.disk, clock=self.clock)
        await self.store.open()
        self.host = Host(
            self.module,
            self.store,
            secret=bytes(32),
            clock=self.clock,
            failed=self.fatal.append,
            providers=self.providers,
            budget=self.budget,
            stopwatch=lambda: self.seconds,
        )
        await self.host.start()
        return self

    async def crash(self) -> None:
        """The process is gone: nothing of it runs any more, and the disk stays."""
        host = self.host
        self.store.hold()
        host.passivation.stop()
        host._wakes.stop()
        for task in list(host._tasks):
            task.cancel()
        await asyncio.gather(*host._tasks, return_exceptions=True)
        for cell in host._cells.values():
            cell.hold()
            cell.take_waiting()
        host._cells.clear()
        await self.turns()

    async def stop(self) -> None:
        await self.host.stop()
        await self.store.close()

    async def settle(self) -> None:
        """Until nothing waits, nothing is being loaded and everything is durable."""
        quiet = 0
        while quiet < SETTLED_LOOKS:
            await self.host.durable()
            cells = self.host._cells.values()
            busy = any(cell.waiting or cell.state is CellState.LOADING for cell in cells)
            quiet = 0 if busy else quiet + 1
        for complaint in self.complaints:
            raise complaint

    async def turns(self, count: int = LOOP_TURNS) -> None:
        """Let the loop go on while durability is held back."""
        for _ in range(count):
            await asyncio.sleep(0)

    async def let_time_pass(self, seconds: float) -> None:
        """Move the clock on and wake who is due then."""
        self.clock.advance(seconds)
        await self.host._wakes.look()
        await self.settle()

    def idle(self, seconds: float) -> None:
        """Ask nothing of anybody for so long; who has been idle long enough leaves memory."""
        self.seconds += seconds
        self.host.passivation.sweep()

    async def long_ago(self, keys: Iterable[ActorKey]) -> Bench:
        """Another host on a copy of the disk, where it is long ago and nothing is due."""
        other = Bench(self.module, deepcopy(self.disk))
        other.clock.micros = 1
        await other.start()
        await other.host.activate(keys)
        return other

    async def enter(self, who: Claims, **options: Any) -> Peer:
        """A new connection, settled."""
        self._connections += 1
        # No connection id comes twice, not even after a restart.
        peer = Peer(self, who, self.disk.epoch * 1_000 + self._connections, **options)
        await peer.connect()
        await self.settle()
        return peer

    def rows(self, key: str, table: type) -> list[Any]:
        """An active actor's rows."""
        return self.host.core(ActorKey(key)).database.rows(table)

    async def stored_rows(self, key: str, *tables: type) -> dict[str, list[Any]]:
        """An actor's rows, activated for it."""
        await self.host.activate([ActorKey(key)])
        return {table.__name__: self.rows(key, table) for table in tables}


class Peer:
    """A connection with the sink of a transport and the cache of a client.

    Attributes:
        messages: everything that was delivered, in order.
        aborted: close codes with which the host ended the connection.
    """

    def __init__(
        self,
        bench: Bench,
        who: Claims,
        number: int,
        *,
        confirmed: bool = True,
        heard: Callable[[Peer, ServerMessage], None] | None = None,
        subprotocol: str = "v2.bsatn.spacetimedb",
    ) -> None:
        self.bench = bench
        self.claims = who
        self.cache = ClientCache(bench.module.schema)
        self.messages: list[ServerMessage] = []
        self.aborted: list[int] = []
        self.sets: dict[int, tuple[str, ...]] = {}
        self._heard = heard
        self._requests = 0
        self._asked: dict[int, Subscribe | Unsubscribe] = {}
        self.session: Session = bench.host.open_session(
            claims=who,
            connection_id=ConnectionId(number),
            token="token",
            wire=V2,
            confirmed=confirmed,
            sink=self,
            subprotocol=subprotocol,
        )

    # The sink

    def deliver(self, messages: list[bytes]) -> None:
        try:
            for data in messages:
                self._hear(data)
        except AssertionError as error:  # the host shields itself from sinks that fail
            self.bench.complaints.append(error)

    def _hear(self, data: bytes) -> None:
        message, end = decode_server_message(data, 0)
        assert end == len(data)
        self.messages.append(message)
        self._apply(message)
        assert self.cache.faults() == []
        if self._heard is not None:
            self._heard(self, message)

    def abort(self, close_code: int, reason: str) -> None:
        del reason
        self.aborted.append(close_code)

    def _apply(self, message: ServerMessage) -> None:
        if isinstance(message, TransactionUpdate):
            check_shape(message)
            assert message.query_sets, "an update that says nothing"
            self.cache.update(message)
        elif isinstance(message, ReducerResult) and isinstance(message.outcome, ReducerOk):
            check_shape(message.outcome.update)
            self.cache.update(message.outcome.update)
        elif isinstance(message, SubscribeApplied):
            asked = self._asked.pop(message.request_id)
            assert isinstance(asked, Subscribe)
            self.sets[message.query_set_id] = asked.queries
            self.cache.add(message.tables)
        elif isinstance(message, UnsubscribeApplied):
            self._asked.pop(message.request_id)
            del self.sets[message.query_set_id]
            self.cache.drop(message.tables or ())

    # The client

    async def connect(self) -> None:
        await self.session.connect()

    def call(self, reducer: str, *arguments: object) -> int:
        """Send a call; answers its request id."""
        return self.send_call(reducer, self.bench.host.encode_arguments(reducer, arguments))

    def send_call(self, reducer: str, args: bytes) -> int:
        self._requests += 1
        self.session.receive([CallReducer(self._requests, reducer, args)])
        return self._requests

    def procedure(self, name: str, args: bytes = b"") -> int:
        self._requests += 1
        self.session.receive([CallProcedure(self._requests, name, args)])
        return self._requests

    def subscribe(self, set_id: int, *queries: str) -> int:
        self._requests += 1
        message = Subscribe(self._requests, set_id, queries)
        self._asked[self._requests] = message
        self.session.receive([message])
        return self._requests

    def unsubscribe(self, set_id: int) -> int:
        self._requests += 1
        message = Unsubscribe(self._requests, set_id, send_dropped_rows=True)
        self._asked[self._requests] = message
        self.session.receive([message])
        return self._requests

    def query(self, text: str) -> int:
        self._requests += 1
        self.session.receive([OneOffQuery(self._requests, text)])
        return self._requests

    async def result(self, reducer: str, *arguments: object) -> Any:
        """Call, settle, and answer the outcome."""
        request_id = self.call(reducer, *arguments)
        await self.bench.settle()
        return self.outcome(request_id)

    def outcome(self, request_id: int) -> Any:
        """The outcome of a call that was answered."""
        (answer,) = (
            message
            for message in self.messages
            if isinstance(message, ReducerResult) and message.request_id == request_id
        )
        return answer.outcome

    def answered(self) -> list[int]:
        """Request ids in the order of their answers."""
        return [
            message.request_id
            for message in self.messages
            if not isinstance(message, TransactionUpdate | InitialConnection)
        ]

    def updates(self) -> list[TransactionUpdate]:
        return [message for message in self.messages if isinstance(message, TransactionUpdate)]

    def values(self, table: str) -> list[Any]:
        """The cached rows of a table, in their order."""
        return sorted(self.cache.table(table).values())

    def forget(self) -> None:
        self.messages.clear()


def check_shape(update: TransactionUpdate) -> None:
    """Query sets by ascending id, tables by ascending name, nothing empty (wire spec 6.4)."""
    ids = [query_set.query_set_id for query_set in update.query_sets]
    assert ids == sorted(set(ids))
    for query_set in update.query_sets:
        names = [table.table for table in query_set.tables]
        assert names == sorted(set(names))
        assert names
        for table in query_set.tables:
            assert all(rows.inserts or rows.deletes for rows in table.rows)


def all_rows(bench: Bench, tables: Iterable[type]) -> dict[str, dict[str, list[Any]]]:
    """The rows of every actor on the disk, as a fresh host reads them."""
    found: dict[str, dict[str, list[Any]]] = {}
    for key in sorted(bench.disk.actors):
        database = bench.host.core(ActorKey(key)).database
        layouts = database._layouts
        found[key] = {table.__name__: database.rows(table) for table in tables if table in layouts}
    return found
