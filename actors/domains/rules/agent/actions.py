"""Actions: what a session can be asked for now, at what price, and else why not (domain 7.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from actors.domains.domain_types import AgentAction, AgentStage, SupportedAction
from actors.domains.rules.agent.stage import SessionFacts, next_stage
from actors.domains.rules.limits import CHAPTERS_MAX

__all__ = ["ACTION_RULES", "ActionRule", "Need", "PaidWork", "refusal_of", "supported_actions"]


class PaidWork(Enum):
    """Which kind of model an action is paid for."""

    TEXT = "text"
    IMAGE = "image"


class Need(NamedTuple):
    """Something that an action needs of a session, and the reason it is refused for without it."""

    reason: str
    is_met: Callable[[SessionFacts], bool]


class ActionRule(NamedTuple):
    """One line of the registry.

    Attributes:
        is_exclusive: it is done beside the actor or changes much, so one runs at a time.
        needs: what the session must have; the first that is missing is the reason.
        cost_spark: its price with a live model; for each image, where it makes images.
        work: what the price is for; None for what costs nothing.
    """

    is_exclusive: bool
    needs: tuple[Need, ...] = ()
    cost_spark: int = 0
    work: PaidWork | None = None


_CARDS: Final = Need("no_cards", lambda facts: facts.card_count > 0)
_FOUNDATION: Final = Need("foundation_missing", lambda facts: facts.is_drafted)
_SCENE: Final = Need("no_scene", lambda facts: facts.landmark_count > 0)
_ROOM: Final = Need("chapters_full", lambda facts: facts.chapter_count < CHAPTERS_MAX)
_ROLE_TARGET: Final = Need("no_target", lambda facts: facts.role_count > 0)
_SCENE_TARGET: Final = Need("no_target", lambda facts: facts.landmark_count > 0)
_WORLD_TARGET: Final = Need("no_target", lambda facts: facts.has_world)
_BROKEN_REPLY: Final = Need("nothing_to_retry", lambda facts: facts.can_retry)
_CHECKPOINT: Final = Need("no_checkpoint", lambda facts: facts.checkpoint_count > 0)
_GATE: Final = Need("publish_gate_blocked", lambda facts: facts.is_drafted and facts.gate_passed)
_LIVE: Final = Need("not_published", lambda facts: facts.is_published)
_ARCHIVED: Final = Need("not_archived", lambda facts: facts.is_archived)
_ANCHORS: Final = Need(
    "anchors_incomplete", lambda facts: next_stage(facts) >= AgentStage.FOUNDATION_READY
)

ACTION_RULES: Final[Mapping[AgentAction, ActionRule]] = MappingProxyType(
    {
        AgentAction.RETRY_REPLY: ActionRule(True, (_BROKEN_REPLY,)),
        AgentAction.DRAFT_FOUNDATION: ActionRule(True, (_ANCHORS,), 10, PaidWork.TEXT),
        AgentAction.UPDATE_DRAFT_CARD: ActionRule(False, (_CARDS,)),
        AgentAction.CREATE_DRAFT_CARD: ActionRule(False, (_FOUNDATION,)),
        AgentAction.SET_CARD_STATUS: ActionRule(False, (_CARDS,)),
        AgentAction.REORDER_CARDS: ActionRule(False, (_CARDS,)),
        AgentAction.GENERATE_ENTITY: ActionRule(True, (_FOUNDATION,), 3, PaidWork.TEXT),
        AgentAction.GENERATE_SCENE_NPC: ActionRule(True, (_SCENE,), 3, PaidWork.TEXT),
        AgentAction.EXPAND_CHAPTER: ActionRule(True, (_SCENE, _ROOM), 5, PaidWork.TEXT),
        AgentAction.GENERATE_ROLE_ASSETS: ActionRule(True, (_ROLE_TARGET,), 5, PaidWork.IMAGE),
        AgentAction.GENERATE_SCENE_ASSETS: ActionRule(True, (_SCENE_TARGET,), 5, PaidWork.IMAGE),
        AgentAction.GENERATE_COVER: ActionRule(True, (_WORLD_TARGET,), 5, PaidWork.IMAGE),
        AgentAction.SYNC_ROLE_ASSETS: ActionRule(False, (_ROLE_TARGET,)),
        AgentAction.SYNC_SCENE_ASSETS: ActionRule(False, (_SCENE_TARGET,)),
        AgentAction.SYNC_RESULT_PROFILE: ActionRule(False, (_FOUNDATION,)),
        AgentAction.CREATE_CHECKPOINT: ActionRule(True),
        AgentAction.REVERT_CHECKPOINT: ActionRule(True, (_CHECKPOINT,)),
        AgentAction.PUBLISH_WORLD: ActionRule(True, (_GATE,)),
        AgentAction.UNPUBLISH_WORLD: ActionRule(True, (_LIVE,)),
        AgentAction.ARCHIVE_SESSION: ActionRule(True),
        AgentAction.RESTORE_SESSION: ActionRule(True, (_ARCHIVED,)),
    }
)
"""What can be asked for, in the registry's order; replies are asked for by messages."""


def supported_actions(facts: SessionFacts) -> list[SupportedAction]:
    """Every action with whether it is enabled, in the registry's order."""
    supported = []
    for action, rule in ACTION_RULES.items():
        reason = refusal_of(action, facts)
        supported.append(SupportedAction(action, reason is None, reason, _price(rule, facts)))
    return supported


def refusal_of(action: AgentAction, facts: SessionFacts) -> str | None:
    """Why a session cannot be asked for an action now; None when it can.

    What every action has in common comes first: a session that is archived or publishing, an
    operation that has to end, then what the action itself needs, then its price.
    """
    rule = ACTION_RULES[action]
    if facts.is_archived and action is not AgentAction.RESTORE_SESSION:
        return "session_archived"
    if facts.is_publishing:
        return "publishing"
    if rule.is_exclusive and facts.is_busy:
        return "operation_running"
    missing = next((need.reason for need in rule.needs if not need.is_met(facts)), None)
    if missing is not None:
        return missing
    if facts.balance is not None and facts.balance < _price(rule, facts):
        return "insufficient_balance"
    return None


def _price(rule: ActionRule, facts: SessionFacts) -> int:
    """What it costs here: work that no model does is free."""
    is_live = {PaidWork.TEXT: facts.is_text_live, PaidWork.IMAGE: facts.is_image_live, None: False}
    return rule.cost_spark if is_live[rule.work] else 0
