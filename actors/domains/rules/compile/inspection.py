"""Inspection: what is wrong with a resolved draft, or could be better (domain 6.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from actors.domains.domain_types import EntityKind
from actors.domains.rules.compile.findings import FindingSet
from actors.domains.rules.compile.reach import (
    obtainable_items,
    quest_chapters,
    reach_of_chapter,
)
from actors.domains.rules.deny_list import DenyList
from actors.domains.rules.limits import (
    DESCRIPTION_CHARS_MIN,
    FINDINGS_LISTED_MAX,
    NPCS_MIN,
    PREMISE_CHARS_MIN,
    SCENES_PER_CHAPTER_MIN,
    WORLD_NAME_CHARS_MIN,
)
from actors.domains.rules.world import symmetric
from actors.domains.rules.world_references import known_keys
from actors.domains.rules.world_sections import (
    SECTION_OF_KIND,
    ChapterBlueprint,
    Quest,
    Sections,
    StoryThread,
    Treasure,
    entity_key,
)

__all__ = ["find_unsafe_texts", "inspect"]

_WORLD_KEY: Final = "world"
_DESCRIBED: Final = (EntityKind.ROLE, EntityKind.NPC, EntityKind.LANDMARK)
_APART: Final = "\n\0\n"
"""Between texts that are searched together; no denied phrase goes across."""


def inspect(sections: Sections, findings: FindingSet) -> None:
    """Find what blocks a draft and what its author may want to know."""
    _inspect_world(sections, findings)
    _inspect_counts(sections, findings)
    _inspect_quests(sections, findings)
    _inspect_locks(sections, findings)
    _inspect_images(sections, findings)
    _inspect_texts(sections, findings)
    _inspect_names(sections, findings)
    _inspect_chapters(sections, findings)


def find_unsafe_texts(
    entries: Iterable[tuple[EntityKind, str, Mapping[str, object]]],
    denied: DenyList,
    findings: FindingSet,
) -> None:
    """Find texts with denied phrases, field by field.

    Args:
        entries: kind, key and JSON of every entity.
        denied: what no text may contain.
        findings: where they go.
    """
    kept = list(entries)
    everything = _APART.join(text for _, _, entry in kept for text in _texts(entry))
    if not denied.finds_in(everything):
        return
    for kind, key, entry in kept:
        for field, value in entry.items():
            if any(denied.finds_in(text) for text in _texts(value)):
                message = "the text holds something that no world may hold"
                findings.add("BLK_UNSAFE_TEXT", kind, key, field, message)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from _texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)


def _inspect_world(sections: Sections, findings: FindingSet) -> None:
    world = sections.world
    if len(world.name) < WORLD_NAME_CHARS_MIN:
        message = f"the name has fewer than {WORLD_NAME_CHARS_MIN} characters"
        findings.add("BLK_WORLD_NAME", EntityKind.WORLD, _WORLD_KEY, "name", message)
    if len(world.premise) < PREMISE_CHARS_MIN:
        message = f"the premise has fewer than {PREMISE_CHARS_MIN} characters"
        findings.add("BLK_PREMISE", EntityKind.WORLD, _WORLD_KEY, "premise", message)


def _inspect_counts(sections: Sections, findings: FindingSet) -> None:
    for code, entities, kind, name in (
        ("BLK_NO_ROLE", sections.roles, EntityKind.ROLE, "role to play"),
        ("BLK_NO_SCENE", sections.landmarks, EntityKind.LANDMARK, "scene"),
        ("BLK_NO_CHAPTER", sections.scene_chapter_blueprints, EntityKind.CHAPTER, "chapter"),
        ("BLK_NO_HOSTILE", sections.hostiles, EntityKind.HOSTILE, "hostile"),
    ):
        if not entities:
            findings.add(code, kind, None, None, f"the world has no {name}")
    if len(sections.npcs) < NPCS_MIN:
        message = f"the world has fewer than {NPCS_MIN} npcs"
        findings.add("WRN_FEW_NPCS", EntityKind.NPC, None, None, message)
    chapters = sections.scene_chapter_blueprints
    scenes = sum(len(chapter.scene_keys) for chapter in chapters)
    if scenes < SCENES_PER_CHAPTER_MIN * len(chapters):
        message = f"chapters have fewer than {SCENES_PER_CHAPTER_MIN} scenes on average"
        findings.add("WRN_FEW_SCENES", EntityKind.LANDMARK, None, None, message)


def _inspect_quests(sections: Sections, findings: FindingSet) -> None:
    landmarks = {scene.key: scene for scene in symmetric(sections.landmarks)}
    reaches = [
        reach_of_chapter(chapter, sections, landmarks)
        for chapter in sections.scene_chapter_blueprints
    ]
    items = known_keys(sections)["items"]
    chapters = quest_chapters(sections)
    for quest in sections.quests:
        lost = [
            objective.target_key
            for index in chapters[quest.key]
            if (reach := reaches[index]) is not None
            for objective in quest.objectives
            if not reach.meets(objective, items)
        ]
        if lost:
            targets = ", ".join(dict.fromkeys(lost))
            message = f"an objective cannot be reached: {targets}"
            findings.add(
                "BLK_QUEST_UNREACHABLE", EntityKind.QUEST, quest.key, "objectives", message
            )


def _inspect_locks(sections: Sections, findings: FindingSet) -> None:
    known = known_keys(sections)["items"]
    for treasure in sections.treasures:
        for key in treasure.lock_keys:
            if key in known and key not in obtainable_items(sections, treasure):
                message = f"nothing in the world gives {key}"
                findings.add(
                    "BLK_KEY_ITEM", EntityKind.TREASURE, treasure.key, "keyItemId", message
                )


def _inspect_images(sections: Sections, findings: FindingSet) -> None:
    images = sections.assets
    if "world:world:cover" not in images:
        message = "the world has no cover"
        findings.add("WRN_NO_COVER", EntityKind.WORLD, _WORLD_KEY, "cover", message)
    people = [(EntityKind.ROLE, role.key, "portrait") for role in sections.roles]
    people += [(EntityKind.NPC, npc.key, "portrait") for npc in sections.npcs]
    scenes = [(EntityKind.LANDMARK, scene.key, "scene") for scene in sections.landmarks]
    for code, wanted in (("WRN_ROLE_PORTRAIT", people), ("WRN_SCENE_IMAGE", scenes)):
        missing = [
            (kind, key)
            for kind, key, slot in wanted
            if f"{kind.name.lower()}:{key}:{slot}" not in images
        ]
        for kind, key in missing[:FINDINGS_LISTED_MAX]:
            field = "sceneImage" if kind is EntityKind.LANDMARK else "portrait"
            findings.add(code, kind, key, field, f"{key} has no image")


def _inspect_texts(sections: Sections, findings: FindingSet) -> None:
    for kind in _DESCRIBED:
        for entity in getattr(sections, SECTION_OF_KIND[kind]):
            if len(entity.description) < DESCRIPTION_CHARS_MIN:
                message = f"the description has fewer than {DESCRIPTION_CHARS_MIN} characters"
                findings.add("WRN_SHORT_TEXT", kind, entity.key, "description", message)


def _inspect_names(sections: Sections, findings: FindingSet) -> None:
    for kind, section in SECTION_OF_KIND.items():
        named: set[str] = set()
        for entity in getattr(sections, section):
            if isinstance(entity, ChapterBlueprint | Quest | Treasure | StoryThread):
                break  # These have titles, which may come again.
            name = entity.name.casefold()
            if name in named:
                message = f"another {kind.name.lower()} is called {entity.name}"
                findings.add("WRN_DUPLICATE_NAME", kind, entity_key(entity), "name", message)
            named.add(name)


def _inspect_chapters(sections: Sections, findings: FindingSet) -> None:
    chapters = sections.scene_chapter_blueprints
    shown = {key for chapter in chapters for key in chapter.scene_keys}
    for npc in sections.npcs:
        if npc.home_scene_key not in shown:
            message = "no chapter comes to the npc's home scene"
            findings.add("WRN_ORPHAN_NPC", EntityKind.NPC, npc.key, "homeSceneKey", message)
    for chapter in chapters:
        if not chapter.side_quest_keys:
            message = "the chapter has no side quest"
            findings.add(
                "WRN_NO_SIDE_QUEST",
                EntityKind.CHAPTER,
                chapter.chapter_key,
                "sideQuestKeys",
                message,
            )
