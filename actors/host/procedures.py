"""Procedures: calls that answer their caller only, beside the order of the other requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import orjson

from actors.errors import ReducerError
from actors.host.admission import Admission, admit_at
from actors.host.caller import Caller, service_caller
from actors.host.endpoints import ProcedureEndpoint
from actors.host.tracing import TracedTurn
from actors.host.transactions import Transaction
from actors.host.turns import Read, ReducerCall, Turn
from actors.keys import ActorKey
from actors.limits import PROCEDURE_SECONDS_MAX
from actors.module.context import ReducerContext, ViewContext
from protocol.errors import DecodeError
from protocol.messages import CallProcedure
from protocol.values import Identity

if TYPE_CHECKING:
    from actors.claims import Claims
    from actors.host.host import Host
    from actors.host.session import Session

__all__ = ["Procedures", "Run", "refusal_envelope"]

log = logging.getLogger("actors.procedure")

Answer = TypeVar("Answer")
Port = TypeVar("Port")

FATAL = "The module instance encountered a fatal error: the procedure failed"


class _ArgumentsError(ReducerError):
    """The arguments are not those of the procedure; the wire has words of its own for it."""


class Run:
    """One run of an asynchronous procedure; implements ``module.ProcedureContext``."""

    __slots__ = ("_admission", "_caller", "_host", "timestamp")

    def __init__(self, host: Host, caller: Caller, admission: Admission | None = None) -> None:
        self._host = host
        self._caller = caller
        self._admission = admission
        self.timestamp = host.moment()

    @property
    def sender(self) -> Identity:
        """Who calls."""
        return self._caller.identity

    @property
    def user_id(self) -> str:
        """The caller's user id."""
        return self._caller.user_id

    @property
    def claims(self) -> Claims:
        """The caller's verified claims."""
        return self._caller.claims

    def port(self, kind: type[Port]) -> Port | None:
        """What the server provides for a port; None without it."""
        return cast("Port | None", self._host.providers.get(kind))

    def as_service(self) -> Run:
        """The same run as the server itself: its calls have the role ``service``."""
        return Run(self._host, service_caller("procedures"))

    async def call(self, reducer: Callable[..., Answer], *args: object) -> Answer:
        """Call a reducer of the module as this caller; raises ReducerError when it refuses."""
        host = self._host
        declaration = reducer.__declaration__  # type: ignore[attr-defined]
        endpoint = host.reducers[declaration.name]
        admit_at(self._admission, self.claims, host.clock(), endpoint.rate)
        endpoint.authorize(self._caller, host.clock())
        reply = host.future_reply()
        encoded = host.encode_arguments(declaration.name, args)
        key = endpoint.route(self._caller, args)
        call: Turn = ReducerCall(endpoint, args, encoded, self._caller, reply)
        if host.tracer is not None:
            trace = host.tracer.begin(endpoint.name, key, self._caller, is_framed=False)
            call = call if trace is None else TracedTurn(call, trace, host.rounds)
        answer: Answer = await host.settled(key, call, reply)
        return answer

    async def transact(self, actor: ActorKey, body: Callable[[ReducerContext], Answer]) -> Answer:
        """Run a function as one transaction of an actor; raises ReducerError when it refuses."""
        host = self._host
        reply = host.future_reply()
        turn = Transaction(body.__name__, body, self._caller, reply)
        answer: Answer = await host.settled(actor, turn, reply)
        return answer

    async def read(self, actor: ActorKey, query: Callable[[ViewContext], Answer]) -> Answer:
        """Run a reading function inside one actor, between its turns."""
        reply = self._host.future_reply()
        self._host.tell(actor, Read(query, self._caller, reply))
        answer: Answer = await reply
        return answer

    async def until(
        self,
        actor: ActorKey,
        query: Callable[[ViewContext], Answer | None],
        seconds: float | None = None,
    ) -> Answer | None:
        """Wait until a reading function answers something; None after the deadline."""
        limit = PROCEDURE_SECONDS_MAX if seconds is None else seconds
        try:
            async with asyncio.timeout(limit):
                while True:
                    commit = await self._host.next_commit(actor)  # armed before the look
                    answer = await self.read(actor, query)
                    if answer is not None:
                        return answer
                    await commit
        except TimeoutError:
            return None


class Procedures:
    """Runs the module's procedures for sessions and for HTTP."""

    def __init__(self, host: Host, endpoints: dict[str, ProcedureEndpoint]) -> None:
        self._host = host
        self._endpoints = endpoints

    def start(self, session: Session, message: CallProcedure) -> None:
        """Run a procedure and answer it when it is ready."""
        self._host.spawn(self._answer(session, message))

    async def _answer(self, session: Session, message: CallProcedure) -> None:
        began = self._host.clock()
        wire = session.wire
        endpoint = self._endpoints.get(message.procedure)
        if endpoint is None:
            text = self._host.unknown_procedure(message.procedure)
            session.answer_procedure(wire.procedure_error(message.request_id, text))
            return
        try:
            session.admit(endpoint.endpoint.rate)
            value = await self.run(endpoint, session.caller, message.args, session.admission)
        except ReducerError as error:
            text = error.message if isinstance(error, _ArgumentsError) else str(error)
            answer = wire.procedure_error(message.request_id, text)
            if endpoint.is_enveloped:
                value = endpoint.encode(refusal_envelope(error))
                answer = wire.procedure_returned(message.request_id, began, 0, value)
        except Exception:
            log.exception(
                "procedure %s failed",
                message.procedure,
                extra={"call": message.procedure, **session.caller.log_fields()},
            )
            answer = wire.procedure_error(message.request_id, FATAL)
        else:
            duration = self._host.clock() - began
            answer = wire.procedure_returned(message.request_id, began, duration, value)
        session.answer_procedure(answer)

    async def run(
        self,
        procedure: ProcedureEndpoint,
        caller: Caller,
        args: bytes,
        admission: Admission | None = None,
    ) -> bytes:
        """Run a procedure that was admitted to its answer's BSATN.

        With ``admission``, what it calls in turn keeps to the rates of those functions.

        Raises:
            ReducerError: the procedure refuses; ``input.invalid_type`` for other arguments.
        """
        host, endpoint = self._host, procedure.endpoint
        try:
            arguments: tuple[Any, ...]
            arguments, end = endpoint.decode(args, 0)
            if end != len(args):
                extra = {"call": procedure.name, **caller.log_fields()}
                log.warning(
                    "%d bytes after the arguments of %s",
                    len(args) - end,
                    procedure.name,
                    extra=extra,
                )
        except DecodeError as error:
            text = f"invalid arguments for procedure {procedure.name}: {error}"
            raise _ArgumentsError("input.invalid_type", text) from None
        endpoint.authorize(caller, host.clock())
        if procedure.is_async:
            answer = await endpoint.function(Run(host, caller, admission), *arguments)
        else:
            reply = host.future_reply()
            key = endpoint.route(caller, arguments)
            if procedure.is_reducer:
                host.tell(key, ReducerCall(endpoint, arguments, args, caller, reply))
            else:
                function = endpoint.function
                query = lambda context: function(context, *arguments)  # noqa: E731
                host.tell(key, Read(query, caller, reply))
            answer = await reply
        if procedure.is_enveloped:
            answer = (True, answer, None, None, None)
        return procedure.encode(() if answer is None else answer)


def refusal_envelope(error: ReducerError) -> tuple[bool, None, str, str, str | None]:
    """What a procedure of an enveloped module answers when it refuses."""
    details = orjson.dumps(error.details, default=str).decode() if error.details else None
    return (False, None, error.code, error.message, details)
