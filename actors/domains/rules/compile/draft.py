"""Draft: cards or an authored document as sections, before anything is resolved (6.3, 1 and 2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace as with_fields
from typing import Any, Final, NamedTuple, NoReturn

from actors.domains.domain_types import CardStatus, EntityKind, RuntimeItemDefinition, ThemeMode
from actors.domains.rules.canonical_json import read_json
from actors.domains.rules.compile.entries import read_entry, read_meta
from actors.domains.rules.compile.findings import FindingSet
from actors.domains.rules.errors import RuleError
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.limits import START_LEVEL_MAX, WORLD_DOCUMENT_BYTES_MAX
from actors.domains.rules.struct_json import camel_case
from actors.domains.rules.world_sections import (
    COUNTS_MAX,
    SECTION_OF_KIND,
    ChapterBlueprint,
    ContentRating,
    Entity,
    Landmark,
    Npc,
    Role,
    Sections,
    WorldMeta,
    WorldText,
    entity_key,
)
from actors.domains.rules.world_values import Adjustment
from actors.module.types import replace

__all__ = ["Draft", "DraftCard", "DraftMeta", "draft_of_cards", "draft_of_document", "unique_key"]

_KEY_CHARS_MAX: Final = 48
_WORLD_KEY: Final = "world"
_COLLECTED: Final = frozenset({CardStatus.ACCEPTED, CardStatus.LOCKED})
_KIND_OF_SECTION: Final = {camel_case(name): kind for kind, name in SECTION_OF_KIND.items()}
_COMPILED_SECTIONS: Final = frozenset({"chapterPlans", "counts"})
_NO_TEXT: Final = WorldText(
    name="",
    subtitle="",
    summary="",
    premise="",
    tone=(),
    theme_mode=ThemeMode.LIGHT,
    core_conflict="",
    player_fantasy="",
    tags=(),
)


class DraftCard(NamedTuple):
    """A card as the compile sees it; ``payload`` is the section's entry, ``key`` goes before it."""

    card_id: str
    kind: EntityKind
    key: str
    payload: Mapping[str, object]
    status: CardStatus
    order_index: int
    image_src: str | None = None


class DraftMeta(NamedTuple):
    """What a draft is, beside its cards."""

    profile_id: str
    locale: str
    start_level: int
    content_rating: ContentRating
    source_session_id: str | None


class Draft(NamedTuple):
    """Sections as authored, and the images that come with them by asset key."""

    sections: Sections
    images: dict[str, str]


def draft_of_cards(cards: Iterable[DraftCard], meta: DraftMeta, findings: FindingSet) -> Draft:
    """The draft that accepted and locked cards make; what cannot be read becomes a blocker."""
    collected = sorted(
        (card for card in cards if card.status in _COLLECTED),
        key=lambda card: (card.kind, card.order_index, card.card_id),
    )
    collector = _Collector(findings)
    for card in collected:
        collector.take(card.kind, card.key, card.payload, card.image_src)
    level = min(max(meta.start_level, 1), START_LEVEL_MAX)
    if level != meta.start_level:
        message = "the start level was brought within bounds"
        findings.add("INF_STAT_NORMALISED", EntityKind.WORLD, _WORLD_KEY, "startLevel", message)
    about = WorldMeta(
        schema_version=1,
        profile_id=meta.profile_id,
        locale=meta.locale[:16],
        start_level=level,
        content_rating=meta.content_rating,
        source_session_id=meta.source_session_id,
    )
    return collector.draft(about)


def draft_of_document(document_json: str, profile_id: str, findings: FindingSet) -> Draft:
    """The draft that an authored document makes. Its compiled sections are not read.

    Raises:
        RuleError: ``input.payload_too_large``; ``input.json_malformed``;
            ``world.document_malformed`` with the ``path`` of what has a wrong shape.
    """
    document = read_json(document_json, WORLD_DOCUMENT_BYTES_MAX)
    if not isinstance(document, dict):
        _refuse("", "the document must be an object")
    unknown = document.keys() - _KIND_OF_SECTION.keys() - _COMPILED_SECTIONS
    for name in sorted(unknown - {"meta", "world", "assets"}):
        _refuse(name, "there is no such section")
    authored_meta = document.get("meta")
    if not isinstance(authored_meta, dict):
        _refuse("meta", "must be an object")
    collector = _Collector(findings)
    try:
        meta, adjustments = read_meta({**authored_meta, "profileId": profile_id})
        collector.note(EntityKind.WORLD, _WORLD_KEY, adjustments)
    except RuleError as error:
        _refuse(*_fault(error))
    collector.read(EntityKind.WORLD, document.get("world", {}), "world")
    for name, kind in _KIND_OF_SECTION.items():
        entries = document.get(name, [])
        if not isinstance(entries, list):
            _refuse(name, "must be a list")
        if len(entries) > COUNTS_MAX[SECTION_OF_KIND[kind]]:
            _refuse(name, f"has more than {COUNTS_MAX[SECTION_OF_KIND[kind]]} entries")
        for index, entry in enumerate(entries):
            collector.read(kind, entry, f"{name}.{index}")
    assets = document.get("assets", {})
    if not isinstance(assets, dict) or not all(isinstance(src, str) for src in assets.values()):
        _refuse("assets", "must be an object of texts")
    draft = collector.draft(meta)
    return draft._replace(images={**draft.images, **assets})


