"""Mentions: which entities of a draft name another one (domain 7.3)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from actors.domains.domain_types import EntityKind, ObjectiveKind
from actors.domains.rules.world_references import REFERENCES, referenced_keys
from actors.domains.rules.world_sections import (
    SECTION_OF_KIND,
    Entity,
    Quest,
    Sections,
    entity_key,
)

__all__ = ["mentions_of"]

_SECTIONS_OF_TARGET: Final[Mapping[str, Collection[str]]] = {
    "any": tuple(SECTION_OF_KIND.values()),
    "main_quests": ("quests",),
    "side_quests": ("quests",),
    "scenes": ("landmarks",),
}
"""Targets of references that are no sections themselves."""

_SECTIONS_OF_OBJECTIVE: Final[Mapping[ObjectiveKind, Collection[str]]] = {
    ObjectiveKind.DEFEAT_HOSTILE: ("hostiles", "npcs"),
    ObjectiveKind.TALK_NPC: ("npcs",),
    ObjectiveKind.ENTER_SCENE: ("landmarks",),
    ObjectiveKind.OBTAIN_ITEM: ("items",),
    ObjectiveKind.OPEN_TREASURE: ("treasures",),
    ObjectiveKind.WIN_SPAR: ("npcs",),
    ObjectiveKind.GIVE_GIFT: ("npcs",),
    ObjectiveKind.REACH_AFFINITY: ("npcs",),
    ObjectiveKind.RESOLVE_CHOICE: (),
}


def mentions_of(sections: Sections, kind: EntityKind, key: str) -> list[tuple[EntityKind, str]]:
    """Kind and key of every entity that names another one, by kind and in document order."""
    named = SECTION_OF_KIND.get(kind, "")
    return [
        (one, entity_key(entity))
        for one, section in SECTION_OF_KIND.items()
        for entity in getattr(sections, section)
        if (named, key) in _named(section, entity)
    ]


def _named(section: str, entity: Entity) -> Iterator[tuple[str, str]]:
    for reference in REFERENCES[section]:
        for target in _SECTIONS_OF_TARGET.get(reference.target, (reference.target,)):
            for key in referenced_keys(entity, reference):
                yield target, key
    if isinstance(entity, Quest):
        for objective in entity.objectives:
            for target in _SECTIONS_OF_OBJECTIVE[objective.kind]:
                yield target, objective.target_key
