"""The world document as the rules use it: read, checked and with its chapters compiled (6.2, 3.5).

``read_world`` is the only way in. What it returns can be relied on: every key resolves, scenes
connect both ways, skills and items are within bounds, and every chapter has its plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from actors.domains.domain_types import (
    ChapterProgressionPlan,
    Finding,
    QuestKind,
    RuntimeItemDefinition,
)
from actors.domains.rules.combat.skills import STARTER_SKILLS
from actors.domains.rules.errors import RuleError
from actors.domains.rules.ids import chapter_id
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.progression.blueprint import (
    CompiledChapter,
    Encounter,
    compile_chapter,
)
from actors.domains.rules.progression.chapter import plan_chapter
from actors.domains.rules.struct_json import camel_case
from actors.domains.rules.world_references import REFERENCES, known_keys, unresolved_references
from actors.domains.rules.world_sections import (
    SECTION_OF_KIND,
    ChapterBlueprint,
    Faction,
    Hostile,
    Landmark,
    Npc,
    Quest,
    Role,
    Sections,
    StoryThread,
    Treasure,
    WorldMeta,
    WorldText,
    entity_key,
)

__all__ = [
    "SIDE_WEIGHTS",
    "Chapter",
    "WorldDocument",
    "build_world",
    "compile_blueprint",
    "quest_coins",
    "read_world",
    "symmetric",
]

_MAIN_WEIGHT: Final = 500
_SIDE_WEIGHT: Final = 100

SIDE_WEIGHTS: Final = (50, 300)
"""Least and most that a side quest weighs (domain 3.5)."""

_SECTIONS: Final = TypeAdapter(Sections)

Keyed = TypeVar("Keyed", Role, Npc, Hostile, Landmark, Quest, Treasure, Faction, StoryThread)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter with its plan; encounters are within their threat budget."""

    chapter_id: str
    index: int
    key: str
    title: str
    synopsis: str
    scene_keys: tuple[str, ...]
    opening_scene_key: str
    exit_scene_key: str | None
    main_quest_key: str
    side_quest_keys: tuple[str, ...]
    treasure_keys: tuple[str, ...]
    encounters: Mapping[str, Encounter]
    plan: ChapterProgressionPlan
    quest_xp: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class WorldDocument:
    """A world. Mappings go from key to entity in document order; chapters count from 1.

    ``items`` are the core items and the world's own ones.
    """

    meta: WorldMeta
    world: WorldText
    roles: Mapping[str, Role]
    npcs: Mapping[str, Npc]
    hostiles: Mapping[str, Hostile]
    landmarks: Mapping[str, Landmark]
    quests: Mapping[str, Quest]
    treasures: Mapping[str, Treasure]
    factions: Mapping[str, Faction]
    threads: Mapping[str, StoryThread]
    items: Mapping[str, RuntimeItemDefinition]
    assets: Mapping[str, str]
    chapters: tuple[Chapter, ...]
    findings: tuple[Finding, ...]

    def chapter(self, index: int) -> Chapter:
        """The chapter with an index from 1."""
        assert 1 <= index <= len(self.chapters)
        return self.chapters[index - 1]


