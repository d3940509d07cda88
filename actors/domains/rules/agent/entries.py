"""Entries: section entries as models may write them, made fit for cards (domain 6.2, 8.3).

A model is offered less than an author: it gives no items away, and what it says of power and price
is normalised. Texts and lists that are too long are cut, as the compile would cut them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from actors.domains.domain_types import (
    EntityKind,
    ItemCategory,
    ItemMods,
    ItemUseEffect,
    Rarity,
    RuntimeItemDefinition,
    SkillDef,
    SkillTarget,
)
from actors.domains.rules.agent.draft import NewCard, slug_of
from actors.domains.rules.agent.new_items import STARTING_ITEMS
from actors.domains.rules.combat.skills import STARTER_SKILLS, normalise_skill
from actors.domains.rules.compile.entries import KEY_FIELD
from actors.domains.rules.items import normalise_item
from actors.domains.rules.model_output import Output, WholeText, clamped
from actors.domains.rules.struct_json import struct_to_json
from actors.domains.rules.text import cut_text

__all__ = [
    "ENTRIES",
    "ChapterEntry",
    "Entry",
    "FactionEntry",
    "HostileEntry",
    "ItemEntry",
    "LandmarkEntry",
    "NpcEntry",
    "QuestEntry",
    "RoleEntry",
    "ThreadEntry",
    "TreasureEntry",
    "WorldEntry",
    "card_of",
]

_Rank = Literal["minion", "standard", "elite", "boss"]


def _slug(value: object) -> object:
    return slug_of(value) if isinstance(value, str) else value


def _first(value: object, count: int) -> object:
    return value[:count] if isinstance(value, list) else value


def _cut(limit: int) -> AfterValidator:
    return AfterValidator(partial(cut_text, limit=limit))


def _most(count: int) -> BeforeValidator:
    return BeforeValidator(partial(_first, count=count))


_Key = Annotated[str, BeforeValidator(_slug)]
_Reference = Annotated[str, BeforeValidator(_slug), Field(min_length=1)]
_Text24 = Annotated[WholeText, Field(min_length=1), _cut(24)]
_Text40 = Annotated[WholeText, Field(min_length=1), _cut(40)]
_Text60 = Annotated[WholeText, Field(min_length=1), _cut(60)]
_Text120 = Annotated[WholeText, _cut(120)]
_Text160 = Annotated[WholeText, _cut(160)]
_Text200 = Annotated[WholeText, _cut(200)]
_Text300 = Annotated[WholeText, _cut(300)]
_Text400 = Annotated[WholeText, _cut(400)]
_Text600 = Annotated[WholeText, _cut(600)]
_Premise = Annotated[WholeText, Field(min_length=40), _cut(1200)]
_Permille = Annotated[int, clamped(0, 2500)]
_Tags4 = Annotated[list[_Reference], _most(4)]
_References8 = Annotated[list[_Reference], _most(8)]


class Entry(Output):
    """Whatever is in a section; without a key it gets one of its name."""

    def payload(self) -> dict[str, Any]:
        """The section entry, apart from its key."""
        return self.model_dump(by_alias=True, exclude_none=True)


class WorldEntry(Entry):
    """What the world is about."""

    name: Annotated[WholeText, Field(min_length=2), _cut(60)]
    subtitle: _Text120 = ""
    summary: _Text400 = ""
    premise: _Premise
    tone: Annotated[list[_Text24], _most(6)] = Field(default_factory=list)
    theme_mode: Literal["light", "dark", "sepia", "neon"] = "sepia"
    core_conflict: _Text400 = ""
    player_fantasy: _Text300 = ""
    tags: _References8 = Field(default_factory=list)


class FactionEntry(Entry):
    """A party of the world."""

    key: _Key = ""
    name: _Text40
    goal: _Text200 = ""
    stance: dict[_Reference, Annotated[int, clamped(-100, 100)]] = Field(default_factory=dict)


class _SkillEntry(Entry):
    name: _Text24
    target: Literal["enemy", "all_enemies", "self", "ally"] = "enemy"
    power_permille: _Permille = 0
    heal_permille: _Permille = 0
    shield_permille: _Permille = 0

    def payload(self) -> dict[str, Any]:
        skill = SkillDef(
            slug_of(self.name) or "skill",
            self.name,
            SkillTarget[self.target.upper()],
            self.power_permille,
            self.heal_permille,
            self.shield_permille,
            0,
            1,
            None,
        )
        return struct_to_json(normalise_skill(skill))


class RoleEntry(Entry):
    """Whom a player can be; what it begins with is not for models to say."""

    key: _Key = ""
    name: _Text40
    title: _Text40
    description: _Text400
    background: _Text600 = ""
    skills: Annotated[list[_SkillEntry], _most(4)] = Field(default_factory=list)

    def payload(self) -> dict[str, Any]:
        """The section entry, with the starter skills where there are none."""
        skills = [skill.payload() for skill in self.skills]
        return super().payload() | {
            "skills": skills or [struct_to_json(skill) for skill in STARTER_SKILLS],
            "startingItems": [dict(grant) for grant in STARTING_ITEMS],
        }


class NpcEntry(Entry):
    """Someone to talk to."""

    key: _Key = ""
    name: _Text40
    role: _Text60
    description: _Text400
    personality: Annotated[list[_Text24], _most(6)] = Field(default_factory=list)
    home_scene_key: _Reference
    faction_key: _Reference | None = None
    initial_affinity: Annotated[int, clamped(-50, 50)] = 0
    recruitable: bool = False
    can_be_fought: bool = False
    rank: _Rank = "standard"
    liked_tags: _Tags4 = Field(default_factory=list)
    disliked_tags: _Tags4 = Field(default_factory=list)
    trade_tags: _Tags4 = Field(default_factory=list)
    facts: Annotated[list[_Text160], _most(5)] = Field(default_factory=list)


class HostileEntry(Entry):
    """Someone to fight; what it leaves behind is not for models to say."""

    key: _Key = ""
    name: _Text40
    description: _Text200 = ""
    rank: _Rank = "standard"
    skills: Annotated[list[_SkillEntry], _most(2)] = Field(default_factory=list)
    faction_key: _Reference | None = None

    def payload(self) -> dict[str, Any]:
        """The section entry, with the default loot."""
        skills = [skill.payload() for skill in self.skills]
        return super().payload() | {"skills": skills, "lootTable": []}


class _ModsEntry(Output):
    attack: Annotated[int, clamped(-99, 99)] = 0
    defense: Annotated[int, clamped(-99, 99)] = 0
    max_hp: Annotated[int, clamped(-999, 999)] = 0
    speed: Annotated[int, clamped(-99, 99)] = 0
    crit_permille: Annotated[int, clamped(-400, 400)] = 0


class _EffectEntry(Output):
    heal_permille: Annotated[int, clamped(0, 500)] = 0
    mana_permille: Annotated[int, clamped(0, 1000)] = 0
    cure: bool = False
    damage_power: Annotated[int, clamped(0, 2500)] = 0
    escape: bool = False


class ItemEntry(Entry):
    """Something to have; no model makes money."""

    item_id: _Key = ""
    name: _Text24
    description: _Text160 = ""
    category: Literal["weapon", "armor", "charm", "consumable", "material", "quest", "key"]
    rarity: Literal["common", "uncommon", "rare", "epic", "legendary"] = "common"
    mods: _ModsEntry = Field(default_factory=_ModsEntry)
    use_effect: _EffectEntry | None = None
    value_coins: Annotated[int, clamped(0, 1500)] = 0
    tags: Annotated[list[_Reference], _most(6)] = Field(default_factory=list)

    def payload(self) -> dict[str, Any]:
        """The section entry, within the budget of its rarity."""
        category = ItemCategory[self.category.upper()]
        effect = None
        if self.use_effect is not None:
            effect = ItemUseEffect(status=None, **self.use_effect.model_dump())
        item = RuntimeItemDefinition(
            item_id=self.item_id,
            name=self.name,
            description=self.description,
            category=category,
            rarity=Rarity[self.rarity.upper()],
            stack_limit=0,
            equip_slot=None,
            mods=ItemMods(**self.mods.model_dump()),
            use_effect=effect,
            value_coins=self.value_coins,
            tradeable=category not in {ItemCategory.QUEST, ItemCategory.KEY},
            tags=self.tags,
        )
        return struct_to_json(normalise_item(item))


class LandmarkEntry(Entry):
    """A scene."""

    key: _Key = ""
    name: _Text40
    description: _Text600
    mood: _Text60 = ""
    connections: Annotated[list[_Reference], _most(6)] = Field(default_factory=list)
    npc_keys: _References8 = Field(default_factory=list)


class _GroupEntry(Output):
    hostile_key: _Reference
    rank: _Rank = "standard"
    count: Annotated[int, clamped(1, 3)] = 1


class _EncounterEntry(Output):
    encounter_key: _Reference
    scene_key: _Reference
    kind: Literal["fixed", "repeatable"]
    groups: Annotated[list[_GroupEntry], _most(3), Field(min_length=1)]


class ChapterEntry(Entry):
    """A chapter, with its fights."""

    chapter_key: _Key = ""
    title: _Text60
    synopsis: _Text600 = ""
    scene_keys: Annotated[list[_Reference], _most(12), Field(min_length=1)]
    opening_scene_key: _Reference
    main_quest_key: _Reference
    side_quest_keys: _References8 = Field(default_factory=list)
    encounters: Annotated[list[_EncounterEntry], _most(24)] = Field(default_factory=list)
    treasure_keys: _References8 = Field(default_factory=list)
    exit_scene_key: _Reference | None = None


class _ObjectiveEntry(Output):
    objective_id: _Reference
    kind: Literal[
        "defeat_hostile", "talk_npc", "enter_scene", "open_treasure", "win_spar", "give_gift"
    ]
    target_key: _Reference
    required: Annotated[int, clamped(1, 99)] = 1
    optional: bool = False


class QuestEntry(Entry):
    """Something to do; what it is worth is not for models to say."""

    key: _Key = ""
    title: _Text60
    description: _Text400
    kind: Literal["main", "side"] = "side"
    giver_npc_key: _Reference | None = None
    objectives: Annotated[list[_ObjectiveEntry], _most(5), Field(min_length=1)]


class TreasureEntry(Entry):
    """A chest; what is in it is not for models to say."""

    key: _Key = ""
    title: _Text40
    scene_key: _Reference
    lock: Literal["none", "danger"] = "none"
    trap_permille: Annotated[int, clamped(0, 300)] = 0

    def payload(self) -> dict[str, Any]:
        """The section entry, with the chapter's default loot."""
        return super().payload() | {"lootTable": []}


