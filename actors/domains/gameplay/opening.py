"""Opening: a session between its first message and its first scene, and its end if it gets none."""

from __future__ import annotations

from typing import Final

from actors import ReducerContext, table, u32
from actors.domains.gameplay.story import StoryPace, StorySession
from actors.domains.gameplay.story_language import forget_locale
from actors.domains.gameplay.world import StoryWorldDocument
from actors.domains.kinds import CATALOG, STORY, USER
from actors.domains.messages import (
    ChapterEntered,
    DraftWorld,
    GetProfile,
    ProfileFound,
    StoryRejected,
)

__all__ = ["StoryOpening", "ask_for_world", "pace_at_entry", "refuse"]

_SCHEMA_VERSION: Final = 1
"""Of the documents that are compiled here."""


@table(primary_key="story_session_id", actor=STORY)
class StoryOpening:
    """What is known of a session between its first message and its first scene.

    ``state_json`` is what a restored session goes on from; None for a new story. ``is_strict`` is
    the host's content filter.
    """

    story_session_id: str
    host_display_name: str
    role_key: str
    state_json: str | None
    is_strict: bool


def ask_for_world(
    ctx: ReducerContext,
    session: StorySession,
    version: u32 | None,
    draft: DraftWorld | None,
) -> None:
    """Ask the catalog for the session's world: a version of it, or the live one.

    The draft of a world that its author tries out is here already (domain 6.7).
    """
    if draft is not None:
        ctx.send_at(ctx.timestamp, _found(session, draft))
        return
    ctx.send(
        CATALOG.shard_key(session.profile_id),
        GetProfile(session.story_session_id, session.profile_id, version),
        idempotency_key=session.story_session_id,
    )


def _found(session: StorySession, draft: DraftWorld) -> ProfileFound:
    return ProfileFound(
        request_id=session.story_session_id,
        profile_id=session.profile_id,
        published_profile_id=f"{session.profile_id}:v0",
        owner_user_id=session.host_user_id,
        version=0,
        schema_version=_SCHEMA_VERSION,
        document_json=draft.document_json,
        document_hash=draft.document_hash,
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
