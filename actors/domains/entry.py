"""Entry: the game as a module, and what happens when it starts and when users come and go."""

from __future__ import annotations

from typing import Final

from actors.domains.asset_metadata.object_sweep import schedule_sweep
from actors.domains.kinds import CATALOG, USER
from actors.domains.runtime.account import arrive, leave
from actors.domains.runtime.directory import announce_presence
from actors.module import functions
from actors.module.context import ReducerContext
from actors.module.tables import table
from actors.module.types import Timestamp, u32

__all__ = [
    "CORE_ITEMS_VERSION",
    "ENVELOPED",
    "NAME",
    "RULESET_VERSION",
    "SCHEMA_VERSION",
    "ModuleMeta",
    "client_connected",
    "client_disconnected",
    "init",
]

NAME: Final = "genarrative"

ENVELOPED: Final = True
"""Procedures answer domain 1.4's envelope, and every answering reducer has its procedure."""

SCHEMA_VERSION: Final = 1
RULESET_VERSION: Final = 1
CORE_ITEMS_VERSION: Final = 1

_META_ID: Final = 1


@table(public=True, primary_key="meta_id", actor=CATALOG)
class ModuleMeta:
    """The one row that says by which rules a store was written (domain 1.10)."""

    meta_id: u32
    schema_version: u32
    ruleset_version: u32
    core_items_version: u32
    initialized_at: Timestamp
    updated_at: Timestamp


@functions.init(actor=CATALOG)
def init(ctx: ReducerContext) -> None:
    """Write the module's row into an empty store, and set its daily timer (domain 1.11).

    Core items and starter skills are part of the rules and need no rows.
    """
    ctx.db[ModuleMeta].insert(
        ModuleMeta(
            meta_id=_META_ID,
            schema_version=SCHEMA_VERSION,
            ruleset_version=RULESET_VERSION,
            core_items_version=CORE_ITEMS_VERSION,
            initialized_at=ctx.timestamp,
            updated_at=ctx.timestamp,
        )
    )
    schedule_sweep(ctx)


@functions.client_connected(actor=USER)
def client_connected(ctx: ReducerContext) -> None:
    """Note the connection and, for a new user, create the account."""
    assert ctx.claims is not None
    if arrive(ctx, ctx.claims):
        announce_presence(ctx, connected=True)


@functions.client_disconnected(actor=USER)
def client_disconnected(ctx: ReducerContext) -> None:
    """Forget the connection; stories go on without it."""
    if leave(ctx):
        announce_presence(ctx, connected=False)
