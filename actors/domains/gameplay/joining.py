"""Joining: who is invited comes into a story once its own actor has a place for it (domain 5.2).

The story checks the invitation and keeps a place; the user's own actor, which alone knows how many
stories the user is in, agrees or refuses; then the participant's row appears, or the place is free.
"""

from __future__ import annotations

from actors import (
    ReducerContext,
    ReducerError,
    Timestamp,
    ViewContext,
    message,
    procedure,
    reducer,
    replace,
    struct,
    table,
)
from actors.domains.domain_types import ParticipantRole, WorldKind
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.lifecycle import LIVE_STATES, ask_to_enter, tell_participant
from actors.domains.gameplay.limits import (
    JOIN_REFUSALS_MAX,
    JOIN_SECONDS_MAX,
    PLAYERS_MAX,
    SPECTATORS_MAX,
)
from actors.domains.gameplay.play_time import report_start
from actors.domains.gameplay.rewards import grant_starting_items
from actors.domains.gameplay.story import (
    StoryParticipant,
    StorySession,
    find_session,
    live_session,
    participant_of,
    session_of,
    touch,
)
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY, USER
from actors.domains.limits import DISPLAY_NAME_CHARS_MAX
from actors.domains.messages import JoinAgreed, JoinRefused, RequestJoin
from actors.domains.rules.combat import player_stats
from actors.domains.rules.ids import derived_id, world_key
from actors.domains.rules.text import check_slug, cut_text
from actors.domains.runtime.directory_entry import DirectoryState
from actors.module.context import ProcedureContext

__all__ = [
    "JoinStorySession",
    "StoryJoin",
    "join_agreed",
    "join_refused",
    "join_story_session",
    "join_story_session_and_return",
    "turn_away",
]


@table(primary_key="user_id", actor=STORY)
class StoryJoin:
    """Someone who waits to come in, or was refused: then with the code."""

    user_id: str
    role: ParticipantRole
    role_key: str
    display_name: str
    error_code: str | None
    error_message: str
    asked_at: Timestamp


@struct
class JoinStorySession:
    """Input of ``join_story_session``; spectators play no role."""

    story_session_id: str
    invite_code: str
    role: ParticipantRole
    role_key: str | None
    request_id: str


@reducer(actor=STORY)
def join_story_session(ctx: ReducerContext, input: JoinStorySession) -> StorySession:
    """Ask to come in by an invitation; whoever is in already changes nothing.

    The participant's row appears as soon as the caller's own actor has agreed.

    Raises ``story.invite_not_found``, ``story.not_active_state``, ``story.invalid_input``,
    ``story.role_not_found``, ``story.full_state``.
    """
    session = find_session(ctx.db)
    if session is None or session.invite_code is None or session.invite_code != input.invite_code:
        raise ReducerError("story.invite_not_found", "there is no such invitation")
    live_session(ctx.db, *LIVE_STATES)
    if participant_of(ctx.db, ctx.user_id) is not None:
        return session
    if input.role is ParticipantRole.HOST:
        raise ReducerError("story.invalid_input", "a story has one host")
    role_key = ""
    if input.role is ParticipantRole.PLAYER:
        role_key = check_slug(input.role_key or "")
        if role_key not in world_of(ctx.db, session).roles:
            raise ReducerError("story.role_not_found", "the world has no such role")
    _check_room(ctx, input.role)
    claimed = "" if ctx.claims is None else ctx.claims.display_name or ""
    name = cut_text(claimed, DISPLAY_NAME_CHARS_MAX) or f"Traveler-{ctx.user_id[-4:]}"
    ctx.db[StoryJoin].upsert(
        StoryJoin(ctx.user_id, input.role, role_key, name, None, "", ctx.timestamp)
    )
    ctx.send(
        USER.key(ctx.user_id),
        RequestJoin(
            story_session_id=session.story_session_id,
            runtime_session_id=session.runtime_session_id,
            role=input.role,
            title=session.world_name,
            world_key=world_key(WorldKind.CUSTOM_WORLD, session.profile_id),
        ),
        idempotency_key=session.story_session_id,
    )
    return session


