"""Moderation: who looks after the gallery hides worlds and shows them again (domain 6.8)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, Timestamp, reducer, replace, struct, table
from actors.domains.custom_world.gallery import (
    CustomWorldGalleryEntry,
    Moderation,
    set_moderation,
)
from actors.domains.custom_world.publishing import (
    CustomWorldPublishedProfile,
    PublishedStatus,
    versions_of,
)
from actors.domains.kinds import CATALOG, USER
from actors.domains.limits import MODERATION_REASON_CHARS_MAX
from actors.domains.rules.text import check_id, clean_text
from actors.domains.world_messages import WorkModerated

__all__ = ["ModerateGalleryEntry", "Moderated", "ModerationLog", "moderate_gallery_entry"]


@table(primary_key="log_id", actor=CATALOG)
class ModerationLog:
    """What a moderator did, and why."""

    log_id: str
    profile_id: str
    actor_user_id: str
    action: Moderation
    reason: str
    created_at: Timestamp


@struct
class ModerateGalleryEntry:
    """Input of ``moderate_gallery_entry``."""

    profile_id: str
    moderation: Moderation
    reason: str
    request_id: str


@struct
class Moderated:
    """How a world stands after a moderator's word; no entry while it is out of the gallery."""

    profile_id: str
    moderation: Moderation
    gallery_entry: CustomWorldGalleryEntry | None


@reducer(actor=CATALOG, roles=["moderator", "admin"])
def moderate_gallery_entry(ctx: ReducerContext, input: ModerateGalleryEntry) -> Moderated:
    """Hide a world and block its version, or undo that; also of a world that is withdrawn.

    Raises ``world.not_found`` and the refusals of ids and texts.
    """
    profile_id = check_id(input.profile_id)
    reason = clean_text(input.reason, MODERATION_REASON_CHARS_MAX, required=True)
    versions = versions_of(ctx.db, profile_id)
    if not versions:
        raise ReducerError("world.not_found", "there is no such world")
    ctx.db[ModerationLog].insert(
        ModerationLog(
            log_id=ctx.new_id("mod_"),
            profile_id=profile_id,
            actor_user_id=ctx.user_id,
            action=input.moderation,
            reason=reason,
            created_at=ctx.timestamp,
        )
    )
    entry = ctx.db[CustomWorldGalleryEntry].find(profile_id)
    if entry is not None:
        entry = set_moderation(ctx, entry, input.moderation)
    _set_status(ctx, versions[-1], input.moderation, is_listed=entry is not None)
    ctx.send(
        USER.key(versions[-1].owner_user_id),
        WorkModerated(profile_id, is_hidden=input.moderation is Moderation.HIDDEN),
        idempotency_key=profile_id,
    )
    return Moderated(profile_id, input.moderation, entry)


def _set_status(
    ctx: ReducerContext,
    latest: CustomWorldPublishedProfile,
    moderation: Moderation,
    *,
    is_listed: bool,
) -> None:
    """Block the latest version, which is the live one of a listed world, or let it be again."""
    if moderation is Moderation.HIDDEN:
        status = PublishedStatus.BLOCKED
    elif is_listed:
        status = PublishedStatus.LIVE
    else:
        status = PublishedStatus.RETIRED
    ctx.db[CustomWorldPublishedProfile].update(replace(latest, status=status))
