"""Stories over HTTP: begin, read, go on, invite, join and follow (domain 11.3)."""

from __future__ import annotations

from actors import ProcedureContext, Route, ViewContext, struct, u32
from actors.domains.facade.limits import PAGE_ROWS_DEFAULT
from actors.domains.facade.story_stream import follow_story
from actors.domains.gameplay.joining import join_story_session_and_return
from actors.domains.gameplay.participation import create_story_invite
from actors.domains.gameplay.story import StoryEvent, StorySession
from actors.domains.gameplay.story_calls import (
    ListStoryEvents,
    abandon_story_session,
    get_story_session_state,
    list_story_events,
)
from actors.domains.gameplay.turns import ContinueStory, continue_story
from actors.domains.kinds import STORY
from actors.domains.rules.cursors import read_cursor, write_cursor
from actors.domains.rules.text import check_id
from actors.domains.runtime.directory import begin_story_session_and_return

__all__ = ["ROUTES"]

_SESSIONS = "/api/runtime/story/sessions"
_SESSION = f"{_SESSIONS}/{{story_session_id}}"


@struct
class StoryAnswer:
    """A story session as it stands after the call."""

    session: StorySession


@struct
class InviteAnswer:
    """A session and the code that lets others in."""

    session: StorySession
    invite_code: str


@struct
class ContinueBody:
    """A turn; narration is not interrupted unless the body says so."""

    story_session_id: str
    choice_id: str | None
    free_text: str | None
    expected_turn: u32
    request_id: str
    interrupt_narration: bool = False


@struct
class ListEvents:
    """Which page of a session's events."""

    story_session_id: str
    cursor: str | None = None
    limit: u32 = PAGE_ROWS_DEFAULT


@struct
class EventPage:
    """Events, newest first."""

    items: list[StoryEvent]
    next_cursor: str | None


async def list_events(ctx: ProcedureContext, input: ListEvents) -> EventPage:
    """A page of a session's events, newest first."""
    before = None if input.cursor is None else read_cursor(input.cursor, int)[0]
    wanted = ListStoryEvents(input.story_session_id, before, input.limit)

    def look(view: ViewContext) -> list[StoryEvent]:
        return list_story_events(view, wanted).events

    events = await ctx.read(STORY.key(check_id(input.story_session_id)), look)
    has_more = bool(events) and events[-1].seq > 1
    return EventPage(events, write_cursor(events[-1].seq) if has_more else None)


def read_turn(body: ContinueBody) -> ContinueStory:
    """The turn that a body asks for."""
    return ContinueStory(
        body.story_session_id,
        body.choice_id,
        body.free_text,
        body.expected_turn,
        body.interrupt_narration,
        body.request_id,
    )


def invited(session: StorySession) -> InviteAnswer:
    """A session with its new code."""
    assert session.invite_code is not None
    return InviteAnswer(session, session.invite_code)


ROUTES = (
    Route("POST", _SESSIONS, begin_story_session_and_return, StoryAnswer, status=201),
    Route("GET", _SESSION, get_story_session_state),
    Route("POST", f"{_SESSION}/continue", continue_story, StoryAnswer, read_turn),
    Route("GET", f"{_SESSION}/events", list_events),
    Route("GET", f"{_SESSION}/stream", follow_story),
    Route("POST", f"{_SESSION}/abandon", abandon_story_session, StoryAnswer),
    Route("POST", f"{_SESSION}/invite", create_story_invite, invited),
    Route("POST", "/api/runtime/story/join", join_story_session_and_return, StoryAnswer),
)
