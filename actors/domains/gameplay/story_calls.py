"""Story calls: reading a session, and giving it up (domain 5.2)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, ViewContext, procedure, reducer, struct, u32
from actors.domains.gameplay.combat import BattleSnapshot, running_battle, snapshot_of
from actors.domains.gameplay.lifecycle import LIVE_STATES, abandon
from actors.domains.gameplay.limits import EVENTS_LISTED_MAX, EVENTS_SHOWN
from actors.domains.gameplay.npc import NpcState, npcs_here
from actors.domains.gameplay.participation import StoryCall
from actors.domains.gameplay.play_time import count_play
from actors.domains.gameplay.quest import QuestRecord
from actors.domains.gameplay.story import (
    StoryChoice,
    StoryEvent,
    StoryParticipant,
    StorySession,
    last_event_seq,
    live_session,
    participant_of,
    require_host,
    session_of,
)
from actors.domains.kinds import STORY
from actors.domains.rules.text import check_id
from actors.module import DatabaseReader

__all__ = [
    "GetStorySessionState",
    "ListStoryEvents",
    "StoryEventPage",
    "StorySessionState",
    "abandon_story_session",
    "get_story_session_state",
    "list_story_events",
]


@struct
class GetStorySessionState:
    """Input of ``get_story_session_state``."""

    story_session_id: str


@struct
class ListStoryEvents:
    """Input of ``list_story_events``: events before a seq, newest first."""

    story_session_id: str
    before_seq: u32 | None
    limit: u32


@struct
class StorySessionState:
    """Everything a client needs to show a session it did not follow."""

    session: StorySession
    participants: list[StoryParticipant]
    events: list[StoryEvent]
    choices: list[StoryChoice]
    npcs: list[NpcState]
    quests: list[QuestRecord]
    battle: BattleSnapshot | None


@struct
class StoryEventPage:
    """Some events of a session, newest first."""

    events: list[StoryEvent]


@procedure(actor=STORY)
def get_story_session_state(ctx: ViewContext, input: GetStorySessionState) -> StorySessionState:
    """A session as it stands, for its participants; raises ``story.not_found``."""
    check_id(input.story_session_id)
    session = _visible_session(ctx.db, ctx.user_id)
    battle = running_battle(ctx.db)
    return StorySessionState(
        session=session,
        participants=list(ctx.db[StoryParticipant]),
        events=_events_before(ctx.db, None, EVENTS_SHOWN)[::-1],
        choices=sorted(ctx.db[StoryChoice], key=lambda row: row.position),
        npcs=npcs_here(ctx.db, session),
        quests=list(ctx.db[QuestRecord]),
        battle=None if battle is None else snapshot_of(ctx.db, battle),
    )


@procedure(actor=STORY)
def list_story_events(ctx: ViewContext, input: ListStoryEvents) -> StoryEventPage:
    """Events of a session, newest first; raises ``story.not_found``, ``input.out_of_range``."""
    _visible_session(ctx.db, ctx.user_id)
    if not 1 <= input.limit <= EVENTS_LISTED_MAX:
        raise ReducerError("input.out_of_range", f"limit must be 1 to {EVENTS_LISTED_MAX}")
    return StoryEventPage(_events_before(ctx.db, input.before_seq, input.limit))


@reducer(actor=STORY)
def abandon_story_session(ctx: ReducerContext, input: StoryCall) -> StorySession:
    """Give a session up; only the host may.

    Raises ``story.not_found``, ``auth.forbidden`` or ``story.not_active_state``.
    """
    check_id(input.story_session_id)
    require_host(ctx.db, ctx.user_id)
    session = live_session(ctx.db, *LIVE_STATES)
    count_play(ctx, session, ctx.user_id)
    return abandon(ctx, session)


def _visible_session(db: DatabaseReader, user_id: str) -> StorySession:
    session = session_of(db)
    if participant_of(db, user_id) is None:
        raise ReducerError("story.not_found", "there is no such story session")
    return session


def _events_before(db: DatabaseReader, before_seq: int | None, limit: int) -> list[StoryEvent]:
    last = last_event_seq(db) if before_seq is None else before_seq - 1
    if last < 1:
        return []
    rows = list(db[StoryEvent].range("seq", max(1, last - limit + 1), last))
    return rows[::-1]
