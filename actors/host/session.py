"""Session: one connection's requests, answered in order, and its query sets.

Requests run in arrival order. Those for one actor are handed on at once, because its mailbox keeps
the order; a request for another actor waits until the earlier ones are answered (wire spec 8.1).
A procedure begins in its place in the order, and then runs beside the rest.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

from actors.errors import ReducerError
from actors.host.admission import Admission, admit
from actors.host.caller import Caller
from actors.host.query_sets import Asked, QuerySets
from actors.host.rounds import Mouth
from actors.host.text_sets import TextSets
from actors.host.tracing import TracedTurn
from actors.host.turns import Connect, Disconnect, ReducerCall, Reply, Turn, unavailable
from actors.keys import ActorKey
from protocol.errors import DecodeError, SqlError
from protocol.messages import (
    CallProcedure,
    CallReducer,
    ClientMessage,
    Dialect,
    OneOffQuery,
    OpaqueId,
    Subscribe,
    SubscribeLegacy,
    UnreadableCall,
    Unsubscribe,
    Wire,
)

if TYPE_CHECKING:
    from actors.host.host import Host
    from actors.module.rates import Rate
    from actors.subscriptions import Subscriber

__all__ = ["Session", "Sink"]

log = logging.getLogger("actors.session")

_QueryRequest: TypeAlias = Subscribe | SubscribeLegacy | Unsubscribe | OneOffQuery

FATAL = "The instance encountered a fatal error."


class Sink(Protocol):
    """The transport's end of a connection."""

    def deliver(self, messages: list[bytes]) -> None:
        """Send encoded messages, no tag and no frame; after the connection ended, do nothing."""

    def abort(self, close_code: int, reason: str) -> None:
        """Close the connection."""


class _CallReply(Reply):
    """Where a reducer call's outcome goes; one for each call."""

    __slots__ = ("_request_id", "_session")

    def __init__(self, session: Session, request_id: OpaqueId) -> None:
        self._session = session
        self._request_id = request_id

    @property
    def subscriber(self) -> Subscriber:
        """The connection that called; whoever asks is about to run this call."""
        session = self._session
        session.request_id = self._request_id
        return session

    def succeed(self, timestamp: int, body: bytes | None, answer: object) -> None:
        """Answer with the caller's own deltas."""
        del answer
        session = self._session
        body = session.empty_body if body is None else body
        message = session.wire.reducer_ok(self._request_id, timestamp, body)
        if message is not None:
            session.push(message)
        session.settle()

    def fail(self, timestamp: int, error: Exception) -> None:
        """Answer with the refusal; of a defect the caller learns no more than that."""
        session = self._session
        if isinstance(error, ReducerError):
            answer = session.wire.reducer_err(self._request_id, timestamp, str(error))
        else:
            answer = session.wire.reducer_internal_error(self._request_id, timestamp, FATAL)
        if answer is not None:
            session.push(answer)
        session.settle()


class _Waiting:
    """A request that waits for its place in the order.

    ``key`` is the actor that it is for; None for one that begins when nothing else runs. ``run``
    answers whether the next request may begin at once.
    """

    __slots__ = ("key", "run")

    def __init__(self, key: ActorKey | None, run: Callable[[], bool]) -> None:
        self.key = key
        self.run = run


