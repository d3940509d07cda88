"""Commands on published works: hiding them, and showing them again."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from server.admin.commands import Params, Result, command
from server.admin.context import AdminContext
from server.admin.roles import Role
from server.admin.service_calls import call_reducer

__all__ = ["ModerateWork", "ModeratedWork", "moderate_work"]


class ModerateWork(Params):
    """Which work shall be seen, or not."""

    work: str = Field(min_length=1, max_length=160, description="Profile id of the world.")
    verdict: Literal["hidden", "visible"] = Field(description="Whether everybody may see it.")


class ModeratedWork(Result):
    """How a work stands."""

    actor: str = Field(description="The actor that keeps it.")
    answer: JsonValue = Field(description="The work as it stands now.")


@command("works.moderate", role=Role.OPERATE)
async def moderate_work(ctx: AdminContext, params: ModerateWork) -> ModeratedWork:
    """Hide a published work and block its version, or undo that.

    It is the module's ``moderate_gallery_entry`` that does so: its log and the owner are told,
    with the reason that is given here.
    """
    found = await call_reducer(
        ctx,
        "moderate_gallery_entry",
        {"profile_id": params.work, "moderation": params.verdict, "reason": ctx.reason},
    )
    return ModeratedWork.model_validate({"actor": found.actor, "answer": found.answer})
