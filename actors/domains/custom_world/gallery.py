"""Gallery: published worlds as everybody sees them, and how often they are played (domain 6.1)."""

from __future__ import annotations

from enum import IntEnum

from actors import ReducerContext, ReducerError, Timestamp, message, replace, table, u32, u64
from actors.domains.custom_world.gallery_counters import (
    GalleryTally,
    add_to_tally,
    rank,
    tally_of,
    unrank,
)
from actors.domains.domain_types import ThemeMode, WorkCard, WorkRef, WorldKind
from actors.domains.kinds import CATALOG, USER
from actors.domains.messages import DescribeWorks, RecordPlay, WorksDescribed
from actors.domains.rules.ids import derived_id, world_key
from actors.domains.world_messages import PublishProfile
from actors.module import DatabaseReader

__all__ = [
    "CustomWorldGalleryEntry",
    "CustomWorldPlayMark",
    "Moderation",
    "describe_works",
    "entry_of",
    "put_entry",
    "record_play",
    "recount",
    "remove_entry",
    "set_moderation",
]


class Moderation(IntEnum):
    """Whether moderators let a world be seen."""

    VISIBLE = 0
    HIDDEN = 1


def _reader(entry: CustomWorldGalleryEntry) -> str | None:
    return entry.owner_user_id if entry.moderation is Moderation.HIDDEN else None


@table(
    public=True,
    primary_key="profile_id",
    index=["owner_user_id", "published_at", "like_count", "play_count", "theme_mode"],
    unique=["public_work_code"],
    actor=CATALOG,
    readers=_reader,
    readers_role="moderator",
)
class CustomWorldGalleryEntry:
    """A published world in the gallery; a hidden one is there for its owner and for moderators."""

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


def entry_of(
    db: DatabaseReader, profile_id: str, user_id: str, *, sees_hidden: bool = False
) -> CustomWorldGalleryEntry:
    """A world in the gallery, as far as a user may see it.

    Raises:
        ReducerError: ``world.not_found``, also for a hidden world of somebody else.
    """
    entry = db[CustomWorldGalleryEntry].find(profile_id)
    if entry is None or not (sees_hidden or _reader(entry) in {None, user_id}):
        raise ReducerError("world.not_found", "there is no such world")
    return entry


def put_entry(ctx: ReducerContext, payload: PublishProfile, version: int) -> GalleryTally:
    """Show a published version; the numbers of earlier ones are kept."""
    entries = ctx.db[CustomWorldGalleryEntry]
    tally = tally_of(ctx, payload.profile_id, payload.owner_user_id)
    old = entries.find(payload.profile_id)
    published_at = ctx.timestamp if old is None else old.published_at
    card = payload.card
    entries.upsert(
        CustomWorldGalleryEntry(
            profile_id=payload.profile_id,
            owner_user_id=payload.owner_user_id,
            author_display_name=payload.author_display_name,
            public_work_code=tally.public_work_code,
            version=version,
            world_name=card.world_name,
            subtitle=card.subtitle,
            summary_text=card.summary_text,
            theme_mode=card.theme_mode,
            tags=card.tags,
            cover_image_src=card.cover_image_src,
            playable_role_count=card.playable_role_count,
            landmark_count=card.landmark_count,
            chapter_count=card.chapter_count,
            like_count=tally.like_count,
            play_count=tally.play_count,
            unique_player_count=tally.unique_player_count,
            moderation=Moderation.VISIBLE,
            published_at=published_at,
            updated_at=ctx.timestamp,
        )
    )
    rank(ctx, tally, published_at)
    return tally


def remove_entry(ctx: ReducerContext, profile_id: str) -> None:
    """Take a world out of the gallery; its tally stays."""
    ctx.db[CustomWorldGalleryEntry].delete(profile_id)
    unrank(ctx, profile_id)


def set_moderation(
    ctx: ReducerContext, entry: CustomWorldGalleryEntry, moderation: Moderation
) -> CustomWorldGalleryEntry:
    """Hide a world, or show it again."""
    entry = ctx.db[CustomWorldGalleryEntry].update(
        replace(entry, moderation=moderation, updated_at=ctx.timestamp)
    )
    if moderation is Moderation.HIDDEN:
        unrank(ctx, entry.profile_id)
    else:
        rank(ctx, ctx.db[GalleryTally].get(entry.profile_id), entry.published_at)
    return entry


def recount(
    ctx: ReducerContext, profile_id: str, *, likes: int = 0, plays: int = 0, players: int = 0
) -> GalleryTally:
    """Change a world's numbers everywhere that they are shown."""
    tally = add_to_tally(ctx, profile_id, likes=likes, plays=plays, players=players)
    entries = ctx.db[CustomWorldGalleryEntry]
    entry = entries.find(profile_id)
    if entry is not None:
        entries.update(
            replace(
                entry,
                like_count=tally.like_count,
                play_count=tally.play_count,
                unique_player_count=tally.unique_player_count,
                updated_at=ctx.timestamp,
            )
        )
        if entry.moderation is Moderation.VISIBLE:
            rank(ctx, tally, entry.published_at)
    return tally


@message(CATALOG)
def record_play(ctx: ReducerContext, payload: RecordPlay) -> None:
    """Count a session of a world; a user's first one also counts the player."""
    marks = ctx.db[CustomWorldPlayMark]
    mark_id = derived_id(payload.profile_id, payload.user_id)
    mark = marks.find(mark_id)
    if mark is None:
        mark = CustomWorldPlayMark(
            mark_id, payload.profile_id, payload.user_id, 0, ctx.timestamp, ctx.timestamp
        )
    is_first = mark.play_count == 0
    marks.upsert(replace(mark, play_count=mark.play_count + 1, last_played_at=ctx.timestamp))
    recount(ctx, payload.profile_id, plays=1, players=int(is_first))


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
