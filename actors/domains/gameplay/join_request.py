"""Join request: a user's own actor agrees to be in one more story, or refuses (domain 1.9, 5.2)."""

from __future__ import annotations

from actors.domains.domain_types import SessionKind
from actors.domains.kinds import USER
from actors.domains.messages import JoinAgreed, JoinRefused, RequestJoin
from actors.domains.runtime.directory import check_story_slot, live_stories
from actors.domains.runtime.directory_entry import (
    LIVE_STATES,
    DirectoryState,
    SessionDirectoryEntry,
)
from actors.errors import ReducerError
from actors.module.context import ReducerContext
from actors.module.functions import message

__all__ = ["request_join"]


@message(USER)
def request_join(ctx: ReducerContext, payload: RequestJoin) -> None:
    """Take up one of the user's slots for the story, as one that is starting, and answer."""
    assert ctx.source is not None
    entries = ctx.db[SessionDirectoryEntry]
    known = entries.find(payload.story_session_id)
    if known is None or known.state not in LIVE_STATES:
        try:
            check_story_slot(len(live_stories(ctx.db)))
        except ReducerError as refusal:
            ctx.send(ctx.source, JoinRefused(ctx.key, refusal.code, refusal.message))
            return
        entries.upsert(
            SessionDirectoryEntry(
                session_key=payload.story_session_id,
                user_id=ctx.key,
                kind=SessionKind.STORY,
                role=payload.role,
                state=DirectoryState.STARTING,
                title=payload.title,
                world_key=payload.world_key,
                runtime_session_id=payload.runtime_session_id,
                last_activity_at=ctx.timestamp,
                created_at=ctx.timestamp if known is None else known.created_at,
            )
        )
    ctx.send(ctx.source, JoinAgreed(ctx.key))
