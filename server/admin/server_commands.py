"""Commands on the server as a whole: what it is, how it is set, and letting go of it."""

from __future__ import annotations

import os
import platform

from pydantic import Field

from protocol.upgrade import SUPPORTED
from server import __version__
from server.admin.commands import NoParams, Params, Result, command
from server.admin.context import AdminContext
from server.admin.roles import Role
from server.limits import ADMIN_COMMAND_SECONDS_MAX, ADMIN_DRAIN_SECONDS_MAX
from server.settings import Settings, shown_value

__all__ = [
    "Checkpointed",
    "Configuration",
    "Drain",
    "DrainState",
    "ServerInfo",
    "Setting",
    "checkpoint_server",
    "drain_server",
    "resume_server",
    "show_configuration",
    "show_server",
]


class ServerInfo(Result):
    """A running server."""

    version: str = Field(description="Version of the server.")
    python: str = Field(description="Version of Python.")
    process_id: int = Field(description="Number of the process.")
    started_at: int = Field(description="When it started, in microseconds since the epoch.")
    uptime_seconds: float = Field(description="How long ago that was.")
    module: str = Field(description="The Python module that is served.")
    database: str = Field(description="Its name in addresses.")
    protocols: list[str] = Field(description="Versions of the wire that clients may speak.")
    store: str = Field(description="Kind of the store.")
    store_location: str = Field(description="Where the store is.")
    store_durability: str = Field(description="What an acknowledged write survives.")
    connections: int = Field(description="Sockets open now.")
    actors: int = Field(description="Actors in memory now.")
    quarantined: int = Field(description="Those of them that take no calls.")
    turns: int = Field(description="Turns since the start.")
    bans: int = Field(description="Users who are banned now.")
    is_draining: bool = Field(description="Whether new connections are refused.")


@command("server.info", role=Role.READ)
async def show_server(ctx: AdminContext, _params: NoParams) -> ServerInfo:
    """Show what this server is and how it is doing."""
    parts, host = ctx.parts, ctx.host
    now = parts.clock()
    store = parts.store_description
    return ServerInfo(
        version=__version__,
        python=platform.python_version(),
        process_id=os.getpid(),
        started_at=parts.started_at,
        uptime_seconds=(now - parts.started_at) / 1_000_000,
        module=parts.settings.module,
        database=parts.settings.database,
        protocols=[protocol.value for protocol in SUPPORTED],
        store=store.kind,
        store_location=store.location,
        store_durability=store.durability,
        connections=len(parts.gateway.sockets),
        actors=host.actor_count,
        quarantined=len(host.orders.quarantined),
        turns=host.turn_count,
        bans=len(parts.bans.current()),
        is_draining=parts.draining.is_active,
    )


class Setting(Result):
    """One setting."""

    key: str = Field(description="Its name.")
    value: str = Field(description="Its effective value; secrets are masked.")
    source: str = Field(description="Where the value came from.")


class Configuration(Result):
    """The settings of a running server."""

    settings: list[Setting] = Field(description="Every setting.")


@command("server.config", role=Role.READ)
async def show_configuration(ctx: AdminContext, _params: NoParams) -> Configuration:
    """Show every effective setting and where its value came from; secrets are masked."""
    settings, sources = ctx.parts.settings, ctx.parts.sources
    return Configuration(
        settings=[
            Setting(key=key, value=shown_value(settings, key), source=sources.get(key, "default"))
            for key in Settings.model_fields
        ]
    )


class Drain(Params):
    """How to let go of clients."""

    seconds: float = Field(
        30.0,
        ge=0,
        le=ADMIN_DRAIN_SECONDS_MAX,
        description="How long to wait for connections to end by themselves.",
    )
    stop: bool = Field(False, description="Stop the server then, whoever is still connected.")


class DrainState(Result):
    """Whether new connections are refused, and what is left."""

    is_draining: bool = Field(description="Whether new connections are refused.")
    connections: int = Field(description="Sockets that are still open.")
    is_stopping: bool = Field(description="Whether the server stops now.")


@command(
    "server.drain",
    role=Role.DANGER,
    seconds=ADMIN_DRAIN_SECONDS_MAX + ADMIN_COMMAND_SECONDS_MAX,
)
async def drain_server(ctx: AdminContext, params: Drain) -> DrainState:
    """Refuse new connections, say so at /readyz, and wait for the open ones to end.

    Handshakes are answered 503 from now on; connections that are open, and requests by HTTP, go
    on. The answer comes when no connection is left, or after the time given. With ``stop`` the
    server then stops as on SIGTERM: what is left is closed with 1012. Without it, it stays drained
    until ``server.resume``, which also ends the wait of a drain, and then nothing stops.
    """
    parts = ctx.parts
    parts.draining.begin()
    left = await parts.draining.wait(params.seconds)
    is_draining = parts.draining.is_active
    is_stopping = params.stop and is_draining
    if is_stopping:
        ctx.peer.at_end(parts.end)
    return DrainState(is_draining=is_draining, connections=left, is_stopping=is_stopping)


@command("server.resume", role=Role.OPERATE)
async def resume_server(ctx: AdminContext, _params: NoParams) -> DrainState:
    """Let new connections in again after a drain."""
    parts = ctx.parts
    parts.draining.end()
    return DrainState(is_draining=False, connections=len(parts.gateway.sockets), is_stopping=False)


class Checkpointed(Result):
    """What checkpointing everything came to."""

    actors: int = Field(description="Actors that had changed since their last checkpoint.")


@command("server.checkpoint", role=Role.OPERATE, seconds=10 * ADMIN_COMMAND_SECONDS_MAX)
async def checkpoint_server(ctx: AdminContext, _params: NoParams) -> Checkpointed:
    """Checkpoint every actor in memory that has changed since its last checkpoint."""
    return Checkpointed(actors=await ctx.host.orders.checkpoint_all())
