"""Resolution: a draft made whole as far as it can be (domain 6.3, steps 3 to 6).

What is optional and leads nowhere is dropped, what is required and leads nowhere blocks; numbers
come within their budgets, and what an author left out is filled in.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from actors.domains.domain_types import EntityKind, HostileGroup, HostileRank, QuestKind
from actors.domains.rules.combat.skills import STARTER_SKILLS
from actors.domains.rules.compile.draft import unique_key
from actors.domains.rules.compile.findings import FindingSet
from actors.domains.rules.compile.reach import reachable_scenes
from actors.domains.rules.progression.blueprint import EncounterKind
from actors.domains.rules.struct_json import camel_case
from actors.domains.rules.world import SIDE_WEIGHTS, symmetric
from actors.domains.rules.world_references import (
    Reference,
    known_keys,
    unresolved_references,
    without_keys,
)
from actors.domains.rules.world_sections import (
    SECTION_OF_KIND,
    ChapterBlueprint,
    EncounterBlueprint,
    Hostile,
    Landmark,
    Quest,
    Role,
    Sections,
    entity_key,
)

__all__ = ["resolve"]

_CONNECTIONS_MAX: Final = 6
_ENCOUNTERS_MAX: Final = 24
_DEFAULT_ENCOUNTER: Final = "prowl"
_DEFAULT_MINIONS: Final = 2


def resolve(sections: Sections, findings: FindingSet) -> Sections:
    """The sections with references, graph, budgets and defaults as the rules want them."""
    sections = _resolve_references(sections, findings)
    scenes = symmetric(sections.landmarks)
    _check_graph(scenes, sections, findings)
    return replace(
        sections,
        landmarks=tuple(map(_as_held, scenes)),
        quests=tuple(_within_weights(quest, findings) for quest in sections.quests),
        roles=tuple(_with_skills(role) for role in sections.roles),
        scene_chapter_blueprints=tuple(
            _with_encounters(chapter, sections) for chapter in sections.scene_chapter_blueprints
        ),
    )


def _as_held(scene: Landmark) -> Landmark:
    """With as many connections as a document holds; the rest stands in the scenes at their ends."""
    if len(scene.connections) <= _CONNECTIONS_MAX:
        return scene
    return replace(scene, connections=scene.connections[:_CONNECTIONS_MAX])


def _resolve_references(sections: Sections, findings: FindingSet) -> Sections:
    known = known_keys(sections)
    resolved: dict[str, Any] = {}
    for kind, section in SECTION_OF_KIND.items():
        entities = []
        for index, (entity, unresolved) in enumerate(
            unresolved_references(sections, section, known)
        ):
            whole, blocked = entity, set()
            for reference, keys in unresolved:
                field = camel_case(reference.authored)
                message = _unknown(keys)
                if reference.is_required:
                    blocked.add(field)
                    code = _blocker(reference, index)
                    findings.add(code, kind, entity_key(entity), field, message)
                elif field not in blocked:
                    whole = without_keys(whole, reference, keys)
                    findings.add("INF_REF_DROPPED", kind, entity_key(entity), field, message)
            entities.append(whole)
        resolved[section] = tuple(entities)
    return replace(sections, **resolved)


def _unknown(keys: Collection[str]) -> str:
    names = ", ".join(key or "nothing" for key in dict.fromkeys(keys))
    return f"does not resolve: {names}"


def _blocker(reference: Reference, index: int) -> str:
    if reference.field == "main_quest_key":
        return "BLK_MAIN_QUEST"
    is_opening = reference.field == "opening_scene_key" and index == 0
    return "BLK_OPENING_SCENE" if is_opening else "BLK_REFERENCE"


def _check_graph(landmarks: list[Landmark], sections: Sections, findings: FindingSet) -> None:
    scenes = {scene.key: scene for scene in landmarks}
    for chapter in sections.scene_chapter_blueprints:
        start = chapter.opening_scene_key
        if start not in scenes or start not in chapter.scene_keys:
            continue
        reached = reachable_scenes(scenes, start, chapter.scene_keys)
        lost = [key for key in chapter.scene_keys if key in scenes and key not in reached]
        if lost:
            message = f"no way within the chapter leads from {start} to {', '.join(lost)}"
            findings.add(
                "BLK_SCENE_UNREACHABLE",
                EntityKind.CHAPTER,
                chapter.chapter_key,
                "sceneKeys",
                message,
            )


def _within_weights(quest: Quest, findings: FindingSet) -> Quest:
    if quest.weight is None or quest.kind is QuestKind.MAIN:
        return quest
    low, high = SIDE_WEIGHTS
    weight = min(max(quest.weight, low), high)
    if weight == quest.weight:
        return quest
    message = f"a side quest weighs {low} to {high}"
    findings.add("INF_STAT_NORMALISED", EntityKind.QUEST, quest.key, "weight", message)
    return replace(quest, weight=weight)


def _with_skills(role: Role) -> Role:
    return role if role.skills else replace(role, skills=STARTER_SKILLS)


def _with_encounters(chapter: ChapterBlueprint, sections: Sections) -> ChapterBlueprint:
    """Encounter keys told apart, and a fight that can be repeated where the author has none."""
    taken: set[str] = set()
    encounters: list[EncounterBlueprint] = []
    for encounter in chapter.encounters:
        key = unique_key(encounter.encounter_key, taken)
        taken.add(key)
        is_told_apart = key == encounter.encounter_key
        encounters.append(encounter if is_told_apart else replace(encounter, encounter_key=key))
    scenes = {scene.key for scene in sections.landmarks}.intersection(chapter.scene_keys)
    needs_one = not any(one.kind is EncounterKind.REPEATABLE for one in encounters)
    has_room = len(encounters) < _ENCOUNTERS_MAX and chapter.opening_scene_key in scenes
    if needs_one and has_room and sections.hostiles:
        key = unique_key(_DEFAULT_ENCOUNTER, taken)
        encounters.append(_prowl(key, chapter.opening_scene_key, sections.hostiles[0]))
    return replace(chapter, encounters=tuple(encounters))


def _prowl(key: str, scene_key: str, hostile: Hostile) -> EncounterBlueprint:
    group = HostileGroup(hostile.key, HostileRank.MINION, _DEFAULT_MINIONS)
    return EncounterBlueprint(key, scene_key, EncounterKind.REPEATABLE, (group,))
