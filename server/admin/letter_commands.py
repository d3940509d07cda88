"""Commands on dead letters: messages whose handler failed for good, and trying them again."""

from __future__ import annotations

from pydantic import Field, JsonValue

from actors.host.turns import CallFailedError
from server.admin.actor_commands import actor_key_from
from server.admin.commands import Params, Result, command
from server.admin.context import AdminContext
from server.admin.roles import Role
from server.errors import CommandError
from server.limits import ADMIN_LIST_ROWS_MAX

__all__ = [
    "LetterEntry",
    "LetterList",
    "ListLetters",
    "ReplayLetter",
    "Replayed",
    "list_letters",
    "replay_letter",
]


class LetterEntry(Result):
    """One dead letter."""

    message_key: str = Field(description="What names it in its actor.")
    dst_actor: str = Field(description="The actor that keeps it, because it could not take it.")
    src_actor: str = Field(description="The actor that sent it; for timers the same.")
    kind: str = Field(description="The message.")
    error: str = Field(description="What its handler raised last.")
    payload: JsonValue = Field(description="What it says.")
    on_behalf_of: str = Field(description="Identity for whom it was sent.")
    parked_at: str = Field(description="When it was given up.")


class LetterList(Result):
    """Dead letters, by actor."""

    letters: list[LetterEntry] = Field(description="Those that were found.")
    is_whole: bool = Field(
        description="Whether these are all of the actors that were in memory since the start."
    )


class ListLetters(Params):
    """How many dead letters to list."""

    limit: int = Field(50, ge=1, le=ADMIN_LIST_ROWS_MAX, description="At most so many.")


@command("letters.list", role=Role.READ)
async def list_letters(ctx: AdminContext, params: ListLetters) -> LetterList:
    """List the dead letters of all actors that were in memory since the server started.

    Those of an actor that has slept all the time are in ``actors.show``.
    """
    found = await ctx.host.inspection.dead_letters(limit=params.limit)
    return LetterList(
        letters=[LetterEntry.model_validate(row) for row in found.rows], is_whole=found.is_whole
    )


class ReplayLetter(Params):
    """Which dead letter to try again."""

    actor: str = Field(
        max_length=600, description="The actor that keeps it: its key, or a user id or identity."
    )
    message_key: str = Field(min_length=1, max_length=600, description="What names it there.")


class Replayed(Result):
    """A dead letter that is none any more."""

    actor: str = Field(description="The actor that has taken it.")
    message_key: str = Field(description="What named it there.")


@command("letters.replay", role=Role.OPERATE)
async def replay_letter(ctx: AdminContext, params: ReplayLetter) -> Replayed:
    """Have an actor apply one of its dead letters, once; mend first what broke it.

    What was sent after it was applied before it. When it breaks again it stays a dead letter.
    """
    key = actor_key_from(ctx, params.actor)
    await ctx.host.inspection.actor(key, rows=0)  # one that does not exist is not made by this
    async with ctx.touching(key):
        try:
            await ctx.host.replay_dead_letter(key, params.message_key)
        except CallFailedError:
            raise CommandError(
                "dead_letter.failed", "it broke again and stays; the log says how"
            ) from None
    return Replayed(actor=key, message_key=params.message_key)
