"""Headers: a user's creation sessions, as lists show them without reading the sessions (6.1)."""

from __future__ import annotations

from actors import ReducerContext, Timestamp, message, replace, table, u32
from actors.domains.domain_types import AgentStage
from actors.domains.kinds import USER
from actors.domains.limits import HEADERS_ARCHIVED_MAX
from actors.domains.world_messages import HeaderUpdate

__all__ = ["CustomWorldSession", "header_update", "open_header"]


@table(
    public=True,
    primary_key="custom_world_session_id",
    index=["user_id", "updated_at"],
    actor=USER,
)
class CustomWorldSession:
    """How a creation session stands, as it told last. Its id is the session's."""

    custom_world_session_id: str
    user_id: str
    agent_session_id: str
    stage: AgentStage
    title: str
    summary_text: str
    cover_image_src: str | None
    progress_permille: u32
    card_count: u32
    blocker_count: u32
    warning_count: u32
    result_profile_id: str | None
    last_error_code: str | None
    archived: bool
    created_at: Timestamp
    updated_at: Timestamp


def open_header(ctx: ReducerContext, agent_session_id: str, title: str) -> CustomWorldSession:
    """Enter a session that the user begins; what it comes to, it tells itself."""
    return ctx.db[CustomWorldSession].insert(
        CustomWorldSession(
            custom_world_session_id=agent_session_id,
            user_id=ctx.key,
            agent_session_id=agent_session_id,
            stage=AgentStage.COLLECTING,
            title=title,
            summary_text="",
            cover_image_src=None,
            progress_permille=0,
            card_count=0,
            blocker_count=0,
            warning_count=0,
            result_profile_id=None,
            last_error_code=None,
            archived=False,
            created_at=ctx.timestamp,
            updated_at=ctx.timestamp,
        )
    )


@message(USER)
def header_update(ctx: ReducerContext, payload: HeaderUpdate) -> None:
    """Bring a session's header up to date: its last message is the truth.

    An archived session whose header was forgotten and that is worked at again has one again.
    """
    headers = ctx.db[CustomWorldSession]
    known = headers.find(payload.agent_session_id) or open_header(
        ctx, payload.agent_session_id, payload.title
    )
    headers.update(
        replace(
            known,
            stage=payload.stage,
            title=payload.title,
            summary_text=payload.summary_text,
            cover_image_src=payload.cover_image_src,
            progress_permille=payload.progress_permille,
            card_count=payload.card_count,
            blocker_count=payload.blocker_count,
            warning_count=payload.warning_count,
            result_profile_id=payload.result_profile_id,
            last_error_code=payload.last_error_code,
            archived=payload.stage is AgentStage.ARCHIVED,
            updated_at=ctx.timestamp,
        )
    )
    if payload.stage is AgentStage.ARCHIVED:
        _forget_oldest(ctx)


def _forget_oldest(ctx: ReducerContext) -> None:
    """Keep the headers of archived sessions within their limit; the sessions stay as they are."""
    archived = [row for row in ctx.db[CustomWorldSession] if row.archived]
    if len(archived) > HEADERS_ARCHIVED_MAX:
        oldest = min(archived, key=lambda row: (row.updated_at, row.custom_world_session_id))
        ctx.db[CustomWorldSession].delete(oldest.custom_world_session_id)