class ThreadEntry(Entry):
    """Something that the story promises and pays off."""

    key: _Key = ""
    title: _Text60
    premise: _Text300
    related_keys: _References8 = Field(default_factory=list)
    payoff: _Text300


ENTRIES: Final[Mapping[EntityKind, type[Entry]]] = MappingProxyType(
    {
        EntityKind.WORLD: WorldEntry,
        EntityKind.FACTION: FactionEntry,
        EntityKind.ROLE: RoleEntry,
        EntityKind.NPC: NpcEntry,
        EntityKind.HOSTILE: HostileEntry,
        EntityKind.ITEM: ItemEntry,
        EntityKind.LANDMARK: LandmarkEntry,
        EntityKind.CHAPTER: ChapterEntry,
        EntityKind.QUEST: QuestEntry,
        EntityKind.TREASURE: TreasureEntry,
        EntityKind.THREAD: ThreadEntry,
    }
)
"""What a model writes for a card of each kind."""


def card_of(kind: EntityKind, entry: Entry) -> NewCard:
    """The card of what a model has written, with the key that it names or one of its name."""
    payload = entry.payload()
    if kind is EntityKind.WORLD:
        return NewCard(kind, "world", payload)
    name = str(payload.get("name") or payload.get("title") or "")
    key = payload.get(KEY_FIELD[kind]) or slug_of(name) or kind.name.lower()
    return NewCard(kind, key, {**payload, KEY_FIELD[kind]: key})
