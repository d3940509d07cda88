"""Sections of the world document, as read and bounded (domain 6.2).

Texts are canonical and cut at their limits. Counts, keys and numbers out of bounds are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator

from actors.domains.domain_types import (
    EntityKind,
    HostileRank,
    ObjectiveKind,
    QuestKind,
    RuntimeItemDefinition,
    ThemeMode,
    TreasureLock,
)
from actors.domains.rules.limits import CHAPTERS_MAX, ROLE_SKILLS_MAX
from actors.domains.rules.progression.blueprint import EncounterKind
from actors.domains.rules.struct_json import camel_case, enum_from_json
from actors.domains.rules.world_values import (
    AffinityValue,
    GrantValue,
    GroupValue,
    Image,
    ImageSource,
    ItemValue,
    LootValue,
    RankValue,
    SkillValue,
    Slug,
    StartLevel,
    Text24,
    Text40,
    Text60,
    Text120,
    Text160,
    Text200,
    Text300,
    Text400,
    Text600,
    Text1200,
    WeightValue,
    WorldId,
)

__all__ = [
    "COUNTS_MAX",
    "SECTION_OF_KIND",
    "ChapterBlueprint",
    "ContentRating",
    "EncounterBlueprint",
    "Entity",
    "Faction",
    "Hostile",
    "Landmark",
    "Npc",
    "Objective",
    "Quest",
    "Role",
    "Sections",
    "StoryThread",
    "Treasure",
    "WorldMeta",
    "WorldText",
    "entity_key",
]

_CONFIG: Final = ConfigDict(alias_generator=camel_case, extra="forbid", strict=True)

SECTION_OF_KIND: Final[Mapping[EntityKind, str]] = {
    EntityKind.FACTION: "factions",
    EntityKind.ROLE: "roles",
    EntityKind.NPC: "npcs",
    EntityKind.HOSTILE: "hostiles",
    EntityKind.ITEM: "items",
    EntityKind.LANDMARK: "landmarks",
    EntityKind.CHAPTER: "scene_chapter_blueprints",
    EntityKind.QUEST: "quests",
    EntityKind.TREASURE: "treasures",
    EntityKind.THREAD: "threads",
}
"""The list of ``Sections`` that entities of a kind are in; the world itself is no list."""

COUNTS_MAX: Final[Mapping[str, int]] = {
    "factions": 12,
    "roles": 6,
    "npcs": 40,
    "hostiles": 30,
    "items": 60,
    "landmarks": 40,
    "scene_chapter_blueprints": CHAPTERS_MAX,
    "quests": 120,
    "treasures": 60,
    "threads": 12,
}
"""Most entities of a section (domain 6.2)."""

ContentRating = Literal["everyone", "teen"]

_AssetKey = Annotated[str, Field(pattern=r"^[a-z_]{1,16}:[a-z0-9_]{1,48}:[a-z_]{1,16}$")]


@dataclass(frozen=True, slots=True)
class WorldMeta:
    """What the document is."""

    __pydantic_config__ = _CONFIG

    schema_version: Literal[1]
    profile_id: WorldId
    locale: Annotated[str, Field(max_length=16)]
    start_level: StartLevel
    content_rating: ContentRating
    source_session_id: WorldId | None = None


@dataclass(frozen=True, slots=True)
class WorldText:
    """What the world is about."""

    __pydantic_config__ = _CONFIG

    name: Text60
    subtitle: Text120
    summary: Text400
    premise: Text1200
    tone: Annotated[tuple[Text24, ...], Field(max_length=6)]
    theme_mode: Annotated[ThemeMode, PlainValidator(partial(enum_from_json, ThemeMode))]
    core_conflict: Text400
    player_fantasy: Text300
    tags: Annotated[tuple[Slug, ...], Field(max_length=8)]


@dataclass(frozen=True, slots=True)
class Faction:
    """A party of the world; ``stance`` is towards others, -100..100."""

    __pydantic_config__ = _CONFIG

    key: Slug
    name: Text40
    goal: Text200
    stance: dict[Slug, Annotated[int, Field(ge=-100, le=100)]]


@dataclass(frozen=True, slots=True)
class Role:
    """Whom a player can be. ``skills`` are normalised; none means the starter skills."""

    __pydantic_config__ = _CONFIG

    key: Slug
    name: Text40
    title: Text40
    description: Text400
    background: Text600
    skills: Annotated[tuple[SkillValue, ...], Field(max_length=ROLE_SKILLS_MAX)]
    starting_items: Annotated[tuple[GrantValue, ...], Field(max_length=6)]
    portrait: Image = None


@dataclass(frozen=True, slots=True)
class Npc:
    """Someone to talk to."""

    __pydantic_config__ = _CONFIG

    key: Slug
    name: Text40
    role: Text60
    description: Text400
    personality: Annotated[tuple[Text24, ...], Field(max_length=6)]
    home_scene_key: Slug
    faction_key: Slug | None = None
    initial_affinity: Annotated[int, Field(ge=-50, le=50)] = 0
    recruitable: bool = False
    can_be_fought: bool = False
    rank: RankValue = HostileRank.STANDARD
    liked_tags: Annotated[tuple[Slug, ...], Field(max_length=4)] = ()
    disliked_tags: Annotated[tuple[Slug, ...], Field(max_length=4)] = ()
    trade_tags: Annotated[tuple[Slug, ...], Field(max_length=4)] = ()
    facts: Annotated[tuple[Text160, ...], Field(max_length=5)] = ()
    portrait: Image = None


@dataclass(frozen=True, slots=True)
class Hostile:
    """Someone to fight; an empty loot table means the rank's default."""

    __pydantic_config__ = _CONFIG

    key: Slug
    name: Text40
    description: Text200
    rank: RankValue
    level_hint: Annotated[int, Field(ge=1, le=50)] | None = None
    skills: Annotated[tuple[SkillValue, ...], Field(max_length=2)] = ()
    loot_table: Annotated[tuple[LootValue, ...], Field(max_length=6)] = ()
    faction_key: Slug | None = None


