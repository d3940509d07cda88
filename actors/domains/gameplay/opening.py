"""Opening: a session between its first message and its first scene, and its end if it gets none."""

from __future__ import annotations

from actors import ReducerContext, table, u32
from actors.domains.gameplay.story import StoryPace, StorySession
from actors.domains.gameplay.story_language import forget_locale
from actors.domains.gameplay.world import StoryWorldDocument
from actors.domains.kinds import CATALOG, STORY, USER
from actors.domains.messages import ChapterEntered, GetProfile, StoryRejected

__all__ = ["StoryOpening", "ask_for_world", "pace_at_entry", "refuse"]


@table(primary_key="story_session_id", actor=STORY)
class StoryOpening:
    """What is known of a session between its first message and its first scene.

    ``state_json`` is what a restored session goes on from; None for a new story.
    """

    story_session_id: str
    host_display_name: str
    role_key: str
    state_json: str | None


def ask_for_world(ctx: ReducerContext, session: StorySession, version: u32 | None) -> None:
    """Ask the catalog for the session's world: a version of it, or the live one."""
    ctx.send(
        CATALOG.shard_key(session.profile_id),
        GetProfile(session.story_session_id, session.profile_id, version),
        idempotency_key=session.story_session_id,
    )


def refuse(ctx: ReducerContext, session: StorySession, code: str, text: str) -> None:
    """Leave no row of the session behind and tell the user why."""
    for document in ctx.db[StoryWorldDocument]:
        ctx.db[StoryWorldDocument].delete(document.world_document_ref)
    ctx.db[StoryOpening].delete(session.story_session_id)
    forget_locale(ctx, session.story_session_id)
    ctx.db[StorySession].delete(session.story_session_id)
    ctx.send(
        USER.key(session.host_user_id),
        StoryRejected(session.story_session_id, code, text),
        idempotency_key=session.story_session_id,
    )


def pace_at_entry(participant_id: str, entered: ChapterEntered) -> StoryPace:
    """What a player's own actor says of its progress at the entry of a chapter."""
    return StoryPace(
        participant_id=participant_id,
        level=entered.progression.level,
        chapter_index=entered.chapter.chapter_index,
        defeats=entered.chapter.actual_hostile_defeat_count,
        advice=entered.previous_advice,
    )
