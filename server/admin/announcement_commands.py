"""Commands that speak to everybody who is connected."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from actors.operations.announcements import Announce, operations_announce
from actors.operations.limits import ANNOUNCEMENT_CHARS_MAX
from server.admin.commands import Params, Result, command
from server.admin.context import AdminContext
from server.admin.operations import OPERATIONS_KEY
from server.admin.roles import Role

__all__ = ["Announced", "SendAnnouncement", "send_announcement"]


class SendAnnouncement(Params):
    """What to say."""

    text: str = Field(min_length=1, max_length=ANNOUNCEMENT_CHARS_MAX, description="The words.")
    level: Literal["info", "warning", "critical"] = Field("info", description="How urgent it is.")


class Announced(Result):
    """Who could hear it."""

    connections: int = Field(description="Connections that were open.")


@command("announcements.send", role=Role.OPERATE)
async def send_announcement(ctx: AdminContext, params: SendAnnouncement) -> Announced:
    """Tell all clients that listen; those that connect later do not hear it.

    Clients listen by subscribing to ``SELECT * FROM operations_announcement``, a table of events:
    its rows are inserted and gone at once.
    """
    async with ctx.touching(OPERATIONS_KEY):
        await ctx.parts.operations.call(
            operations_announce, Announce(level=params.level, text=params.text)
        )
    return Announced(connections=len(ctx.parts.gateway.sockets))
