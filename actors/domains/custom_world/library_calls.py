"""Library calls on the gallery: an author publishes a world and takes it back (domain 6.8)."""

from __future__ import annotations

from actors import (
    ProcedureContext,
    ReducerContext,
    ReducerError,
    ViewContext,
    procedure,
    reducer,
    struct,
)
from actors.domains.custom_world.gallery import CustomWorldGalleryEntry
from actors.domains.custom_world.profile import CustomWorldProfile, profile_of
from actors.domains.custom_world.profile_gates import (
    check_gate,
    publication_of,
    publish_checks,
)
from actors.domains.custom_world.publish_flow import (
    is_live_already,
    start_publication,
    start_withdrawal,
)
from actors.domains.kinds import CATALOG, USER
from actors.domains.rules.ids import derived_id
from actors.domains.rules.text import check_id
from actors.domains.runtime.refusals import Refusal

__all__ = [
    "PublicationStep",
    "PublishCustomWorldProfile",
    "PublishedWorld",
    "publish_custom_world_profile",
    "publish_custom_world_profile_and_return",
    "unpublish_custom_world_profile",
    "unpublish_custom_world_profile_and_return",
]


@struct
class PublishCustomWorldProfile:
    """Input of ``publish_custom_world_profile`` and ``unpublish_custom_world_profile``."""

    profile_id: str
    request_id: str


@struct
class PublicationStep:
    """A publication, or a withdrawal, that the catalog was asked for."""

    profile_id: str
    publish_key: str


@struct
class PublishedWorld:
    """A profile that is published; without an entry when it was withdrawn again meanwhile."""

    profile: CustomWorldProfile
    gallery_entry: CustomWorldGalleryEntry | None


@reducer(actor=USER)
def publish_custom_world_profile(
    ctx: ReducerContext, input: PublishCustomWorldProfile
) -> PublicationStep:
    """Publish a draft as it is; what is live already stays what it is.

    Raises ``world.not_found``, ``world.gate_blocked`` with the ``failed`` checks, and
    ``world.publishing_state``. Whether the catalog takes it is found out later, see
    ``publish_custom_world_profile_and_return``.
    """
    profile = profile_of(ctx.db, check_id(input.profile_id))
    publish_key = derived_id(profile.profile_id, profile.revision)
    check_gate(publish_checks(ctx.db, profile))
    if not is_live_already(ctx, profile):
        start_publication(ctx, profile, publish_key)
    return PublicationStep(profile.profile_id, publish_key)


@procedure(actor=USER)
async def publish_custom_world_profile_and_return(
    ctx: ProcedureContext, input: PublishCustomWorldProfile
) -> PublishedWorld:
    """Publish a draft and answer the profile with its gallery entry.

    Raises what ``publish_custom_world_profile`` raises, and ``world.gate_blocked`` of the catalog.
    """
    step = await ctx.call(publish_custom_world_profile, input)
    profile = await _until_taken(ctx, step)
    entry = await ctx.read(
        CATALOG.shard_key(step.profile_id),
        lambda view: view.db[CustomWorldGalleryEntry].find(step.profile_id),
    )
    return PublishedWorld(profile, entry)


@reducer(actor=USER)
def unpublish_custom_world_profile(
    ctx: ReducerContext, input: PublishCustomWorldProfile
) -> PublicationStep:
    """Take a world out of the gallery; likes and plays are kept for its return.

    Raises ``world.not_found``, ``world.not_published_state`` and ``world.publishing_state``.
    """
    profile = profile_of(ctx.db, check_id(input.profile_id))
    publish_key = derived_id(profile.profile_id, profile.revision)
    start_withdrawal(ctx, profile, publish_key)
    return PublicationStep(profile.profile_id, publish_key)


@procedure(actor=USER)
async def unpublish_custom_world_profile_and_return(
    ctx: ProcedureContext, input: PublishCustomWorldProfile
) -> CustomWorldProfile:
    """Take a world out of the gallery and answer the profile."""
    step = await ctx.call(unpublish_custom_world_profile, input)
    return await _until_taken(ctx, step)


async def _until_taken(ctx: ProcedureContext, step: PublicationStep) -> CustomWorldProfile:
    """Wait until the catalog has answered; raises what it refused with."""

    def taken(view: ViewContext) -> CustomWorldProfile | None:
        if publication_of(view.db, step.profile_id).publish_key == step.publish_key:
            return None
        refusal = view.db[Refusal].find(step.publish_key)
        if refusal is not None:
            raise ReducerError(refusal.error_code, refusal.error_message)
        return profile_of(view.db, step.profile_id)

    profile = await ctx.until(USER.key(ctx.user_id), taken)
    if profile is None:
        raise ReducerError("dependency.timeout", "the catalog has not answered yet")
    return profile