@dataclass(frozen=True, slots=True)
class Landmark:
    """A scene; connections of a read document go both ways."""

    __pydantic_config__ = _CONFIG

    key: Slug
    name: Text40
    description: Text600
    mood: Text60
    connections: Annotated[tuple[Slug, ...], Field(max_length=6)]
    npc_keys: Annotated[tuple[Slug, ...], Field(max_length=8)]
    scene_image: Image = None


@dataclass(frozen=True, slots=True)
class EncounterBlueprint:
    """A fight that a scene offers."""

    __pydantic_config__ = _CONFIG

    encounter_key: Slug
    scene_key: Slug
    kind: Annotated[EncounterKind, PlainValidator(partial(enum_from_json, EncounterKind))]
    groups: Annotated[tuple[GroupValue, ...], Field(min_length=1, max_length=3)]


@dataclass(frozen=True, slots=True)
class ChapterBlueprint:
    """A chapter as authored (domain 3.5)."""

    __pydantic_config__ = _CONFIG

    chapter_key: Slug
    title: Text60
    synopsis: Text600
    scene_keys: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=12)]
    opening_scene_key: Slug
    main_quest_key: Slug
    side_quest_keys: Annotated[tuple[Slug, ...], Field(max_length=8)]
    encounters: Annotated[tuple[EncounterBlueprint, ...], Field(max_length=24)]
    treasure_keys: Annotated[tuple[Slug, ...], Field(max_length=8)]
    exit_scene_key: Slug | None = None

    @property
    def encounter_scenes(self) -> tuple[str, ...]:
        """Where its encounters are."""
        return tuple(encounter.scene_key for encounter in self.encounters)

    @property
    def encounter_hostiles(self) -> tuple[str, ...]:
        """Whom its encounters hold."""
        return tuple(
            group.hostile_key for encounter in self.encounters for group in encounter.groups
        )


