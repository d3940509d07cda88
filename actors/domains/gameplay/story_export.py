"""Story export: the host takes the session's state away for an archive (domain 2.6)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, message
from actors.domains.archive_messages import ExportRejected, ExportState, StateExported
from actors.domains.gameplay.limits import STORY_STATE_BYTES_MAX
from actors.domains.gameplay.live_narration import without_narration
from actors.domains.gameplay.npc_exchange import NpcExchangeRecord
from actors.domains.gameplay.rewards import RewardSettlement, SettlementStatus
from actors.domains.gameplay.story import (
    StorySession,
    StoryStatus,
    find_session,
    host_of,
    live_session,
)
from actors.domains.gameplay.story_state import ARCHIVED_ROWS, StoryState, write_state
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY
from actors.module import DatabaseReader

__all__ = ["export_state"]


@message(STORY)
def export_state(ctx: ReducerContext, payload: ExportState) -> None:
    """Answer with the session's state, or with why it cannot be archived now."""
    assert ctx.source is not None
    ctx.send(ctx.source, _answer(ctx.db, payload), idempotency_key=payload.save_id)


def _answer(db: DatabaseReader, payload: ExportState) -> StateExported | ExportRejected:
    try:
        return _exported(db, payload)
    except ReducerError as refusal:
        return ExportRejected(payload.save_id, refusal.code, refusal.message)


def _exported(db: DatabaseReader, payload: ExportState) -> StateExported:
    session = _settled_session(db, payload.user_id)
    world = world_of(db, session)
    rows = [row for table in ARCHIVED_ROWS for row in db[table]]
    state = StoryState(without_narration(db, session), host_of(db), rows)
    state_json = write_state(state)
    if len(state_json.encode()) > STORY_STATE_BYTES_MAX:
        raise ReducerError(
            "archive.too_large", f"the state has more than {STORY_STATE_BYTES_MAX} bytes"
        )
    return StateExported(
        save_id=payload.save_id,
        profile_id=session.profile_id,
        published_version=session.published_version,
        runtime_session_id=session.runtime_session_id,
        world_name=session.world_name,
        subtitle=world.world.subtitle,
        summary_text=world.world.summary,
        cover_image_src=world.assets.get("world:world:cover"),
        chapter_index=session.chapter_index,
        scene_title=world.landmarks[session.current_scene_key].name,
        state_json=state_json,
    )


def _settled_session(db: DatabaseReader, user_id: str) -> StorySession:
    """The user's session, if nothing is under way in it."""
    session = find_session(db)
    if session is None or session.host_user_id != user_id:
        raise ReducerError("story.not_found", "there is no such story session")
    if session.status is StoryStatus.IN_BATTLE:
        raise ReducerError("archive.battle_state", "a battle is under way")
    live_session(db, StoryStatus.ACTIVE, StoryStatus.CHAPTER_BREAK)
    waiting = [*db[NpcExchangeRecord], *db[RewardSettlement]]
    if any(row.status is SettlementStatus.PENDING for row in waiting):
        raise ReducerError("archive.pending_state", "the story waits for a settlement")
    return session
