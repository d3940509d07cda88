"""Story restore: a new session of a lineage goes on from an archived state (domain 2.6)."""

from __future__ import annotations

from actors import ReducerContext, message, replace
from actors.domains.archive_messages import ImportState, ResumeStory, StateImported
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.lifecycle import ask_to_enter, tell_directory, watch_idleness
from actors.domains.gameplay.opening import StoryOpening, ask_for_world, pace_at_entry
from actors.domains.gameplay.story import (
    NarrativeState,
    StoryEventKind,
    StoryPace,
    StoryParticipant,
    StorySession,
    StoryStatus,
    find_session,
    session_of,
    tell,
    touch,
)
from actors.domains.gameplay.story_state import read_state
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY, USER
from actors.domains.messages import ChapterEntered, StoryRejected
from actors.domains.rules.combat import player_stats
from actors.domains.rules.world import WorldDocument
from actors.domains.runtime.directory_entry import DirectoryState

__all__ = ["announce_import", "import_state", "reopen", "resume_story"]


@message(STORY)
def import_state(ctx: ReducerContext, payload: ImportState) -> None:
    """Remember what the session goes on from, and ask the catalog for the world it is pinned to."""
    if find_session(ctx.db) is not None:
        return
    try:
        state = read_state(payload.state_json, payload.story_session_id)
    except ValueError:
        refusal = StoryRejected(
            payload.story_session_id, "archive.corrupt_state", "the archive cannot be read"
        )
        ctx.send(USER.key(payload.host_user_id), refusal, idempotency_key=ctx.key)
        return
    session = ctx.db[StorySession].insert(
        replace(
            state.session,
            status=StoryStatus.STARTING,
            narrative_state=NarrativeState.IDLE,
            invite_code=None,
            player_count=1,
            version=1,
            created_at=ctx.timestamp,
            updated_at=ctx.timestamp,
        )
    )
    ctx.db[StoryOpening].insert(
        StoryOpening(
            story_session_id=session.story_session_id,
            host_display_name=state.host.display_name,
            role_key=state.host.role_key,
            state_json=payload.state_json,
            is_strict=False,
        )
    )
    ask_for_world(ctx, session, session.published_version, payload.draft)


def announce_import(ctx: ReducerContext, session: StorySession) -> None:
    """Tell the host's own actor that the session could begin; older ones must end before it."""
    ctx.send(
        USER.key(session.host_user_id),
        StateImported(session.story_session_id),
        idempotency_key=session.story_session_id,
    )


@message(STORY)
def resume_story(ctx: ReducerContext, payload: ResumeStory) -> None:
    """Enter the chapter that the archive was in, which opens the story."""
    if ctx.db[StoryOpening].find(payload.story_session_id) is None:
        return
    session = session_of(ctx.db)
    ask_to_enter(ctx, session, world_of(ctx.db, session), [session.host_user_id])


def reopen(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    state_json: str,
    entered: ChapterEntered,
) -> None:
    """The last step: the archived rows appear in one transaction, and the host is as it is now."""
    ctx.db[StoryOpening].delete(session.story_session_id)
    state = read_state(state_json, session.story_session_id)
    host = ctx.db[StoryParticipant].insert(_host_now(ctx, state.host, entered))
    ctx.db[StoryPace].insert(pace_at_entry(host.participant_id, entered))
    for row in state.rows:
        ctx.db[type(row)].insert(row)
    session = replace(session, status=state.session.status)
    session = tell(ctx, session, StoryEventKind.SYSTEM, session.latest_narrative_text)
    session = touch(ctx, session)
    refresh_choices(ctx, session, world)
    tell_directory(ctx, session, DirectoryState.ACTIVE)
    watch_idleness(ctx, session)


def _host_now(
    ctx: ReducerContext, host: StoryParticipant, entered: ChapterEntered
) -> StoryParticipant:
    """The archived host at the level that the user has by now, with the wounds of then."""
    before, after = player_stats(host.effective_level), player_stats(entered.effective_level)
    max_hp = host.max_hp + after.max_hp - before.max_hp
    return replace(
        host,
        effective_level=entered.effective_level,
        hp=min(host.hp, max_hp),
        max_hp=max_hp,
        connected=True,
        joined_at=ctx.timestamp,
        updated_at=ctx.timestamp,
    )
