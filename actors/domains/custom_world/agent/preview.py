"""Result preview: what a session's draft would be as a world, compiled with every change (6.4)."""

from __future__ import annotations

from actors import Timestamp, table, u32
from actors.domains.custom_world.agent.session import CustomWorldAgentSession
from actors.domains.domain_types import Finding, PreviewChapter, PreviewRole, ThemeMode
from actors.domains.kinds import AGENT
from actors.domains.rules.compile import Preview
from actors.module import DatabaseReader

__all__ = ["CustomWorldResultPreview", "preview_row", "the_preview"]


@table(public=True, primary_key="agent_session_id", actor=AGENT)
class CustomWorldResultPreview:
    """The draft as it compiles at ``source_revision``."""

    agent_session_id: str
    source_revision: u32
    world_name: str
    subtitle: str
    summary_text: str
    theme_mode: ThemeMode
    cover_image_src: str | None
    playable_roles: list[PreviewRole]
    npc_count: u32
    landmark_count: u32
    chapter_count: u32
    quest_count: u32
    opening_scene_key: str
    opening_title: str
    opening_text: str
    chapters: list[PreviewChapter]
    blockers: list[Finding]
    warnings: list[Finding]
    quality_score: u32
    publish_ready: bool
    can_enter_world: bool
    document_hash: str
    compiled_at: Timestamp
    updated_at: Timestamp


def preview_row(
    session: CustomWorldAgentSession, preview: Preview, now: Timestamp
) -> CustomWorldResultPreview:
    """The row of a preview that was compiled from the session's revision."""
    fields = preview._asdict()
    opening = fields.pop("opening")
    return CustomWorldResultPreview(
        agent_session_id=session.agent_session_id,
        source_revision=session.revision,
        opening_scene_key=opening.scene_key,
        opening_title=opening.title,
        opening_text=opening.text,
        compiled_at=now,
        updated_at=now,
        **fields,
    )


def the_preview(db: DatabaseReader) -> CustomWorldResultPreview:
    """The session's preview; it is there from the session's first turn on."""
    (row,) = db[CustomWorldResultPreview]
    return row
