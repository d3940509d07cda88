"""Sections of the world document, as read and bounded (domain 6.2).

Texts are canonical and cut at their limits. Counts, keys and numbers out of bounds are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainValidator

from actors.domains.domain_types import (
    AffinityDelta,
    HostileGroup,
    HostileRank,
    ItemGrant,
    LootEntry,
    ObjectiveKind,
    QuestKind,
    RuntimeItemDefinition,
    SkillDef,
    ThemeMode,
    TreasureLock,
)
from actors.domains.rules.combat.skills import normalise_skill
from actors.domains.rules.items import normalise_item
from actors.domains.rules.limits import CHAPTERS_MAX, ROLE_SKILLS_MAX, START_LEVEL_MAX
from actors.domains.rules.progression.blueprint import EncounterKind
from actors.domains.rules.struct_json import camel_case, enum_from_json, struct_from_json
from actors.domains.rules.text import cut_text

__all__ = [
    "ChapterBlueprint",
    "ContentRating",
    "EncounterBlueprint",
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
]

_CONFIG: Final = ConfigDict(alias_generator=camel_case, extra="forbid", strict=True)

ContentRating = Literal["everyone", "teen"]

_Slug = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,48}$")]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_:.\-]{1,160}$")]
_Text24 = Annotated[str, AfterValidator(partial(cut_text, limit=24))]
_Text40 = Annotated[str, AfterValidator(partial(cut_text, limit=40))]
_Text60 = Annotated[str, AfterValidator(partial(cut_text, limit=60))]
_Text120 = Annotated[str, AfterValidator(partial(cut_text, limit=120))]
_Text160 = Annotated[str, AfterValidator(partial(cut_text, limit=160))]
_Text200 = Annotated[str, AfterValidator(partial(cut_text, limit=200))]
_Text300 = Annotated[str, AfterValidator(partial(cut_text, limit=300))]
_Text400 = Annotated[str, AfterValidator(partial(cut_text, limit=400))]
_Text600 = Annotated[str, AfterValidator(partial(cut_text, limit=600))]
_Text1200 = Annotated[str, AfterValidator(partial(cut_text, limit=1200))]
_Image = Annotated[str, Field(max_length=512)] | None

_Rank = Annotated[HostileRank, PlainValidator(partial(enum_from_json, HostileRank))]
_Skill = Annotated[
    SkillDef, PlainValidator(lambda value: normalise_skill(struct_from_json(SkillDef, value)))
]
_Item = Annotated[
    RuntimeItemDefinition,
    PlainValidator(lambda value: normalise_item(struct_from_json(RuntimeItemDefinition, value))),
]


def _whole_loot(entry: LootEntry) -> LootEntry:
    if not 1 <= entry.min <= entry.max or entry.chance_permille > 1000:
        raise ValueError("a loot entry needs 1 <= min <= max and a chance up to 1000")
    return entry


def _whole_group(group: HostileGroup) -> HostileGroup:
    if not 1 <= group.count <= 3:
        raise ValueError("a group has 1 to 3 hostiles")
    return group


def _whole_affinity(delta: AffinityDelta) -> AffinityDelta:
    if not -10 <= delta.delta <= 10:
        raise ValueError("a quest changes affinity by at most 10")
    return delta


def _whole_grant(grant: ItemGrant) -> ItemGrant:
    if grant.quantity < 1:
        raise ValueError("a grant has at least one item")
    return grant


_Grant = Annotated[
    ItemGrant, PlainValidator(lambda value: _whole_grant(struct_from_json(ItemGrant, value)))
]
_Loot = Annotated[
    LootEntry, PlainValidator(lambda value: _whole_loot(struct_from_json(LootEntry, value)))
]
_Group = Annotated[
    HostileGroup, PlainValidator(lambda value: _whole_group(struct_from_json(HostileGroup, value)))
]
_Affinity = Annotated[
    AffinityDelta,
    PlainValidator(lambda value: _whole_affinity(struct_from_json(AffinityDelta, value))),
]


@dataclass(frozen=True, slots=True)
class WorldMeta:
    """What the document is."""

    __pydantic_config__ = _CONFIG

    schema_version: Literal[1]
    profile_id: _Id
    locale: Annotated[str, Field(max_length=16)]
    start_level: Annotated[int, Field(ge=1, le=START_LEVEL_MAX)]
    content_rating: ContentRating
    source_session_id: _Id | None = None


@dataclass(frozen=True, slots=True)
class WorldText:
    """What the world is about."""

    __pydantic_config__ = _CONFIG

    name: _Text60
    subtitle: _Text120
    summary: _Text400
    premise: _Text1200
    tone: Annotated[tuple[_Text24, ...], Field(max_length=6)]
    theme_mode: Annotated[ThemeMode, PlainValidator(partial(enum_from_json, ThemeMode))]
    core_conflict: _Text400
    player_fantasy: _Text300
    tags: Annotated[tuple[_Slug, ...], Field(max_length=8)]


@dataclass(frozen=True, slots=True)
class Faction:
    """A party of the world; ``stance`` is towards others, -100..100."""

    __pydantic_config__ = _CONFIG

    key: _Slug
    name: _Text40
    goal: _Text200
    stance: dict[_Slug, Annotated[int, Field(ge=-100, le=100)]]


@dataclass(frozen=True, slots=True)
class Role:
    """Whom a player can be. ``skills`` are normalised; none means the starter skills."""

    __pydantic_config__ = _CONFIG

    key: _Slug
    name: _Text40
    title: _Text40
    description: _Text400
    background: _Text600
    skills: Annotated[tuple[_Skill, ...], Field(max_length=ROLE_SKILLS_MAX)]
    starting_items: Annotated[tuple[_Grant, ...], Field(max_length=6)]
    portrait: _Image = None


@dataclass(frozen=True, slots=True)
class Npc:
    """Someone to talk to."""

    __pydantic_config__ = _CONFIG

    key: _Slug
    name: _Text40
    role: _Text60
    description: _Text400
    personality: Annotated[tuple[_Text24, ...], Field(max_length=6)]
    home_scene_key: _Slug
    faction_key: _Slug | None = None
    initial_affinity: Annotated[int, Field(ge=-50, le=50)] = 0
    recruitable: bool = False
    can_be_fought: bool = False
    rank: _Rank = HostileRank.STANDARD
    liked_tags: Annotated[tuple[_Slug, ...], Field(max_length=4)] = ()
    disliked_tags: Annotated[tuple[_Slug, ...], Field(max_length=4)] = ()
    trade_tags: Annotated[tuple[_Slug, ...], Field(max_length=4)] = ()
    facts: Annotated[tuple[_Text160, ...], Field(max_length=5)] = ()
    portrait: _Image = None


@dataclass(frozen=True, slots=True)
class Hostile:
    """Someone to fight; an empty loot table means the rank's default."""

    __pydantic_config__ = _CONFIG

    key: _Slug
    name: _Text40
    description: _Text200
    rank: _Rank
    level_hint: Annotated[int, Field(ge=1, le=50)] | None = None
    skills: Annotated[tuple[_Skill, ...], Field(max_length=2)] = ()
    loot_table: Annotated[tuple[_Loot, ...], Field(max_length=6)] = ()
    faction_key: _Slug | None = None


