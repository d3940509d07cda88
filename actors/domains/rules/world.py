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
    TreasureLock,
)
from actors.domains.rules.combat.skills import STARTER_SKILLS
from actors.domains.rules.errors import RuleError
from actors.domains.rules.ids import chapter_id
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.progression.blueprint import Encounter, compile_chapter
from actors.domains.rules.progression.chapter import plan_chapter
from actors.domains.rules.world_sections import (
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
)

__all__ = ["Chapter", "WorldDocument", "quest_coins", "read_world"]

_MAIN_WEIGHT: Final = 500
_SIDE_WEIGHT: Final = 100

_SECTIONS: Final = TypeAdapter(Sections)

Entity = TypeVar("Entity", Role, Npc, Hostile, Landmark, Quest, Treasure, Faction, StoryThread)


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
    items = dict(CORE_ITEMS)
    for item in sections.items:
        if item.item_id in items:
            _refuse(f"items.{item.item_id}", "the key is taken")
        items[item.item_id] = item
    world = WorldDocument(
        meta=sections.meta,
        world=sections.world,
        roles={key: _with_skills(role) for key, role in _keyed("roles", sections.roles).items()},
        npcs=_keyed("npcs", sections.npcs),
        hostiles=_keyed("hostiles", sections.hostiles),
        landmarks=_symmetric(_keyed("landmarks", sections.landmarks)),
        quests=_keyed("quests", sections.quests),
        treasures=_keyed("treasures", sections.treasures),
        factions=_keyed("factions", sections.factions),
        threads=_keyed("threads", sections.threads),
        items=items,
        assets=sections.assets,
        chapters=(),
        findings=(),
    )
    _check_references(world)
    return _with_chapters(world, sections.scene_chapter_blueprints)


def quest_coins(entry_level: int, kind: QuestKind) -> int:
    """Coins that a quest of a chapter pays (domain 5.6)."""
    return 5 * entry_level * (4 if kind is QuestKind.MAIN else 2)


def _keyed(section: str, entities: Iterable[Entity]) -> dict[str, Entity]:
    result: dict[str, Entity] = {}
    for entity in entities:
        if entity.key in result:
            _refuse(f"{section}.{entity.key}", "the key is taken")
        result[entity.key] = entity
    return result


def _with_skills(role: Role) -> Role:
    return role if role.skills else replace(role, skills=STARTER_SKILLS)


def _symmetric(landmarks: dict[str, Landmark]) -> dict[str, Landmark]:
    """Connections both ways: authored ones first, then those that others authored."""
    connections = {key: list(landmark.connections) for key, landmark in landmarks.items()}
    for key, landmark in landmarks.items():
        for other in landmark.connections:
            _expect(other, landmarks, f"landmarks.{key}.connections")
            if key not in connections[other]:
                connections[other].append(key)
    return {
        key: replace(landmark, connections=tuple(connections[key]))
        for key, landmark in landmarks.items()
    }


def _check_references(world: WorldDocument) -> None:
    for npc in world.npcs.values():
        _expect(npc.home_scene_key, world.landmarks, f"npcs.{npc.key}.homeSceneKey")
        if npc.faction_key is not None:
            _expect(npc.faction_key, world.factions, f"npcs.{npc.key}.factionKey")
    for landmark in world.landmarks.values():
        _expect_all(landmark.npc_keys, world.npcs, f"landmarks.{landmark.key}.npcKeys")
    for role in world.roles.values():
        granted = (grant.item_id for grant in role.starting_items)
        _expect_all(granted, world.items, f"roles.{role.key}.startingItems")
    for hostile in world.hostiles.values():
        dropped = (entry.item_id for entry in hostile.loot_table)
        _expect_all(dropped, world.items, f"hostiles.{hostile.key}.lootTable")
    for treasure in world.treasures.values():
        path = f"treasures.{treasure.key}"
        _expect(treasure.scene_key, world.landmarks, f"{path}.sceneKey")
        _expect_all((entry.item_id for entry in treasure.loot_table), world.items, path)
        if treasure.lock is TreasureLock.KEY_ITEM:
            _expect(treasure.key_item_id or "", world.items, f"{path}.keyItemId")
    for quest in world.quests.values():
        path = f"quests.{quest.key}"
        if quest.giver_npc_key is not None:
            _expect(quest.giver_npc_key, world.npcs, f"{path}.giverNpcKey")
        if quest.next_quest_key is not None:
            _expect(quest.next_quest_key, world.quests, f"{path}.nextQuestKey")
        grants = (*quest.deliver_items, *quest.reward_items)
        _expect_all((grant.item_id for grant in grants), world.items, path)
        _expect_all((delta.npc_key for delta in quest.affinity), world.npcs, f"{path}.affinity")


def _with_chapters(world: WorldDocument, blueprints: tuple[ChapterBlueprint, ...]) -> WorldDocument:
    chapters: list[Chapter] = []
    findings: list[Finding] = []
    for index, blueprint in enumerate(blueprints, start=1):
        _check_blueprint(world, blueprint)
        main = world.quests[blueprint.main_quest_key]
        sides = [world.quests[key] for key in blueprint.side_quest_keys]
        compiled = compile_chapter(
            blueprint.chapter_key,
            plan_chapter(len(blueprints), index, world.meta.start_level),
            [
                Encounter(one.encounter_key, one.scene_key, one.kind, one.groups)
                for one in blueprint.encounters
            ],
            (main.key, main.weight or _MAIN_WEIGHT),
            [(side.key, min(max(side.weight or _SIDE_WEIGHT, 50), 300)) for side in sides],
        )
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


def _check_blueprint(world: WorldDocument, blueprint: ChapterBlueprint) -> None:
    path = f"sceneChapterBlueprints.{blueprint.chapter_key}"
    _expect_all(blueprint.scene_keys, world.landmarks, f"{path}.sceneKeys")
    _expect(blueprint.opening_scene_key, blueprint.scene_keys, f"{path}.openingSceneKey")
    _expect_all(
        (blueprint.main_quest_key, *blueprint.side_quest_keys), world.quests, f"{path}.quests"
    )
    if world.quests[blueprint.main_quest_key].kind is not QuestKind.MAIN:
        _refuse(f"{path}.mainQuestKey", "the quest is not a main quest")
    _expect_all(blueprint.treasure_keys, world.treasures, f"{path}.treasureKeys")
    if blueprint.exit_scene_key is not None:
        _expect(blueprint.exit_scene_key, world.landmarks, f"{path}.exitSceneKey")
    keys = [encounter.encounter_key for encounter in blueprint.encounters]
    if len(set(keys)) < len(keys):
        _refuse(f"{path}.encounters", "an encounter's key is taken")
    for encounter in blueprint.encounters:
        _expect(encounter.scene_key, blueprint.scene_keys, f"{path}.encounters.sceneKey")
        hostiles = (group.hostile_key for group in encounter.groups)
        _expect_all(hostiles, world.hostiles, f"{path}.encounters.groups")


def _expect_all(keys: Iterable[str], known: Iterable[str], path: str) -> None:
    for key in keys:
        _expect(key, known, path)


def _expect(key: str, known: Iterable[str], path: str) -> None:
    if key not in known:
        _refuse(path, f"{key} is unknown")


def _refuse(path: str, message: str, cause: Exception | None = None) -> NoReturn:
    raise RuleError("world.document_malformed", f"{path}: {message}", path=path) from cause
