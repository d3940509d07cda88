"""Gallery calls: everybody lists worlds, looks at one, and sees which are liked most (6.8)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache
from itertools import islice
from typing import Final

from actors import (
    Rate,
    ReducerError,
    ViewContext,
    procedure,
    struct,
    u32,
    view,
)
from actors.domains.custom_world.gallery import CustomWorldGalleryEntry, entry_of
from actors.domains.custom_world.gallery_counters import GalleryRank
from actors.domains.custom_world.likes import CustomWorldGalleryLike
from actors.domains.custom_world.publishing import (
    CustomWorldPublishedProfile,
    PublishedStatus,
    published_world,
    versions_of,
)
from actors.domains.domain_types import ThemeMode
from actors.domains.kinds import CATALOG
from actors.domains.limits import (
    GALLERY_LISTED_MAX,
    GALLERY_QUERY_CHARS_MAX,
    GALLERY_SCANNED_MAX,
    GALLERY_TOP_LIKED,
    GALLERY_WORLDS_CACHED_MAX,
)
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.compile.public_view import public_view
from actors.domains.rules.cursors import read_cursor, write_cursor
from actors.domains.rules.ids import derived_id
from actors.domains.rules.text import check_id, check_slug, clean_text
from actors.module import DatabaseReader

__all__ = [
    "CustomWorldGalleryDetail",
    "CustomWorldGalleryPage",
    "GallerySort",
    "GetCustomWorldGalleryDetail",
    "GetPublishedProfile",
    "ListCustomWorldGallery",
    "PublishedProfile",
    "gallery_top_liked",
    "get_custom_world_gallery_detail",
    "get_published_profile",
    "list_custom_world_gallery",
]

_GALLERY: Final = Rate("gallery", per_minute=120, burst=40)

_MODERATORS: Final = frozenset({"moderator", "admin", "service"})


class GallerySort(IntEnum):
    """In which order worlds are listed; among equals, the last published first."""

    NEWEST = 0
    LIKES = 1
    PLAYS = 2


_COLUMNS: Final = {
    GallerySort.NEWEST: ("published_at",),
    GallerySort.LIKES: ("like_count", "published_at"),
    GallerySort.PLAYS: ("play_count", "published_at"),
}


@struct
class ListCustomWorldGallery:
    """Input of ``list_custom_world_gallery``; filters that are left out let everything through.

    ``q`` is looked for in name and subtitle, whatever the case.
    """

    sort: GallerySort
    theme: ThemeMode | None
    tag: str | None
    q: str | None
    cursor: str | None
    limit: u32


@struct
class CustomWorldGalleryPage:
    """Some worlds; ``next_cursor`` is None on the last page.

    With a filter a page may have fewer worlds than asked for, or none, and others still follow.
    """

    items: list[CustomWorldGalleryEntry]
    next_cursor: str | None


@struct
class GetCustomWorldGalleryDetail:
    """Input of ``get_custom_world_gallery_detail``."""

    owner_user_id: str
    profile_id: str


@struct
class CustomWorldGalleryDetail:
    """A world in the gallery; ``world_json`` shows nothing that a player is to find out."""

    entry: CustomWorldGalleryEntry
    world_json: str
    liked_by_me: bool


@struct
class GetPublishedProfile:
    """Input of ``get_published_profile``: a version, or the live one."""

    profile_id: str
    version: u32 | None


@struct
class PublishedProfile:
    """A published version; only its owner and services get the ``document``."""

    published_profile_id: str
    profile_id: str
    owner_user_id: str
    version: u32
    schema_version: u32
    document_hash: str
    status: PublishedStatus
    document: str | None


@view(actor=CATALOG, anonymous=True)
def gallery_top_liked(ctx: ViewContext) -> list[CustomWorldGalleryEntry]:
    """The most liked worlds; hidden ones have no rank."""
    ranks = islice(ctx.db[GalleryRank].falling("like_count", "published_at"), GALLERY_TOP_LIKED)
    return [ctx.db[CustomWorldGalleryEntry].get(rank.profile_id) for rank in ranks]


@procedure(actor=CATALOG, rate=_GALLERY)
def list_custom_world_gallery(
    ctx: ViewContext, input: ListCustomWorldGallery
) -> CustomWorldGalleryPage:
    """Worlds that everybody may see, page by page, through whatever was published meanwhile.

    Raises ``input.out_of_range``, ``input.invalid_cursor``, ``input.invalid_id`` for a tag that is
    none and ``input.text_too_long``.
    """
    if not 1 <= input.limit <= GALLERY_LISTED_MAX:
        raise ReducerError("input.out_of_range", f"limit must be 1 to {GALLERY_LISTED_MAX}")
    tag = None if input.tag is None else check_slug(input.tag)
    query = clean_text(input.q or "", GALLERY_QUERY_CHARS_MAX).casefold()
    found: list[CustomWorldGalleryEntry] = []
    cursor = input.cursor
    for looked_at, rank in enumerate(_ranks_behind(ctx.db, input.sort, input.cursor)):
        if len(found) == input.limit or looked_at == GALLERY_SCANNED_MAX:
            return CustomWorldGalleryPage(found, cursor)
        cursor = write_cursor(*_place(rank, input.sort), rank.profile_id)
        entry = ctx.db[CustomWorldGalleryEntry].get(rank.profile_id)
        if (
            input.theme in {None, entry.theme_mode}
            and (tag is None or tag in entry.tags)
            and (query in entry.world_name.casefold() or query in entry.subtitle.casefold())
        ):
            found.append(entry)
    return CustomWorldGalleryPage(found, None)


@procedure(actor=CATALOG)
def get_custom_world_gallery_detail(
    ctx: ViewContext, input: GetCustomWorldGalleryDetail
) -> CustomWorldGalleryDetail:
    """A world as somebody sees it who thinks of playing it; raises ``world.not_found``."""
    profile_id = check_id(input.profile_id)
    entry = entry_of(ctx.db, profile_id, ctx.user_id, sees_hidden=_is_privileged(ctx))
    if entry.owner_user_id != check_id(input.owner_user_id):
        raise ReducerError("world.not_found", "there is no such world")
    versions = versions_of(ctx.db, profile_id)
    document = next(row.document_json for row in versions if row.version == entry.version)
    like = ctx.db[CustomWorldGalleryLike].find(derived_id(profile_id, ctx.user_id))
    return CustomWorldGalleryDetail(
        entry=entry,
        world_json=_public_json(document),
        liked_by_me=like is not None and like.active,
    )


@procedure(actor=CATALOG)
def get_published_profile(ctx: ViewContext, input: GetPublishedProfile) -> PublishedProfile:
    """A version of a world; raises ``world.not_found``, also for one that is hidden."""
    rows = versions_of(ctx.db, check_id(input.profile_id))
    row = next((row for row in rows if _is_asked_for(row, input.version)), None)
    if row is None:
        raise ReducerError("world.not_found", "there is no such world")
    is_insider = row.owner_user_id == ctx.user_id or _is_privileged(ctx)
    if row.status is PublishedStatus.BLOCKED and not is_insider:
        raise ReducerError("world.not_found", "there is no such world")
    return PublishedProfile(
        published_profile_id=row.published_profile_id,
        profile_id=row.profile_id,
        owner_user_id=row.owner_user_id,
        version=row.version,
        schema_version=row.schema_version,
        document_hash=row.document_hash,
        status=row.status,
        document=row.document_json if is_insider else None,
    )


def _ranks_behind(
    db: DatabaseReader, sort: GallerySort, cursor: str | None
) -> Iterator[GalleryRank]:
    """The ranks of an order behind a cursor, in that order; one after the other."""
    ranks, columns = db[GalleryRank], _COLUMNS[sort]
    if cursor is None:
        return ranks.falling(*columns)
    place: tuple[int, ...]
    if sort is GallerySort.NEWEST:
        first, last = read_cursor(cursor, int, str)
        place = (first,)
    else:
        first, second, last = read_cursor(cursor, int, int, str)
        place = first, second
    high = place[0] if len(place) == 1 else place
    return (
        rank
        for rank in ranks.falling(*columns, high=high)
        if _place(rank, sort) != place or rank.profile_id > last
    )


def _place(rank: GalleryRank, sort: GallerySort) -> tuple[int, ...]:
    if sort is GallerySort.NEWEST:
        return (rank.published_at,)
    count = rank.like_count if sort is GallerySort.LIKES else rank.play_count
    return count, rank.published_at


def _is_asked_for(row: CustomWorldPublishedProfile, version: int | None) -> bool:
    return row.status is PublishedStatus.LIVE if version is None else row.version == version


def _is_privileged(ctx: ViewContext) -> bool:
    return ctx.claims is not None and not ctx.claims.roles.isdisjoint(_MODERATORS)


@lru_cache(maxsize=GALLERY_WORLDS_CACHED_MAX)
def _public_json(document_json: str) -> str:
    """What is shown of a document; a pure function of it, so keeping it is no state."""
    return write_json(public_view(published_world(document_json)))
