"""Host: the directory of actors in memory, and everything that moves between them and outside.

One host runs on one event loop and touches no socket and no clock of its own: messages come from
sessions, records go to the store, updates go to sinks. All of its methods belong to the loop.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from actors.claims import Claims
from actors.errors import ActorUnavailableError, ReducerError
from actors.host.admission import Admission
from actors.host.caller import Caller, service_caller
from actors.host.catalogue import Catalogue
from actors.host.cell import Cell, CellState
from actors.host.checkpoints import Checkpoints
from actors.host.core import ActorCore, Shared
from actors.host.effect_runs import declared_worker
from actors.host.effects import Effects
from actors.host.inspection import Inspection
from actors.host.loader import Loader
from actors.host.loop_actor import ReadyActors
from actors.host.mail import EFFECT
from actors.host.mail_turns import Acknowledgement, Delivery, Due, Refusal, Replay
from actors.host.meter import Meter
from actors.host.orders import Orders
from actors.host.passivation import Budget, Passivation
from actors.host.procedures import Procedures
from actors.host.replies import FutureReply
from actors.host.rounds import Rounds
from actors.host.session import Session, Sink
from actors.host.sql import run_sql
from actors.host.tracing import Tracer
from actors.host.turns import CallFailedError, Turn, unavailable
from actors.host.vitals import Vitals
from actors.host.wakes import Wakes
from actors.host.watch import CommitWatch
from actors.keys import ActorKey, Audience
from actors.module.module import Module
from actors.module.system import OutboxMessage
from actors.subscriptions import Board, QueryCompiler
from persistence.errors import FencedError, StoreError, StoreFailedError
from persistence.store import PlainAppend, Store
from protocol.close_codes import CLOSE_RESTART
from protocol.messages import Wire
from protocol.schema import Lifecycle
from protocol.values import ConnectionId, Identity, Timestamp

__all__ = ["Host"]

log = logging.getLogger("actors.host")


class Host(Meter):
    """Actors of one module over one store.

    Args:
        module: what is hosted.
        store: an open store; the host does not close it.
        secret: 32 bytes that seed all chance (domain 1.3).
        clock: microseconds since the Unix epoch.
        failed: called once when the store refuses to go on for good (another owner has it).
        providers: what is provided to the module, by port.
        budget: how long actors stay in memory, and what they may take there.
        identity: the database's own; what it begins itself has it as the caller.
    """

    def __init__(
        self,
        module: Module,
        store: Store,
        *,
        secret: bytes,
        clock: Callable[[], int],
        failed: Callable[[StoreError], None] | None = None,
        providers: Mapping[type, object] | None = None,
        stopwatch: Callable[[], float] = time.perf_counter,
        budget: Budget | None = None,
        identity: Identity | None = None,
    ) -> None:
        super().__init__(clock, stopwatch)
        self.module = module
        self.queries = QueryCompiler(module)
        self.commit_watch: CommitWatch | None = None
        self.tracer: Tracer | None = None
        self._store = store
        self._secret = secret
        self._failed = failed
        self.providers = providers or {}
        self._budget = budget or Budget()
        self._identity = service_caller("database").identity if identity is None else identity
        self._cells: dict[ActorKey, Cell] = {}
        self._sessions: dict[ConnectionId, Session] = {}
        self._by_home: dict[ActorKey, dict[Session, None]] = {}
        self.effects = Effects(self.acknowledge, self.refuse, self.spawn)
        self.sql = partial(run_sql, self)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_resetting = False
        self._refused_at = -math.inf
        self._moment = 0

    # Life

    async def start(self) -> None:
        """Bring the module up: shared actors in memory, ``init`` on an empty store, due wakes.

        Raises:
            SchemaMismatchError: what is stored does not fit the module.
            ActorUnavailableError: ``init`` failed, or the store did not take what it wrote.
        """
        self._loop = asyncio.get_running_loop()
        self._ready = ReadyActors(self._loop)
        self.catalogue = await Catalogue.compile(self.module, self._store)
        self.reducers = self.catalogue.reducers
        self.on_connect = self.catalogue.lifecycle.get(Lifecycle.ON_CONNECT)
        self.on_disconnect = self.catalogue.lifecycle.get(Lifecycle.ON_DISCONNECT)
        self.procedures = Procedures(self, self.catalogue.procedures)
        self.rounds = Rounds(self._store, self._loop, self._round_failed, self.stopwatch)
        for effect in self.module.effects.values():
            if effect.port is None or effect.port in self.providers:
                self.effects.register(effect.name, declared_worker(self, effect))
        messages = self.catalogue.messages._replace(
            effects=self.effects.served, ports=self.providers.keys()
        )
        self._shared = Shared(self._secret, messages, self, self._identity)
        self._checkpoints = Checkpoints(self._store, self._loop)
        self.orders = Orders(self, self._cells, self._checkpoints)
        self._loader = Loader(
            self._store, self._adopt, self.spawn, self.stopwatch, self._cells.__len__
        )
        self.inspection = Inspection(
            self, self._cells, self._loader.damaged, self._store, self._make_core
        )
        self._wakes = Wakes(
            self._store, self._loop, self.clock, self._wake, self.spawn, self._loader.__len__
        )
        self.passivation = Passivation(
            self, self._cells, self._checkpoints, self._loop, self._budget
        )
        self.vitals = Vitals(
            frozenset(self.module.kinds), self._cells, self._loader, self._checkpoints, self._wakes
        )
        kinds = self.module.kinds.values()
        shared = [kind.shard_keys() for kind in kinds if kind.audience is Audience.EVERYONE]
        await self.activate([key for keys in shared for key in keys])
        await self._initialise()
        await self._wakes.start()

    async def stop(self) -> None:
        """Finish what is in the mailboxes, make it durable, checkpoint what has changed."""
        self.passivation.stop()
        self._wakes.stop()
        while any(cell.waiting for cell in self._cells.values()):
            await self.durable()
        await self.durable()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.orders.checkpoint_all()

    async def _initialise(self) -> None:
        endpoint = self.catalogue.lifecycle.get(Lifecycle.INIT)
        if endpoint is None:
            return
        key = endpoint.kinds[0].key("0")
        if self.core(key).seq == 0:
            reply = self.future_reply()
            try:
                await self.settled(key, self.catalogue.initial_call(reply), reply)
            except (ReducerError, CallFailedError) as error:
                raise ActorUnavailableError(f"init failed, nothing begins: {error}") from error

    # Sessions

    def open_session(
        self,
        *,
        claims: Claims,
        connection_id: ConnectionId,
        token: str,
        wire: Wire,
        confirmed: bool,
        sink: Sink,
        subprotocol: str = "",
        admission: Admission | None = None,
    ) -> Session:
        """A session for a new connection; ``Session.connect`` brings it in."""
        return Session(
            self,
            Caller(claims, connection_id, subprotocol),
            token=token,
            wire=wire,
            confirmed=confirmed,
            sink=sink,
            admission=admission,
        )

    def enter(self, session: Session) -> None:
        """A session has connected."""
        self._sessions[session.caller.connection_id] = session
        home = self.home_key(session.caller)
        if home is not None:
            self._by_home.setdefault(home, {})[session] = None

    def leave(self, session: Session) -> None:
        """A session has ended."""
        self._sessions.pop(session.caller.connection_id, None)
        home = self.home_key(session.caller)
        if home is not None and home in self._by_home:
            self._by_home[home].pop(session, None)
            if not self._by_home[home]:
                del self._by_home[home]

    def is_home(self, key: ActorKey) -> bool:
        """Whether an actor is a connected caller's own."""
        return key in self._by_home

    @property
    def session_count(self) -> int:
        """How many connections there are."""
        return len(self._sessions)

    @property
    def actor_count(self) -> int:
        """How many actors are in memory."""
        return len(self._cells)

    # Actors

    def tell(self, key: ActorKey, message: Turn) -> None:
        """Put a message in an actor's mailbox; an actor that sleeps is activated for it."""
        if not self.offer(key, message):
            message.refuse(unavailable())

    def offer(self, key: ActorKey, message: Turn) -> bool:
        """As ``tell``; but False when the mailbox is full, and the message does not learn it."""
        cell = self._cells.get(key)
        if cell is None:
            cell = self._summon(key)
        return cell.offer(message)

    async def activate(self, keys: Sequence[ActorKey]) -> None:
        """Bring actors into memory; raises ReducerError when one cannot be loaded."""
        for cell in [self._cells.get(key) or self._summon(key) for key in keys]:
            if cell.state is not CellState.ACTIVE:
                await cell.loaded()

    def is_active(self, key: ActorKey) -> bool:
        """Whether an actor is in memory and takes turns."""
        cell = self._cells.get(key)
        return cell is not None and cell.state is CellState.ACTIVE

    def board(self, key: ActorKey) -> Board:
        """What is subscribed to of an active actor."""
        return self._cells[key].core.board

    def core(self, key: ActorKey) -> ActorCore:
        """An active actor's state, for reading between turns."""
        return self._cells[key].core

    async def next_commit(self, key: ActorKey) -> asyncio.Future[None]:
        """A future that is done when the actor next changes."""
        await self.activate([key])
        return self._cells[key].next_commit()

    def home_key(self, caller: Caller) -> ActorKey | None:
        """The caller's own actor; None in a module without such."""
        kind = self.catalogue.home
        return None if kind is None else kind.key(caller.user_id)

    def attached(self, caller: Caller) -> tuple[ActorKey, ...]:
        """The actors that the caller's own, active actor has attached, without damaged ones."""
        home = self.home_key(caller)
        if home is None or not self.is_active(home):
            return ()
        damaged = self._loader.damaged
        return tuple(key for key in self._cells[home].core.attached() if key not in damaged)

    async def replay_dead_letter(self, key: ActorKey, message_key: str) -> None:
        """Have an actor apply one of its dead letters again; durable when it returns.

        Raises:
            ReducerError: ``dead_letter.not_found``, or the actor cannot be loaded.
            CallFailedError: it broke again, and stays what it is.
        """
        reply = self.future_reply()
        await self.settled(key, Replay(message_key, self.catalogue.messages, reply), reply)

    async def settled(self, key: ActorKey, message: Turn, reply: FutureReply) -> Any:
        """Have an actor take a message; answers what it replies, once that is durable.

        A store that failed meanwhile may have taken the turn back, although what came after it is
        durable: then it counts as not done.

        Raises:
            ReducerError: what the turn was refused with, or ``state.actor_unavailable``.
        """
        restarts = self.rounds.restarts
        self.tell(key, message)
        answer = await reply
        if not await self.durable() or self.rounds.restarts != restarts:
            raise unavailable()
        return answer

    def _make_core(self, key: ActorKey) -> ActorCore:
        return ActorCore(key, self.catalogue.kinds[key.partition("/")[0]], self._shared)

    def _summon(self, key: ActorKey) -> Cell:
        cell = Cell(self._make_core(key), self, self._ready)
        self._cells[key] = cell
        self._loader.load(cell)
        return cell

    def _adopt(self, cell: Cell, error: ReducerError | None) -> None:
        """An actor's rows have been read, or could not be."""
        if error is not None:
            if self._cells.get(cell.core.key) is cell:
                del self._cells[cell.core.key]
            cell.end(error)
            return
        self.inspection.note_letters(cell.core)
        wake_at = cell.core.mail.wake_at()
        if wake_at:
            self._wakes.add(wake_at, cell.core.key)
        cell.begin(self.catalogue.first_turns(cell.core, self._sessions))
        self.passivation.admit(cell)

    # Outputs of turns (``core.Outlet``)

    def append(self, entry: PlainAppend) -> None:
        """Journal a record with this round."""
        self.rounds.append(entry)
        actor, seq, record, wake = entry
        if wake:
            self._wakes.add(wake, ActorKey(actor))
        if self._checkpoints.note(actor, seq, record):
            self.rounds.when_handed_over(self._checkpoint_due)

    def post(self, source: ActorKey, message: OutboxMessage) -> None:
        """Hand a message on; rounds are ordered, so it is durable before what it causes."""
        if message.dst_actor.startswith(EFFECT):
            self.rounds.when_durable(lambda: self.effects.request(source, message))
        else:
            delivery = Delivery(source, message, self.catalogue.messages)
            self.tell(ActorKey(message.dst_actor), delivery)

    def acknowledge(self, source: ActorKey, by: ActorKey, through: int) -> None:
        """Tell the sender how far its messages were taken."""
        self.tell(source, Acknowledgement(by, through))

    def refuse(self, source: ActorKey, by: ActorKey, number: int) -> None:
        """Tell the sender that a message comes back."""
        self.tell(source, Refusal(by, number))

    def attachments_changed(self, key: ActorKey) -> None:
        """Let the owner's sessions follow, after the turn."""
        sessions = self._by_home.get(key)
        if sessions:
            self._loop.call_soon(self._reattach, key)

    def letter_parked(self, key: ActorKey) -> None:
        """Remember for operators that the actor keeps a dead letter."""
        self.inspection.note_letter(key)

    def _reattach(self, key: ActorKey) -> None:
        for session in list(self._by_home.get(key, ())):
            session.attachments_changed()

    # Durability

    @property
    def seconds_since_refusal(self) -> float:
        """How long ago the store refused a batch; infinite when it never did."""
        return self.stopwatch() - self._refused_at

    async def durable(self) -> bool:
        """Wait until everything so far is durable; False when the store refused some of it."""
        return await self.rounds.durable()

    def _checkpoint_due(self) -> None:
        for key in self._checkpoints.take_due():
            cell = self._cells.get(key)
            if cell is not None and cell.state is CellState.ACTIVE:
                self._checkpoints.write(cell.core)

    def _round_failed(self, error: StoreError) -> None:
        """Nothing held back was seen: drop what memory has ahead of the store, and start over."""
        if self._is_resetting:
            return
        self._is_resetting = True
        self._refused_at = self.stopwatch()
        first = error.first if isinstance(error, StoreFailedError) else error
        if isinstance(first, FencedError) and self._failed is not None:
            # Another owner has the store; nothing that this host does can become durable again.
            self._failed(first)
        log.error("the store refused a batch, all actors are loaded again: %s", error)
        self.rounds.restart()
        for session in list(self._sessions.values()):
            session.abort(CLOSE_RESTART, "the store failed, connect again")
        cells = list(self._cells.values())
        self._cells.clear()
        self.passivation.clear()
        self._checkpoints.clear()
        for cell in cells:
            cell.end()
        if not isinstance(first, FencedError):
            self._loader.hold()
            self.spawn(self._reset(error))

    async def _reset(self, error: StoreError) -> None:
        try:
            await self._store.reset()
        except StoreError as fatal:
            if self._failed is not None:
                self._failed(fatal)
        else:
            self._is_resetting = False
            log.warning("the store takes batches again after: %s", error)
        self._loader.release()

    # Passivation and waking

    def _wake(self, key: ActorKey) -> None:
        """An actor's timer or unsent message is due; one of a kind that is gone stays asleep."""
        if key.partition("/")[0] in self.catalogue.kinds:
            self.tell(key, Due(self.catalogue.messages))

    # Small things for the parts of the host

    def future(self) -> asyncio.Future[None]:
        """A new future of the host's loop."""
        return self._loop.create_future()

    def future_reply(self) -> FutureReply:
        """A reply that can be awaited."""
        return FutureReply(self._loop)

    def moment(self) -> Timestamp:
        """Now; no run has the same, so that it may name its calls by it."""
        self._moment = max(self._moment + 1, self.clock())
        return Timestamp(self._moment)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine beside the rest; it is cancelled when the host stops."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def encode_arguments(self, reducer: str, arguments: tuple[object, ...]) -> bytes:
        """BSATN of a reducer's arguments."""
        return self.catalogue.encode_arguments(reducer, arguments)

    def unknown_reducer(self, name: str) -> str:
        """What a caller of a reducer that does not exist is told (wire spec 6.3, domain 1.15)."""
        if self.module.enveloped:
            return f"input.unknown_function: {name}"
        for moment, hook in self.module.lifecycle.items():
            if hook.name == name:
                return f"can't directly call special {moment.value} lifecycle reducer"
        return "no such reducer"

    def unknown_procedure(self, name: str) -> str:
        """What a caller of a procedure that does not exist is told."""
        return f"input.unknown_function: {name}" if self.module.enveloped else "No such procedure"

    def invalid_arguments(self, kind: str, name: str, error: object) -> str:
        """What a caller whose arguments do not decode is told."""
        text = f"invalid arguments for {kind} {name}: {error}"
        return f"input.invalid_type: {text}" if self.module.enveloped else text
