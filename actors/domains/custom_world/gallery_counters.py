"""Gallery counters: how often worlds are liked and played, and in which order that puts them."""

from __future__ import annotations

from actors import ReducerContext, Timestamp, message, replace, struct, table, u64
from actors.domains.kinds import CATALOG, USER
from actors.domains.limits import COUNTERS_TOLD_MICROS
from actors.domains.rules.ids import derived_id, public_work_code
from actors.domains.world_messages import WorkCounters

__all__ = [
    "GalleryRank",
    "GalleryTally",
    "TellCountersTimer",
    "add_to_tally",
    "rank",
    "tally_of",
    "tell_counters",
    "unrank",
]


@table(
    primary_key="profile_id",
    unique=["public_work_code"],
    actor=CATALOG,
)
class GalleryTally:
    """What a world has come to; it stays when the world is taken out of the gallery.

    Attributes:
        version: counts changes of the numbers.
        told_at: when the author was told last.
        is_due: a timer is set to tell the author.
    """

    profile_id: str
    owner_user_id: str
    public_work_code: str
    like_count: u64
    play_count: u64
    unique_player_count: u64
    version: u64
    told_at: Timestamp
    is_due: bool


@table(
    primary_key="profile_id",
    index=[
        "published_at",
        ("like_count", "published_at"),
        ("play_count", "published_at"),
    ],
    actor=CATALOG,
)
class GalleryRank:
    """Where a visible world stands in the gallery's orders, each of them an index."""

    profile_id: str
    published_at: Timestamp
    like_count: u64
    play_count: u64


@struct
class TellCountersTimer:
    """Time to tell a world's author how it stands."""

    profile_id: str


def tally_of(ctx: ReducerContext, profile_id: str, owner_user_id: str) -> GalleryTally:
    """A world's tally, made with its first publication.

    Of two worlds with one code the later one gets a letter more (domain 6.1).
    """
    tallies = ctx.db[GalleryTally]
    known = tallies.find(profile_id)
    if known is not None:
        return known
    code = public_work_code(profile_id)
    while tallies.first(public_work_code=code) is not None:
        code += "a"
    return tallies.insert(
        GalleryTally(
            profile_id=profile_id,
            owner_user_id=owner_user_id,
            public_work_code=code,
            like_count=0,
            play_count=0,
            unique_player_count=0,
            version=0,
            told_at=Timestamp(0),
            is_due=False,
        )
    )


def add_to_tally(
    ctx: ReducerContext, profile_id: str, *, likes: int = 0, plays: int = 0, players: int = 0
) -> GalleryTally:
    """Change a world's numbers, and see to it that the author is told in time."""
    tallies = ctx.db[GalleryTally]
    known = tallies.get(profile_id)
    tally = tallies.update(
        replace(
            known,
            like_count=known.like_count + likes,
            play_count=known.play_count + plays,
            unique_player_count=known.unique_player_count + players,
            version=known.version + 1,
        )
    )
    if tally.is_due:
        return tally
    due = tally.told_at + COUNTERS_TOLD_MICROS
    if due <= ctx.timestamp:
        return _tell(ctx, tally)
    ctx.send_at(due, TellCountersTimer(profile_id), timer_id=derived_id("counters", profile_id))
    return tallies.update(replace(tally, is_due=True))


@message(CATALOG)
def tell_counters(ctx: ReducerContext, payload: TellCountersTimer) -> None:
    """Tell the author what has gathered since the last notice."""
    tally = ctx.db[GalleryTally].get(payload.profile_id)
    if tally.is_due:
        _tell(ctx, tally)


def rank(ctx: ReducerContext, tally: GalleryTally, published_at: Timestamp) -> None:
    """Put a visible world where its numbers have it."""
    ctx.db[GalleryRank].upsert(
        GalleryRank(tally.profile_id, published_at, tally.like_count, tally.play_count)
    )


def unrank(ctx: ReducerContext, profile_id: str) -> None:
    """A world is no longer to be found."""
    ctx.db[GalleryRank].delete(profile_id)


def _tell(ctx: ReducerContext, tally: GalleryTally) -> GalleryTally:
    ctx.send(
        USER.key(tally.owner_user_id),
        WorkCounters(tally.profile_id, tally.like_count, tally.play_count, tally.version),
        idempotency_key=derived_id(tally.profile_id, tally.version),
    )
    return ctx.db[GalleryTally].update(replace(tally, told_at=ctx.timestamp, is_due=False))
