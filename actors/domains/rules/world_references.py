"""References of the world document: which field names what, and what happens when it is not there.

Reading a document refuses the first reference that does not resolve; the compile drops the
optional ones and blocks on the others (domain 6.3, step 3). Both look here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeVar

from actors.domains.domain_types import QuestKind
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.world_sections import (
    SECTION_OF_KIND,
    ChapterBlueprint,
    Entity,
    Sections,
    entity_key,
)

__all__ = [
    "REFERENCES",
    "Known",
    "Reference",
    "known_keys",
    "referenced_keys",
    "unresolved_references",
    "without_keys",
]

E = TypeVar("E", bound=Entity)

Known = Mapping[str, Collection[str]]
"""Keys that references resolve to, by target."""


class Reference(NamedTuple):
    """A field of an entity that names other entities.

    Attributes:
        field: the attribute that holds the key, or a list of keys or of structs with one.
        target: what is named: a section, or ``any``, ``main_quests``, ``side_quests`` or
            ``scenes`` of the same chapter.
        element: the struct's attribute that is the key.
        is_required: whether the entity cannot do without.
        shown_as: the authored field, where ``field`` only computes.
    """

    field: str
    target: str
    element: str = ""
    is_required: bool = False
    shown_as: str = ""

    @property
    def authored(self) -> str:
        """The attribute as authored."""
        return self.shown_as or self.field


REFERENCES: Final[Mapping[str, tuple[Reference, ...]]] = {
    "factions": (Reference("stance", "factions"),),
    "roles": (Reference("starting_items", "items", "item_id"),),
    "npcs": (
        Reference("home_scene_key", "landmarks", is_required=True),
        Reference("faction_key", "factions"),
    ),
    "hostiles": (
        Reference("loot_table", "items", "item_id"),
        Reference("faction_key", "factions"),
    ),
    "items": (),
    "landmarks": (Reference("connections", "landmarks"), Reference("npc_keys", "npcs")),
    "scene_chapter_blueprints": (
        Reference("scene_keys", "landmarks", is_required=True),
        Reference("opening_scene_key", "scenes", is_required=True),
        Reference("main_quest_key", "main_quests", is_required=True),
        Reference("side_quest_keys", "side_quests"),
        Reference("treasure_keys", "treasures"),
        Reference("exit_scene_key", "landmarks"),
        Reference("encounter_scenes", "scenes", is_required=True, shown_as="encounters"),
        Reference("encounter_hostiles", "hostiles", is_required=True, shown_as="encounters"),
    ),
    "quests": (
        Reference("giver_npc_key", "npcs"),
        Reference("next_quest_key", "quests"),
        Reference("deliver_items", "items", "item_id"),
        Reference("reward_items", "items", "item_id"),
        Reference("affinity", "npcs", "npc_key"),
    ),
    "treasures": (
        Reference("scene_key", "landmarks", is_required=True),
        Reference("lock_keys", "items", is_required=True, shown_as="key_item_id"),
        Reference("key_item_id", "items"),
        Reference("loot_table", "items", "item_id"),
    ),
    "threads": (Reference("related_keys", "any"),),
}
"""References by section; a quest's objectives are judged by what they can reach instead."""


def known_keys(sections: Sections) -> dict[str, Collection[str]]:
    """What there is to refer to: a set of keys for each section and for each other target.

    ``scenes`` differ from chapter to chapter, so ``unresolved_references`` finds them itself.
    """
    known: dict[str, Collection[str]] = {
        section: {entity_key(entity) for entity in getattr(sections, section)}
        for section in SECTION_OF_KIND.values()
    }
    known["any"] = set().union(*known.values())
    known["items"] = {*CORE_ITEMS, *known["items"]}
    for target, kind in (("main_quests", QuestKind.MAIN), ("side_quests", QuestKind.SIDE)):
        known[target] = {quest.key for quest in sections.quests if quest.kind is kind}
    return known


def referenced_keys(entity: Entity, reference: Reference) -> Iterator[str]:
    """The keys that an entity names by one reference, in order."""
    value: Any = getattr(entity, reference.field)
    if isinstance(value, str):
        yield value
    elif value is not None:
        for element in value:
            yield getattr(element, reference.element) if reference.element else element


def unresolved_references(
    sections: Sections, section: str, known: Known
) -> Iterator[tuple[Entity, list[tuple[Reference, list[str]]]]]:
    """Every entity of a section, with its references that lead nowhere and those of their keys.

    A main quest carries one chapter: for later chapters it is none.
    """
    carried: set[str] = set()
    for entity in getattr(sections, section):
        here = known
        if isinstance(entity, ChapterBlueprint):
            here = {
                **known,
                "scenes": set(entity.scene_keys).intersection(known["landmarks"]),
                "main_quests": set(known["main_quests"]) - carried,
            }
            carried.add(entity.main_quest_key)
        found = (
            (reference, [key for key in referenced_keys(entity, reference) if key not in targets])
            for reference in REFERENCES[section]
            for targets in (here[reference.target],)
        )
        yield entity, [(reference, keys) for reference, keys in found if keys]


def without_keys(entity: E, reference: Reference, keys: Collection[str]) -> E:
    """The entity without some of what an optional reference names."""
    value: Any = getattr(entity, reference.field)
    kept: Any
    if isinstance(value, str):
        kept = None
    elif isinstance(value, Mapping):
        kept = {key: held for key, held in value.items() if key not in keys}
    else:
        kept = tuple(
            element
            for element, key in zip(value, referenced_keys(entity, reference), strict=True)
            if key not in keys
        )
    changed: E = replace(entity, **{reference.field: kept})
    return changed
