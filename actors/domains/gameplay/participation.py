"""Participation: friends and spectators come into a story by invitation, and leave it (5.2)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, reducer, replace, struct
from actors.domains.domain_types import ParticipantRole
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.combat import BattleLoadout, loadouts_of, running_battle
from actors.domains.gameplay.lifecycle import LIVE_STATES, abandon, ask_to_enter, tell_participant
from actors.domains.gameplay.limits import (
    BATTLE_ABSENT_TURNS_MAX,
    INVITE_CODE_CHARS,
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
    players_of,
    require_host,
    touch,
)
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY
from actors.domains.limits import DISPLAY_NAME_CHARS_MAX
from actors.domains.rules.combat import player_stats
from actors.domains.rules.ids import derived_id
from actors.domains.rules.text import check_id, check_slug, cut_text
from actors.domains.runtime.directory_entry import DirectoryState

__all__ = [
    "JoinStorySession",
    "KickStoryParticipant",
    "StoryCall",
    "create_story_invite",
    "join_story_session",
    "kick_story_participant",
    "leave_story_session",
]

_CODE_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


@struct
class StoryCall:
    """Input of what a participant does with the session as a whole."""

    story_session_id: str
    request_id: str


@struct
class JoinStorySession:
    """Input of ``join_story_session``; spectators play no role."""

    story_session_id: str
    invite_code: str
    role: ParticipantRole
    role_key: str | None
    request_id: str


@struct
class KickStoryParticipant:
    """Input of ``kick_story_participant``."""

    story_session_id: str
    participant_user_id: str
    request_id: str


@reducer(actor=STORY)
def create_story_invite(ctx: ReducerContext, input: StoryCall) -> StorySession:
    """Make a new invite code; an earlier one is void. Only the host may."""
    check_id(input.story_session_id)
    require_host(ctx.db, ctx.user_id)
    session = live_session(ctx.db, *LIVE_STATES)
    letters = (ctx.rng.pick(_CODE_LETTERS) for _ in range(INVITE_CODE_CHARS))
    return touch(ctx, replace(session, invite_code="".join(letters)))


@reducer(actor=STORY)
def join_story_session(ctx: ReducerContext, input: JoinStorySession) -> StorySession:
    """Come in by an invitation; whoever is in already changes nothing.

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
    world = world_of(ctx.db, session)
    _check_room(ctx, input.role)
    if input.role is ParticipantRole.SPECTATOR:
        _admit(ctx, session, ParticipantRole.SPECTATOR, "")
        return session
    role_key = check_slug(input.role_key or "")
    if role_key not in world.roles:
        raise ReducerError("story.role_not_found", "the world has no such role")
    player = _admit(ctx, session, ParticipantRole.PLAYER, role_key)
    session = touch(ctx, replace(session, player_count=session.player_count + 1))
    ask_to_enter(ctx, session, world, [player.user_id])
    grant_starting_items(ctx, session, player, world)
    report_start(ctx, session, world, player.user_id)
    refresh_choices(ctx, session, world)
    return session


@reducer(actor=STORY)
def leave_story_session(ctx: ReducerContext, input: StoryCall) -> StorySession:
    """Leave a story; when the host does, it is abandoned. What is pending is still paid.

    Raises ``story.not_found`` or ``story.not_active_state``.
    """
    check_id(input.story_session_id)
    session = find_session(ctx.db)
    row = participant_of(ctx.db, ctx.user_id)
    if session is None or row is None:
        raise ReducerError("story.not_found", "there is no such story session")
    live_session(ctx.db, *LIVE_STATES)
    if row.role is ParticipantRole.HOST:
        return abandon(ctx, session)
    return _remove(ctx, session, row)


@reducer(actor=STORY)
def kick_story_participant(ctx: ReducerContext, input: KickStoryParticipant) -> StorySession:
    """Send a participant away and void the invite code; only the host may.

    Raises ``story.not_found``, ``auth.forbidden``, ``story.not_active_state`` or
    ``story.participant_not_found``.
    """
    require_host(ctx.db, ctx.user_id)
    session = live_session(ctx.db, *LIVE_STATES)
    row = participant_of(ctx.db, check_id(input.participant_user_id))
    if row is None or row.role is ParticipantRole.HOST:
        raise ReducerError("story.participant_not_found", "there is no such guest")
    # The code that let the guest in shall not let it in again.
    return _remove(ctx, replace(session, invite_code=None), row)


def _check_room(ctx: ReducerContext, role: ParticipantRole) -> None:
    players = len(players_of(ctx.db))
    if role is ParticipantRole.PLAYER and players >= PLAYERS_MAX:
        raise ReducerError("story.full_state", "there is no place for another player")
    spectators = len(ctx.db[StoryParticipant]) - players
    if role is ParticipantRole.SPECTATOR and spectators >= SPECTATORS_MAX:
        raise ReducerError("story.full_state", "there is no place for another spectator")


def _admit(
    ctx: ReducerContext, session: StorySession, role: ParticipantRole, role_key: str
) -> StoryParticipant:
    """Insert a participant; a player's level is unknown until its own actor has answered."""
    claimed = "" if ctx.claims is None else ctx.claims.display_name or ""
    name = cut_text(claimed, DISPLAY_NAME_CHARS_MAX)
    max_hp = player_stats(1).max_hp
    row = ctx.db[StoryParticipant].insert(
        StoryParticipant(
            participant_id=derived_id(session.story_session_id, ctx.user_id),
            story_session_id=session.story_session_id,
            user_id=ctx.user_id,
            role=role,
            display_name=name or f"Traveler-{ctx.user_id[-4:]}",
            role_key=role_key,
            effective_level=1,
            hp=max_hp,
            max_hp=max_hp,
            connected=True,
            joined_at=ctx.timestamp,
            updated_at=ctx.timestamp,
        )
    )
    tell_participant(ctx, session, row, DirectoryState.ACTIVE)
    return row


def _remove(ctx: ReducerContext, session: StorySession, row: StoryParticipant) -> StorySession:
    """Take a guest out; in a running battle the rules play its combatant from now on."""
    ctx.db[StoryParticipant].delete(row.participant_id)
    battle = running_battle(ctx.db)
    if battle is not None:
        for loadout in loadouts_of(ctx.db, battle.battle_state_id):
            if loadout.user_id == row.user_id:
                absent = replace(loadout, absent_turns=BATTLE_ABSENT_TURNS_MAX)
                ctx.db[BattleLoadout].update(absent)
    tell_participant(ctx, session, row, DirectoryState.ARCHIVED)
    if row.role is ParticipantRole.PLAYER:
        session = replace(session, player_count=session.player_count - 1)
    session = touch(ctx, session)
    refresh_choices(ctx, session, world_of(ctx.db, session))
    return session
