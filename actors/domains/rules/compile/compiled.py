"""Compile: a world document from cards or from a document, with all that is found on the way (6.3).

A compile is pure: the same cards give the same bytes, in whatever order they come. It never refuses
what an author wrote; it finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from actors.domains.domain_types import (
    ChapterProgressionPlan,
    EntityKind,
    Finding,
    Severity,
    ThemeMode,
)
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.compile.document import counts_of, document_of, entries_of
from actors.domains.rules.compile.draft import (
    ASSET_SLOTS,
    Draft,
    DraftCard,
    DraftMeta,
    draft_of_cards,
    draft_of_document,
)
from actors.domains.rules.compile.findings import FindingSet, count_of
from actors.domains.rules.compile.inspection import find_unsafe_texts, inspect
from actors.domains.rules.compile.resolution import resolve
from actors.domains.rules.deny_list import DenyList
from actors.domains.rules.ids import content_hash
from actors.domains.rules.limits import IMAGE_SOURCE_CHARS_MAX, WORLD_DOCUMENT_BYTES_MAX
from actors.domains.rules.progression.chapter import plan_chapter
from actors.domains.rules.world import WorldDocument, build_world, compile_blueprint
from actors.domains.rules.world_sections import (
    SECTION_OF_KIND,
    ChapterBlueprint,
    Sections,
    entity_key,
)

__all__ = [
    "CardTexts",
    "CompiledWorld",
    "compile_cards",
    "compile_document",
]

_NO_WORLD: Final = frozenset(
    {
        "BLK_NO_ROLE",
        "BLK_NO_SCENE",
        "BLK_NO_CHAPTER",
        "BLK_NO_HOSTILE",
        "BLK_OPENING_SCENE",
        "BLK_MAIN_QUEST",
        "BLK_REFERENCE",
    }
)
"""Blockers that leave no world to be played; with any other there is one."""


class CardTexts(NamedTuple):
    """A world's texts and counts as lists of worlds show them."""

    world_name: str
    subtitle: str
    summary_text: str
    theme_mode: ThemeMode
    tags: list[str]
    cover_image_src: str | None
    playable_role_count: int
    landmark_count: int
    chapter_count: int
    blocker_count: int
    warning_count: int


class CompiledWorld(NamedTuple):
    """What a compile comes to.

    Attributes:
        document_json: canonical; of the normalised draft when there is no world. It is longer than
            a document may be only where BLK_SCHEMA says so.
        document_hash: of ``document_json``.
        counts: as in the document.
        findings: by code, blockers first.
        world: what ``read_world`` makes of the document; None when it would refuse it.
        card: the texts and counts that lists show.
        sections: the normalised draft.
    """

    document_json: str
    document_hash: str
    counts: Mapping[str, int]
    findings: tuple[Finding, ...]
    world: WorldDocument | None
    card: CardTexts
    sections: Sections


def compile_cards(
    cards: Iterable[DraftCard],
    meta: DraftMeta,
    assets: Mapping[str, str],
    denied: DenyList,
) -> CompiledWorld:
    """Compile draft cards; only accepted and locked ones count.

    Args:
        cards: in any order.
        meta: what the draft is, beside its cards.
        assets: images bound to its entities, by ``"{kind}:{key}:{slot}"``; they win over others.
        denied: what no text may contain.
    """
    findings = FindingSet()
    return _compile(draft_of_cards(cards, meta, findings), assets, denied, findings)


def compile_document(
    document_json: str, profile_id: str, assets: Mapping[str, str], denied: DenyList
) -> CompiledWorld:
    """Compile an authored document, whatever profile it says it is of.

    Args:
        document_json: any text.
        profile_id: whose document it becomes.
        assets: as in ``compile_cards``; they win over what the document says.
        denied: what no text may contain.

    Raises:
        RuleError: ``input.payload_too_large``; ``input.json_malformed``;
            ``world.document_malformed`` with the ``path`` of what has a wrong shape.
    """
    findings = FindingSet()
    draft = draft_of_document(document_json, profile_id, findings)
    return _compile(draft, assets, denied, findings)


def _compile(
    draft: Draft, assets: Mapping[str, str], denied: DenyList, findings: FindingSet
) -> CompiledWorld:
    sections = resolve(draft.sections, findings)
    sections, plans = _fitted(sections, findings)
    sections = replace(sections, assets=_fitting({**draft.images, **assets}, sections))
    inspect(sections, findings)
    is_playable = _NO_WORLD.isdisjoint(findings.codes())
    document = document_of(sections, plans if is_playable else ())
    find_unsafe_texts(entries_of(document, sections), denied, findings)
    document_json = write_json(document)
    encoded = document_json.encode()
    if len(encoded) > WORLD_DOCUMENT_BYTES_MAX:
        message = f"the document has more than {WORLD_DOCUMENT_BYTES_MAX} bytes"
        findings.add("BLK_SCHEMA", EntityKind.WORLD, None, None, message)
    listed = findings.listed()
    return CompiledWorld(
        document_json=document_json,
        document_hash=content_hash(encoded),
        counts=counts_of(sections),
        findings=listed,
        world=build_world(sections) if is_playable else None,
        card=_card(sections, listed),
        sections=sections,
    )


def _fitted(
    sections: Sections, findings: FindingSet
) -> tuple[Sections, tuple[ChapterProgressionPlan, ...]]:
    """The sections with encounters within their budgets, and the chapters' plans."""
    quests = {quest.key: quest for quest in sections.quests}
    blueprints: list[ChapterBlueprint] = []
    plans: list[ChapterProgressionPlan] = []
    total = len(sections.scene_chapter_blueprints)
    for index, blueprint in enumerate(sections.scene_chapter_blueprints, start=1):
        plan = plan_chapter(total, index, sections.meta.start_level)
        compiled = compile_blueprint(blueprint, plan, quests)
        for finding in compiled.findings:
            findings.take(finding)
        encounters = tuple(
            one if one.groups == fitted.groups else replace(one, groups=fitted.groups)
            for one, fitted in zip(blueprint.encounters, compiled.encounters, strict=True)
        )
        blueprints.append(replace(blueprint, encounters=encounters))
        plans.append(compiled.plan)
    return replace(sections, scene_chapter_blueprints=tuple(blueprints)), tuple(plans)


def _fitting(images: Mapping[str, str], sections: Sections) -> dict[str, str]:
    """Those images that are of an entity of the draft, in a slot that its kind has."""
    keys = {"world:world:cover"}
    for kind, slot in ASSET_SLOTS.items():
        for entity in getattr(sections, SECTION_OF_KIND.get(kind, ""), ()):
            keys.add(f"{kind.name.lower()}:{entity_key(entity)}:{slot}")
    return {
        key: src
        for key, src in images.items()
        if key in keys and 0 < len(src) <= IMAGE_SOURCE_CHARS_MAX
    }


def _card(sections: Sections, findings: tuple[Finding, ...]) -> CardTexts:
    world = sections.world
    return CardTexts(
        world_name=world.name,
        subtitle=world.subtitle,
        summary_text=world.summary,
        theme_mode=world.theme_mode,
        tags=list(world.tags),
        cover_image_src=sections.assets.get("world:world:cover"),
        playable_role_count=len(sections.roles),
        landmark_count=len(sections.landmarks),
        chapter_count=len(sections.scene_chapter_blueprints),
        blocker_count=count_of(findings, Severity.BLOCKER),
        warning_count=count_of(findings, Severity.WARNING),
    )
