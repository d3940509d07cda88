"""Named calls: any function that clients may call, by its name and with arguments as JSON."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from actors.errors import ReducerError
from actors.host.admission import Admission, admit_at
from actors.host.caller import Caller
from actors.host.endpoints import Endpoint, ProcedureEndpoint
from actors.host.procedures import refusal_envelope
from actors.host.replies import FutureReply
from actors.host.tracing import TracedTurn
from actors.host.turns import CallFailedError, ReducerCall, Turn, unavailable
from actors.keys import ActorKey
from actors.module.functions import ProcedureDeclaration, ReducerDeclaration
from actors.module.schema import answer_types, module_procedures
from protocol.bsatn import compile_codec
from protocol.errors import DecodeError, EncodeError
from protocol.sats_json import compile_json, loads
from protocol.types import ProductType

if TYPE_CHECKING:
    from actors.host.host import Host

__all__ = ["NamedCalls", "Prepared"]

log = logging.getLogger("actors.procedure")


class Prepared(NamedTuple):
    """A call that may be made.

    Attributes:
        run: makes it; answers None for a reducer, for a procedure its answer as a JSON structure in
            the untyped form (wire spec 1.4). What is answered or refused is durable by then. Raises
            ReducerError when the function refuses, or with ``state.actor_unavailable``, and
            CallFailedError when it broke.
        is_procedure: whether there is an answer.
    """

    run: Callable[[], Awaitable[object]]
    is_procedure: bool


class NamedCalls:
    """Calls by name for callers without a connection that lasts. Loop thread, started host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        module = host.module
        self._procedures: Mapping[str, ProcedureDeclaration | ReducerDeclaration] = (
            module_procedures(module)
        )
        self._hooks = {hook.name: moment for moment, hook in module.lifecycle.items()}

    def prepare(
        self, name: str, text: bytes, caller: Caller, admission: Admission | None
    ) -> Prepared:
        """Find a function, read its arguments, and see whether the caller may call it now.

        A name that is not a reducer's is looked for among the procedures. ``text`` is a JSON array
        of the arguments in order, or an object by their names. Of ``admission`` the function's own
        rate is taken, and those of what it calls; that for all calls is the caller's matter.

        Raises:
            ReducerError: ``input.unknown_function``, ``input.invalid_type``, ``auth.forbidden``,
                ``auth.token_expired``, ``limit.rate_exceeded``, or the input names no actor.
        """
        host = self._host
        endpoint = host.reducers.get(name)
        if endpoint is not None:
            declaration = host.module.reducers[name]
            arguments, args = _read("reducer", name, declaration.parameters, text)
            self._admit(endpoint, caller, admission)
            key = endpoint.route(caller, arguments)
            reply = host.future_reply()
            call = ReducerCall(endpoint, arguments, args, caller, reply)
            run = partial(self._run_reducer, endpoint, key, call, caller, reply)
            return Prepared(run, is_procedure=False)
        if name in self._hooks:
            moment = self._hooks[name].value
            message = f"can't directly call special {moment} lifecycle reducer"
            raise ReducerError("input.invalid_type", message)
        procedure = host.catalogue.procedures.get(name)
        if procedure is None:
            raise ReducerError("input.unknown_function", "no such reducer")
        arguments, args = _read("procedure", name, self._procedures[name].parameters, text)
        self._admit(procedure.endpoint, caller, admission)
        if not procedure.is_async:
            procedure.endpoint.route(caller, arguments)
        run_procedure = partial(self._run_procedure, procedure, args, caller, admission)
        return Prepared(run_procedure, is_procedure=True)

    def _admit(self, endpoint: Endpoint, caller: Caller, admission: Admission | None) -> None:
        now = self._host.clock()
        admit_at(admission, caller.claims, now, endpoint.rate)
        endpoint.authorize(caller, now)

    async def _run_reducer(
        self, endpoint: Endpoint, key: ActorKey, call: Turn, caller: Caller, reply: FutureReply
    ) -> None:
        host = self._host
        restarts = host.rounds.restarts
        if host.tracer is not None:
            trace = host.tracer.begin(endpoint.name, key, caller, is_framed=False)
            call = call if trace is None else TracedTurn(call, trace, host.rounds)
        try:
            await host.settled(key, call, reply)
        except ReducerError:
            await self._see(restarts)  # what it refuses for may be as new as an answer
            raise

    async def _run_procedure(
        self,
        procedure: ProcedureEndpoint,
        args: bytes,
        caller: Caller,
        admission: Admission | None,
    ) -> object:
        host, name = self._host, procedure.name
        restarts = host.rounds.restarts
        try:
            answer = await host.procedures.run(procedure, caller, args, admission)
        except ReducerError as error:
            await self._see(restarts)
            if not procedure.is_enveloped:
                raise
            answer = procedure.encode(refusal_envelope(error))
        except Exception as error:
            log.exception("procedure %s failed", name, extra={"call": name, **caller.log_fields()})
            raise CallFailedError(name) from error
        await self._see(restarts)
        returns = answer_types(host.module)[name]
        value, _ = compile_codec(returns).decode(answer, 0)
        return compile_json(returns).to_untyped(value)

    async def _see(self, restarts: int) -> None:
        """Wait until all that was read is durable; what a failed store took back is not told."""
        host = self._host
        if not await host.durable() or host.rounds.restarts != restarts:
            raise unavailable()


def _read(
    kind: str, name: str, parameters: ProductType, text: bytes
) -> tuple[tuple[Any, ...], bytes]:
    """The arguments, as values and as BSATN."""
    try:
        structure = loads(text)
        count = len(parameters.elements)
        if isinstance(structure, list) and len(structure) != count:
            given = len(structure)
            raise DecodeError(
                f"invalid length {given}, expected args for {name} with {count} elements"
            )
        arguments: Any = compile_json(parameters).from_json(structure)
        return arguments, compile_codec(parameters).encode(arguments)
    except (DecodeError, EncodeError) as error:
        message = f"invalid arguments for {kind} {name}: {error}"
        raise ReducerError("input.invalid_type", message) from None
