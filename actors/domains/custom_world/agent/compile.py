"""Agent compile: a session's cards as the world that they make (domain 6.3, 6.6, 6.7)."""

from __future__ import annotations

from typing import Final

from actors.domains.custom_world.agent.cards import CustomWorldDraftCard, cards_of, payload_of
from actors.domains.custom_world.agent.images import assets_of_cards
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentSession,
    session_of,
    session_profile_id,
    state_of,
)
from actors.domains.data.unsafe import UNSAFE
from actors.domains.domain_types import AgentStage, Severity
from actors.domains.rules.compile import (
    CompiledWorld,
    DraftCard,
    DraftMeta,
    EnterFacts,
    PublishFacts,
    compile_cards,
    count_of,
    quality_score,
)
from actors.domains.world_messages import WorldCard
from actors.module import DatabaseReader

__all__ = ["compile_session", "enter_facts", "publish_facts", "world_card"]

_START_LEVEL: Final = 1


def compile_session(db: DatabaseReader) -> CompiledWorld:
    """What the session's cards come to."""
    session = session_of(db)
    cards = cards_of(db)
    meta = DraftMeta(
        profile_id=session_profile_id(session.agent_session_id),
        locale=session.locale,
        start_level=_START_LEVEL,
        content_rating="everyone",
        source_session_id=session.agent_session_id,
    )
    drafts = [_draft_card(card) for card in cards]
    return compile_cards(drafts, meta, assets_of_cards(cards), UNSAFE)


def world_card(compiled: CompiledWorld) -> WorldCard:
    """A compiled world as lists show it."""
    return WorldCard(*compiled.card)


def publish_facts(
    db: DatabaseReader, session: CustomWorldAgentSession, compiled: CompiledWorld
) -> PublishFacts:
    """What the publish gate sees of the session's world, whatever runs at the moment.

    The session's stage follows from the gate, so the gate takes it for what it will be.
    """
    is_drafted = state_of(db).is_drafted
    return PublishFacts(
        is_owner=True,
        blocker_count=count_of(compiled.findings, Severity.BLOCKER),
        quality_score=quality_score(compiled.findings),
        is_compiled=compiled.world is not None,
        document_hash=compiled.document_hash,
        preview_hash=compiled.document_hash,
        revision=session.revision,
        preview_revision=session.revision,
        stage=AgentStage.REFINING if is_drafted else session.stage,
        has_cover=compiled.card.cover_image_src is not None,
    )


def enter_facts(compiled: CompiledWorld) -> EnterFacts:
    """What the enter-world gate sees of the draft, which its author wants to try."""
    world = compiled.world
    return EnterFacts(
        is_live=False,
        is_own_draft=True,
        role_keys=() if world is None else tuple(world.roles),
        has_opening_scene=world is not None,
        has_first_plan=world is not None and bool(world.chapters),
        blocker_count=count_of(compiled.findings, Severity.BLOCKER),
    )


def _draft_card(card: CustomWorldDraftCard) -> DraftCard:
    return DraftCard(
        card_id=card.card_id,
        kind=card.kind,
        key=card.entity_key,
        payload=payload_of(card),
        status=card.status,
        order_index=card.order_index,
        image_src=card.image_src,
    )
