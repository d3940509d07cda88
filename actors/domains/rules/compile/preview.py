"""Preview: what an author sees of a draft's result (domain 6.4)."""

from __future__ import annotations

from typing import NamedTuple

from actors.domains.domain_types import (
    Finding,
    PreviewChapter,
    PreviewOpening,
    PreviewRole,
    Severity,
    ThemeMode,
)
from actors.domains.rules.compile.compiled import CompiledWorld
from actors.domains.rules.compile.findings import quality_score
from actors.domains.rules.limits import OPENING_CHARS_MAX
from actors.domains.rules.progression.chapter import plan_chapter
from actors.domains.rules.text import cut_text
from actors.domains.rules.world_sections import Sections

__all__ = ["Preview", "preview_of"]


class Preview(NamedTuple):
    """The result preview; its fields are columns, in order, behind the session and its revision."""

    world_name: str
    subtitle: str
    summary_text: str
    theme_mode: ThemeMode
    cover_image_src: str | None
    playable_roles: list[PreviewRole]
    npc_count: int
    landmark_count: int
    chapter_count: int
    quest_count: int
    opening: PreviewOpening
    chapters: list[PreviewChapter]
    blockers: list[Finding]
    warnings: list[Finding]
    quality_score: int
    publish_ready: bool
    can_enter_world: bool
    document_hash: str


def preview_of(compiled: CompiledWorld, *, publish_ready: bool, can_enter_world: bool) -> Preview:
    """The preview of a compiled draft.

    Args:
        compiled: the draft.
        publish_ready: whether the publish gate passes.
        can_enter_world: whether the enter-world gate passes for its author.
    """
    sections, card = compiled.sections, compiled.card
    return Preview(
        world_name=card.world_name,
        subtitle=card.subtitle,
        summary_text=card.summary_text,
        theme_mode=card.theme_mode,
        cover_image_src=card.cover_image_src,
        playable_roles=[
            PreviewRole(
                role.key, role.name, role.title, sections.assets.get(f"role:{role.key}:portrait")
            )
            for role in sections.roles
        ],
        npc_count=len(sections.npcs),
        landmark_count=card.landmark_count,
        chapter_count=card.chapter_count,
        quest_count=len(sections.quests),
        opening=_opening(sections),
        chapters=_chapters(sections),
        blockers=[one for one in compiled.findings if one.severity is Severity.BLOCKER],
        warnings=[one for one in compiled.findings if one.severity is Severity.WARNING],
        quality_score=quality_score(compiled.findings),
        publish_ready=publish_ready,
        can_enter_world=can_enter_world,
        document_hash=compiled.document_hash,
    )


def _opening(sections: Sections) -> PreviewOpening:
    scenes = {scene.key: scene for scene in sections.landmarks}
    chapters = sections.scene_chapter_blueprints
    scene = scenes.get(chapters[0].opening_scene_key) if chapters else None
    if scene is None:
        return PreviewOpening("", "", "")
    text = cut_text(f"{sections.world.premise} {scene.description}", OPENING_CHARS_MAX)
    return PreviewOpening(scene.key, scene.name, text)


def _chapters(sections: Sections) -> list[PreviewChapter]:
    chapters = sections.scene_chapter_blueprints
    previews: list[PreviewChapter] = []
    for index, chapter in enumerate(chapters, start=1):
        plan = plan_chapter(len(chapters), index, sections.meta.start_level)
        previews.append(
            PreviewChapter(
                index=index,
                title=chapter.title,
                entry_level=plan.entry_level,
                exit_level=plan.exit_level,
                planned_total_xp=plan.planned_total_xp,
                pace_band=plan.pace_band,
            )
        )
    return previews
