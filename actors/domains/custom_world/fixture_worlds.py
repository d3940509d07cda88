"""Fixture worlds: Test Vale and copies of it are published, where fixtures are enabled (13.0)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, reducer, struct, u32
from actors.domains.custom_world.publishing import (
    CustomWorldPublishedProfile,
    publish_version,
    versions_of,
)
from actors.domains.fixtures import vale_copy, vale_document
from actors.domains.kinds import CATALOG
from actors.domains.limits import FIXTURE_COPIES_MAX
from actors.domains.rules.ids import content_hash, public_work_code
from actors.domains.rules.text import check_id
from actors.domains.rules.world import WorldDocument, read_world
from actors.domains.world_messages import PublishProfile, WorldCard
from actors.keys import user_id_of
from protocol.identity import identity_from_claims

__all__ = [
    "FixtureWorld",
    "LoadFixtureGallery",
    "LoadFixtureWorld",
    "load_fixture_gallery",
    "load_fixture_world",
]

_FIXTURE_AUTHOR = "Fixture Author"


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
    known = versions_of(ctx.db, profile_id)
    if known:
        return known[-1]
    payload = PublishProfile(
        publish_key=profile_id,
        profile_id=profile_id,
        owner_user_id=user_id_of(identity_from_claims("genarrative", "fixture-author")),
        author_display_name=_FIXTURE_AUTHOR,
        public_work_code=public_work_code(profile_id),
        version=1,
        document_json=document,
        document_hash=content_hash(document.encode()),
        card=_card(world),
    )
    return publish_version(ctx, payload)[0]


def _card(world: WorldDocument) -> WorldCard:
    return WorldCard(
        world_name=world.world.name,
        subtitle=world.world.subtitle,
        summary_text=world.world.summary,
        theme_mode=world.world.theme_mode,
        tags=list(world.world.tags),
        cover_image_src=world.assets.get("world:world:cover"),
        playable_role_count=len(world.roles),
        landmark_count=len(world.landmarks),
        chapter_count=len(world.chapters),
        blocker_count=0,
        warning_count=0,
    )
