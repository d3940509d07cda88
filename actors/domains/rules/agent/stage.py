"""Stage: how far a creation session has come, and its progress (domain 7.2)."""

from __future__ import annotations

from typing import Final, NamedTuple

from actors.domains.domain_types import AgentStage

__all__ = ["FOUNDATION_COVERAGE_PERMILLE", "SessionFacts", "next_stage", "progress_permille"]

FOUNDATION_COVERAGE_PERMILLE: Final = 500
"""Coverage from which a foundation can be drafted: three of the six anchors."""

_SEED_CHARS: Final = 80
"""A seed text that is as long says enough by itself."""


class SessionFacts(NamedTuple):
    """What a session's stage, progress and supported actions follow from.

    Attributes:
        stage: the stage so far; never before what it once was, except that it may be restored.
        coverage_permille: of the anchors.
        seed_chars: length of the text that the session began with.
        is_drafted: a foundation was drafted once.
        gate_passed: the publish gate passes, apart from its checks of stage and operations.
        is_archived, is_publishing: as the names say.
        is_published: a version of the world is live.
        is_changed: a card has changed since that version was made.
        is_busy: an exclusive operation runs or waits.
        can_retry: the last assistant message is partial or failed.
        card_count, role_count, landmark_count, chapter_count: cards that are not removed; roles
            and npcs are counted together.
        has_world: there is a world card.
        image_count: cards of the world, of roles, npcs and landmarks that have an image.
        checkpoint_count: checkpoints that can be gone back to.
        is_text_live, is_image_live: a model is configured, so that work is paid for.
        balance: what the author can pay with, if that is known.
    """

    stage: AgentStage = AgentStage.COLLECTING
    coverage_permille: int = 0
    seed_chars: int = 0
    is_drafted: bool = False
    gate_passed: bool = False
    is_archived: bool = False
    is_publishing: bool = False
    is_published: bool = False
    is_changed: bool = False
    is_busy: bool = False
    can_retry: bool = False
    card_count: int = 0
    role_count: int = 0
    landmark_count: int = 0
    chapter_count: int = 0
    has_world: bool = False
    image_count: int = 0
    checkpoint_count: int = 0
    is_text_live: bool = False
    is_image_live: bool = False
    balance: int | None = None


def next_stage(facts: SessionFacts) -> AgentStage:
    """The stage that a session is in after a change.

    Of archived sessions that are restored it is the stage that the rest of the facts gives.
    """
    if facts.is_archived:
        return AgentStage.ARCHIVED
    if facts.is_publishing:
        return AgentStage.PUBLISHING
    if facts.is_drafted:
        if facts.is_published and not facts.is_changed:
            return AgentStage.PUBLISHED
        return AgentStage.PUBLISH_READY if facts.gate_passed else AgentStage.REFINING
    is_ready = (
        facts.stage is AgentStage.FOUNDATION_READY
        or facts.coverage_permille >= FOUNDATION_COVERAGE_PERMILLE
        or facts.seed_chars >= _SEED_CHARS
    )
    return AgentStage.FOUNDATION_READY if is_ready else AgentStage.COLLECTING


def progress_permille(facts: SessionFacts) -> int:
    """How much of the way to a published world with images is done, 0..1000."""
    return (
        facts.coverage_permille * 250 // 1000
        + (350 if facts.is_drafted else 0)
        + min(250, 25 * facts.image_count)
        + (100 if facts.gate_passed else 0)
        + (50 if facts.is_published else 0)
    )
