"""Story lifecycle: a session begins, enters chapters, and ends (domain 5.2, 12.6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from actors import ReducerContext, message, replace, struct
from actors.domains.archive_messages import Supersede, Superseded
from actors.domains.domain_types import ParticipantRole, SessionKind, WorldKind
from actors.domains.gameplay.battle_course import abort
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.combat import running_battle
from actors.domains.gameplay.limits import STORY_IDLE_MICROS
from actors.domains.gameplay.live_narration import make_way
from actors.domains.gameplay.narration import narrator_of
from actors.domains.gameplay.play_time import close_clocks
from actors.domains.gameplay.quest import leave_chapter, open_chapter_quests
from actors.domains.gameplay.scenes import enter, restore_players
from actors.domains.gameplay.story import (
    StoryEventKind,
    StoryFunction,
    StoryPace,
    StoryParticipant,
    StorySession,
    StoryStatus,
    find_session,
    is_test_play,
    pace_of,
    players_of,
    session_of,
    tell,
    touch,
)
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY, USER
from actors.domains.messages import (
    EnterChapter,
    ExitChapter,
    RecordPlayCompletion,
    RecordSession,
    StoryPresence,
)
from actors.domains.rules.ids import chapter_id, derived_id, world_key
from actors.domains.rules.world import WorldDocument
from actors.domains.runtime.directory_entry import DirectoryState

__all__ = [
    "LIVE_STATES",
    "StoryIdleTimer",
    "abandon",
    "advance_chapter",
    "ask_to_enter",
    "finish",
    "open_chapter",
    "story_idle",
    "story_presence",
    "supersede",
    "tell_directory",
    "tell_participant",
    "watch_idleness",
]

LIVE_STATES: Final = frozenset(
    {StoryStatus.ACTIVE, StoryStatus.IN_BATTLE, StoryStatus.CHAPTER_BREAK}
)
"""States in which a story can be played, joined and given up."""


@struct
class StoryIdleTimer:
    """Time to look whether anybody still plays."""

    story_session_id: str


def tell_directory(ctx: ReducerContext, session: StorySession, state: DirectoryState) -> None:
    """Tell every participant's own actor how the session stands."""
    for participant in ctx.db[StoryParticipant]:
        tell_participant(ctx, session, participant, state)


def tell_participant(
    ctx: ReducerContext,
    session: StorySession,
    participant: StoryParticipant,
    state: DirectoryState,
) -> None:
    """Tell one participant's own actor how the session stands for it."""
    ctx.send(
        USER.key(participant.user_id),
        RecordSession(
            session_key=session.story_session_id,
            kind=SessionKind.STORY,
            role=participant.role,
            state=state,
            title=session.world_name,
            world_key=world_key(WorldKind.CUSTOM_WORLD, session.profile_id),
            runtime_session_id=session.runtime_session_id,
        ),
        idempotency_key=derived_id(session.story_session_id, session.version),
    )


def ask_to_enter(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, user_ids: Iterable[str]
) -> None:
    """Ask players' own actors for their progression at the entry of the running chapter."""
    message_ = EnterChapter(
        story_session_id=session.story_session_id,
        runtime_session_id=session.runtime_session_id,
        profile_id=session.profile_id,
        chapter_id=chapter_id(session.profile_id, session.chapter_index),
        plan=world.chapter(session.chapter_index).plan,
    )
    key = derived_id(session.runtime_session_id, session.chapter_index)
    for user_id in user_ids:
        ctx.send(USER.key(user_id), message_, idempotency_key=key)


def open_chapter(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, user_id: str | None = None
) -> StorySession:
    """Put the party at the running chapter's opening scene, with its quests.

    Returns:
        The session with the chapter's first text, not yet written.
    """
    chapter = world.chapter(session.chapter_index)
    session = replace(session, status=StoryStatus.ACTIVE, chapter_key=chapter.key)
    open_chapter_quests(ctx, session, world)
    session = enter(ctx, session, world, chapter.opening_scene_key)
    text = narrator_of(ctx.db, session, world).text("chapter_started")
    return tell(ctx, session, StoryEventKind.CHAPTER_STARTED, text, actor_user_id=user_id)