@procedure(actor=STORY)
async def join_story_session_and_return(
    ctx: ProcedureContext, input: JoinStorySession
) -> StorySession:
    """Come in by an invitation, and answer the session once the caller is in.

    Raises what ``join_story_session`` raises, and ``limit.quota_exceeded`` when the caller is in
    too many stories.
    """
    session = await ctx.call(join_story_session, input)
    user_id = ctx.user_id

    def decided(view: ViewContext) -> StorySession | None:
        if participant_of(view.db, user_id) is not None:
            return session_of(view.db)
        join = view.db[StoryJoin].find(user_id)
        if join is not None and join.error_code is not None:
            raise ReducerError(join.error_code, join.error_message)
        return None

    answer = await ctx.until(STORY.key(session.story_session_id), decided, JOIN_SECONDS_MAX)
    if answer is None:
        raise ReducerError("dependency.timeout", "the caller's own actor has not agreed yet")
    return answer


@message(STORY)
def join_agreed(ctx: ReducerContext, payload: JoinAgreed) -> None:
    """Let someone in who was waiting, or give the slot back.

    A story that has ended meanwhile lets nobody in, nor who was refused since: by the host, or by
    the answer to an earlier request.
    """
    joins = ctx.db[StoryJoin]
    join = joins.find(payload.user_id)
    if join is None:
        return
    session = session_of(ctx.db)
    row = _participant(ctx, session, join)
    if join.error_code is None and session.status not in LIVE_STATES:
        join = _note_refusal(ctx, join, "story.not_active_state", "the story has ended")
    if join.error_code is not None:
        tell_participant(ctx, session, row, DirectoryState.ARCHIVED)
        return
    joins.delete(payload.user_id)
    ctx.db[StoryParticipant].insert(row)
    tell_participant(ctx, session, row, DirectoryState.ACTIVE)
    if row.role is ParticipantRole.SPECTATOR:
        return
    world = world_of(ctx.db, session)
    session = touch(ctx, replace(session, player_count=session.player_count + 1))
    ask_to_enter(ctx, session, world, [row.user_id])
    grant_starting_items(ctx, session, row, world)
    report_start(ctx, session, world, row.user_id)
    refresh_choices(ctx, session, world)


@message(STORY)
def join_refused(ctx: ReducerContext, payload: JoinRefused) -> None:
    """Free the place that was kept, and keep the reason for a caller who waits."""
    join = ctx.db[StoryJoin].find(payload.user_id)
    if join is not None:
        _note_refusal(ctx, join, payload.code, payload.message)


def turn_away(ctx: ReducerContext, user_id: str) -> bool:
    """Let someone who waits not come in after all; False when the user does not wait."""
    join = ctx.db[StoryJoin].find(user_id)
    if join is None or join.error_code is not None:
        return False
    _note_refusal(ctx, join, "story.invite_not_found", "the invitation was taken back")
    return True


def _check_room(ctx: ReducerContext, role: ParticipantRole) -> None:
    """Count who is in and who waits; raises ``story.full_state``."""
    inside = sum(row.role is not ParticipantRole.SPECTATOR for row in ctx.db[StoryParticipant])
    watching = len(ctx.db[StoryParticipant]) - inside
    for join in ctx.db[StoryJoin]:
        if join.error_code is None and join.user_id != ctx.user_id:
            inside += join.role is ParticipantRole.PLAYER
            watching += join.role is ParticipantRole.SPECTATOR
    if role is ParticipantRole.PLAYER and inside >= PLAYERS_MAX:
        raise ReducerError("story.full_state", "there is no place for another player")
    if role is ParticipantRole.SPECTATOR and watching >= SPECTATORS_MAX:
        raise ReducerError("story.full_state", "there is no place for another spectator")


def _participant(ctx: ReducerContext, session: StorySession, join: StoryJoin) -> StoryParticipant:
    """The row of someone who comes in; a player's level is unknown until its actor tells it."""
    max_hp = player_stats(1).max_hp
    return StoryParticipant(
        participant_id=derived_id(session.story_session_id, join.user_id),
        story_session_id=session.story_session_id,
        user_id=join.user_id,
        role=join.role,
        display_name=join.display_name,
        role_key=join.role_key,
        effective_level=1,
        hp=max_hp,
        max_hp=max_hp,
        connected=True,
        joined_at=ctx.timestamp,
        updated_at=ctx.timestamp,
    )


def _note_refusal(ctx: ReducerContext, join: StoryJoin, code: str, text: str) -> StoryJoin:
    joins = ctx.db[StoryJoin]
    join = joins.update(replace(join, error_code=code, error_message=text))
    refused = [row for row in joins if row.error_code is not None]
    if len(refused) > JOIN_REFUSALS_MAX:
        oldest = min(refused, key=lambda row: (row.asked_at, row.user_id))
        joins.delete(oldest.user_id)
    return join
