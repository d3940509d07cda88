"""Publishing: documents of published worlds, version by version, and who gets them (domain 6.1)."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

from actors import ReducerContext, Timestamp, message, replace, table, u32
from actors.domains.asset_metadata.links import publish_links, withdraw_links
from actors.domains.custom_world.gallery import put_entry, remove_entry
from actors.domains.kinds import CATALOG
from actors.domains.limits import GALLERY_WORLDS_CACHED_MAX
from actors.domains.messages import GetProfile, ProfileFound, ProfileMissing
from actors.domains.rules.world import WorldDocument, read_world
from actors.domains.world_messages import (
    CatalogUnpublish,
    PublishProfile,
    PublishRejected,
    UnpublishAck,
    UserPublishAck,
)
from actors.module import DatabaseReader

__all__ = [
    "CustomWorldPublishedProfile",
    "PublishedStatus",
    "catalog_unpublish",
    "get_profile",
    "live_version",
    "publish_profile",
    "publish_version",
    "published_world",
    "versions_of",
]

_SCHEMA_VERSION = 1


class PublishedStatus(IntEnum):
    """Who may enter a published version."""

    LIVE = 0
    RETIRED = 1
    BLOCKED = 2


@table(primary_key="published_profile_id", index=["profile_id"], actor=CATALOG)
class CustomWorldPublishedProfile:
    """One published version of a world; only its status ever changes."""

    published_profile_id: str
    profile_id: str
    owner_user_id: str
    version: u32
    schema_version: u32
    document_json: str
    document_hash: str
    status: PublishedStatus
    compiled_at: Timestamp
    published_at: Timestamp


def versions_of(db: DatabaseReader, profile_id: str) -> list[CustomWorldPublishedProfile]:
    """All versions of a world, the first one first."""
    rows = db[CustomWorldPublishedProfile].filter(profile_id=profile_id)
    return sorted(rows, key=lambda row: row.version)


def live_version(db: DatabaseReader, profile_id: str) -> CustomWorldPublishedProfile | None:
    """The version that new stories begin in; None when there is none."""
    rows = versions_of(db, profile_id)
    return next((row for row in rows if row.status is PublishedStatus.LIVE), None)


@lru_cache(maxsize=GALLERY_WORLDS_CACHED_MAX)
def published_world(document_json: str) -> WorldDocument:
    """A published document as rules read it; a pure function of it, so keeping it is no state."""
    return read_world(document_json)


@message(CATALOG)
def get_profile(ctx: ReducerContext, payload: GetProfile) -> None:
    """Answer a story with a world's live version, or with the version that it is pinned to."""
    assert ctx.source is not None
    rows = versions_of(ctx.db, payload.profile_id)
    if payload.version is None:
        row = next((row for row in rows if row.status is PublishedStatus.LIVE), None)
    else:
        row = next((row for row in rows if row.version == payload.version), None)
    if row is None or row.status is PublishedStatus.BLOCKED:
        is_blocked = any(row.status is PublishedStatus.BLOCKED for row in rows)
        code, text = "world.not_found", "there is no such world"
        if is_blocked:
            code, text = "world.gate_blocked", "EW02: the world is blocked"
        missing = ProfileMissing(payload.request_id, payload.profile_id, code, text)
        ctx.send(ctx.source, missing, idempotency_key=payload.request_id)
        return
    ctx.send(
        ctx.source,
        ProfileFound(
            request_id=payload.request_id,
            profile_id=row.profile_id,
            published_profile_id=row.published_profile_id,
            owner_user_id=row.owner_user_id,
            version=row.version,
            schema_version=row.schema_version,
            document_json=row.document_json,
            document_hash=row.document_hash,
        ),
        idempotency_key=payload.request_id,
    )


@message(CATALOG)
def publish_profile(ctx: ReducerContext, payload: PublishProfile) -> None:
    """Make a document the live version of its world (domain 12.5, step 3), and answer its author.

    What is live or was the latest version stays that version when its hash is the same.
    """
    assert ctx.source is not None
    rows = versions_of(ctx.db, payload.profile_id)
    refusal = None
    if any(row.owner_user_id != payload.owner_user_id for row in rows):
        refusal = "world.not_found", "there is no such world"
    elif any(row.status is PublishedStatus.BLOCKED for row in rows):
        refusal = "world.gate_blocked", "PG09: moderators hide the world"
    if refusal is not None:
        rejected = PublishRejected(payload.publish_key, payload.profile_id, *refusal)
        ctx.send(ctx.source, rejected, idempotency_key=payload.publish_key)
        return
    row, code = publish_version(ctx, payload)
    ctx.send(
        ctx.source,
        UserPublishAck(payload.publish_key, payload.profile_id, row.version, code),
        idempotency_key=payload.publish_key,
    )


def publish_version(
    ctx: ReducerContext, payload: PublishProfile
) -> tuple[CustomWorldPublishedProfile, str]:
    """Put a world into the gallery; answers its live version and its public work code."""
    profiles = ctx.db[CustomWorldPublishedProfile]
    rows = versions_of(ctx.db, payload.profile_id)
    latest = rows[-1] if rows else None
    if latest is not None and latest.document_hash == payload.document_hash:
        row = profiles.update(replace(latest, status=PublishedStatus.LIVE))
    else:
        _retire(ctx, payload.profile_id)
        row = profiles.insert(
            _next_version(ctx, payload, 1 if latest is None else latest.version + 1)
        )
    tally = put_entry(ctx, payload, row.version)
    publish_links(ctx, payload.profile_id, row.version, owner_user_id=payload.owner_user_id)
    return row, tally.public_work_code


@message(CATALOG)
def catalog_unpublish(ctx: ReducerContext, payload: CatalogUnpublish) -> None:
    """Take a world out of the gallery; stories that run in it go on."""
    assert ctx.source is not None
    _retire(ctx, payload.profile_id)
    remove_entry(ctx, payload.profile_id)
    withdraw_links(ctx, payload.profile_id)
    ctx.send(
        ctx.source,
        UnpublishAck(payload.publish_key, payload.profile_id),
        idempotency_key=payload.publish_key,
    )


def _retire(ctx: ReducerContext, profile_id: str) -> None:
    live = live_version(ctx.db, profile_id)
    if live is not None:
        ctx.db[CustomWorldPublishedProfile].update(replace(live, status=PublishedStatus.RETIRED))


def _next_version(
    ctx: ReducerContext, payload: PublishProfile, version: int
) -> CustomWorldPublishedProfile:
    return CustomWorldPublishedProfile(
        published_profile_id=f"{payload.profile_id}:v{version}",
        profile_id=payload.profile_id,
        owner_user_id=payload.owner_user_id,
        version=version,
        schema_version=_SCHEMA_VERSION,
        document_json=payload.document_json,
        document_hash=payload.document_hash,
        status=PublishedStatus.LIVE,
        compiled_at=ctx.timestamp,
        published_at=ctx.timestamp,
    )