class Session(Mouth):
    """A connection, from the host's side. Lives on the host's loop.

    Attributes:
        caller: who is connected.
        wire: the protocol version.
        dialect: how updates are spelled for it.
        request_id: of the call that is being run, or was run last.
        admission: the rates that its calls keep to; None without any.
        pending: requests that are not answered yet.
    """

    def __init__(
        self,
        host: Host,
        caller: Caller,
        *,
        token: str,
        wire: Wire,
        confirmed: bool,
        sink: Sink,
        admission: Admission | None,
    ) -> None:
        super().__init__(is_confirmed=confirmed)
        self.caller = caller
        self.wire = wire
        self.dialect: Dialect = wire.dialect
        self.admission = admission
        self.empty_body = self.dialect.transaction_body(())
        self.request_id: OpaqueId = 0
        self.pending = 0
        self._host = host
        self._token = token
        self._sink = sink
        self._pushed: list[bytes] = []
        self._waiting: deque[_Waiting] = deque()
        self._running = 1  # connecting
        self._running_key: ActorKey | None = None
        self._is_open = True
        self._is_announced = False
        self._is_advancing = False
        self._sets = (TextSets if self.dialect.merges_sets else QuerySets)(host, self)

    # Life

    async def connect(self) -> None:
        """Run the module's ``client_connected``; then the first message goes out.

        Requests that came before wait until then.

        Raises:
            SessionRefusedError: the module refuses the connection.
        """
        host = self._host
        self._is_announced = True
        host.enter(self)
        door = host.on_connect or host.on_disconnect
        if door is not None:
            reply = host.future_reply()
            key = door.route(self.caller, ((),))
            host.tell(key, Connect(host.on_connect, self.caller, reply))
            try:
                await reply
            except BaseException:
                self._is_open = False
                host.leave(self)
                raise
        caller = self.caller
        if self._is_open:
            self.push(
                self.wire.initial_connection(caller.identity, caller.connection_id, self._token)
            )
        self._begin()

    def connect_unannounced(self) -> None:
        """Let requests run without a word to the module: the server looks at itself.

        Neither ``client_connected`` nor ``client_disconnected`` runs, there is no first message,
        and the host does not count the connection.
        """
        self._begin()

    async def disconnect(self) -> None:
        """End the connection: its query sets go, ``client_disconnected`` runs. Harmless twice."""
        if not self._is_open:
            return
        self._is_open = False
        self._waiting.clear()
        self._sets.clear()
        host, caller = self._host, self.caller
        host.leave(self)
        door = host.on_connect or host.on_disconnect
        if door is None or not self._is_announced:
            return
        done = host.future()
        key = door.route(caller, ((),))
        turn = Disconnect(
            host.on_disconnect,
            caller.identity,
            caller.connection_id,
            lambda: None if done.done() else done.set_result(None),
        )
        host.tell(key, turn)
        await done

    def abort(self, close_code: int, reason: str) -> None:
        """Close the connection; the transport then calls ``disconnect``."""
        self._sink.abort(close_code, reason)

    # Messages out

    def push(self, message: bytes) -> None:
        """Queue an encoded message; it leaves with this round."""
        pushed = self._pushed
        if not pushed:
            self._host.rounds.touch(self)
        pushed.append(message)

    def take_pushed(self) -> list[bytes]:
        """The messages pushed since the last round."""
        pushed, self._pushed = self._pushed, []
        return pushed

    def deliver(self, messages: list[bytes]) -> None:
        """Send messages whose turn has come."""
        self._sink.deliver(messages)

    # Requests in

    def receive(self, messages: list[ClientMessage]) -> None:
        """Take requests, in order."""
        for message in messages:
            self.pending += 1
            if type(message) is CallReducer:
                self._call(message)
            elif type(message) is CallProcedure:
                self._waiting.append(_Waiting(None, partial(self._run_procedure, message)))
                self._advance()
            elif type(message) is UnreadableCall:
                self._refuse(message)
            elif not isinstance(message, CallReducer | CallProcedure | UnreadableCall):
                self._waiting.append(_Waiting(None, partial(self._start, message)))
                self._advance()

    def settle(self) -> None:
        """A request was answered: the next ones may run."""
        self.pending -= 1
        self._running -= 1
        if self._waiting:
            self._advance()

    def _begin(self) -> None:
        """The connection stands: what waited may run."""
        self._running -= 1
        self._advance()

    def answer_procedure(self, message: bytes) -> None:
        """Send a procedure's result."""
        self.pending -= 1
        if self._is_open:
            self.push(message)

    def admit(self, rate: Rate | None) -> None:
        """Take what a call at a rate takes; raises ReducerError ``limit.rate_exceeded``."""
        admit(self.admission, self.caller.claims, self._host.clock(), rate)

    def _call(self, message: CallReducer) -> None:
        request_id, name, args = message.request_id, message.reducer, message.args
        host = self._host
        endpoint = host.reducers.get(name)
        if endpoint is None:
            self._answer(self._not_run(request_id, host.unknown_reducer(name)))
            return
        try:
            if self.admission is not None:
                self.admit(endpoint.rate)
            if endpoint.roles or self.caller.is_privileged:
                endpoint.authorize(self.caller, host.clock())
            arguments, end = endpoint.decode(args, 0)
            if end != len(args):
                # The official host ignores them too (wire spec 3); a client's author should know.
                extra = {"call": name, **self.caller.log_fields()}
                log.warning(
                    "%d bytes after the arguments of %s", len(args) - end, name, extra=extra
                )
            key = endpoint.fixed_key or endpoint.route(self.caller, arguments)
        except DecodeError as error:
            text = host.invalid_arguments("reducer", name, error)
            self._answer(self._not_run(request_id, text))
            return
        except ReducerError as error:
            self._answer(self._not_run(request_id, str(error), is_internal=False))
            return
        reply = _CallReply(self, request_id)
        call: Turn = ReducerCall(endpoint, arguments, args, self.caller, reply)
        if host.tracer is not None:
            trace = host.tracer.begin(name, key, self.caller, is_framed=True)
            call = call if trace is None else TracedTurn(call, trace, host.rounds)
        if not self._waiting and (not self._running or key == self._running_key):
            if host.offer(key, call):
                self._running += 1
                self._running_key = key
            else:
                self._answer(self._unavailable(request_id))
            return
        self._waiting.append(_Waiting(key, partial(self._tell, key, call, request_id)))

    def _tell(self, key: ActorKey, call: Turn, request_id: OpaqueId) -> bool:
        if self._host.offer(key, call):
            return False
        answer = partial(self._push_answer, self._unavailable(request_id))
        if self._running == 1:
            return answer()
        # Others of the same actor are not answered yet: this one is next, before what waits.
        self._waiting.appendleft(_Waiting(None, answer))
        return True

    def _refuse(self, call: UnreadableCall) -> None:
        """Answer a call whose arguments could not be read."""
        kind = "procedure" if call.is_procedure else "reducer"
        text = self._host.invalid_arguments(kind, call.function, call.error)
        if call.is_procedure:
            self._answer(self.wire.procedure_error(call.request_id, text))
        else:
            self._answer(self._not_run(call.request_id, text))

    def _not_run(self, request_id: OpaqueId, text: str, *, is_internal: bool = True) -> bytes:
        now = self._host.clock()
        return self.wire.reducer_not_run(request_id, now, text, is_internal=is_internal)

    def _unavailable(self, request_id: OpaqueId) -> bytes:
        return self._not_run(request_id, str(unavailable()), is_internal=False)

    def _answer(self, message: bytes) -> None:
        """Answer a request that needs no actor, in its place."""
        if not self._running and not self._waiting:
            self.pending -= 1
            self.push(message)
            return
        self._waiting.append(_Waiting(None, partial(self._push_answer, message)))

    def _push_answer(self, message: bytes) -> bool:
        self.pending -= 1
        self.push(message)
        return True

    def _run_procedure(self, message: CallProcedure) -> bool:
        self._host.procedures.start(self, message)
        return True

    def _advance(self) -> None:
        """Run what waits, as far as the order allows."""
        if self._is_advancing:
            return  # a request was answered inside the loop below, which goes on
        self._is_advancing = True
        try:
            self._run_waiting()
        finally:
            self._is_advancing = False

    def _run_waiting(self) -> None:
        waiting = self._waiting
        while waiting and self._is_open:
            entry = waiting[0]
            if self._running and (entry.key is None or entry.key != self._running_key):
                return
            waiting.popleft()
            self._running += 1
            self._running_key = entry.key
            if entry.run():
                self._running -= 1

    def _start(self, message: _QueryRequest) -> bool:
        """Run a request on query sets; True when it is answered already."""
        try:
            asked = self._sets.queries_of(message)
        except SqlError as error:
            return self._push_answer(self._query_error(message, str(error)))
        if self._sets.missing(asked):
            self._host.spawn(self._answer_when_active(message, asked))
            return False
        return self._push_answer(self._query_answer(message, asked))

    async def _answer_when_active(self, message: _QueryRequest, asked: Asked) -> None:
        """Activate the actors that the queries read, then answer."""
        try:
            while missing := self._sets.missing(asked):
                await self._activate(missing, lambda: self._sets.missing(asked))
        except ReducerError as error:
            answer = self._query_error(message, str(error))
        else:
            if not self._is_open:
                return
            answer = self._query_answer(message, asked)
        self.push(answer)
        self.settle()

    def _query_answer(self, message: _QueryRequest, asked: Asked) -> bytes:
        if isinstance(message, Subscribe | SubscribeLegacy):
            return self._sets.subscribe(message, asked)
        if isinstance(message, Unsubscribe):
            return self._sets.unsubscribe(message)
        return self._sets.query_once(message, asked)

    def _query_error(self, message: _QueryRequest, text: str) -> bytes:
        if isinstance(message, OneOffQuery):
            return self.wire.one_off_query_error(message.request_id, text)
        set_id = 0 if isinstance(message, SubscribeLegacy) else message.query_set_id
        return self.wire.subscription_error(message.request_id, set_id, text)

    # Attached actors

    def attachments_changed(self) -> None:
        """The caller's actor attached or detached others: follow, once they are active."""
        missing = self._sets.attaching()
        if missing is None or not self._is_open:
            return
        if missing:
            self._host.spawn(self._reattach_when_active(missing))
        else:
            self._sets.reattach()

    async def _reattach_when_active(self, missing: list[ActorKey]) -> None:
        try:
            await self._activate(missing, self._sets.attaching)
        except ReducerError as error:
            log.warning("attached actors stay away: %s", error, extra=self.caller.log_fields())
        else:
            self.attachments_changed()

    async def _activate(
        self, missing: list[ActorKey], look: Callable[[], list[ActorKey] | None]
    ) -> None:
        """Activate actors; one that is damaged is no longer attached, and then not missed."""
        try:
            await self._host.activate(missing)
        except ReducerError:
            if look() == missing:
                raise