@dataclass(frozen=True, slots=True)
class Landmark:
    """A scene; connections of a read document go both ways."""

    __pydantic_config__ = _CONFIG

    key: _Slug
    name: _Text40
    description: _Text600
    mood: _Text60
    connections: Annotated[tuple[_Slug, ...], Field(max_length=6)]
    npc_keys: Annotated[tuple[_Slug, ...], Field(max_length=8)]
    scene_image: _Image = None


@dataclass(frozen=True, slots=True)
class EncounterBlueprint:
    """A fight that a scene offers."""

    __pydantic_config__ = _CONFIG

    encounter_key: _Slug
    scene_key: _Slug
    kind: Annotated[EncounterKind, PlainValidator(partial(enum_from_json, EncounterKind))]
    groups: Annotated[tuple[_Group, ...], Field(min_length=1, max_length=3)]


@dataclass(frozen=True, slots=True)
class ChapterBlueprint:
    """A chapter as authored (domain 3.5)."""

    __pydantic_config__ = _CONFIG

    chapter_key: _Slug
    title: _Text60
    synopsis: _Text600
    scene_keys: Annotated[tuple[_Slug, ...], Field(min_length=1, max_length=12)]
    opening_scene_key: _Slug
    main_quest_key: _Slug
    side_quest_keys: Annotated[tuple[_Slug, ...], Field(max_length=8)]
    encounters: Annotated[tuple[EncounterBlueprint, ...], Field(max_length=24)]
    treasure_keys: Annotated[tuple[_Slug, ...], Field(max_length=8)]
    exit_scene_key: _Slug | None = None


