"""Likes: who likes which world (domain 6.8, 12.8)."""

from __future__ import annotations

from typing import Final

from actors import (
    Rate,
    ReducerContext,
    ReducerError,
    Timestamp,
    reducer,
    replace,
    struct,
    table,
    u64,
)
from actors.domains.custom_world.gallery import entry_of, recount
from actors.domains.kinds import CATALOG, USER
from actors.domains.rules.ids import derived_id
from actors.domains.rules.text import check_id
from actors.domains.world_messages import CreatorBonus

__all__ = [
    "CustomWorldGalleryLike",
    "LikeCustomWorld",
    "LikeState",
    "like_custom_world",
    "unlike_custom_world",
]

_LIKES: Final = Rate("likes", per_minute=30, burst=10)


@table(
    public=True,
    primary_key="like_id",
    actor=CATALOG,
    readers=lambda like: like.user_id,
)
class CustomWorldGalleryLike:
    """That a user likes a world, or once did."""

    like_id: str
    profile_id: str
    user_id: str
    active: bool
    created_at: Timestamp
    updated_at: Timestamp


@struct
class LikeCustomWorld:
    """Input of ``like_custom_world`` and ``unlike_custom_world``."""

    profile_id: str
    request_id: str


@struct
class LikeState:
    """How a world and the caller stand."""

    like_count: u64
    liked_by_me: bool


@reducer(actor=CATALOG, rate=_LIKES)
def like_custom_world(ctx: ReducerContext, input: LikeCustomWorld) -> LikeState:
    """Like a world; the first like ever of a user pays its author. Twice is once.

    Raises ``world.not_found`` and ``gallery.own_work_forbidden``.
    """
    entry = entry_of(ctx.db, check_id(input.profile_id), ctx.user_id)
    if entry.owner_user_id == ctx.user_id:
        raise ReducerError("gallery.own_work_forbidden", "this world is your own")
    likes = ctx.db[CustomWorldGalleryLike]
    like_id = derived_id(entry.profile_id, ctx.user_id)
    known = likes.find(like_id)
    if known is None:
        likes.insert(
            CustomWorldGalleryLike(
                like_id=like_id,
                profile_id=entry.profile_id,
                user_id=ctx.user_id,
                active=True,
                created_at=ctx.timestamp,
                updated_at=ctx.timestamp,
            )
        )
        ctx.send(
            USER.key(entry.owner_user_id),
            CreatorBonus(entry.profile_id, ctx.user_id),
            idempotency_key=derived_id("like", like_id),
        )
    elif not known.active:
        likes.update(replace(known, active=True, updated_at=ctx.timestamp))
    else:
        return LikeState(entry.like_count, liked_by_me=True)
    return LikeState(recount(ctx, entry.profile_id, likes=1).like_count, liked_by_me=True)


@reducer(actor=CATALOG, rate=_LIKES)
def unlike_custom_world(ctx: ReducerContext, input: LikeCustomWorld) -> LikeState:
    """Take a like back; without one nothing happens. Raises ``world.not_found``."""
    entry = entry_of(ctx.db, check_id(input.profile_id), ctx.user_id)
    likes = ctx.db[CustomWorldGalleryLike]
    known = likes.find(derived_id(entry.profile_id, ctx.user_id))
    if known is None or not known.active:
        return LikeState(entry.like_count, liked_by_me=False)
    likes.update(replace(known, active=False, updated_at=ctx.timestamp))
    return LikeState(recount(ctx, entry.profile_id, likes=-1).like_count, liked_by_me=False)
