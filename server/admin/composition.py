"""Composition of the operators' side: what is bound early, what is opened when actors run."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from actors.host import Host
from persistence.store import Store, StoreDescription
from server.admin.audit import Audit
from server.admin.bans import Bans
from server.admin.catalogue import COMMANDS
from server.admin.channel import AdminChannel
from server.admin.context import Parts
from server.admin.dispatch import Dispatcher
from server.admin.draining import Draining
from server.admin.feeds import Feeds
from server.admin.operations import Operations
from server.admin.tokens import AdminTokens
from server.errors import PortInUseError
from server.http.listening import bind_port
from server.identity.issuers import TrustedIssuers
from server.metrics import Metrics
from server.settings import Settings
from server.transport.gateway import Gateway

__all__ = ["ADMIN_ADDRESS_FILE", "Surroundings", "bind_admin", "open_admin"]

ADMIN_ADDRESS_FILE = "admin.address"
"""In the data folder of a running server: where its admin channel is."""

log = structlog.get_logger(__name__)


def bind_admin(settings: Settings, parts: AsyncExitStack, port: int) -> socket.socket | None:
    """Take the port of the admin channel; None when there is to be none.

    Without a port in the settings it is the one after ``port``, the server's own, or any free one
    when that is taken.

    Raises:
        BindRefusedError: a public address without permission.
        PortInUseError: somebody has the port of the settings.
        SettingsError: there is no such address on this machine.
    """
    if not settings.admin:
        return None
    allow_public = settings.admin_allow_public_bind
    flag = "admin_allow_public_bind"
    wanted = settings.admin_port
    if wanted is None:
        wanted = port + 1 if settings.port and port < 65_535 else 0
    try:
        sock = bind_port(settings.admin_host, wanted, allow_public=allow_public, flag=flag)
    except PortInUseError:
        if settings.admin_port is not None:
            raise
        sock = bind_port(settings.admin_host, 0, allow_public=allow_public, flag=flag)
    parts.callback(sock.close)
    return sock


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """A running server, as its composition root made it; ``context.Parts`` says what is what."""

    settings: Settings
    sources: Mapping[str, str]
    host: Host
    store: Store
    store_description: StoreDescription
    gateway: Gateway
    issuers: TrustedIssuers
    metrics: Metrics
    bans: Bans
    clock: Callable[[], int]
    end: Callable[[], None]


async def open_admin(
    sock: socket.socket | None, stack: AsyncExitStack, server: Surroundings
) -> None:
    """Learn the bans, settle the audit and let operators in, when there is a socket for them.

    Needs running actors; ``stack`` closes the channel again.

    Raises:
        KeyFileError: the data folder's admin token is damaged.
        ReducerError: the operations actor is not available.
    """
    operations = Operations(server.host)
    await server.bans.load(operations)
    if sock is None:
        return
    audit = Audit(operations)
    await audit.settle()
    parts = Parts(
        settings=server.settings,
        sources=server.sources,
        host=server.host,
        store=server.store,
        store_description=server.store_description,
        gateway=server.gateway,
        metrics=server.metrics,
        operations=operations,
        audit=audit,
        bans=server.bans,
        draining=Draining(server.gateway),
        feeds=Feeds(server.host, audit, server.metrics),
        clock=server.clock,
        started_at=server.clock(),
        end=server.end,
    )
    folder = server.settings.data_dir
    tokens = await AdminTokens.load(folder, server.gateway.authenticator, server.issuers)
    channel = AdminChannel(sock, tokens, Dispatcher(COMMANDS, parts))
    await channel.start()
    stack.push_async_callback(channel.stop)
    address = folder / ADMIN_ADDRESS_FILE
    address.write_text(f"{channel.url}\n", encoding="ascii")
    stack.callback(address.unlink, missing_ok=True)
    log.info("operators are let in", address=channel.url)
