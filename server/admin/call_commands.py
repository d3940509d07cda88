"""Commands that call the module's reducers: any of them, and the usual gifts to players."""

from __future__ import annotations

import secrets

from pydantic import Field, JsonValue

from actors.module.functions import ReducerDeclaration
from protocol.types import ArrayType, OptionType, Primitive, ProductType
from server.admin.commands import NoParams, Params, Result, command
from server.admin.connection_commands import user_id_from
from server.admin.context import AdminContext
from server.admin.roles import Role
from server.admin.service_calls import OPERATOR_ROLES, ServiceAnswer, call_reducer

__all__ = [
    "CallAnswer",
    "CallReducer",
    "Gift",
    "GrantItem",
    "GrantSparks",
    "GrantXp",
    "Parameter",
    "ReducerEntry",
    "ReducerList",
    "call_any_reducer",
    "grant_item",
    "grant_sparks",
    "grant_xp",
    "list_grants",
    "list_reducers",
]
