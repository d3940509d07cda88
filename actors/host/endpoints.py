"""Endpoints: a module's callable functions, compiled: how arguments decode and where calls go."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from actors.errors import ReducerError
from actors.host.caller import Caller
from actors.host.tallies import CallTally
from actors.keys import ActorKey, ActorKind, Audience
from actors.module.functions import ProcedureDeclaration, ReducerDeclaration
from actors.module.module import Module
from actors.module.rates import Rate
from actors.module.schema import answer_types, module_procedures
from protocol.bsatn import compile_codec

__all__ = ["Endpoint", "ProcedureEndpoint", "procedure_endpoints", "reducer_endpoint"]

_ID = re.compile(r"[A-Za-z0-9_:.\-]{1,160}\Z")
"""An id as domain 1.1 defines it."""


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """A function that runs in one actor.

    Attributes:
        decode: the argument tuple and its end, from BSATN; raises DecodeError.
        kinds: the kinds of actors that it runs in; of several, the call names one.
        fixed_key: that actor, where it does not depend on the call.
        key_positions: where in ``input`` the actor may be named, most telling first.
        request_id: where in ``input`` the request id is; None when calls leave no receipt.
        encode_answer: the answer's BSATN; None when there is no answer.
        tally: how its calls ended.
    """

    name: str
    function: Callable[..., Any]
    decode: Callable[[bytes, int], tuple[Any, int]]
    kinds: tuple[ActorKind, ...]
    roles: frozenset[str]
    rate: Rate | None
    fixed_key: ActorKey | None
    key_positions: tuple[int, ...]
    request_id: int | None
    encode_answer: Callable[[object], bytes] | None
    decode_answer: Callable[[bytes, int], tuple[Any, int]] | None
    tally: CallTally = field(default_factory=CallTally)

    def authorize(self, caller: Caller, now: int) -> None:
        """Refuse a caller without the role, or whose privileged token has expired (domain 1.8).

        Ordinary callers go on with an expired token until they disconnect.
        """
        if self.roles and caller.claims.roles.isdisjoint(self.roles):
            raise ReducerError("auth.forbidden", f"{self.name} needs another role")
        if not self.roles and not caller.is_privileged:
            return
        expires_at = caller.claims.expires_at
        if expires_at is not None and expires_at <= now:
            raise ReducerError("auth.token_expired", "the token has expired")

    def route(self, caller: Caller, arguments: tuple[Any, ...]) -> ActorKey:
        """The actor that a call is for.

        Raises:
            ReducerError: ``auth.forbidden`` for a foreign user's actor, ``input.invalid_id`` or
                ``input.missing_field`` when the input names no actor. Where the caller's own
                actor is among several kinds, an input without a name means that.
        """
        if self.fixed_key is not None:
            return self.fixed_key
        named = None
        for position in self.key_positions:
            named = arguments[0][position]
            if named is not None:
                break
        kind = self.kinds[0] if len(self.kinds) == 1 else _kind_of(named, self.kinds)
        if kind.audience is Audience.CALLER:
            user_id = _user(caller, named)
            return caller.key_in(kind) if user_id == caller.user_id else kind.key(user_id)
        if named is None:
            raise ReducerError("input.missing_field", "the input names no actor")
        if not _ID.match(named):
            raise ReducerError("input.invalid_id", "an id has 1 to 160 characters A-Za-z0-9_:.-")
        if kind.audience is Audience.ATTACHED:
            return kind.key(named.partition(".")[0])
        return kind.shard_key(named)


@dataclass(frozen=True, slots=True, eq=False)
class ProcedureEndpoint:
    """A procedure by its wire name.

    Attributes:
        endpoint: the function; for the wrapper of a reducer, that reducer.
        is_async: it runs outside actors.
        is_reducer: it wraps a reducer and answers what that answers.
        is_enveloped: the answer is ``{ok, value, error...}``, refusals included.
        encode: BSATN of the whole answer.
    """

    name: str
    endpoint: Endpoint
    is_async: bool
    is_reducer: bool
    is_enveloped: bool
    encode: Callable[[object], bytes]


def reducer_endpoint(declaration: ReducerDeclaration | ProcedureDeclaration) -> Endpoint:
    """Compile a declared function."""
    kinds = declaration.kinds
    fields: tuple[str, ...] = getattr(declaration.input, "_fields", ())
    answer = None if declaration.returns is None else compile_codec(declaration.returns)
    is_fixed = len(kinds) == 1 and kinds[0].audience is Audience.EVERYONE and kinds[0].shards == 1
    key_fields = dict.fromkeys(field for kind in kinds for field in kind.key_fields)
    return Endpoint(
        name=declaration.name,
        function=declaration.function,
        decode=compile_codec(declaration.parameters).decode,
        kinds=kinds,
        roles=declaration.roles,
        rate=declaration.rate,
        fixed_key=kinds[0].key("0") if is_fixed else None,
        key_positions=tuple(fields.index(name) for name in key_fields if name in fields),
        request_id=fields.index("request_id") if "request_id" in fields else None,
        encode_answer=None if answer is None else answer.encode,
        decode_answer=None if answer is None else answer.decode,
    )


def procedure_endpoints(
    module: Module, reducers: dict[str, Endpoint]
) -> dict[str, ProcedureEndpoint]:
    """Compile all procedures of a module, the wrappers of reducers included."""
    endpoints = {}
    for name, function in module_procedures(module).items():
        is_reducer = isinstance(function, ReducerDeclaration)
        endpoint = reducers[function.name] if is_reducer else reducer_endpoint(function)
        endpoints[name] = ProcedureEndpoint(
            name=name,
            endpoint=endpoint,
            is_async=isinstance(function, ProcedureDeclaration) and function.is_async,
            is_reducer=is_reducer,
            is_enveloped=module.enveloped,
            encode=compile_codec(answer_types(module)[name]).encode,
        )
    return endpoints


def _kind_of(named: str | None, kinds: tuple[ActorKind, ...]) -> ActorKind:
    """The kind that a name belongs to, by how it begins; no name means the caller's own actor."""
    for kind in kinds:
        if kind.audience is Audience.CALLER if named is None else named.startswith(kind.names):
            return kind
    if named is None:
        raise ReducerError("input.missing_field", "the input names no actor")
    raise ReducerError("input.invalid_id", "no actor has such a name")


def _user(caller: Caller, named: str | None) -> str:
    named = None if named is None else named.partition(".")[0]
    if named is None or named == caller.user_id:
        return caller.user_id
    if not caller.is_privileged:
        raise ReducerError("auth.forbidden", "another user's data needs the service role")
    if not _ID.match(named):
        raise ReducerError("input.invalid_id", "an id has 1 to 160 characters A-Za-z0-9_:.-")
    return named