@dataclass(frozen=True, slots=True)
class Objective:
    """One thing a quest counts; the target ``any`` matches all."""

    __pydantic_config__ = _CONFIG

    objective_id: Slug
    kind: Annotated[ObjectiveKind, PlainValidator(partial(enum_from_json, ObjectiveKind))]
    target_key: Slug
    required: Annotated[int, Field(ge=1, le=9999)]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Quest:
    """A quest as authored; ``weight`` is its share of the chapter's quest experience."""

    __pydantic_config__ = _CONFIG

    key: Slug
    title: Text60
    description: Text400
    kind: Annotated[QuestKind, PlainValidator(partial(enum_from_json, QuestKind))]
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1, max_length=5)]
    giver_npc_key: Slug | None = None
    deliver_items: Annotated[tuple[GrantValue, ...], Field(max_length=3)] = ()
    weight: WeightValue | None = None
    reward_items: Annotated[tuple[GrantValue, ...], Field(max_length=3)] = ()
    affinity: Annotated[tuple[AffinityValue, ...], Field(max_length=3)] = ()
    next_quest_key: Slug | None = None


@dataclass(frozen=True, slots=True)
class Treasure:
    """A treasure as authored; an empty loot table means the chapter's default."""

    __pydantic_config__ = _CONFIG

    key: Slug
    title: Text40
    scene_key: Slug
    lock: Annotated[TreasureLock, PlainValidator(partial(enum_from_json, TreasureLock))]
    key_item_id: Slug | None = None
    trap_permille: Annotated[int, Field(ge=0, le=300)] = 0
    loot_table: Annotated[tuple[LootValue, ...], Field(max_length=6)] = ()

    @property
    def lock_keys(self) -> tuple[str, ...]:
        """The item that opens the lock, empty where it is missing; nothing for other locks."""
        return (self.key_item_id or "",) if self.lock is TreasureLock.KEY_ITEM else ()


@dataclass(frozen=True, slots=True)
class StoryThread:
    """Something the story promises and pays off."""

    __pydantic_config__ = _CONFIG

    key: Slug
    title: Text60
    premise: Text300
    related_keys: Annotated[tuple[Slug, ...], Field(max_length=8)]
    payoff: Text300


Entity = (
    Faction
    | Role
    | Npc
    | Hostile
    | RuntimeItemDefinition
    | Landmark
    | ChapterBlueprint
    | Quest
    | Treasure
    | StoryThread
)
"""Whatever has a key and stands in a list of a section."""


def entity_key(entity: Entity) -> str:
    """The key of an entity within its section."""
    if isinstance(entity, RuntimeItemDefinition):
        return entity.item_id
    return entity.chapter_key if isinstance(entity, ChapterBlueprint) else entity.key


def _unread(_: object) -> None:
    """Compiled sections follow from the others, so they are made anew and never trusted."""


_Compiled = Annotated[None, BeforeValidator(_unread)]


@dataclass(frozen=True, slots=True)
class Sections:
    """The whole document by section, in document order, before references are looked at.

    Read ones are within the counts; those that a compile makes on its way may hold less or more.
    """

    __pydantic_config__ = _CONFIG

    meta: WorldMeta
    world: WorldText
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=COUNTS_MAX["roles"])]
    hostiles: Annotated[tuple[Hostile, ...], Field(min_length=1, max_length=COUNTS_MAX["hostiles"])]
    landmarks: Annotated[
        tuple[Landmark, ...], Field(min_length=1, max_length=COUNTS_MAX["landmarks"])
    ]
    scene_chapter_blueprints: Annotated[
        tuple[ChapterBlueprint, ...], Field(min_length=1, max_length=CHAPTERS_MAX)
    ]
    quests: Annotated[tuple[Quest, ...], Field(min_length=1, max_length=COUNTS_MAX["quests"])]
    factions: Annotated[tuple[Faction, ...], Field(max_length=COUNTS_MAX["factions"])] = ()
    npcs: Annotated[tuple[Npc, ...], Field(max_length=COUNTS_MAX["npcs"])] = ()
    items: Annotated[tuple[ItemValue, ...], Field(max_length=COUNTS_MAX["items"])] = ()
    treasures: Annotated[tuple[Treasure, ...], Field(max_length=COUNTS_MAX["treasures"])] = ()
    threads: Annotated[tuple[StoryThread, ...], Field(max_length=COUNTS_MAX["threads"])] = ()
    assets: dict[_AssetKey, ImageSource] = field(default_factory=dict)
    chapter_plans: _Compiled = None
    counts: _Compiled = None
