"""Profile: a world in its author's library, with the draft of its document (domain 6.1, 6.10)."""

from __future__ import annotations

from typing import NamedTuple

from actors import ReducerContext, ReducerError, Timestamp, replace, table, u32
from actors.domains.domain_types import ProfileSource, PublicationStatus, ThemeMode
from actors.domains.kinds import USER
from actors.domains.limits import PROFILES_DELETED_MAX, PROFILES_MAX
from actors.domains.rules.ids import public_work_code
from actors.domains.runtime.account import display_name_of
from actors.domains.world_messages import WorldCard
from actors.module import DatabaseReader

__all__ = [
    "CustomWorldDraftFacts",
    "CustomWorldProfile",
    "CustomWorldProfileDocument",
    "Draft",
    "delete_draft",
    "find_profile",
    "profile_of",
    "write_draft",
]


@table(
    public=True,
    primary_key="profile_id",
    index=["owner_user_id", "publication_status", "updated_at"],
    unique=["public_work_code"],
    actor=USER,
)
class CustomWorldProfile:
    """A world in the library; ``published_version`` is 0 until it is first published."""

    profile_id: str
    owner_user_id: str
    source_agent_session_id: str | None
    source_kind: ProfileSource
    public_work_code: str
    publication_status: PublicationStatus
    revision: u32
    published_version: u32
    world_name: str
    subtitle: str
    summary_text: str
    theme_mode: ThemeMode
    tags: list[str]
    cover_asset_object_id: str | None
    cover_image_src: str | None
    playable_role_count: u32
    landmark_count: u32
    chapter_count: u32
    blocker_count: u32
    warning_count: u32
    author_display_name: str
    draft_hash: str
    deleted_at: Timestamp | None
    published_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp


@table(primary_key="profile_id", actor=USER)
class CustomWorldProfileDocument:
    """The draft of a profile's document, as compiled; a deleted profile has none."""

    profile_id: str
    draft_document_json: str
    updated_at: Timestamp


@table(primary_key="profile_id", actor=USER)
class CustomWorldDraftFacts:
    """What the gates ask of a draft, so that nobody compiles it again for an answer.

    Attributes:
        is_playable: the compile made a world of it.
        role_keys: whom one can play; empty unless it is playable.
    """

    profile_id: str
    quality_score: u32
    is_playable: bool
    role_keys: list[str]
    content_rating: str


class Draft(NamedTuple):
    """A compiled document on its way into the library, with what the gates ask of it."""

    document_json: str
    document_hash: str
    card: WorldCard
    quality_score: int
    is_playable: bool
    role_keys: list[str]
    content_rating: str


def find_profile(db: DatabaseReader, profile_id: str) -> CustomWorldProfile | None:
    """A profile of this actor's user; None when it was deleted or never was."""
    profile = db[CustomWorldProfile].find(profile_id)
    return None if profile is None or profile.deleted_at is not None else profile


def profile_of(db: DatabaseReader, profile_id: str) -> CustomWorldProfile:
    """A profile of this actor's user; raises ``world.not_found``."""
    profile = find_profile(db, profile_id)
    if profile is None:
        raise ReducerError("world.not_found", "there is no such world")
    return profile


def write_draft(
    ctx: ReducerContext,
    profile_id: str,
    draft: Draft,
    source: ProfileSource,
    agent_session_id: str | None = None,
) -> CustomWorldProfile:
    """Put a draft into the library; a deleted profile comes back with it.

    Raises:
        ReducerError: ``limit.quota_exceeded`` for one profile more than a library may have.
    """
    profiles = ctx.db[CustomWorldProfile]
    known = profiles.find(profile_id)
    if known is None or known.deleted_at is not None:
        _check_room(ctx.db)
    card = draft.card
    profile = _new(ctx, profile_id, source, agent_session_id) if known is None else known
    ctx.db[CustomWorldProfileDocument].upsert(
        CustomWorldProfileDocument(profile_id, draft.document_json, ctx.timestamp)
    )
    ctx.db[CustomWorldDraftFacts].upsert(
        CustomWorldDraftFacts(
            profile_id=profile_id,
            quality_score=draft.quality_score,
            is_playable=draft.is_playable,
            role_keys=draft.role_keys,
            content_rating=draft.content_rating,
        )
    )
    return profiles.upsert(
        replace(
            profile,
            revision=profile.revision + 1,
            world_name=card.world_name,
            subtitle=card.subtitle,
            summary_text=card.summary_text,
            theme_mode=card.theme_mode,
            tags=card.tags,
            cover_image_src=card.cover_image_src,
            playable_role_count=card.playable_role_count,
            landmark_count=card.landmark_count,
            chapter_count=card.chapter_count,
            blocker_count=card.blocker_count,
            warning_count=card.warning_count,
            author_display_name=display_name_of(ctx),
            draft_hash=draft.document_hash,
            deleted_at=None,
            updated_at=ctx.timestamp,
        )
    )


def delete_draft(ctx: ReducerContext, profile: CustomWorldProfile) -> CustomWorldProfile:
    """Take a profile out of the library; of those that were, it remembers the last ones."""
    for table_ in (CustomWorldProfileDocument, CustomWorldDraftFacts):
        ctx.db[table_].delete(profile.profile_id)
    profile = ctx.db[CustomWorldProfile].update(
        replace(profile, deleted_at=ctx.timestamp, updated_at=ctx.timestamp)
    )
    _forget_oldest_deleted(ctx)
    return profile


def _forget_oldest_deleted(ctx: ReducerContext) -> None:
    deleted = [row for row in ctx.db[CustomWorldProfile] if row.deleted_at is not None]
    if len(deleted) > PROFILES_DELETED_MAX:
        oldest = min(deleted, key=lambda row: (row.deleted_at or 0, row.profile_id))
        ctx.db[CustomWorldProfile].delete(oldest.profile_id)


def _check_room(db: DatabaseReader) -> None:
    kept = sum(row.deleted_at is None for row in db[CustomWorldProfile])
    if kept >= PROFILES_MAX:
        raise ReducerError(
            "limit.quota_exceeded", f"at most {PROFILES_MAX} worlds", limit=PROFILES_MAX
        )


def _new(
    ctx: ReducerContext, profile_id: str, source: ProfileSource, agent_session_id: str | None
) -> CustomWorldProfile:
    code = public_work_code(profile_id)
    while ctx.db[CustomWorldProfile].first(public_work_code=code) is not None:
        code += "a"  # The catalog has the last word, among the worlds of everybody.
    return CustomWorldProfile(
        profile_id=profile_id,
        owner_user_id=ctx.key,
        source_agent_session_id=agent_session_id,
        source_kind=source,
        public_work_code=code,
        publication_status=PublicationStatus.DRAFT,
        revision=0,
        published_version=0,
        world_name="",
        subtitle="",
        summary_text="",
        theme_mode=ThemeMode.LIGHT,
        tags=[],
        cover_asset_object_id=None,
        cover_image_src=None,
        playable_role_count=0,
        landmark_count=0,
        chapter_count=0,
        blocker_count=0,
        warning_count=0,
        author_display_name="",
        draft_hash="",
        deleted_at=None,
        published_at=None,
        created_at=ctx.timestamp,
        updated_at=ctx.timestamp,
    )
