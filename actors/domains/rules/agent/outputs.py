"""Outputs: what models may write for the creation agent, with the schemas they are told (8.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field

from actors.domains.domain_types import AgentAnchor, EntityKind, TextSource
from actors.domains.rules.agent.draft import NewCard
from actors.domains.rules.agent.entries import (
    ENTRIES,
    ChapterEntry,
    Entry,
    FactionEntry,
    HostileEntry,
    ItemEntry,
    LandmarkEntry,
    NpcEntry,
    QuestEntry,
    RoleEntry,
    ThreadEntry,
    TreasureEntry,
    WorldEntry,
    card_of,
)
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.deny_list import DenyList
from actors.domains.rules.limits import (
    ANCHOR_CHARS_MAX,
    IMAGE_PROMPT_CHARS_MAX,
    MODEL_REPLY_CHARS_MAX,
    SUGGESTED_REPLIES_MAX,
)
from actors.domains.rules.model_output import (
    Output,
    WholeText,
    check_output,
    clamped,
    read_output,
    schema_of,
)
from actors.domains.rules.struct_json import enum_from_json
from actors.domains.rules.text import cut_text

__all__ = [
    "AGENT_TURN_SCHEMA",
    "CHAPTER_SCHEMA",
    "FOUNDATION_SCHEMA",
    "IMAGE_PROMPT_SCHEMA",
    "AgentTurn",
    "ChapterOutput",
    "FoundationOutput",
    "ImagePromptOutput",
    "entity_schema",
    "read_agent_turn",
    "read_chapter",
    "read_entity",
    "read_foundation",
    "read_image_prompt",
]

_AnchorKey = Literal[
    "world_premise", "tone", "player_fantasy", "core_conflict", "opening_scene", "key_characters"
]
_Kind = Literal[
    "faction", "role", "npc", "hostile", "item", "landmark", "quest", "treasure", "thread"
]


class _AnchorOutput(Output):
    key: _AnchorKey
    value: Annotated[WholeText, Field(min_length=1, max_length=ANCHOR_CHARS_MAX)]
    confidence: Annotated[int, clamped(0, 1000)]


class _CardOutput(Output):
    kind: _Kind
    payload: dict[str, Any]


class _TurnOutput(Output):
    reply: Annotated[WholeText, Field(min_length=1, max_length=MODEL_REPLY_CHARS_MAX)]
    anchors: Annotated[list[_AnchorOutput], Field(max_length=6)]
    suggested_replies: Annotated[
        list[Annotated[WholeText, Field(min_length=1, max_length=80)]],
        Field(max_length=SUGGESTED_REPLIES_MAX),
    ]
    proposed_cards: Annotated[list[_CardOutput], Field(max_length=3)] = Field(default_factory=list)


class AgentTurn(NamedTuple):
    """A reply, and what else the session gets of it."""

    reply: str
    anchors: list[AgentAnchor]
    suggested: list[str]
    cards: list[NewCard]

    def to_json(self) -> str:
        """Its canonical JSON, as it ends an operation."""
        return write_json(
            {
                "reply": self.reply,
                "anchors": [
                    {
                        "key": anchor.key,
                        "value": anchor.value,
                        "confidence": anchor.confidence_permille,
                    }
                    for anchor in self.anchors
                ],
                "suggestedReplies": self.suggested,
                "proposedCards": [
                    {"kind": card.kind.name.lower(), "payload": card.payload} for card in self.cards
                ],
            }
        )


class FoundationOutput(Output):
    """A whole small world, section by section."""

    world: WorldEntry
    factions: Annotated[list[FactionEntry], Field(max_length=6)] = Field(default_factory=list)
    roles: Annotated[list[RoleEntry], Field(min_length=1, max_length=6)]
    npcs: Annotated[list[NpcEntry], Field(min_length=1, max_length=12)]
    hostiles: Annotated[list[HostileEntry], Field(min_length=1, max_length=12)]
    items: Annotated[list[ItemEntry], Field(max_length=12)] = Field(default_factory=list)
    landmarks: Annotated[list[LandmarkEntry], Field(min_length=1, max_length=12)]
    chapters: Annotated[list[ChapterEntry], Field(min_length=1, max_length=6)]
    quests: Annotated[list[QuestEntry], Field(min_length=1, max_length=24)]
    treasures: Annotated[list[TreasureEntry], Field(max_length=12)] = Field(default_factory=list)
    threads: Annotated[list[ThreadEntry], Field(max_length=6)] = Field(default_factory=list)


class ChapterOutput(Output):
    """A chapter and what there is to do in it."""

    chapter: ChapterEntry
    quests: Annotated[list[QuestEntry], Field(min_length=1, max_length=4)]


class ImagePromptOutput(Output):
    """What an image is to show."""

    prompt: Annotated[WholeText, Field(min_length=1, max_length=IMAGE_PROMPT_CHARS_MAX)]
    palette: Annotated[
        list[Annotated[str, Field(pattern="^#[0-9A-Fa-f]{6}$")]], Field(max_length=5)
    ] = Field(default_factory=list)
    mood: Annotated[WholeText, Field(max_length=40)] = ""

    def words(self) -> str:
        """All of it in one text for a model that paints."""
        return cut_text(
            ". ".join(filter(None, (self.prompt, self.mood, " ".join(self.palette)))),
            IMAGE_PROMPT_CHARS_MAX,
        )


AGENT_TURN_SCHEMA: Final = schema_of(_TurnOutput)
"""The JSON schema of a reply; the text comes first, so that it can be shown as it is written."""

FOUNDATION_SCHEMA: Final = schema_of(FoundationOutput)
"""The JSON schema of a foundation."""

CHAPTER_SCHEMA: Final = schema_of(ChapterOutput)
"""The JSON schema of a chapter with its quests."""

IMAGE_PROMPT_SCHEMA: Final = schema_of(ImagePromptOutput)
"""The JSON schema of what an image is to show."""


def entity_schema(kind: EntityKind) -> str:
    """The JSON schema of an entity of a kind."""
    return schema_of(ENTRIES[kind])


def read_agent_turn(text: str, denied: DenyList) -> tuple[AgentTurn | None, list[str]]:
    """The first JSON object in what a model said, as a reply; or what is wrong with it."""
    output, faults = read_output(text, _TurnOutput, denied)
    if output is None:
        return None, faults
    cards = []
    for place, proposed in enumerate(output.proposed_cards):
        card, faults = _read_card(proposed, denied)
        if card is None:
            return None, [f"proposedCards.{place}.payload.{fault}" for fault in faults]
        cards.append(card)
    anchors = [
        AgentAnchor(anchor.key, anchor.value, anchor.confidence, TextSource.LLM)
        for anchor in output.anchors
    ]
    return AgentTurn(output.reply, anchors, output.suggested_replies, cards), []


def read_foundation(text: str, denied: DenyList) -> tuple[list[NewCard] | None, list[str]]:
    """The first JSON object in what a model said, as cards by kind; or what is wrong with it.

    Whether the cards make a world is for the compile to say.
    """
    output, faults = read_output(text, FoundationOutput, denied)
    if output is None:
        return None, faults
    sections: dict[EntityKind, Sequence[Entry]] = {
        EntityKind.WORLD: [output.world],
        EntityKind.FACTION: output.factions,
        EntityKind.ROLE: output.roles,
        EntityKind.NPC: output.npcs,
        EntityKind.HOSTILE: output.hostiles,
        EntityKind.ITEM: output.items,
        EntityKind.LANDMARK: output.landmarks,
        EntityKind.CHAPTER: output.chapters,
        EntityKind.QUEST: output.quests,
        EntityKind.TREASURE: output.treasures,
        EntityKind.THREAD: output.threads,
    }
    return [card_of(kind, entry) for kind, entries in sections.items() for entry in entries], []


def read_chapter(text: str, denied: DenyList) -> tuple[list[NewCard] | None, list[str]]:
    """The first JSON object in what a model said, as a chapter's cards; or its faults."""
    output, faults = read_output(text, ChapterOutput, denied)
    if output is None:
        return None, faults
    quests = [card_of(EntityKind.QUEST, quest) for quest in output.quests]
    return [*quests, card_of(EntityKind.CHAPTER, output.chapter)], []


def read_entity(text: str, kind: EntityKind, denied: DenyList) -> tuple[NewCard | None, list[str]]:
    """The first JSON object in what a model said, as a card of a kind; or what is wrong with it."""
    output, faults = read_output(text, ENTRIES[kind], denied)
    return (None, faults) if output is None else (card_of(kind, output), [])


def read_image_prompt(text: str, denied: DenyList) -> tuple[ImagePromptOutput | None, list[str]]:
    """The first JSON object in what a model said, as a prompt for an image; or its faults."""
    return read_output(text, ImagePromptOutput, denied)


def _read_card(proposed: _CardOutput, denied: DenyList) -> tuple[NewCard | None, list[str]]:
    kind = enum_from_json(EntityKind, proposed.kind)
    output, faults = check_output(proposed.payload, ENTRIES[kind], denied)
    return (None, faults) if output is None else (card_of(kind, output), [])
