"""Rules of the creation agent: what it understands, says, allows and makes without a model (7)."""

from __future__ import annotations

from actors.domains.rules.agent.actions import (
    ACTION_RULES,
    ActionRule,
    PaidWork,
    refusal_of,
    supported_actions,
)
from actors.domains.rules.agent.anchors import (
    anchor_values,
    coverage_permille,
    empty_anchors,
    extract_anchors,
    is_filled,
    merge_anchors,
)
from actors.domains.rules.agent.book import ANCHOR_KEYS, AgentBook
from actors.domains.rules.agent.chapters import expand_chapter
from actors.domains.rules.agent.draft import NewCard, Wish, name_of, slug_of
from actors.domains.rules.agent.entities import ENTITY_KINDS, generate_entity
from actors.domains.rules.agent.foundation import FOUNDATION_CARDS, generate_foundation
from actors.domains.rules.agent.outputs import (
    AGENT_TURN_SCHEMA,
    CHAPTER_SCHEMA,
    FOUNDATION_SCHEMA,
    IMAGE_PROMPT_SCHEMA,
    AgentTurn,
    entity_schema,
    read_agent_turn,
    read_chapter,
    read_entity,
    read_foundation,
    read_image_prompt,
)
from actors.domains.rules.agent.reply import Reply, fallback_reply, greeting, greeting_replies
from actors.domains.rules.agent.stage import SessionFacts, next_stage, progress_permille

__all__ = [
    "ACTION_RULES",
    "AGENT_TURN_SCHEMA",
    "ANCHOR_KEYS",
    "CHAPTER_SCHEMA",
    "ENTITY_KINDS",
    "FOUNDATION_CARDS",
    "FOUNDATION_SCHEMA",
    "IMAGE_PROMPT_SCHEMA",
    "ActionRule",
    "AgentBook",
    "AgentTurn",
    "NewCard",
    "PaidWork",
    "Reply",
    "SessionFacts",
    "Wish",
    "anchor_values",
    "coverage_permille",
    "empty_anchors",
    "entity_schema",
    "expand_chapter",
    "extract_anchors",
    "fallback_reply",
    "generate_entity",
    "generate_foundation",
    "greeting",
    "greeting_replies",
    "is_filled",
    "merge_anchors",
    "name_of",
    "next_stage",
    "progress_permille",
    "read_agent_turn",
    "read_chapter",
    "read_entity",
    "read_foundation",
    "read_image_prompt",
    "refusal_of",
    "slug_of",
    "supported_actions",
]
