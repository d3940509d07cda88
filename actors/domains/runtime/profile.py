"""Profile: a user's dashboard and the worlds the user has played (domain 2.4)."""

from __future__ import annotations

from actors.domains.domain_types import WorldKind
from actors.domains.kinds import USER
from actors.domains.limits import LISTED_ROWS_MAX
from actors.domains.messages import RecordPlayCompletion, RecordPlaySegment, RecordPlayStart
from actors.domains.rules.ids import derived_id
from actors.errors import ReducerError
from actors.module.context import ReducerContext, ViewContext
from actors.module.functions import message, procedure
from actors.module.tables import table
from actors.module.types import Timestamp, i64, replace, struct, u32, u64

__all__ = [
    "PlayReceipt",
    "ProfileDashboardState",
    "ProfilePlayedWorld",
    "dashboard_of",
    "get_profile_dashboard",
    "list_played_worlds",
    "record_play_completion",
    "record_play_segment",
    "record_play_start",
    "save_dashboard",
]


@table(public=True, primary_key="user_id", actor=USER)
class ProfileDashboardState:
    """A user's numbers at a glance; all but the balance follow from other rows (domain 2.4)."""

    user_id: str
    wallet_balance: i64
    total_play_ms: u64
    played_world_count: u32
    completed_world_count: u32
    published_work_count: u32
    total_likes_received: u64
    total_plays_received: u64
    save_archive_count: u32
    highest_level: u32
    created_at: Timestamp
    updated_at: Timestamp


@table(public=True, primary_key="played_world_id", index=["user_id", "last_played_at"], actor=USER)
class ProfilePlayedWorld:
    """A world the user has played, with its texts as they were at the last session."""

    played_world_id: str
    user_id: str
    world_key: str
    world_kind: WorldKind
    world_owner_user_id: str
    profile_id: str
    world_title: str
    world_subtitle: str
    play_count: u32
    completed_count: u32
    total_play_ms: u64
    best_score: u32 | None
    last_session_id: str | None
    first_played_at: Timestamp
    last_played_at: Timestamp


@table(primary_key="receipt_id", actor=USER)
class PlayReceipt:
    """A session that was counted, with its last segment; or a completion that was counted."""

    receipt_id: str
    last_segment_no: u32
    created_at: Timestamp


@struct
class GetProfileDashboard:
    """Input of ``get_profile_dashboard``; another user needs the service role."""

    user_id: str | None


@struct
class ListPlayedWorlds:
    """Input of ``list_played_worlds``; another user needs the service role."""

    user_id: str | None
    limit: u32


@procedure(actor=USER)
def get_profile_dashboard(ctx: ViewContext, input: GetProfileDashboard) -> ProfileDashboardState:
    """The user's dashboard; zeros without one, and nothing is written."""
    del input  # It only names the actor.
    return ctx.db[ProfileDashboardState].find(ctx.key) or _empty_dashboard(ctx.key, Timestamp(0))


@procedure(actor=USER)
def list_played_worlds(ctx: ViewContext, input: ListPlayedWorlds) -> list[ProfilePlayedWorld]:
    """The user's worlds, the last played first. Raises ``input.out_of_range``."""
    if not 1 <= input.limit <= LISTED_ROWS_MAX:
        raise ReducerError("input.out_of_range", f"limit must be 1 to {LISTED_ROWS_MAX}")
    newest_first = list(ctx.db[ProfilePlayedWorld].range("last_played_at"))[::-1]
    return newest_first[: input.limit]