@dataclass(frozen=True, slots=True)
class Objective:
    """One thing a quest counts; the target ``any`` matches all."""

    __pydantic_config__ = _CONFIG

    objective_id: _Slug
    kind: Annotated[ObjectiveKind, PlainValidator(partial(enum_from_json, ObjectiveKind))]
    target_key: _Slug
    required: Annotated[int, Field(ge=1, le=9999)]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Quest:
    """A quest as authored; ``weight`` is its share of the chapter's quest experience."""

    __pydantic_config__ = _CONFIG

    key: _Slug
    title: _Text60
    description: _Text400
    kind: Annotated[QuestKind, PlainValidator(partial(enum_from_json, QuestKind))]
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1, max_length=5)]
    giver_npc_key: _Slug | None = None
    deliver_items: Annotated[tuple[_Grant, ...], Field(max_length=3)] = ()
    weight: Annotated[int, Field(ge=1, le=1000)] | None = None
    reward_items: Annotated[tuple[_Grant, ...], Field(max_length=3)] = ()
    affinity: Annotated[tuple[_Affinity, ...], Field(max_length=3)] = ()
    next_quest_key: _Slug | None = None


@dataclass(frozen=True, slots=True)
class Treasure:
    """A treasure as authored; an empty loot table means the chapter's default."""

    __pydantic_config__ = _CONFIG

    key: _Slug
    title: _Text40
    scene_key: _Slug
    lock: Annotated[TreasureLock, PlainValidator(partial(enum_from_json, TreasureLock))]
    key_item_id: _Slug | None = None
    trap_permille: Annotated[int, Field(ge=0, le=300)] = 0
    loot_table: Annotated[tuple[_Loot, ...], Field(max_length=6)] = ()


@dataclass(frozen=True, slots=True)
class StoryThread:
    """Something the story promises and pays off."""

    __pydantic_config__ = _CONFIG

    key: _Slug
    title: _Text60
    premise: _Text300
    related_keys: Annotated[tuple[_Slug, ...], Field(max_length=8)]
    payoff: _Text300


def _unread(_: object) -> None:
    """Compiled sections follow from the others, so they are made anew and never trusted."""


_Compiled = Annotated[None, BeforeValidator(_unread)]


@dataclass(frozen=True, slots=True)
class Sections:
    """The whole document by section, in document order, before references are looked at."""

    __pydantic_config__ = _CONFIG

    meta: WorldMeta
    world: WorldText
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=6)]
    hostiles: Annotated[tuple[Hostile, ...], Field(min_length=1, max_length=30)]
    landmarks: Annotated[tuple[Landmark, ...], Field(min_length=1, max_length=40)]
    scene_chapter_blueprints: Annotated[
        tuple[ChapterBlueprint, ...], Field(min_length=1, max_length=CHAPTERS_MAX)
    ]
    quests: Annotated[tuple[Quest, ...], Field(min_length=1, max_length=120)]
    factions: Annotated[tuple[Faction, ...], Field(max_length=12)] = ()
    npcs: Annotated[tuple[Npc, ...], Field(max_length=40)] = ()
    items: Annotated[tuple[_Item, ...], Field(max_length=60)] = ()
    treasures: Annotated[tuple[Treasure, ...], Field(max_length=60)] = ()
    threads: Annotated[tuple[StoryThread, ...], Field(max_length=12)] = ()
    assets: dict[str, str] = field(default_factory=dict)
    chapter_plans: _Compiled = None
    counts: _Compiled = None
