"""Play time: how long a user plays, measured between accepted calls (domain 2.4)."""

from __future__ import annotations

from actors import ReducerContext, Timestamp, replace, table, u32, u64
from actors.domains.domain_types import WorldKind
from actors.domains.gameplay.limits import PLAY_GAP_MS_MAX, PLAY_SEGMENT_MS
from actors.domains.gameplay.story import StorySession, participant_of
from actors.domains.gameplay.world import world_owner
from actors.domains.kinds import STORY, USER
from actors.domains.messages import RecordPlaySegment, RecordPlayStart
from actors.domains.rules.ids import derived_id, world_key
from actors.domains.rules.world import WorldDocument

__all__ = ["PlayClock", "close_clocks", "count_play", "report_start"]


@table(primary_key="user_id", actor=STORY)
class PlayClock:
    """A user's play time that was not reported yet."""

    user_id: str
    last_call_at: Timestamp
    unreported_ms: u64
    segments: u32


def report_start(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, user_id: str
) -> None:
    """Tell a player's own actor that it plays this world; segments and completions come after."""
    ctx.send(
        USER.key(user_id),
        RecordPlayStart(
            session_id=session.story_session_id,
            world_key=world_key(WorldKind.CUSTOM_WORLD, session.profile_id),
            world_kind=WorldKind.CUSTOM_WORLD,
            world_owner_user_id=world_owner(ctx.db, session),
            profile_id=session.profile_id,
            world_title=session.world_name,
            world_subtitle=world.world.subtitle,
        ),
        idempotency_key=session.story_session_id,
    )


def count_play(ctx: ReducerContext, session: StorySession, user_id: str) -> None:
    """Count a participant's time since its last accepted call; long pauses count in part."""
    if participant_of(ctx.db, user_id) is None:
        return
    clocks = ctx.db[PlayClock]
    clock = clocks.find(user_id)
    if clock is None:
        clocks.insert(PlayClock(user_id, ctx.timestamp, 0, 0))
        return
    gap_ms = min((ctx.timestamp - clock.last_call_at) // 1000, PLAY_GAP_MS_MAX)
    clock = replace(clock, last_call_at=ctx.timestamp, unreported_ms=clock.unreported_ms + gap_ms)
    if clock.unreported_ms >= PLAY_SEGMENT_MS:
        clock = _report(ctx, session, clock)
    clocks.update(clock)


def close_clocks(ctx: ReducerContext, session: StorySession) -> None:
    """Report what is left when the session ends."""
    clocks = ctx.db[PlayClock]
    for clock in clocks:
        if clock.unreported_ms:
            clocks.update(_report(ctx, session, clock))


def _report(ctx: ReducerContext, session: StorySession, clock: PlayClock) -> PlayClock:
    segment = clock.segments + 1
    ctx.send(
        USER.key(clock.user_id),
        RecordPlaySegment(
            session_id=session.story_session_id,
            world_key=world_key(WorldKind.CUSTOM_WORLD, session.profile_id),
            segment_no=segment,
            delta_ms=clock.unreported_ms,
        ),
        idempotency_key=derived_id(session.story_session_id, segment),
    )
    return replace(clock, unreported_ms=0, segments=segment)
