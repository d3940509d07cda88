"""Commands on connections and on who may have one: list, show, kick, ban, unban.

A kick closes with 4000: the client may come back. A ban closes with 4003 and refuses the user's
next handshakes with 403, until it is lifted or over; it survives restarts.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

from pydantic import Field

from actors import Identity, Timestamp, user_id_of
from actors.operations.bans import OperationsBan
from protocol.close_codes import CLOSE_BANNED, CLOSE_KICKED
from server.admin.commands import NoParams, Params, Result, command
from server.admin.context import AdminContext
from server.admin.roles import Role
from server.errors import CommandError
from server.limits import ADMIN_LIST_ROWS_MAX
from server.transport.open_sockets import OpenSocket

__all__ = [
    "BanEntry",
    "BanList",
    "BanUser",
    "Banned",
    "ConnectionDetails",
    "ConnectionEntry",
    "ConnectionList",
    "Kick",
    "Kicked",
    "ListConnections",
    "ShowConnection",
    "UnbanUser",
    "Unbanned",
    "ban_user",
    "kick_connections",
    "list_bans",
    "list_connections",
    "show_connection",
    "unban_user",
    "user_id_from",
]

_MICROS = 1_000_000
_USER_ID = re.compile(r"u_[0-9a-f]{32}")
_CONNECTION_ID = re.compile(r"[0-9a-f]{32}")


class ConnectionEntry(Result):
    """One open connection."""

    connection: str = Field(description="Connection id, 32 hexadecimal digits.")
    user: str = Field(description="User id of who is connected.")
    name: str = Field(description="Display name of the token; empty without one.")
    address: str = Field(description="The peer's address.")
    protocol: str = Field(description="Version of the wire that it speaks.")
    age_seconds: float = Field(description="How long it has been open.")
    pending: int = Field(description="Requests that are not answered yet.")
    waiting_bytes: int = Field(description="Bytes that the peer has not taken yet.")
    is_read: bool = Field(description="Whether its requests are taken; not with too many pending.")


class ConnectionList(Result):
    """Open connections, the oldest first."""

    connections: list[ConnectionEntry] = Field(description="Those that were asked for.")
    total: int = Field(description="How many there are that match, shown or not.")


class ListConnections(Params):
    """Which connections to list."""

    user: str | None = Field(None, description="Only those of this user id or identity.")
    limit: int = Field(100, ge=1, le=ADMIN_LIST_ROWS_MAX, description="At most so many.")


@command("connections.list", role=Role.READ)
async def list_connections(ctx: AdminContext, params: ListConnections) -> ConnectionList:
    """List the open connections, the oldest first."""
    sockets = list(_matching(ctx, user=params.user))
    now = asyncio.get_running_loop().time()
    return ConnectionList(
        connections=[_entry(socket, now) for socket in sockets[: params.limit]],
        total=len(sockets),
    )


class ShowConnection(Params):
    """Which connection to show."""

    connection: str = Field(
        description="Connection id.", pattern=r"^[0-9a-f]{32}$", examples=["0" * 31 + "1"]
    )


class ConnectionDetails(ConnectionEntry):
    """All about one connection."""

    identity: str = Field(description="Identity of who is connected.")
    issuer: str = Field(description="Issuer of the token.")
    subject: str = Field(description="Subject of the token.")
    roles: list[str] = Field(description="Roles of the token.")
    token_expires_at: int | None = Field(
        description="When the token ends, in microseconds since the epoch; null for never."
    )


@command("connections.show", role=Role.READ)
async def show_connection(ctx: AdminContext, params: ShowConnection) -> ConnectionDetails:
    """Show all about one connection and who is behind it."""
    socket = next(_matching(ctx, connection=params.connection), None)
    if socket is None:
        raise _not_found()
    claims = socket.claims
    return ConnectionDetails(
        **dict(_entry(socket, asyncio.get_running_loop().time())),
        identity=str(claims.identity),
        issuer=claims.issuer,
        subject=claims.subject,
        roles=sorted(claims.roles),
        token_expires_at=claims.expires_at,
    )


class Kick(Params):
    """Whose connections to close: exactly one of the two."""

    connection: str | None = Field(
        None, pattern=r"^[0-9a-f]{32}$", description="Id of the connection."
    )
    user: str | None = Field(None, description="User id or identity, with all connections.")


class Kicked(Result):
    """What a kick closed."""

    connections: int = Field(description="Connections that were closed.")


@command("connections.kick", role=Role.OPERATE)
async def kick_connections(ctx: AdminContext, params: Kick) -> Kicked:
    """Close one connection, or all of a user, with code 4000; they may connect again."""
    if (params.connection is None) == (params.user is None):
        raise CommandError("input.invalid", "name a connection or a user")
    sockets = list(_matching(ctx, user=params.user, connection=params.connection))
    if not sockets:
        raise _not_found()
    for socket in sockets:
        socket.sink.abort(CLOSE_KICKED, "closed by an operator")
    return Kicked(connections=len(sockets))


class BanEntry(Result):
    """One ban."""

    user: str = Field(description="User id of who is banned.")
    banned_at: int = Field(description="Since when, in microseconds since the epoch.")
    until: int | None = Field(description="Until when; null for good.")
    operator: str = Field(description="Who did it.")
    reason: str = Field(description="Why.")


class Banned(Result):
    """What a ban did."""

    ban: BanEntry = Field(description="The ban.")
    connections: int = Field(description="Connections that were closed.")


class BanUser(Params):
    """Whom to ban."""

    user: str = Field(description="User id, or identity of 64 hexadecimal digits.")
    seconds: float | None = Field(
        None, gt=0, le=100 * 365 * 86_400, description="For how long; for good when absent."
    )


@command("connections.ban", role=Role.OPERATE)
async def ban_user(ctx: AdminContext, params: BanUser) -> Banned:
    """Let a user in no more: close what is open with code 4003, answer handshakes with 403.

    It survives restarts. An earlier ban of the same user is replaced.
    """
    user_id = user_id_from(params.user)
    until = None
    if params.seconds is not None:
        until = Timestamp(ctx.parts.clock() + int(params.seconds * _MICROS))
    ban = await ctx.parts.bans.put(
        user_id, until=until, operator=ctx.operator.name, reason=ctx.reason
    )
    sockets = list(_matching(ctx, user=user_id))
    for socket in sockets:
        socket.sink.abort(CLOSE_BANNED, "banned")
    return Banned(ban=_ban_entry(ban), connections=len(sockets))


class UnbanUser(Params):
    """Whose ban to lift."""

    user: str = Field(description="User id, or identity of 64 hexadecimal digits.")


class Unbanned(Result):
    """What was lifted."""

    user: str = Field(description="User id of who may come in again.")


@command("connections.unban", role=Role.OPERATE)
async def unban_user(ctx: AdminContext, params: UnbanUser) -> Unbanned:
    """Let a banned user in again."""
    user_id = user_id_from(params.user)
    await ctx.parts.bans.lift(user_id)
    return Unbanned(user=user_id)


class BanList(Result):
    """Who is banned now."""

    bans: list[BanEntry] = Field(description="The bans, by user.")
    total: int = Field(description="How many there are, shown or not.")


@command("connections.bans", role=Role.READ)
async def list_bans(ctx: AdminContext, _params: NoParams) -> BanList:
    """List who is banned, by whom and why."""
    bans = ctx.parts.bans.current()
    return BanList(bans=[_ban_entry(ban) for ban in bans[:ADMIN_LIST_ROWS_MAX]], total=len(bans))


def user_id_from(text: str) -> str:
    """The user id that an operator means; raises CommandError for what is none."""
    if _USER_ID.fullmatch(text):
        return text
    try:
        return user_id_of(Identity.from_hex(text))
    except ValueError:
        raise CommandError(
            "input.invalid_id", "a user is u_ and 32 hexadecimal digits, or an identity of 64"
        ) from None


def _matching(
    ctx: AdminContext, *, user: str | None = None, connection: str | None = None
) -> Iterator[OpenSocket]:
    user_id = None if user is None else user_id_from(user)
    for socket in ctx.parts.gateway.sockets:
        if user_id is not None and user_id_of(socket.claims.identity) != user_id:
            continue
        if connection is None or str(socket.connection_id) == connection:
            yield socket


def _entry(socket: OpenSocket, now: float) -> ConnectionEntry:
    return ConnectionEntry(
        connection=str(socket.connection_id),
        user=user_id_of(socket.claims.identity),
        name=socket.claims.display_name or "",
        address=socket.address,
        protocol=socket.subprotocol,
        age_seconds=round(now - socket.opened_at, 3),
        pending=socket.session.pending,
        waiting_bytes=socket.waiting_bytes,
        is_read=socket.is_read,
    )


def _ban_entry(ban: OperationsBan) -> BanEntry:
    return BanEntry(
        user=ban.user_id,
        banned_at=ban.banned_at,
        until=ban.until,
        operator=ban.operator,
        reason=ban.reason,
    )


def _not_found() -> CommandError:
    return CommandError("connection.not_found", "there is no such connection")
