"""Service calls: reducers of the hosted module, found by name and run for operators."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from actors.host.caller import Caller, service_caller
from actors.host.plain_json import plain_json
from actors.host.turns import CallFailedError, ReducerCall
from actors.keys import ActorKey
from actors.module.functions import ReducerDeclaration
from protocol.errors import DecodeError
from server.admin.context import AdminContext
from server.errors import CommandError

__all__ = ["OPERATOR_ROLES", "ServiceAnswer", "call_reducer", "is_for_operators"]

OPERATOR_ROLES: Final = ("service", "admin")
"""What reducers take operators for."""


class ServiceAnswer(NamedTuple):
    """What a reducer answered, in plain JSON, and where it ran."""

    actor: ActorKey
    caller: str
    answer: object


def is_for_operators(reducer: ReducerDeclaration) -> bool:
    """Whether operators may call a reducer; some are for other parts of the server alone."""
    return not reducer.roles or not reducer.roles.isdisjoint(OPERATOR_ROLES)


async def call_reducer(
    ctx: AdminContext, name: str, arguments: Mapping[str, object]
) -> ServiceAnswer:
    """Run a reducer with the roles of operators; its answer is durable.

    The arguments of an ``input`` struct stand for themselves, and a ``request_id`` that is not
    given is made up. The journal names the operator as the caller.

    Raises:
        CommandError: ``reducer.not_found``, ``input.invalid``, ``call.failed``.
        ReducerError: the reducer refuses.
    """
    host = ctx.host
    declaration = host.module.reducers.get(name)
    if declaration is None or not is_for_operators(declaration):
        raise CommandError("reducer.not_found", f"this module has no reducer {name} for operators")
    values = _values(declaration, arguments)
    endpoint = host.reducers[name]
    caller = _caller(ctx)
    endpoint.authorize(caller, host.clock())
    key = endpoint.route(caller, values)
    reply = host.future_reply()
    call = ReducerCall(endpoint, values, host.encode_arguments(name, values), caller, reply)
    async with ctx.touching(key):
        try:
            answer = await host.settled(key, call, reply)
        except CallFailedError:
            raise CommandError("call.failed", f"{name} broke; the log says how") from None
    if declaration.returns is not None:
        answer = plain_json(declaration.returns).write(answer)
    return ServiceAnswer(key, str(caller.identity), answer)


def _caller(ctx: AdminContext) -> Caller:
    """The operator as the module's reducers see it."""
    return service_caller(f"operator:{ctx.operator.name}", *OPERATOR_ROLES)


def _values(declaration: ReducerDeclaration, arguments: Mapping[str, object]) -> tuple[Any, ...]:
    given: dict[str, object] = dict(arguments)
    if declaration.input is not None:
        if "request_id" in declaration.input._fields:  # type: ignore[attr-defined]
            given.setdefault("request_id", f"op_{secrets.token_hex(16)}")
        given = {"input": given}
    try:
        values: tuple[Any, ...] = plain_json(declaration.parameters).read(given, "")
    except DecodeError as error:
        text = str(error).replace("input.", "", 1) if declaration.input else str(error)
        raise CommandError("input.invalid", text) from None
    return values
