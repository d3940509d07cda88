"""Publishing: documents of published worlds, version by version, and who gets them (domain 6.1)."""

from __future__ import annotations

from enum import IntEnum

from actors import ReducerContext, ReducerError, Timestamp, message, reducer, struct, table, u32
from actors.domains.custom_world.gallery import put_entry
from actors.domains.fixtures import vale_copy, vale_document
from actors.domains.kinds import CATALOG
from actors.domains.limits import FIXTURE_COPIES_MAX
from actors.domains.messages import GetProfile, ProfileFound, ProfileMissing
from actors.domains.rules.ids import content_hash
from actors.domains.rules.text import check_id
from actors.domains.rules.world import read_world
from actors.keys import user_id_of
from protocol.identity import identity_from_claims

__all__ = [
    "CustomWorldPublishedProfile",
    "FixtureWorld",
    "LoadFixtureGallery",
    "LoadFixtureWorld",
    "PublishedStatus",
    "get_profile",
    "load_fixture_gallery",
    "load_fixture_world",
]

_FIXTURE_AUTHOR = "Fixture Author"


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


@struct
class LoadFixtureWorld:
    """Input of ``load_fixture_world``."""

    request_id: str


@struct
class FixtureWorld:
    """What ``load_fixture_world`` published."""

    profile_id: str
    version: u32
    document_hash: str


@struct
class LoadFixtureGallery:
    """Input of ``load_fixture_gallery``: how many copies there shall be."""

    count: u32
    request_id: str


@message(CATALOG)
def get_profile(ctx: ReducerContext, payload: GetProfile) -> None:
    """Answer a story with a world's live version, or with the version that it is pinned to."""
    assert ctx.source is not None
    rows = ctx.db[CustomWorldPublishedProfile].filter(profile_id=payload.profile_id)
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


@reducer(actor=CATALOG, roles=["service"], fixture=True)
def load_fixture_world(ctx: ReducerContext, input: LoadFixtureWorld) -> FixtureWorld:
    """Publish Test Vale (domain 13.0) as version 1; loading it again changes nothing."""
    check_id(input.request_id)
    row = _publish(ctx, vale_document())
    return FixtureWorld(row.profile_id, row.version, row.document_hash)


@reducer(actor=CATALOG, roles=["service"], fixture=True)
def load_fixture_gallery(ctx: ReducerContext, input: LoadFixtureGallery) -> None:
    """Publish copies 1 to ``count`` of Test Vale; those that are there stay as they are.

    Raises ``input.out_of_range``.
    """
    check_id(input.request_id)
    if not 1 <= input.count <= FIXTURE_COPIES_MAX:
        raise ReducerError("input.out_of_range", f"count must be 1 to {FIXTURE_COPIES_MAX}")
    for number in range(1, input.count + 1):
        _publish(ctx, vale_copy(number))


def _publish(ctx: ReducerContext, document: str) -> CustomWorldPublishedProfile:
    world = read_world(document)
    profile_id = world.meta.profile_id
    published_profile_id = f"{profile_id}:v1"
    profiles = ctx.db[CustomWorldPublishedProfile]
    known = profiles.find(published_profile_id)
    if known is not None:
        return known
    owner = user_id_of(identity_from_claims("genarrative", "fixture-author"))
    put_entry(ctx, world, owner, _FIXTURE_AUTHOR, version=1)
    return profiles.insert(
        CustomWorldPublishedProfile(
            published_profile_id=published_profile_id,
            profile_id=profile_id,
            owner_user_id=owner,
            version=1,
            schema_version=world.meta.schema_version,
            document_json=document,
            document_hash=content_hash(document.encode()),
            status=PublishedStatus.LIVE,
            compiled_at=ctx.timestamp,
            published_at=ctx.timestamp,
        )
    )