def advance_chapter(
    ctx: ReducerContext, session: StorySession, world: WorldDocument
) -> StorySession:
    """Leave the finished chapter for the next one: full strength, new quests, new levels.

    Returns:
        The session, not yet written.
    """
    assert session.status is StoryStatus.CHAPTER_BREAK
    assert session.chapter_index < session.total_chapters
    _leave(ctx, session)
    leave_chapter(ctx, session)
    session = replace(session, chapter_index=session.chapter_index + 1)
    restore_players(ctx)
    for player in players_of(ctx.db):
        pace = replace(
            pace_of(ctx.db, player), chapter_index=session.chapter_index, defeats=0, advice=None
        )
        ctx.db[StoryPace].upsert(pace)
    session = open_chapter(ctx, session, world, session.host_user_id)
    ask_to_enter(ctx, session, world, [player.user_id for player in players_of(ctx.db)])
    return replace(session, latest_function=StoryFunction.ADVANCE_CHAPTER)


def finish(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> StorySession:
    """Bring the story to its end.

    Returns:
        The session, not yet written.
    """
    _leave(ctx, session)
    leave_chapter(ctx, session)
    text = narrator_of(ctx.db, session, world).text("finish")
    session = tell(
        ctx,
        session,
        StoryEventKind.SESSION_COMPLETED,
        text,
        StoryFunction.FINISH,
        actor_user_id=session.host_user_id,
    )
    completion = RecordPlayCompletion(
        completion_ref=derived_id(session.runtime_session_id, "completed"),
        world_key=world_key(WorldKind.CUSTOM_WORLD, session.profile_id),
        score=None,
    )
    for player in players_of(ctx.db):
        ctx.send(USER.key(player.user_id), completion, idempotency_key=completion.completion_ref)
    close_clocks(ctx, session)
    tell_directory(ctx, session, DirectoryState.ARCHIVED)
    return replace(session, status=StoryStatus.COMPLETED, completed_at=ctx.timestamp)


def abandon(ctx: ReducerContext, session: StorySession) -> StorySession:
    """Give the session up: a running battle is aborted, the directory archives it."""
    return _end(ctx, session, StoryStatus.ABANDONED)


@message(STORY)
def supersede(ctx: ReducerContext, payload: Supersede) -> None:
    """Another session of the lineage takes over; what is pending here is still paid.

    The answer says that this session can only be read from now on, or that it had ended before.
    """
    session = find_session(ctx.db)
    if session is not None and session.status in LIVE_STATES:
        _end(ctx, session, StoryStatus.SUPERSEDED)
    assert ctx.source is not None
    ctx.send(ctx.source, Superseded(payload.successor_id), idempotency_key=payload.successor_id)


def watch_idleness(ctx: ReducerContext, session: StorySession) -> None:
    """Look again when the session could have been idle for too long."""
    ctx.send_at(
        session.updated_at + STORY_IDLE_MICROS,
        StoryIdleTimer(session.story_session_id),
        timer_id=f"{session.story_session_id}:idle",
    )


@message(STORY)
def story_idle(ctx: ReducerContext, payload: StoryIdleTimer) -> None:
    """Abandon a session that nobody played for long, or look again later."""
    session = find_session(ctx.db)
    if (
        session is None
        or session.story_session_id != payload.story_session_id
        or session.status not in LIVE_STATES
    ):
        return
    if session.updated_at + STORY_IDLE_MICROS > ctx.timestamp:
        watch_idleness(ctx, session)
    else:
        abandon(ctx, session)


@message(STORY)
def story_presence(ctx: ReducerContext, payload: StoryPresence) -> None:
    """Show whether a participant is connected."""
    participants = ctx.db[StoryParticipant]
    row = participants.first(user_id=payload.user_id)
    if row is not None and row.connected != payload.connected:
        participants.update(replace(row, connected=payload.connected, updated_at=ctx.timestamp))


def _end(ctx: ReducerContext, session: StorySession, status: StoryStatus) -> StorySession:
    battle = running_battle(ctx.db)
    if battle is not None:
        abort(ctx, battle)
        session = session_of(ctx.db)
    session = make_way(ctx, session, interrupt=True)
    close_clocks(ctx, session)
    tell_directory(ctx, session, DirectoryState.ARCHIVED)
    session = touch(ctx, replace(session, status=status))
    refresh_choices(ctx, session, world_of(ctx.db, session))
    return session


def _leave(ctx: ReducerContext, session: StorySession) -> None:
    """Tell every player's own actor that the running chapter is over."""
    chapter = chapter_id(session.profile_id, session.chapter_index)
    for player in players_of(ctx.db):
        assert player.role is not ParticipantRole.SPECTATOR
        ctx.send(
            USER.key(player.user_id),
            ExitChapter(
                story_session_id=session.story_session_id,
                runtime_session_id=session.runtime_session_id,
                chapter_id=chapter,
                is_test_play=is_test_play(session),
            ),
            idempotency_key=derived_id(session.runtime_session_id, session.chapter_index),
        )