class _Collector:
    """Puts entries into sections, in the order in which they come."""

    def __init__(self, findings: FindingSet) -> None:
        self._findings = findings
        self._world: WorldText | None = None
        self._sections: dict[str, list[Entity]] = defaultdict(list)
        self._taken: dict[str, set[str]] = defaultdict(set)
        self._taken["items"] |= CORE_ITEMS.keys()
        self._images: dict[str, str] = {}

    def take(
        self, kind: EntityKind, key: str, payload: Mapping[str, object], image_src: str | None
    ) -> None:
        """Take a card; one that cannot be read, or is too many, blocks."""
        section = SECTION_OF_KIND.get(kind)
        if section is None:
            is_full, most = self._world is not None, 1
        else:
            most = COUNTS_MAX[section]
            is_full = len(self._sections[section]) >= most
        if is_full:
            message = f"a world has at most {most} of this kind"
            self._findings.add("BLK_SCHEMA", kind, key, None, message)
            return
        try:
            entity, adjustments = read_entry(kind, payload, None if section is None else key)
        except RuleError as error:
            path, rule = _fault(error)
            field = path.split(".")[1] if "." in path else None
            self._findings.add("BLK_SCHEMA", kind, key, field, f"{path}: {rule}")
            return
        self._put(kind, entity, adjustments, image_src)

    def read(self, kind: EntityKind, entry: Any, path: str) -> None:
        """Take an entry of a document; raises ``world.document_malformed`` when it is none."""
        if not isinstance(entry, dict):
            _refuse(path, "must be an object")
        try:
            entity, adjustments = read_entry(kind, entry)
        except RuleError as error:
            place, rule = _fault(error)
            within = place.partition(".")[2]
            _refuse(f"{path}.{within}" if within else path, rule)
        self._put(kind, entity, adjustments, None)

    def note(self, kind: EntityKind, key: str, adjustments: Iterable[Adjustment]) -> None:
        """Tell what was adjusted while an entry was read."""
        for code, field, message in adjustments:
            self._findings.add(code, kind, key, field, message)

    def draft(self, meta: WorldMeta) -> Draft:
        """What was taken. A world without texts has empty ones."""
        lists: dict[str, Any] = {
            section: tuple(self._sections[section]) for section in SECTION_OF_KIND.values()
        }
        return Draft(Sections(meta=meta, world=self._world or _NO_TEXT, **lists), self._images)

    def _put(
        self,
        kind: EntityKind,
        entity: Entity | WorldText,
        adjustments: Iterable[Adjustment],
        image_src: str | None,
    ) -> None:
        if isinstance(entity, WorldText):
            self._world = entity
            key = _WORLD_KEY
        else:
            section = SECTION_OF_KIND[kind]
            key = unique_key(entity_key(entity), self._taken[section])
            self._taken[section].add(key)
            self._sections[section].append(_keyed(entity, key))
        self.note(kind, key, adjustments)
        self._keep_image(kind, key, _authored_image(entity))
        self._keep_image(kind, key, image_src)

    def _keep_image(self, kind: EntityKind, key: str, src: str | None) -> None:
        slot = ASSET_SLOTS.get(kind)
        if src and slot is not None:
            self._images[f"{kind.name.lower()}:{key}:{slot}"] = src


ASSET_SLOTS: Final[Mapping[EntityKind, str]] = {
    EntityKind.WORLD: "cover",
    EntityKind.ROLE: "portrait",
    EntityKind.NPC: "portrait",
    EntityKind.LANDMARK: "scene",
    EntityKind.ITEM: "icon",
}
"""Which image an entity of a kind can have (domain 8.6)."""


def unique_key(key: str, taken: Collection[str]) -> str:
    """The key itself, or with ``_2``, ``_3`` … behind it, whichever is not taken yet."""
    number, unique = 1, key
    while unique in taken:
        number += 1
        tail = f"_{number}"
        unique = key[: _KEY_CHARS_MAX - len(tail)] + tail
    return unique


def _keyed(entity: Entity, key: str) -> Entity:
    if entity_key(entity) == key:
        return entity
    if isinstance(entity, RuntimeItemDefinition):
        return replace(entity, item_id=key)
    if isinstance(entity, ChapterBlueprint):
        return with_fields(entity, chapter_key=key)
    return with_fields(entity, key=key)


def _authored_image(entity: Entity | WorldText) -> str | None:
    if isinstance(entity, Role | Npc):
        return entity.portrait
    return entity.scene_image if isinstance(entity, Landmark) else None


def _fault(error: RuleError) -> tuple[str, str]:
    return str(error.details["path"]), str(error.details["rule"])


def _refuse(path: str, rule: str) -> NoReturn:
    message = f"{path}: {rule}" if path else rule
    raise RuleError("world.document_malformed", message, path=path)
