"""Commands that call the module's reducers: any of them, and the usual gifts to players."""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Iterable, Iterator

from pydantic import Field, JsonValue

from actors.host.plain_json import spelling
from actors.module.functions import ReducerDeclaration
from protocol.types import AlgebraicType
from server.admin.commands import NoParams, Params, Result, command
from server.admin.connection_commands import user_id_from
from server.admin.context import AdminContext
from server.admin.roles import Role
from server.admin.service_calls import ServiceAnswer, call_reducer, is_for_operators

__all__ = [
    "CallAnswer",
    "CallReducer",
    "Gift",
    "GrantItem",
    "GrantSparks",
    "GrantXp",
    "ListReducers",
    "ReducerEntry",
    "ReducerList",
    "call_any_reducer",
    "grant_item",
    "grant_sparks",
    "grant_xp",
    "list_grants",
    "list_reducers",
]


class ReducerEntry(Result):
    """A reducer that operators can call."""

    name: str = Field(description="Its name.")
    kinds: list[str] = Field(description="Kinds of actors that it runs in.")
    roles: list[str] = Field(description="Roles that may call it; none means everybody.")
    arguments: str = Field(description="What it is called with.")
    answer: str = Field(description="What it answers; empty for nothing.")
    summary: str = Field(description="What it does, as its author says.")


class ReducerList(Result):
    """Reducers by name."""

    reducers: list[ReducerEntry] = Field(description="The reducers.")


class ListReducers(Params):
    """Which reducers to list."""

    name: str = Field("", max_length=100, description="Only those whose name has this in it.")


@command("calls.list", role=Role.READ)
async def list_reducers(ctx: AdminContext, params: ListReducers) -> ReducerList:
    """List the reducers of the module that ``calls.call`` can run, and their arguments."""
    return _reducer_list(entry for entry in _callable(ctx) if params.name in entry.name)


class CallAnswer(Result):
    """What a reducer came to."""

    actor: str = Field(description="The actor that it ran in.")
    caller: str = Field(description="Identity that the actor's journal has as the caller.")
    answer: JsonValue = Field(description="What it answered; null for nothing.")


class CallReducer(Params):
    """What to call."""

    reducer: str = Field(min_length=1, max_length=200, description="Name of the reducer.")
    arguments: dict[str, JsonValue] = Field(
        {}, description="Its arguments by name; those of an input struct stand for themselves."
    )


@command("calls.call", role=Role.DANGER)
async def call_any_reducer(ctx: AdminContext, params: CallReducer) -> CallAnswer:
    """Call any reducer of the module with the roles service and admin.

    ``calls.list`` says what its arguments look like. A ``request_id`` is made up unless it is
    given; who repeats a call after a lost answer gives the same one both times.
    """
    return _call_answer(await call_reducer(ctx, params.reducer, params.arguments))


# Gifts: the reducers by which games of this kind give things, where a module has them


@command("grants.list", role=Role.READ)
async def list_grants(ctx: AdminContext, _params: NoParams) -> ReducerList:
    """List the reducers that are for the role service alone: what the server itself may give."""
    return _reducer_list(entry for entry in _callable(ctx) if entry.roles)


class Gift(Params):
    """Who is given something."""

    user: str = Field(description="User id, or identity of 64 hexadecimal digits.")
    reference: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_:.\-]{1,64}$",
        description="What it is for, such as a ticket; the same one is given once only.",
    )

    @property
    def source_ref(self) -> str:
        """The reference, or one that nothing else has."""
        return f"operator:{self.reference or secrets.token_hex(8)}"


class GrantXp(Gift):
    """How much experience to give."""

    amount: int = Field(ge=1, description="Points.")


@command("grants.xp", role=Role.OPERATE)
async def grant_xp(ctx: AdminContext, params: GrantXp) -> CallAnswer:
    """Give a player experience, with ``grant_player_progression_experience``."""
    arguments = {
        "user_id": user_id_from(params.user),
        "amount": params.amount,
        "source": "admin",
        "source_ref": params.source_ref,
    }
    return _call_answer(await call_reducer(ctx, "grant_player_progression_experience", arguments))


class GrantSparks(Gift):
    """How many sparks to give."""

    amount: int = Field(description="Sparks; fewer than none takes them.")


@command("grants.sparks", role=Role.OPERATE)
async def grant_sparks(ctx: AdminContext, params: GrantSparks) -> CallAnswer:
    """Give a player sparks, or take them, with ``append_wallet_ledger_entry``."""
    arguments = {
        "user_id": user_id_from(params.user),
        "amount_delta": params.amount,
        "reason": "admin_adjustment",
        "source_ref": params.source_ref,
        "memo": "",
    }
    return _call_answer(await call_reducer(ctx, "append_wallet_ledger_entry", arguments))


class GrantItem(Gift):
    """Which items to give."""

    session: str = Field(description="The runtime session whose inventory gets them.")
    item: str = Field(description="Id of the item.")
    quantity: int = Field(1, ge=1, description="How many of it.")


@command("grants.item", role=Role.OPERATE)
async def grant_item(ctx: AdminContext, params: GrantItem) -> CallAnswer:
    """Give a player items, with ``apply_inventory_mutation``; what has no room overflows."""
    item = {"item_id": params.item, "quantity": params.quantity}
    arguments = {
        "user_id": user_id_from(params.user),
        "runtime_session_id": params.session,
        "mutation": {"Grant": {"item": item}},
        "source_ref": params.source_ref,
    }
    return _call_answer(await call_reducer(ctx, "apply_inventory_mutation", arguments))


def _callable(ctx: AdminContext) -> Iterator[ReducerDeclaration]:
    for _, reducer in sorted(ctx.host.module.reducers.items()):
        if is_for_operators(reducer):
            yield reducer


def _reducer_list(reducers: Iterable[ReducerDeclaration]) -> ReducerList:
    return ReducerList(reducers=[_reducer_entry(reducer) for reducer in reducers])


def _reducer_entry(reducer: ReducerDeclaration) -> ReducerEntry:
    parameters: AlgebraicType = reducer.parameters
    if reducer.input is not None:
        parameters = reducer.parameters.elements[0].type
    return ReducerEntry(
        name=reducer.name,
        kinds=[kind.name for kind in reducer.kinds],
        roles=sorted(reducer.roles),
        arguments=spelling(parameters),
        answer="" if reducer.returns is None else spelling(reducer.returns),
        summary=(inspect.getdoc(reducer.function) or "").partition("\n")[0],
    )


def _call_answer(answer: ServiceAnswer) -> CallAnswer:
    return CallAnswer.model_validate(answer._asdict())
