"""Document: sections as canonical JSON, with what is compiled from them (6.2; 6.3, 8 to 10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import IntEnum
from functools import cache
from typing import Any, cast

from actors.domains.domain_types import ChapterProgressionPlan, EntityKind, RuntimeItemDefinition
from actors.domains.rules.struct_json import camel_case, struct_to_json
from actors.domains.rules.world_sections import (
    SECTION_OF_KIND,
    Entity,
    Sections,
    WorldMeta,
    WorldText,
    entity_key,
)

__all__ = ["counts_of", "document_of", "entity_json", "entries_of"]

_COUNTED = (
    ("roles", "roles"),
    ("npcs", "npcs"),
    ("hostiles", "hostiles"),
    ("items", "items"),
    ("landmarks", "landmarks"),
    ("chapters", "scene_chapter_blueprints"),
    ("quests", "quests"),
    ("treasures", "treasures"),
)


def document_of(sections: Sections, plans: tuple[ChapterProgressionPlan, ...]) -> dict[str, Any]:
    """The document in JSON's types; reading it gives the sections again."""
    document: dict[str, Any] = {
        "meta": entity_json(sections.meta),
        "world": entity_json(sections.world),
        "assets": dict(sections.assets),
        "chapterPlans": [struct_to_json(plan) for plan in plans],
        "counts": counts_of(sections),
    }
    for section in SECTION_OF_KIND.values():
        entities = getattr(sections, section)
        document[camel_case(section)] = [entity_json(entity) for entity in entities]
    return document


def entries_of(
    document: Mapping[str, Any], sections: Sections
) -> list[tuple[EntityKind, str, Mapping[str, object]]]:
    """Kind, key and JSON of the world and of each entity in a document."""
    entries = [(EntityKind.WORLD, "world", document["world"])]
    for kind, section in SECTION_OF_KIND.items():
        keys = map(entity_key, getattr(sections, section))
        entries += [
            (kind, key, entry)
            for key, entry in zip(keys, document[camel_case(section)], strict=True)
        ]
    return entries


def counts_of(sections: Sections) -> dict[str, int]:
    """How many entities the counted sections have."""
    return {name: len(getattr(sections, section)) for name, section in _COUNTED}


def entity_json(entity: Entity | WorldMeta | WorldText) -> dict[str, object]:
    """The JSON object of an entity; options that hold nothing are left out."""
    if isinstance(entity, RuntimeItemDefinition):
        return struct_to_json(entity)
    found = (
        (name, getattr(entity, field)) for field, name in _names(cast("type", entity.__class__))
    )
    return {name: _write(value) for name, value in found if value is not None}


@cache
def _names(cls: type) -> tuple[tuple[str, str], ...]:
    return tuple((one.name, camel_case(one.name)) for one in fields(cast("Any", cls)))


def _write(value: Any) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, tuple):
        return (
            struct_to_json(value) if hasattr(value, "_fields") else [_write(one) for one in value]
        )
    if isinstance(value, Mapping):
        return dict(value)
    return value if isinstance(value, int) else entity_json(value)
