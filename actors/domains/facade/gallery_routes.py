"""The gallery over HTTP: worlds of everybody, likes and moderation (domain 11.2, 11.3)."""

from __future__ import annotations

from typing import Final

from actors import Access, ProcedureContext, ReducerError, Route, ViewContext, struct, u32
from actors.domains.custom_world.enter_gate import (
    EvaluateEnterWorldGate,
    evaluate_enter_world_gate,
)
from actors.domains.custom_world.gallery import CustomWorldGalleryEntry, entry_of
from actors.domains.custom_world.gallery_calls import (
    CustomWorldGalleryDetail,
    GallerySort,
    GetCustomWorldGalleryDetail,
    ListCustomWorldGallery,
    get_custom_world_gallery_detail,
    list_custom_world_gallery,
)
from actors.domains.custom_world.likes import (
    LikeCustomWorld,
    LikeState,
    like_custom_world,
    unlike_custom_world,
)
from actors.domains.custom_world.moderation import moderate_gallery_entry
from actors.domains.custom_world.works import list_custom_world_works
from actors.domains.domain_types import GateCheck, ThemeMode
from actors.domains.facade.limits import PAGE_ROWS_DEFAULT
from actors.domains.kinds import CATALOG
from actors.domains.rules.text import check_id

__all__ = ["ROUTES"]

_GALLERY: Final = "/api/runtime/custom-world-gallery"
_ENTRY: Final = f"{_GALLERY}/{{owner_user_id}}/{{profile_id}}"


@struct
class GalleryQuery:
    """Which page of the gallery; the newest worlds first unless it says otherwise."""

    sort: GallerySort = GallerySort.NEWEST
    theme: ThemeMode | None = None
    tag: str | None = None
    q: str | None = None
    cursor: str | None = None
    limit: u32 = PAGE_ROWS_DEFAULT


@struct
class EntryAnswer:
    """A world as somebody sees it who thinks of playing it, and whether that is possible."""

    entry: CustomWorldGalleryEntry
    world_json: str
    liked_by_me: bool
    enter_gate: list[GateCheck]


@struct
class LikeAddress:
    """A world in the gallery, under its owner's id."""

    owner_user_id: str
    profile_id: str
    request_id: str


def read_query(query: GalleryQuery) -> ListCustomWorldGallery:
    """The call that lists what a query asks for."""
    return ListCustomWorldGallery(
        sort=query.sort,
        theme=query.theme,
        tag=query.tag,
        q=query.q,
        cursor=query.cursor,
        limit=query.limit,
    )


async def get_entry(ctx: ProcedureContext, input: GetCustomWorldGalleryDetail) -> EntryAnswer:
    """A world in the gallery, with the checks of the gate for the caller."""

    def look(view: ViewContext) -> CustomWorldGalleryDetail:
        return get_custom_world_gallery_detail(view, input)

    found = await ctx.read(CATALOG.shard_key(check_id(input.profile_id)), look)
    gate = await evaluate_enter_world_gate(ctx, EvaluateEnterWorldGate(input.profile_id, None))
    return EntryAnswer(found.entry, found.world_json, found.liked_by_me, gate)


async def like(ctx: ProcedureContext, input: LikeAddress) -> LikeState:
    """Like a world."""
    await _check_address(ctx, input)
    return await ctx.call(like_custom_world, LikeCustomWorld(input.profile_id, input.request_id))


async def unlike(ctx: ProcedureContext, input: LikeAddress) -> LikeState:
    """Take a like back."""
    await _check_address(ctx, input)
    return await ctx.call(unlike_custom_world, LikeCustomWorld(input.profile_id, input.request_id))


async def _check_address(ctx: ProcedureContext, input: LikeAddress) -> None:
    """Another owner's address is no world's; raises ``world.not_found``."""
    profile_id = check_id(input.profile_id)
    entry = await ctx.read(
        CATALOG.shard_key(profile_id), lambda view: entry_of(view.db, profile_id, ctx.user_id)
    )
    if entry.owner_user_id != input.owner_user_id:
        raise ReducerError("world.not_found", "there is no such world")


ROUTES = (
    Route("GET", _GALLERY, list_custom_world_gallery, read=read_query, access=Access.ANYONE),
    Route("GET", _ENTRY, get_entry, access=Access.ANYONE),
    Route("POST", f"{_ENTRY}/like", like),
    Route("DELETE", f"{_ENTRY}/like", unlike),
    Route("GET", "/api/runtime/custom-world/works", list_custom_world_works),
    Route(
        "POST",
        "/api/admin/gallery/{profile_id}/moderation",
        moderate_gallery_entry,
        roles=frozenset({"moderator", "admin"}),
    ),
)
