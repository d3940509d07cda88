"""Participation: the host invites into a story, and participants leave it (domain 5.2)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, reducer, replace, struct
from actors.domains.domain_types import ParticipantRole
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.combat import BattleLoadout, loadouts_of, running_battle
from actors.domains.gameplay.joining import turn_away
from actors.domains.gameplay.lifecycle import LIVE_STATES, abandon, tell_participant
from actors.domains.gameplay.limits import (
    BATTLE_ABSENT_TURNS_MAX,
    INVITE_CODE_CHARS,
)
from actors.domains.gameplay.story import (
    StoryParticipant,
    StorySession,
    find_session,
    live_session,
    participant_of,
    require_host,
    touch,
)
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY
from actors.domains.rules.text import check_id
from actors.domains.runtime.directory_entry import DirectoryState

__all__ = [
    "KickStoryParticipant",
    "StoryCall",
    "create_story_invite",
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
    """Send a participant away, or who is about to come in, and void the invite code.

    Only the host may.

    Raises ``story.not_found``, ``auth.forbidden``, ``story.not_active_state`` or
    ``story.participant_not_found``.
    """
    require_host(ctx.db, ctx.user_id)
    session = live_session(ctx.db, *LIVE_STATES)
    row = participant_of(ctx.db, check_id(input.participant_user_id))
    # The code that let the guest in shall not let it in again.
    session = replace(session, invite_code=None)
    if row is None and turn_away(ctx, input.participant_user_id):
        return touch(ctx, session)
    if row is None or row.role is ParticipantRole.HOST:
        raise ReducerError("story.participant_not_found", "there is no such guest")
    return _remove(ctx, session, row)


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