def read_world(document: str | bytes) -> WorldDocument:
    """Read a world document of schema version 1.

    Compiled sections of the document are not read: they follow from the rest.

    Raises:
        RuleError: ``world.document_malformed`` with the ``path`` of what is wrong.
    """
    try:
        sections = _SECTIONS.validate_json(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        _refuse(".".join(map(str, first["loc"])), first["msg"], error)
    return build_world(sections)


def build_world(sections: Sections) -> WorldDocument:
    """The world that sections make.

    Raises:
        RuleError: ``world.document_malformed`` with the ``path`` of a key that is taken or unknown.
    """
    _check_keys(sections)
    _check_references(sections)
    world = WorldDocument(
        meta=sections.meta,
        world=sections.world,
        roles={role.key: _with_skills(role) for role in sections.roles},
        npcs=_keyed(sections.npcs),
        hostiles=_keyed(sections.hostiles),
        landmarks=_keyed(symmetric(sections.landmarks)),
        quests=_keyed(sections.quests),
        treasures=_keyed(sections.treasures),
        factions=_keyed(sections.factions),
        threads=_keyed(sections.threads),
        items={**CORE_ITEMS, **{item.item_id: item for item in sections.items}},
        assets=sections.assets,
        chapters=(),
        findings=(),
    )
    return _with_chapters(world, sections.scene_chapter_blueprints)


def symmetric(landmarks: Iterable[Landmark]) -> list[Landmark]:
    """Connections both ways: authored ones first, then those that others authored.

    Connections that lead nowhere stay as they are.
    """
    scenes = _keyed(landmarks)
    connections = {key: dict.fromkeys(scene.connections) for key, scene in scenes.items()}
    for key, scene in scenes.items():
        for other in scene.connections:
            if other in connections:
                connections[other].setdefault(key)
    return [
        scene
        if len(scene.connections) == len(connections[key])
        else replace(scene, connections=tuple(connections[key]))
        for key, scene in scenes.items()
    ]


def compile_blueprint(
    blueprint: ChapterBlueprint, plan: ChapterProgressionPlan, quests: Mapping[str, Quest]
) -> CompiledChapter:
    """A chapter fitted to its plan. A main quest that is missing weighs what main quests do."""
    main = quests.get(blueprint.main_quest_key)
    low, high = SIDE_WEIGHTS
    return compile_chapter(
        blueprint.chapter_key,
        plan,
        [
            Encounter(one.encounter_key, one.scene_key, one.kind, one.groups)
            for one in blueprint.encounters
        ],
        (blueprint.main_quest_key, (main and main.weight) or _MAIN_WEIGHT),
        [
            (key, min(max(quests[key].weight or _SIDE_WEIGHT, low), high))
            for key in blueprint.side_quest_keys
        ],
    )


def quest_coins(entry_level: int, kind: QuestKind) -> int:
    """Coins that a quest of a chapter pays (domain 5.6)."""
    return 5 * entry_level * (4 if kind is QuestKind.MAIN else 2)


def _keyed(entities: Iterable[Keyed]) -> dict[str, Keyed]:
    return {entity.key: entity for entity in entities}


def _with_skills(role: Role) -> Role:
    return role if role.skills else replace(role, skills=STARTER_SKILLS)


def _check_keys(sections: Sections) -> None:
    for section in SECTION_OF_KIND.values():
        taken: set[str] = set(CORE_ITEMS) if section == "items" else set()
        for key in map(entity_key, getattr(sections, section)):
            if key in taken:
                _refuse(f"{camel_case(section)}.{key}", "the key is taken")
            taken.add(key)
    for chapter in sections.scene_chapter_blueprints:
        keys = [encounter.encounter_key for encounter in chapter.encounters]
        if len(set(keys)) < len(keys):
            path = f"sceneChapterBlueprints.{chapter.chapter_key}.encounters"
            _refuse(path, "an encounter's key is taken")


def _check_references(sections: Sections) -> None:
    known = known_keys(sections)
    for section in REFERENCES:
        for entity, unresolved in unresolved_references(sections, section, known):
            for reference, keys in unresolved:
                path = (camel_case(section), entity_key(entity), camel_case(reference.authored))
                _refuse(".".join(path), f"{keys[0]} is unknown")


def _with_chapters(world: WorldDocument, blueprints: tuple[ChapterBlueprint, ...]) -> WorldDocument:
    chapters: list[Chapter] = []
    findings: list[Finding] = []
    for index, blueprint in enumerate(blueprints, start=1):
        plan = plan_chapter(len(blueprints), index, world.meta.start_level)
        compiled = compile_blueprint(blueprint, plan, world.quests)
        findings += compiled.findings
        chapters.append(
            Chapter(
                chapter_id=chapter_id(world.meta.profile_id, index),
                index=index,
                key=blueprint.chapter_key,
                title=blueprint.title,
                synopsis=blueprint.synopsis,
                scene_keys=blueprint.scene_keys,
                opening_scene_key=blueprint.opening_scene_key,
                exit_scene_key=blueprint.exit_scene_key,
                main_quest_key=blueprint.main_quest_key,
                side_quest_keys=blueprint.side_quest_keys,
                treasure_keys=blueprint.treasure_keys,
                encounters={one.encounter_key: one for one in compiled.encounters},
                plan=compiled.plan,
                quest_xp={reward.quest_key: reward.xp for reward in compiled.plan.quest_rewards},
            )
        )
    return replace(world, chapters=tuple(chapters), findings=tuple(findings))


def _refuse(path: str, message: str, cause: Exception | None = None) -> NoReturn:
    raise RuleError("world.document_malformed", f"{path}: {message}", path=path) from cause
