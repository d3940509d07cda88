"""Gallery: published worlds as everybody sees them, and how often they are played (domain 6.1)."""

from __future__ import annotations

import base64
import hashlib
from enum import IntEnum

from actors import ReducerContext, Timestamp, message, replace, table, u32, u64
from actors.domains.domain_types import ThemeMode, WorkCard, WorkRef, WorldKind
from actors.domains.kinds import CATALOG, USER
from actors.domains.messages import DescribeWorks, RecordPlay, WorksDescribed
from actors.domains.rules.ids import derived_id, world_key
from actors.domains.rules.world import WorldDocument

__all__ = [
    "CustomWorldGalleryEntry",
    "CustomWorldPlayMark",
    "Moderation",
    "describe_works",
    "public_work_code",
    "put_entry",
    "record_play",
]


_CODE_CHARS = 8


class Moderation(IntEnum):
    """Whether moderators let a world be seen."""

    VISIBLE = 0
    HIDDEN = 1


@table(
    public=True,
    primary_key="profile_id",
    index=["owner_user_id", "published_at", "like_count", "play_count", "theme_mode"],
    unique=["public_work_code"],
    actor=CATALOG,
)
class CustomWorldGalleryEntry:
    """A published world in the gallery."""

    profile_id: str
    owner_user_id: str
    author_display_name: str
    public_work_code: str
    version: u32
    world_name: str
    subtitle: str
    summary_text: str
    theme_mode: ThemeMode
    tags: list[str]
    cover_image_src: str | None
    playable_role_count: u32
    landmark_count: u32
    chapter_count: u32
    like_count: u64
    play_count: u64
    unique_player_count: u64
    moderation: Moderation
    published_at: Timestamp
    updated_at: Timestamp


@table(primary_key="mark_id", actor=CATALOG)
class CustomWorldPlayMark:
    """How often one user played one world."""

    mark_id: str
    profile_id: str
    user_id: str
    play_count: u32
    first_played_at: Timestamp
    last_played_at: Timestamp


def public_work_code(profile_id: str) -> str:
    """The short code of a world that people pass on: 8 base32 characters of its id's SHA-256."""
    digest = hashlib.sha256(profile_id.encode()).digest()
    return base64.b32encode(digest).decode()[:_CODE_CHARS].lower()


def put_entry(
    ctx: ReducerContext,
    world: WorldDocument,
    owner_user_id: str,
    author_display_name: str,
    version: int,
) -> CustomWorldGalleryEntry:
    """Show a published version; counters and moderation of an earlier one are kept."""
    entries = ctx.db[CustomWorldGalleryEntry]
    profile_id = world.meta.profile_id
    old = entries.find(profile_id)
    code = public_work_code(profile_id)
    while old is None and entries.first(public_work_code=code) is not None:
        # A taken code is made longer by one letter (domain 6.1).
        code += "a"
    return entries.upsert(
        CustomWorldGalleryEntry(
            profile_id=profile_id,
            owner_user_id=owner_user_id,
            author_display_name=author_display_name,
            public_work_code=code if old is None else old.public_work_code,
            version=version,
            world_name=world.world.name,
            subtitle=world.world.subtitle,
            summary_text=world.world.summary,
            theme_mode=world.world.theme_mode,
            tags=list(world.world.tags),
            cover_image_src=world.assets.get("world:world:cover"),
            playable_role_count=len(world.roles),
            landmark_count=len(world.landmarks),
            chapter_count=len(world.chapters),
            like_count=0 if old is None else old.like_count,
            play_count=0 if old is None else old.play_count,
            unique_player_count=0 if old is None else old.unique_player_count,
            moderation=Moderation.VISIBLE if old is None else old.moderation,
            published_at=ctx.timestamp if old is None else old.published_at,
            updated_at=ctx.timestamp,
        )
    )


@message(CATALOG)
def record_play(ctx: ReducerContext, payload: RecordPlay) -> None:
    """Count a session of a world; a user's first one also counts the player."""
    marks, entries = ctx.db[CustomWorldPlayMark], ctx.db[CustomWorldGalleryEntry]
    mark_id = derived_id(payload.profile_id, payload.user_id)
    mark = marks.find(mark_id)
    if mark is None:
        mark = CustomWorldPlayMark(
            mark_id, payload.profile_id, payload.user_id, 0, ctx.timestamp, ctx.timestamp
        )
    is_first = mark.play_count == 0
    marks.upsert(replace(mark, play_count=mark.play_count + 1, last_played_at=ctx.timestamp))
    entry = entries.find(payload.profile_id)
    if entry is not None:
        entries.update(
            replace(
                entry,
                play_count=entry.play_count + 1,
                unique_player_count=entry.unique_player_count + is_first,
                updated_at=ctx.timestamp,
            )
        )


@message(CATALOG)
def describe_works(ctx: ReducerContext, payload: DescribeWorks) -> None:
    """Tell a user about works that are in the gallery; hidden ones only their owner is told of."""
    assert ctx.source is not None
    cards = [card for work in payload.works if (card := _card(ctx, work)) is not None]
    answer = WorksDescribed(payload.visit_id, cards)
    ctx.send(ctx.source, answer, idempotency_key=payload.visit_id)


def _card(ctx: ReducerContext, work: WorkRef) -> WorkCard | None:
    if work.world_kind is not WorldKind.CUSTOM_WORLD:
        return None
    entry = ctx.db[CustomWorldGalleryEntry].find(work.work_id)
    if entry is None:
        return None
    if entry.moderation is Moderation.HIDDEN and ctx.source != USER.key(entry.owner_user_id):
        return None
    return WorkCard(
        world_key=world_key(work.world_kind, entry.profile_id),
        world_kind=work.world_kind,
        owner_user_id=entry.owner_user_id,
        profile_id=entry.profile_id,
        world_name=entry.world_name,
        subtitle=entry.subtitle,
        summary_text=entry.summary_text,
        cover_image_src=entry.cover_image_src,
        theme_mode=entry.theme_mode,
        author_display_name=entry.author_display_name,
    )
