"""Entries: what an author wrote about one entity, read by the rules of its section (domain 6.2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from actors.domains.domain_types import EntityKind
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import FINDING_CHARS_MAX
from actors.domains.rules.text import shorten_text
from actors.domains.rules.world_sections import (
    ChapterBlueprint,
    Entity,
    Faction,
    Hostile,
    Landmark,
    Npc,
    Quest,
    Role,
    StoryThread,
    Treasure,
    WorldMeta,
    WorldText,
)
from actors.domains.rules.world_values import Adjustment, Adjustments, ItemValue

__all__ = ["KEY_FIELD", "check_card", "read_entry", "read_meta"]

KEY_FIELD: Final[Mapping[EntityKind, str]] = {
    EntityKind.FACTION: "key",
    EntityKind.ROLE: "key",
    EntityKind.NPC: "key",
    EntityKind.HOSTILE: "key",
    EntityKind.ITEM: "itemId",
    EntityKind.LANDMARK: "key",
    EntityKind.CHAPTER: "chapterKey",
    EntityKind.QUEST: "key",
    EntityKind.TREASURE: "key",
    EntityKind.THREAD: "key",
}
"""The field of a payload that holds the entity's key; the world has none."""

_ADAPTERS: Final[Mapping[EntityKind, TypeAdapter[Any]]] = {
    EntityKind.WORLD: TypeAdapter(WorldText),
    EntityKind.FACTION: TypeAdapter(Faction),
    EntityKind.ROLE: TypeAdapter(Role),
    EntityKind.NPC: TypeAdapter(Npc),
    EntityKind.HOSTILE: TypeAdapter(Hostile),
    EntityKind.ITEM: TypeAdapter(ItemValue),
    EntityKind.LANDMARK: TypeAdapter(Landmark),
    EntityKind.CHAPTER: TypeAdapter(ChapterBlueprint),
    EntityKind.QUEST: TypeAdapter(Quest),
    EntityKind.TREASURE: TypeAdapter(Treasure),
    EntityKind.THREAD: TypeAdapter(StoryThread),
}
_META: Final = TypeAdapter(WorldMeta)
_UNNAMED: Final = "unnamed"


def check_card(kind: EntityKind, payload: object) -> dict[str, object]:
    """The payload of a draft card, as it came, when it is an entry of its section.

    A payload may lack the key, which its card holds. What the compile adjusts is not refused: long
    texts, upper-case keys, skills and items beyond their budget, weights and affinity.

    Raises:
        RuleError: ``agent.payload_malformed`` with ``path`` (``npc.rank``) and ``rule``.
    """
    name = kind.name.lower()
    if not isinstance(payload, dict):
        rule = "the payload must be an object"
        raise RuleError("agent.payload_malformed", f"{name}: {rule}", path=name, rule=rule)
    key_field = KEY_FIELD.get(kind)
    entry = payload if key_field is None else {key_field: _UNNAMED, **payload}
    _read(_ADAPTERS[kind], name, entry)
    return payload


def read_entry(
    kind: EntityKind, payload: Mapping[str, object], key: str | None = None
) -> tuple[Entity | WorldText, list[Adjustment]]:
    """What an author wrote, within bounds, and what was adjusted for that.

    Args:
        kind: which section the entry is of.
        payload: the entry in JSON's types.
        key: the entity's key, whatever the payload says; None when the payload holds it.

    Raises:
        RuleError: ``agent.payload_malformed``, as ``check_card``.
    """
    entry = payload if key is None else {**payload, KEY_FIELD[kind]: key}
    read: tuple[Entity | WorldText, list[Adjustment]]
    read = _read(_ADAPTERS[kind], kind.name.lower(), entry)
    return read


def read_meta(payload: Mapping[str, object]) -> tuple[WorldMeta, list[Adjustment]]:
    """What a document says about itself; raises as ``read_entry``."""
    read: tuple[WorldMeta, list[Adjustment]] = _read(_META, "meta", payload)
    return read


def _read(adapter: TypeAdapter[Any], name: str, entry: object) -> tuple[Any, list[Adjustment]]:
    adjustments = Adjustments()
    try:
        value = adapter.validate_json(json.dumps(entry), context=adjustments)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join([name, *map(str, first["loc"])])
        rule = str(first.get("ctx", {}).get("error", first["msg"]))
        rule = shorten_text(rule, FINDING_CHARS_MAX - len(": ") - len(path))
        raise RuleError(
            "agent.payload_malformed", f"{path}: {rule}", path=path, rule=rule
        ) from error
    return value, adjustments.noted
