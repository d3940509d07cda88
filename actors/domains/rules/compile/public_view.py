"""Public view: what everybody may read of a published world (domain 6.8).

Who plays the world shall still find out: loot, quests' steps and rewards, what npcs know and like,
fights, locks and how threads end are not in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from actors.domains.rules.compile.document import entity_json
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.struct_json import camel_case
from actors.domains.rules.world import WorldDocument
from actors.domains.rules.world_sections import Entity

__all__ = ["public_view"]

_SHOWN: Final = {
    "factions": ("key", "name", "goal"),
    "roles": (
        "key",
        "name",
        "title",
        "description",
        "background",
        "skills",
        "startingItems",
        "portrait",
    ),
    "npcs": (
        "key",
        "name",
        "role",
        "description",
        "personality",
        "homeSceneKey",
        "factionKey",
        "portrait",
    ),
    "hostiles": ("key", "name", "description", "rank", "factionKey"),
    "landmarks": ("key", "name", "description", "mood", "connections", "npcKeys", "sceneImage"),
    "quests": ("key", "title", "description", "kind"),
    "treasures": ("key", "title", "sceneKey"),
    "threads": ("key", "title", "premise"),
}
"""Fields that are shown, by section."""

_ITEM_FIELDS: Final = ("itemId", "name", "description", "category", "rarity")


def public_view(world: WorldDocument) -> dict[str, object]:
    """The world in JSON's types, as its gallery page shows it."""
    view: dict[str, object] = {
        "meta": entity_json(world.meta),
        "world": entity_json(world.world),
        "items": _only(
            _ITEM_FIELDS, (item for key, item in world.items.items() if key not in CORE_ITEMS)
        ),
        "chapters": [
            {
                "chapterIndex": chapter.index,
                "chapterKey": chapter.key,
                "title": chapter.title,
                "synopsis": chapter.synopsis,
                "entryLevel": chapter.plan.entry_level,
                "exitLevel": chapter.plan.exit_level,
                "paceBand": chapter.plan.pace_band.name.lower(),
            }
            for chapter in world.chapters
        ],
        "assets": dict(world.assets),
    }
    for section, shown in _SHOWN.items():
        view[camel_case(section)] = _only(shown, getattr(world, section).values())
    return view


def _only(shown: Collection[str], entities: Iterable[Entity]) -> list[dict[str, object]]:
    return [
        {name: value for name, value in entity_json(entity).items() if name in shown}
        for entity in entities
    ]