@message(USER)
def record_play_start(ctx: ReducerContext, payload: RecordPlayStart) -> None:
    """Count a session; the first one of a world inserts its row."""
    receipts = ctx.db[PlayReceipt]
    if receipts.find(payload.session_id) is not None:
        return
    receipts.insert(PlayReceipt(payload.session_id, 0, ctx.timestamp))
    worlds = ctx.db[ProfilePlayedWorld]
    world_id = derived_id(ctx.key, payload.world_key)
    world = worlds.find(world_id)
    if world is None:
        dashboard = dashboard_of(ctx)
        count = dashboard.played_world_count + 1
        save_dashboard(ctx, replace(dashboard, played_world_count=count))
    worlds.upsert(
        ProfilePlayedWorld(
            played_world_id=world_id,
            user_id=ctx.key,
            world_key=payload.world_key,
            world_kind=payload.world_kind,
            world_owner_user_id=payload.world_owner_user_id,
            profile_id=payload.profile_id,
            world_title=payload.world_title,
            world_subtitle=payload.world_subtitle,
            play_count=1 if world is None else world.play_count + 1,
            completed_count=0 if world is None else world.completed_count,
            total_play_ms=0 if world is None else world.total_play_ms,
            best_score=None if world is None else world.best_score,
            last_session_id=payload.session_id,
            first_played_at=ctx.timestamp if world is None else world.first_played_at,
            last_played_at=ctx.timestamp,
        )
    )


@message(USER)
def record_play_segment(ctx: ReducerContext, payload: RecordPlaySegment) -> None:
    """Add play time; segments of a session come in rising order, each counts once."""
    receipts, worlds = ctx.db[PlayReceipt], ctx.db[ProfilePlayedWorld]
    receipt = receipts.find(payload.session_id)
    world = worlds.find(derived_id(ctx.key, payload.world_key))
    # A session announces itself before its first segment, on the same ordered path.
    assert receipt is not None
    assert world is not None
    if payload.segment_no <= receipt.last_segment_no:
        return
    receipts.update(replace(receipt, last_segment_no=payload.segment_no))
    worlds.update(
        replace(
            world,
            total_play_ms=world.total_play_ms + payload.delta_ms,
            last_played_at=ctx.timestamp,
        )
    )
    dashboard = dashboard_of(ctx)
    total = dashboard.total_play_ms + payload.delta_ms
    save_dashboard(ctx, replace(dashboard, total_play_ms=total))


@message(USER)
def record_play_completion(ctx: ReducerContext, payload: RecordPlayCompletion) -> None:
    """Count a completed playthrough once; the first of a world counts on the dashboard too."""
    receipts, worlds = ctx.db[PlayReceipt], ctx.db[ProfilePlayedWorld]
    world = worlds.find(derived_id(ctx.key, payload.world_key))
    assert world is not None
    if receipts.find(payload.completion_ref) is not None:
        return
    receipts.insert(PlayReceipt(payload.completion_ref, 0, ctx.timestamp))
    scores = [score for score in (world.best_score, payload.score) if score is not None]
    worlds.update(
        replace(
            world,
            completed_count=world.completed_count + 1,
            best_score=max(scores, default=None),
        )
    )
    if world.completed_count == 0:
        dashboard = dashboard_of(ctx)
        count = dashboard.completed_world_count + 1
        save_dashboard(ctx, replace(dashboard, completed_world_count=count))


def dashboard_of(ctx: ReducerContext) -> ProfileDashboardState:
    """The dashboard of this actor's user, or a new one that is not stored yet."""
    known = ctx.db[ProfileDashboardState].find(ctx.key)
    return known or _empty_dashboard(ctx.key, ctx.timestamp)


def save_dashboard(ctx: ReducerContext, dashboard: ProfileDashboardState) -> None:
    """Store a changed dashboard."""
    ctx.db[ProfileDashboardState].upsert(replace(dashboard, updated_at=ctx.timestamp))


def _empty_dashboard(user_id: str, now: Timestamp) -> ProfileDashboardState:
    return ProfileDashboardState(
        user_id=user_id,
        wallet_balance=0,
        total_play_ms=0,
        played_world_count=0,
        completed_world_count=0,
        published_work_count=0,
        total_likes_received=0,
        total_plays_received=0,
        save_archive_count=0,
        highest_level=0,
        created_at=now,
        updated_at=now,
    )
